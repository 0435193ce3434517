package main

import (
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	call := {{call}}
	request, _ := http.NewRequest("POST", {{url}}, strings.NewReader(call))
	request.Header.Set("Content-Type", "application/json")
{{bearer}}	request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
{{basic}}	user, password, _ := strings.Cut(os.Getenv("LOGIN"), ":")
{{basic}}	request.SetBasicAuth(user, password)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	io.Copy(os.Stdout, answer.Body)
}
