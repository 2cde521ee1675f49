/* A libcurl easy handle that sends the same bytes and has the same timeouts and checks as this library. */
#ifndef CURL_HANDLE_H
#define CURL_HANDLE_H

#include <curl/curl.h>

#include "common.h"

/* Creates a handle with the options that are the same for all reports. */
CURL *curl_handle(const struct arguments *given);

/* Sets the URL for the report with this number. */
void curl_set_report(CURL *handle, const struct arguments *given, size_t number);

/* Returns whether a transfer that ended with `code` got a 200. Prints the error otherwise. */
bool curl_succeeded(CURL *handle, CURLcode code);

#endif
