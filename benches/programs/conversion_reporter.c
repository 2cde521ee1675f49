/*
 * This library's reporter, which sends on CONCURRENCY connections. MORE: DURABILITY [OUTBOX]. The clock runs from the first
 * submit until the service has all, and reports are sent while others come in.
 */
#include <stdio.h>
#include <string.h>

#include "common.h"
#include "nexmo_conversion.h"

#define HOUR_MS 3600000

static int32_t durability(const char *name)
{
    if (strcmp(name, "none") == 0)
        return NEXMO_DURABILITY_NONE;
    return strcmp(name, "power") == 0 ? NEXMO_DURABILITY_POWER : NEXMO_DURABILITY_PROCESS;
}

static nexmo_reporter *reporter(const struct arguments *given)
{
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    nexmo_options options = NEXMO_OPTIONS_INIT;
    nexmo_reporter_options outbox = NEXMO_REPORTER_OPTIONS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    nexmo_reporter *made = NULL;

    credentials.api_key = API_KEY;
    credentials.api_secret = API_SECRET;
    options.base_url = given->url;
    options.ca_file = given->ca_file;
    outbox.durability = durability(given->more[0]);
    outbox.outbox = outbox.durability == NEXMO_DURABILITY_NONE ? NULL : given->more[1];
    outbox.max_in_flight = (int32_t)given->concurrency;
    outbox.max_pending = 10000000;
    outbox.busy_timeout_ms = 10000;
    if (nexmo_reporter_new(&credentials, &options, &outbox, &made, &result) != NEXMO_OK)
        die(result.message);
    return made;
}

static bool submit(void *made, size_t thread, size_t number)
{
    nexmo_result result = NEXMO_RESULT_INIT;
    char id[MESSAGE_ID_SIZE];
    (void)thread;
    message_id(number, id);
    if (nexmo_reporter_submit(made, NEXMO_CHANNEL_SMS, id, 1, TIMESTAMP, &result) == NEXMO_OK)
        return true;
    fprintf(stderr, "%s\n", result.message);
    return false;
}

/* Submits `count` reports and waits until all are sent; tells how many were not. */
static size_t send(nexmo_reporter *made, size_t first, size_t count)
{
    nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    on_threads(1, first, count, submit, made);
    if (nexmo_reporter_flush(made, HOUR_MS, &result) != NEXMO_OK || nexmo_reporter_statistics(made, &statistics, &result) != NEXMO_OK)
        fprintf(stderr, "%s\n", result.message);
    return first + count - (size_t)statistics.accepted;
}

int main(int argc, char **argv)
{
    struct arguments given = arguments(argc, argv);
    nexmo_reporter *made;
    size_t failures;
    int status;

    if (given.more[0] == NULL)
        die("MORE is DURABILITY [OUTBOX]");
    made = reporter(&given);
    failures = send(made, 0, given.warm_up);
    begin();
    failures += send(made, given.warm_up, given.count);
    status = end(given.count, failures);
    nexmo_reporter_free(made);
    return status;
}
