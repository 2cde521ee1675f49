#include "raw.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

static const char *host(const struct arguments *given)
{
    return strstr(given->url, "//") + 2;
}

size_t raw_request(const struct arguments *given, char request[REQUEST_SIZE])
{
    char id[MESSAGE_ID_SIZE];
    message_id(0, id);
    return (size_t)snprintf(request, REQUEST_SIZE,
                            "POST " TARGET " HTTP/1.1\r\nhost: %s\r\nuser-agent: " USER_AGENT "\r\ncontent-length: 0\r\n\r\n",
                            id, host(given));
}

int raw_connect(const struct arguments *given)
{
    const struct timeval limit = {10, 0}; /* libcurl and this library have the same limit. */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    address.sin_port = htons((uint16_t)atoi(strchr(host(given), ':') + 1));
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        die("cannot connect");
    return descriptor;
}

bool raw_is_success(const char *bytes, size_t size)
{
    const char ok[] = "HTTP/1.1 200 ", end[] = "\r\n\r\nOK";
    return size > sizeof ok + sizeof end && memcmp(bytes, ok, sizeof ok - 1) == 0 &&
           memcmp(bytes + size - (sizeof end - 1), end, sizeof end - 1) == 0;
}
