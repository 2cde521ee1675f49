/* Sends prepared bytes over a socket, to measure the minimum cost of a report over HTTP. Has no extra arguments. */
#include <unistd.h>

#include "raw.h"

struct connection {
    char request[REQUEST_SIZE];
    size_t size;
    int socket;
};

static bool report(void *context, size_t thread, size_t number)
{
    struct connection *connection = context;
    char response[4096];
    ssize_t got;
    (void)thread, (void)number;
    if (write(connection->socket, connection->request, connection->size) != (ssize_t)connection->size)
        return false;
    got = read(connection->socket, response, sizeof response);
    return got > 0 && raw_is_success(response, (size_t)got);
}

int main(int argc, char **argv)
{
    struct arguments given = arguments(argc, argv);
    struct connection connection;
    int status;
    connection.size = raw_request(&given, connection.request);
    connection.socket = raw_connect(&given);
    status = measure(&given, report, &connection);
    close(connection.socket);
    return status;
}
