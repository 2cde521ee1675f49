/* What raw_socket.c and raw_openssl.c share: the request, the connection and the check of the response. */
#ifndef RAW_H
#define RAW_H

#include "common.h"

#define REQUEST_SIZE 512

/* Writes a complete request, which is always the same, and returns its length. */
size_t raw_request(const struct arguments *given, char request[REQUEST_SIZE]);

/* Returns a connected socket. */
int raw_connect(const struct arguments *given);

/* Returns whether these bytes are a complete response with status 200. */
bool raw_is_success(const char *bytes, size_t size);

#endif
