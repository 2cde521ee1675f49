/* Sends prepared bytes with OpenSSL, to measure the minimum cost of a report over HTTPS. Has no extra arguments. */
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "raw.h"

#define SYSTEM_STORE "/etc/ssl/certs/ca-certificates.crt"

struct connection {
    char request[REQUEST_SIZE];
    size_t size;
    SSL *ssl;
};

static bool report(void *context, size_t thread, size_t number)
{
    struct connection *connection = context;
    char response[4096];
    int got;
    (void)thread, (void)number;
    if (SSL_write(connection->ssl, connection->request, (int)connection->size) != (int)connection->size)
        return false;
    got = SSL_read(connection->ssl, response, sizeof response);
    return got > 0 && raw_is_success(response, (size_t)got);
}

static SSL_CTX *new_context(const char *ca_file)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_load_verify_file(context, ca_file == NULL ? SYSTEM_STORE : ca_file) != 1)
        die("cannot load the CA");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return context;
}

static SSL *handshake(SSL_CTX *context, int socket)
{
    SSL *ssl = SSL_new(context);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1");
    SSL_set_fd(ssl, socket);
    if (SSL_connect(ssl) != 1)
        die("TLS handshake failed");
    return ssl;
}

int main(int argc, char **argv)
{
    struct arguments given = arguments(argc, argv);
    struct connection connection;
    SSL_CTX *context = new_context(given.ca_file);
    int socket = raw_connect(&given), status;
    connection.size = raw_request(&given, connection.request);
    connection.ssl = handshake(context, socket);
    status = measure(&given, report, &connection);
    SSL_shutdown(connection.ssl);
    SSL_free(connection.ssl);
    SSL_CTX_free(context);
    close(socket);
    return status;
}
