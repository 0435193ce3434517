package main

import (
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	call := {{call}}
	answer, err := http.Post({{url}}, "application/json", strings.NewReader(call))
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	io.Copy(os.Stdout, answer.Body)
}
