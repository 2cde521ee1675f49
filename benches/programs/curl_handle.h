/* A libcurl easy handle that sends the same requests as this library, with the same timeouts and certificate checks. */
#ifndef CURL_HANDLE_H
#define CURL_HANDLE_H

#include <curl/curl.h>

#include "common.h"

/* Creates a handle with the options that are the same for all reports. */
CURL *curl_handle(const struct arguments *given);

/* Sets the URL for the report with this number. */
void curl_set_report(CURL *handle, const struct arguments *given, size_t number);

/* Returns whether a transfer that ended with `code` received a response with status 200. If not, prints the error. */
bool curl_succeeded(CURL *handle, CURLcode code);

#endif
