/* The least a CGI program can do: it reads as many octets as CONTENT_LENGTH says, and writes one fixed answer. */
#include <stdlib.h>
#include <unistd.h>

#define ANSWER \
    "Status: 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 109\r\n\r\n" \
    "<?xml version=\"1.0\"?>\n" \
    "<methodResponse><params><param><value><int>5</int></value></param></params></methodResponse>\n"

int main(void) {
    static char body[1 << 16];
    const char *length = getenv("CONTENT_LENGTH");
    long missing = length ? atol(length) : 0;
    while (missing > 0) {
        ssize_t got = read(0, body, missing < (long)sizeof body ? (size_t)missing : sizeof body);
        if (got <= 0) return 1;
        missing -= got;
    }
    return write(1, ANSWER, sizeof ANSWER - 1) == sizeof ANSWER - 1 ? 0 : 1;
}
