#include "curl_handle.h"

#include <stdio.h>

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes, (void)context;
    return size * count;
}

/* Returns a list, shared by all handles, that removes libcurl's default headers that this library does not send. */
static struct curl_slist *headers(void)
{
    static struct curl_slist *list;
    if (list == NULL)
        list = curl_slist_append(curl_slist_append(NULL, "Accept:"), "Content-Type:");
    return list;
}

CURL *curl_handle(const struct arguments *given)
{
    CURL *handle = curl_easy_init();
    if (handle == NULL)
        die("cannot create a libcurl handle");
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, 0L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers());
    curl_easy_setopt(handle, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 10000L);
    if (given->ca_file != NULL)
        curl_easy_setopt(handle, CURLOPT_CAINFO, given->ca_file);
    return handle;
}

void curl_set_report(CURL *handle, const struct arguments *given, size_t number)
{
    char id[MESSAGE_ID_SIZE], url[URL_SIZE];
    message_id(number, id);
    snprintf(url, sizeof url, "%s" TARGET, given->url, id);
    curl_easy_setopt(handle, CURLOPT_URL, url);
}

bool curl_succeeded(CURL *handle, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status == 200)
        return true;
    fprintf(stderr, "%s, status %ld\n", curl_easy_strerror(code), status);
    return false;
}
