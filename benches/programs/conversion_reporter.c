/*
 * Reports with this library's reporter, which sends over CONCURRENCY connections while the program submits. Measures
 * the time from the first submit until the service has accepted all reports. Extra arguments: DURABILITY [OUTBOX].
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

static nexmo_reporter *new_reporter(const struct arguments *given)
{
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    nexmo_options options = NEXMO_OPTIONS_INIT;
    nexmo_reporter_options outbox = NEXMO_REPORTER_OPTIONS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    nexmo_reporter *reporter = NULL;

    credentials.api_key = API_KEY;
    credentials.api_secret = API_SECRET;
    options.base_url = given->url;
    options.ca_file = given->ca_file;
    outbox.durability = durability(given->extra[0]);
    outbox.outbox = outbox.durability == NEXMO_DURABILITY_NONE ? NULL : given->extra[1];
    outbox.max_in_flight = (int32_t)given->concurrency;
    outbox.max_pending = 10000000;
    outbox.busy_timeout_ms = 10000;
    if (nexmo_reporter_new(&credentials, &options, &outbox, &reporter, &result) != NEXMO_OK)
        die(result.message);
    return reporter;
}

static bool submit(void *reporter, size_t thread, size_t number)
{
    nexmo_result result = NEXMO_RESULT_INIT;
    char id[MESSAGE_ID_SIZE];
    (void)thread;
    message_id(number, id);
    if (nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, id, 1, TIMESTAMP, &result) == NEXMO_OK)
        return true;
    fprintf(stderr, "%s\n", result.message);
    return false;
}

/* Submits `count` reports and waits until none is pending. */
static void send(nexmo_reporter *reporter, size_t first, size_t count)
{
    nexmo_result result = NEXMO_RESULT_INIT;
    on_threads(1, first, count, submit, reporter);
    if (nexmo_reporter_flush(reporter, HOUR_MS, &result) != NEXMO_OK)
        fprintf(stderr, "%s\n", result.message);
}

/* Returns the number of reports that the service has accepted, or 0 if the statistics cannot be read. */
static size_t accepted(nexmo_reporter *reporter)
{
    nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    if (nexmo_reporter_statistics(reporter, &statistics, &result) != NEXMO_OK)
        fprintf(stderr, "%s\n", result.message);
    return (size_t)statistics.accepted;
}

int main(int argc, char **argv)
{
    struct arguments given = arguments(argc, argv);
    nexmo_reporter *reporter;
    int status;

    if (given.extra[0] == NULL)
        die("usage: ... DURABILITY [OUTBOX]");
    reporter = new_reporter(&given);
    send(reporter, 0, given.warm_up);
    begin();
    send(reporter, given.warm_up, given.count);
    status = end(given.count, given.warm_up + given.count - accepted(reporter));
    nexmo_reporter_free(reporter);
    return status;
}
