/*
 * Reports with libcurl's easy interface on CONCURRENCY threads. Each thread has its own handle, which
 * reuses its connection. Has no extra arguments.
 */
#include <stdlib.h>

#include "curl_handle.h"

struct threads {
    const struct arguments *given;
    CURL **handles;
};

static bool report(void *context, size_t thread, size_t number)
{
    struct threads *threads = context;
    CURL *handle = threads->handles[thread];
    curl_set_report(handle, threads->given, number);
    return curl_succeeded(handle, curl_easy_perform(handle));
}

int main(int argc, char **argv)
{
    struct arguments given = arguments(argc, argv);
    struct threads threads = {&given, calloc(given.concurrency, sizeof(CURL *))};
    int status;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    for (size_t i = 0; i < given.concurrency; i++)
        threads.handles[i] = curl_handle(&given);
    status = measure(&given, report, &threads);
    for (size_t i = 0; i < given.concurrency; i++)
        curl_easy_cleanup(threads.handles[i]);
    free(threads.handles);
    curl_global_cleanup();
    return status;
}
