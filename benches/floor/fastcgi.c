/* What Debian's libfcgi makes of FastCGI: so many threads, each of which accepts, reads a request to its end and writes
 * a fixed answer. Usage: PROGRAM SOCKET THREADS */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>

static int listening;

static const char answer[] =
    "Content-Type: text/xml\r\nContent-Length: 132\r\n\r\n"
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
    "<methodResponse><params><param><value><int>5</int></value></param></params></methodResponse>\n";

static void *serve(void *unused) {
    FCGX_Request request;
    char body[64 << 10];

    FCGX_InitRequest(&request, listening, 0);
    while (FCGX_Accept_r(&request) == 0) {
        while (FCGX_GetStr(body, sizeof body, request.in) > 0) {
        }
        FCGX_PutStr(answer, sizeof answer - 1, request.out);
        FCGX_Finish_r(&request);
    }
    return unused;
}

int main(int count, char **words) {
    if (count != 3 || FCGX_Init() != 0) return 2;
    listening = FCGX_OpenSocket(words[1], 4096);
    for (int thread = 1; thread < atoi(words[2]); thread++) {
        pthread_t started;
        if (pthread_create(&started, 0, serve, 0) != 0) return 1;
    }
    serve(0);
    return 0;
}
