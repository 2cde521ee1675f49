/* Tests the descriptor, replaced reports, flush, free during calls, and two reporters with one outbox. */
#define _GNU_SOURCE
#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "reporter_fixture.h"

enum { THREADS = 16, DROPPED = 10 };

static void the_descriptor_is_readable_while_an_event_waits(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter;
    char expected[64];
    int i;
    reporting.reporter_options.max_pending = 1;
    reporting.reporter_options.overflow = NEXMO_OVERFLOW_DROP_OLDEST;
    reporter = begin(&reporting);
    CHECK(!is_readable(reporter), "the descriptor is readable without an event");
    submit_some(reporter, "event", DROPPED + 1);
    WAIT_UNTIL(is_readable(reporter), "the descriptor is not readable");
    for (i = 0; i < DROPPED; i++) {
        snprintf(expected, sizeof expected, "event-%d", i);
        CHECK(is_readable(reporter), "the descriptor is not readable with %d events left", DROPPED - i);
        CHECK(strcmp(consume_event(reporter).message_id, expected) == 0, "the oldest event is not %s", expected);
    }
    CHECK(consume_event(reporter).kind == NEXMO_EVENT_NONE && !is_readable(reporter),
          "the descriptor is readable without an event");
    CHECK(nexmo_reporter_fd(reporter) == nexmo_reporter_fd(reporter), "the descriptor changed");
    nexmo_reporter_free(reporter);
}

/* Every reporter returns the event until one of them acknowledges it, and the descriptor of each is readable. */
static void two_reporters_share_an_outbox(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *first = begin(&reporting), *second;
    CHECK(submit(first, "first-sends") == NEXMO_OK && nexmo_reporter_flush(first, PLENTY_MS, NULL) == NEXMO_OK,
          "the reports were not sent");
    second = begin(&reporting);
    WAIT_UNTIL(statistics_of(second).state == NEXMO_STATE_STANDBY, "the state is %d", (int)statistics_of(second).state);
    CHECK(submit(second, "invalid") == NEXMO_OK && submit(second, "shared-outbox") == NEXMO_OK, "the submit failed");
    CHECK(nexmo_reporter_flush(second, PLENTY_MS, NULL) == NEXMO_OK, "the sender did not send the reports of the standby");
    WAIT_UNTIL(is_readable(first) && is_readable(second), "a descriptor is not readable");
    CHECK(oldest_event(first).id == oldest_event(second).id && oldest_event(first).kind == NEXMO_EVENT_REJECTED,
          "the reporters returned different events");
    CHECK(consume_event(second).kind == NEXMO_EVENT_REJECTED && oldest_event(first).kind == NEXMO_EVENT_NONE,
          "the event was not acknowledged for both reporters");
    WAIT_UNTIL(!is_readable(first) && !is_readable(second), "a descriptor is still readable");
    CHECK(statistics_of(first).submitted == 3 && statistics_of(second).accepted == 2, "the reporters have different counts");
    CHECK(nexmo_reporter_free(first) == NEXMO_OK, "the reporter was not freed");
    CHECK(submit(second, "takes-over") == NEXMO_OK, "the submit failed");
    CHECK(nexmo_reporter_flush(second, PLENTY_MS, &reporting.result) == NEXMO_OK,
          "the standby did not take over: %s", reporting.result.message);
    CHECK(statistics_of(second).state == NEXMO_STATE_RUNNING, "the state is %d", (int)statistics_of(second).state);
    nexmo_reporter_free(second);
}

static void a_later_report_replaces_one_that_was_not_sent(void)
{
    struct reporting wrong = unauthorized_reporting(), right = valid_reporting_at(wrong.reporter_options.outbox);
    nexmo_reporter *reporter = begin(&wrong);
    char line[8192];
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "replaced", 0, NULL, NULL) == NEXMO_OK, "the submit failed");
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_VOICE, "replaced", 0, NULL, NULL) == NEXMO_OK, "the submit failed");
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "replaced", 1, NULL, NULL) == NEXMO_OK, "the submit failed");
    CHECK(statistics_of(reporter).replaced == 1 && statistics_of(reporter).pending == 2, "only the SMS must be replaced");
    nexmo_reporter_close(reporter, 0, NULL);
    nexmo_reporter_free(reporter);
    reporter = begin(&right);
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &right.result) == NEXMO_OK, "%s", right.result.message);
    CHECK(sandbox_accepted("replaced", line, sizeof line) == 2, "%ld reports arrived", sandbox_accepted("replaced", NULL, 0));
    CHECK(strstr(line, "\"channel\":\"voice\"") != NULL || strstr(line, "\"delivered\":\"true\"") != NULL,
          "the earlier report arrived: %s", line);
    nexmo_reporter_free(reporter);
}

static void a_flush_ends_at_its_time_limit(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    long took = now_ms();
    submit_some(reporter, "flush", 3);
    CHECK(nexmo_reporter_flush(reporter, 0, NULL) == NEXMO_ERR_PENDING, "a flush without time must return pending");
    CHECK(nexmo_reporter_flush(reporter, 200, &reporting.result) == NEXMO_ERR_PENDING, "%s", reporting.result.message);
    took = now_ms() - took;
    CHECK(strstr(reporting.result.message, "3 pending") != NULL && statistics_of(reporter).pending == 3, "%s",
          reporting.result.message);
    CHECK(took >= 200 && took < 10000, "the call took %ld ms", took);
    nexmo_reporter_free(reporter);
}

static void an_outage_is_reported(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter;
    nexmo_statistics statistics;
    reporting.options.base_url = "http://127.0.0.1:1";
    reporter = begin(&reporting);
    submit_some(reporter, "outage", 3);
    WAIT_UNTIL(statistics_of(reporter).state == NEXMO_STATE_BACKING_OFF, "the state is %d", (int)statistics_of(reporter).state);
    statistics = statistics_of(reporter);
    CHECK(statistics.last_error == NEXMO_ERR_NETWORK && statistics.last_error_http_status == 0, "%s",
          statistics.last_error_message);
    CHECK(statistics.pending == 3 && statistics.oldest_pending_ms >= 0 && statistics.last_error_message[0] != '\0',
          "the statistics of the outage are wrong");
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
}

/* A waiting call in a separate thread. */
struct waiting {
    nexmo_reporter *reporter;
    nexmo_status (*wait)(nexmo_reporter *, int32_t, nexmo_result *);
    int32_t timeout_ms;
    nexmo_result result;
    atomic_int thread;
};

/* Polls an event, with the signature of flush and close. */
static nexmo_status poll_for_event(nexmo_reporter *reporter, int32_t timeout_ms, nexmo_result *result)
{
    nexmo_event event = NEXMO_EVENT_INIT;
    const nexmo_status status = nexmo_reporter_poll(reporter, timeout_ms, &event, result);
    CHECK(event.kind == NEXMO_EVENT_NONE && event.id == 0, "the poll returned an event of kind %d", (int)event.kind);
    return status;
}

static void *wait_in_a_thread(void *argument)
{
    struct waiting *waiting = argument;
    waiting->thread = (int)syscall(SYS_gettid);
    waiting->wait(waiting->reporter, waiting->timeout_ms, &waiting->result);
    return NULL;
}

/* Returns whether a thread sleeps, according to the state letter after its name in /proc. */
static int is_asleep(int thread)
{
    char path[64], line[512] = "";
    FILE *file;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    file = thread == 0 ? NULL : fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    fclose(file);
    return strstr(line, ") S ") != NULL;
}

static void check_cancelled(nexmo_status (*wait)(nexmo_reporter *, int32_t, nexmo_result *), int32_t timeout_ms, const char *name)
{
    static const nexmo_result result = NEXMO_RESULT_INIT;
    struct reporting reporting = unanswered_reporting();
    struct waiting waiting = {begin(&reporting), wait, timeout_ms, result, 0};
    long took = now_ms();
    pthread_t thread;
    submit_some(waiting.reporter, "cancelled", 3);
    CHECK(pthread_create(&thread, NULL, wait_in_a_thread, &waiting) == 0, "the thread was not created");
    WAIT_UNTIL(is_asleep(waiting.thread), "%s does not wait", name);
    CHECK(nexmo_reporter_free(waiting.reporter) == NEXMO_OK, "the reporter was not freed");
    pthread_join(thread, NULL);
    took = now_ms() - took;
    CHECK(waiting.result.status == NEXMO_ERR_CANCELLED, "%s ended with %s: %s", name, nexmo_status_name(waiting.result.status),
          waiting.result.message);
    CHECK(took < PLENTY_MS / 2, "%s took %ld ms", name, took);
}

static void a_free_cancels_waiting_calls(void)
{
    check_cancelled(nexmo_reporter_flush, PLENTY_MS, "flush");
    check_cancelled(nexmo_reporter_close, PLENTY_MS, "close");
    check_cancelled(poll_for_event, PLENTY_MS, "poll");
    check_cancelled(nexmo_reporter_flush, -1, "flush without a limit");
    check_cancelled(nexmo_reporter_close, -1, "close without a limit");
    check_cancelled(poll_for_event, -1, "poll without a limit");
}

static void a_free_waits_for_nothing(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    const int before = unanswered_connections();
    int count = 0;
    long took;
    submit_some(reporter, "freed", 3);
    WAIT_UNTIL((count += unanswered_connections() - before) >= 1, "there are %d connections", count);
    took = now_ms();
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
    took = now_ms() - took;
    CHECK(took < 1000, "the call took %ld ms", took);
}

/* The number of reports that the submitting threads stored, and of threads that ended with an unexpected status. */
static atomic_int stored, other_ends;

static void *submit_until_freed(void *reporter)
{
    static atomic_int number;
    char message_id[64];
    nexmo_status status = NEXMO_OK;
    while (status == NEXMO_OK) {
        snprintf(message_id, sizeof message_id, "flat-out-%d", number++);
        status = submit(reporter, message_id);
        stored += status == NEXMO_OK;
    }
    other_ends += status != NEXMO_ERR_INVALID_HANDLE && status != NEXMO_ERR_CLOSED;
    return NULL;
}

static void threads_submit_while_another_frees(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_statistics statistics;
    pthread_t threads[THREADS];
    int i;
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, submit_until_freed, reporter) == 0, "the thread was not created");
    WAIT_UNTIL(stored >= 200, "%d reports were stored", stored);
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(other_ends == 0, "%d threads ended with another status", other_ends);
    reporter = begin(&reporting);
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    statistics = statistics_of(reporter);
    CHECK(statistics.submitted == stored && statistics.accepted == stored, "%d reports were stored, %ld accepted", stored,
          (long)statistics.accepted);
    CHECK(sandbox_accepted("flat-out", NULL, 0) >= stored, "%ld reports arrived", sandbox_accepted("flat-out", NULL, 0));
    nexmo_reporter_free(reporter);
}

void test_reporter_lifecycle(void)
{
    the_descriptor_is_readable_while_an_event_waits();
    two_reporters_share_an_outbox();
    a_later_report_replaces_one_that_was_not_sent();
    a_flush_ends_at_its_time_limit();
    an_outage_is_reported();
    a_free_cancels_waiting_calls();
    a_free_waits_for_nothing();
    threads_submit_while_another_frees();
}
