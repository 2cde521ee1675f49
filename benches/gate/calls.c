/*
 * Calls the functions of the release library whose instructions the gate counts:
 *
 *     calls client query|signature URL CA_FILE|- COUNT    reports with one client
 *     calls reporter OUTBOX|- COUNT                       submits to a reporter
 *     calls flat COUNT                                    submits with the flat functions, without an outbox file
 *
 * No service listens on the port that the reporters use. The count starts when they are backing off, so that a submit
 * only stores the report.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nexmo_conversion.h"

#define WARM_UP 100
#define TIMESTAMP "2026-01-02 03:04:05"
#define UNREACHABLE "http://127.0.0.1:1"

static void check(int32_t status, const char *message)
{
    if (status != NEXMO_OK) {
        fprintf(stderr, "%s\n", message);
        exit(2);
    }
}

/* Starts the count: callgrind discards the instructions that it counted before this call. */
__attribute__((noinline)) static void begin_counting(void)
{
    __asm__ volatile("");
}

/* Returns an id like the service's: 16 hexadecimal digits, unique for each number and in no particular order. */
static const char *message_id(uint64_t number)
{
    static char id[17];
    snprintf(id, sizeof id, "%016" PRIX64, (number + 1) * UINT64_C(0x9E3779B97F4A7C15));
    return id;
}

static void wait_until_backing_off(nexmo_reporter *reporter, int64_t handle)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    int64_t state = 0, in_flight = 1;
    while (state != NEXMO_STATE_BACKING_OFF || in_flight > 0) {
        nanosleep(&pause, NULL);
        if (reporter == NULL) {
            check(nexmo_flat_statistic(handle, "state", -1, &state, NULL, 0), "cannot read state");
            check(nexmo_flat_statistic(handle, "in_flight", -1, &in_flight, NULL, 0), "cannot read in_flight");
        } else {
            nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
            nexmo_result result = NEXMO_RESULT_INIT;
            check(nexmo_reporter_statistics(reporter, &statistics, &result), result.message);
            state = statistics.state;
            in_flight = (int64_t)statistics.in_flight;
        }
    }
}

static void client(const char *auth, const char *url, const char *ca_file, uint64_t count)
{
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    nexmo_options options = NEXMO_OPTIONS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    nexmo_client *client;

    credentials.api_key = "abcd1234";
    credentials.api_secret = "s3cret";
    if (strcmp(auth, "signature") == 0) {
        credentials.auth = NEXMO_AUTH_SIGNATURE;
        credentials.signature_secret = "sign4ture";
        credentials.signature_method = NEXMO_SIGNATURE_HMAC_SHA256;
    }
    options.base_url = url;
    options.ca_file = strcmp(ca_file, "-") == 0 ? NULL : ca_file;
    check(nexmo_client_new(&credentials, &options, &client, &result), result.message);
    for (uint64_t number = 0; number < WARM_UP + count; number++) {
        if (number == WARM_UP)
            begin_counting();
        check(nexmo_client_report(client, NEXMO_CHANNEL_SMS, message_id(number), 1, TIMESTAMP, &result), result.message);
    }
    nexmo_client_free(client);
}

static void reporter(const char *outbox, uint64_t count)
{
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    nexmo_options options = NEXMO_OPTIONS_INIT;
    nexmo_reporter_options reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    nexmo_reporter *reporter;

    credentials.api_key = "abcd1234";
    credentials.api_secret = "s3cret";
    options.base_url = UNREACHABLE;
    reporter_options.outbox = strcmp(outbox, "-") == 0 ? NULL : outbox;
    reporter_options.durability = strcmp(outbox, "-") == 0 ? NEXMO_DURABILITY_NONE : NEXMO_DURABILITY_PROCESS;
    check(nexmo_reporter_new(&credentials, &options, &reporter_options, &reporter, &result), result.message);
    for (uint64_t number = 0; number < WARM_UP + count; number++) {
        if (number == WARM_UP) {
            wait_until_backing_off(reporter, 0);
            begin_counting();
        }
        check(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, message_id(number), 1, TIMESTAMP, &result), result.message);
    }
    nexmo_reporter_free(reporter);
}

static void flat(uint64_t count)
{
    const char *settings = "api_key = abcd1234\n"
                           "api_secret = s3cret\n"
                           "base_url = " UNREACHABLE "\n"
                           "durability = none\n";
    int64_t handle, details[NEXMO_DETAIL_COUNT];
    char message[NEXMO_MESSAGE_SIZE];

    check(nexmo_flat_open(settings, -1, &handle, message, sizeof message), message);
    for (uint64_t number = 0; number < WARM_UP + count; number++) {
        if (number == WARM_UP) {
            wait_until_backing_off(NULL, handle);
            begin_counting();
        }
        check(nexmo_flat_submit(handle, NEXMO_CHANNEL_SMS, message_id(number), -1, 1, TIMESTAMP, -1, details,
                                NEXMO_DETAIL_COUNT, message, sizeof message),
              message);
    }
}

int main(int argc, char **argv)
{
    const char *call = argc > 1 ? argv[1] : "";
    const uint64_t count = strtoull(argv[argc - 1], NULL, 10);

    if (strcmp(call, "client") == 0 && argc == 6)
        client(argv[2], argv[3], argv[4], count);
    else if (strcmp(call, "reporter") == 0 && argc == 4)
        reporter(argv[2], count);
    else if (strcmp(call, "flat") == 0 && argc == 3)
        flat(count);
    else
        check(-1, "usage: see the top of calls.c");
    return 0;
}
