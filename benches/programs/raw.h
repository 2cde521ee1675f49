/* The least a program can do: prepared bytes out, the answer's bytes in. */
#ifndef RAW_H
#define RAW_H

#include "common.h"

#define REQUEST_SIZE 512

/* The whole of a request, always the same. Gives its length. */
size_t raw_request(const struct arguments *given, char request[REQUEST_SIZE]);

/* A connected socket. */
int raw_connect(const struct arguments *given);

/* Whether `size` bytes are a whole answer that says 200. */
bool raw_is_success(const char *bytes, size_t size);

#endif
