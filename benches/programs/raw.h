/* The minimum that a client can do: sends prepared bytes and reads the response. */
#ifndef RAW_H
#define RAW_H

#include "common.h"

#define REQUEST_SIZE 512

/* Writes a complete request, the same each time, and returns its length. */
size_t raw_request(const struct arguments *given, char request[REQUEST_SIZE]);

/* Returns a connected socket. */
int raw_connect(const struct arguments *given);

/* Whether these bytes are a complete response with status 200. */
bool raw_is_success(const char *bytes, size_t size);

#endif
