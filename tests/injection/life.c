/*
 * A program that creates, uses and frees a client and a reporter while inject.c makes system calls fail. It prints a
 * line for each call, and run.py checks these lines.
 *
 *     life first      uses a client, then a reporter with a new outbox; usually leaves some reports pending
 *     life second     opens the same outbox in another process and sends the remaining reports
 *
 *     LIFE_BASE_URL, LIFE_CA_FILE, LIFE_OUTBOX    the service, its CA file (or "") and the outbox
 *     LIFE_BYSTANDER_URL                          the service for the client of another thread, which has no faults
 *     LIFE_PREFIX                                 the prefix of every message id except "rejected"
 *     LIFE_SUBMITS                                the number of reports before the flush, besides "rejected"
 *     LIFE_DURABILITY                             the numeric value of a NEXMO_DURABILITY_ constant
 *     LIFE_CRASHES=1                              the process exits without closing the reporter
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nexmo_conversion.h"

/* The time limits of calls in milliseconds. Some are passed to the library, which documents the others. */
enum { REPORT_MS = 3000, CONNECT_MS = 2000, BUSY_MS = 1000, FLUSH_MS = 1000, CLOSE_MS = 1500, FREE_MS = 500 };

enum { TRIES = 3, TRIES_OF_SECOND = 30, LATER_SUBMITS = 5, MAX_EVENTS = 100 };

void inject_exclude_thread(void) __attribute__((weak));
void inject_write_record(void) __attribute__((weak));

static nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
static nexmo_options options = NEXMO_OPTIONS_INIT;
static nexmo_reporter_options reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
static nexmo_result result = NEXMO_RESULT_INIT;
static const char *prefix;
static atomic_int is_over;

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        fprintf(stderr, "%s is not set\n", name);
        exit(2);
    }
    return value;
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Prints the result of a call, its duration and its time limit, and returns its status. */
static nexmo_status print(const char *call, const char *subject, long limit, long started, nexmo_status status)
{
    printf("call\t%s\t%s\t%d\t%d\t%ld\t%ld\t%s\n", call, subject, (int)status, (int)result.acceptance, now_ms() - started, limit,
           result.message);
    fflush(stdout);
    return status;
}

/* Makes a call and prints its result. Uses the caller's variable `started`. */
#define CALL(name, subject, limit, call) (started = now_ms(), print(name, subject, limit, started, call))

static void report(nexmo_client *client, const char *name)
{
    char message_id[128];
    long started;
    snprintf(message_id, sizeof message_id, "%s%s", prefix, name);
    CALL("report", message_id, REPORT_MS, nexmo_client_report(client, NEXMO_CHANNEL_SMS, message_id, 1, NULL, &result));
}

static void live_as_client(void)
{
    nexmo_client *client = NULL;
    nexmo_status status = NEXMO_ERR_SYSTEM;
    long started;
    int i;
    for (i = 0; i < TRIES && status != NEXMO_OK; i++)
        status = CALL("client_new", "", 0, nexmo_client_new(&credentials, &options, &client, &result));
    if (status != NEXMO_OK)
        return;
    report(client, "client-1");
    report(client, "client-2");
    report(client, "client-3");
    CALL("client_free", "", FREE_MS, nexmo_client_free(client));
}

static void submit(nexmo_reporter *reporter, const char *message_id)
{
    long started;
    CALL("submit", message_id, BUSY_MS, nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, message_id, 1, NULL, &result));
}

static void submit_some(nexmo_reporter *reporter, const char *name, int count)
{
    char message_id[128];
    int i;
    for (i = 0; i < count; i++) {
        snprintf(message_id, sizeof message_id, "%s%s-%d", prefix, name, i);
        submit(reporter, message_id);
    }
}

static void print_statistics(nexmo_reporter *reporter)
{
    nexmo_statistics is = NEXMO_STATISTICS_INIT;
    long started;
    if (CALL("statistics", "", BUSY_MS, nexmo_reporter_statistics(reporter, &is, &result)) != NEXMO_OK)
        return;
    printf("statistics\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%s\n", (long)is.submitted, (long)is.accepted,
           (long)is.rejected, (long)is.expired, (long)is.replaced, (long)is.dropped, (long)is.damaged, (long)is.pending,
           (long)is.events, (long)is.events_discarded, (long)is.outbox_resets, (long)is.outbox_errors, is.last_error_message);
}

/* Polls, prints and acknowledges events until none is left, at most MAX_EVENTS. */
static void poll_events(nexmo_reporter *reporter, int32_t timeout_ms)
{
    nexmo_event event = NEXMO_EVENT_INIT;
    long started;
    int i;
    for (i = 0; i < MAX_EVENTS; i++) {
        if (CALL("poll", "", timeout_ms + BUSY_MS, nexmo_reporter_poll(reporter, timeout_ms, &event, &result)) != NEXMO_OK ||
            event.kind == NEXMO_EVENT_NONE)
            return;
        printf("event\t%ld\t%d\t%s\n", (long)event.id, (int)event.kind, event.message_id);
        if (CALL("acknowledge", "", BUSY_MS, nexmo_reporter_acknowledge(reporter, event.id, &result)) == NEXMO_OK)
            printf("acknowledged\t%ld\n", (long)event.id);
    }
}

static void live_as_reporter(int is_first, int crashes)
{
    nexmo_reporter *reporter = NULL;
    nexmo_status status = NEXMO_ERR_SYSTEM;
    long started;
    int i;
    for (i = 0; i < TRIES && status != NEXMO_OK; i++)
        status = CALL("reporter_new", "", BUSY_MS,
                      nexmo_reporter_new(&credentials, &options, &reporter_options, &reporter, &result));
    if (status != NEXMO_OK)
        return;
    if (is_first) {
        submit(reporter, "rejected");
        submit_some(reporter, "early", atoi(setting("LIFE_SUBMITS")));
    }
    status = NEXMO_ERR_PENDING;
    for (i = 0; i < (is_first ? TRIES : TRIES_OF_SECOND) && status == NEXMO_ERR_PENDING; i++)
        status = CALL("flush", "", FLUSH_MS, nexmo_reporter_flush(reporter, FLUSH_MS, &result));
    print_statistics(reporter);
    nexmo_reporter_fd(reporter);
    poll_events(reporter, 0);
    if (is_first)
        submit_some(reporter, "late", LATER_SUBMITS);
    if (crashes) {
        fflush(stdout);
        if (inject_write_record)
            inject_write_record();
        _exit(0);
    }
    CALL("close", "", (is_first ? 0 : CLOSE_MS) + FREE_MS, nexmo_reporter_close(reporter, is_first ? 0 : CLOSE_MS, &result));
    print_statistics(reporter);
    poll_events(reporter, 0);
    CALL("reporter_free", "", FREE_MS, nexmo_reporter_free(reporter));
}

/* Sends reports until the main thread has finished. Prints the number of failures and the longest duration. */
static void *stand_by(void *argument)
{
    nexmo_client *client = argument;
    nexmo_result own = NEXMO_RESULT_INIT;
    const struct timespec pause = { 0, 50000000 };
    long failed = 0, longest = 0;
    char message_id[128], last[NEXMO_MESSAGE_SIZE] = "";
    if (inject_exclude_thread)
        inject_exclude_thread();
    snprintf(message_id, sizeof message_id, "%sbystander", prefix);
    while (!is_over) {
        const long started = now_ms();
        if (nexmo_client_report(client, NEXMO_CHANNEL_SMS, message_id, 1, NULL, &own) != NEXMO_OK) {
            failed++;
            memcpy(last, own.message, sizeof last);
        }
        if (now_ms() - started > longest)
            longest = now_ms() - started;
        nanosleep(&pause, NULL);
    }
    printf("bystander\t%ld\t%ld\t%s\n", failed, longest, last);
    return NULL;
}

/* Creates the client that stand_by uses. */
static nexmo_client *new_bystander(void)
{
    nexmo_options own = NEXMO_OPTIONS_INIT;
    nexmo_client *client = NULL;
    own.base_url = setting("LIFE_BYSTANDER_URL");
    own.timeout_ms = 60000;
    own.connect_timeout_ms = 30000;
    if (nexmo_client_new(&credentials, &own, &client, &result) != NEXMO_OK) {
        fprintf(stderr, "%s\n", result.message);
        exit(2);
    }
    return client;
}

static void *make_bystander(void *unused)
{
    (void)unused;
    if (inject_exclude_thread)
        inject_exclude_thread();
    return new_bystander();
}

int main(int count, char **arguments)
{
    const int is_first = count == 2 && strcmp(arguments[1], "first") == 0;
    const char *crashes = getenv("LIFE_CRASHES");
    pthread_t thread;
    void *bystander;
    pthread_setname_np(pthread_self(), "main");
    prefix = setting("LIFE_PREFIX");
    credentials.api_key = "abcd1234";
    credentials.api_secret = "s3cret";
    options.flags = NEXMO_OPTIONS_ALLOW_PLAIN_HTTP;
    options.base_url = setting("LIFE_BASE_URL");
    options.ca_file = *setting("LIFE_CA_FILE") ? setting("LIFE_CA_FILE") : NULL;
    options.timeout_ms = REPORT_MS;
    options.connect_timeout_ms = CONNECT_MS;
    reporter_options.outbox = setting("LIFE_OUTBOX");
    reporter_options.durability = atoi(setting("LIFE_DURABILITY"));
    reporter_options.busy_timeout_ms = BUSY_MS;
    reporter_options.max_in_flight = 2;
    pthread_create(&thread, NULL, make_bystander, NULL);
    pthread_join(thread, &bystander);
    pthread_create(&thread, NULL, stand_by, bystander);
    if (is_first)
        live_as_client();
    live_as_reporter(is_first, crashes && *crashes == '1');
    is_over = 1;
    pthread_join(thread, NULL);
    puts("end");
    return 0;
}
