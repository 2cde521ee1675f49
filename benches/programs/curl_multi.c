/* Reports with libcurl's multi interface, with CONCURRENCY easy handles on one thread. Has no extra arguments. */
#include <stdlib.h>

#include "curl_handle.h"

struct reports {
    const struct arguments *given;
    CURLM *multi;
    CURL **handles;
    size_t next, last, in_flight, failures;
};

/* Starts the next report on a handle, if any report is left. */
static void send_next(struct reports *reports, CURL *handle)
{
    if (reports->next == reports->last)
        return;
    curl_set_report(handle, reports->given, reports->next++);
    curl_multi_add_handle(reports->multi, handle);
    reports->in_flight++;
}

static void handle_completed(struct reports *reports)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(reports->multi, &left)) != NULL) {
        CURL *handle = message->easy_handle;
        if (!curl_succeeded(handle, message->data.result))
            reports->failures++;
        curl_multi_remove_handle(reports->multi, handle);
        reports->in_flight--;
        send_next(reports, handle);
    }
}

/* Makes `count` more reports, on all handles concurrently. */
static void run(struct reports *reports, size_t count)
{
    int running;
    reports->last = reports->next + count;
    for (size_t i = 0; i < reports->given->concurrency; i++)
        send_next(reports, reports->handles[i]);
    while (reports->in_flight > 0) {
        curl_multi_perform(reports->multi, &running);
        handle_completed(reports);
        if (running > 0)
            curl_multi_poll(reports->multi, NULL, 0, 1000, NULL);
    }
}

int main(int argc, char **argv)
{
    struct arguments given = arguments(argc, argv);
    struct reports reports = {.given = &given, .handles = calloc(given.concurrency, sizeof(CURL *))};
    int status;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    reports.multi = curl_multi_init();
    for (size_t i = 0; i < given.concurrency; i++)
        reports.handles[i] = curl_handle(&given);
    run(&reports, given.warm_up);
    begin();
    run(&reports, given.count);
    status = end(given.count, reports.failures);
    for (size_t i = 0; i < given.concurrency; i++)
        curl_easy_cleanup(reports.handles[i]);
    curl_multi_cleanup(reports.multi);
    free(reports.handles);
    curl_global_cleanup();
    return status;
}
