/* A libcurl easy handle that reports as this library does: the same bytes on the wire, limits and checks. */
#ifndef CURL_HANDLE_H
#define CURL_HANDLE_H

#include <curl/curl.h>

#include "common.h"

/* A handle with all that stays from one report to the next. */
CURL *curl_handle(const struct arguments *given);

/* Points the handle to the report of this number. */
void curl_aim(CURL *handle, const struct arguments *given, size_t number);

/* Whether a transfer that ended with `code` brought a 200. */
bool curl_succeeded(CURL *handle, CURLcode code);

#endif
