/* Tests events: poll waits, an event stays until it is acknowledged, and invalid ids are rejected. */
#define _GNU_SOURCE
#include "harness.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "reporter_fixture.h"

enum { MOST_EVENTS = 10000 };

static const int64_t SMALLEST_ID = INT64_C(1) << 50;

/* Returns the arguments of a reporter in which every submit except the first drops the previous report. */
static struct reporting dropping_reporting(void)
{
    struct reporting reporting = unanswered_reporting();
    reporting.reporter_options.max_pending = 1;
    reporting.reporter_options.overflow = NEXMO_OVERFLOW_DROP_OLDEST;
    return reporting;
}

static int64_t unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void an_event_stays_until_it_is_acknowledged(void)
{
    const int64_t before = unix_ms();
    struct reporting reporting = dropping_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_event first, again, second;
    submit_some(reporter, "stays", 4);
    first = oldest_event(reporter);
    CHECK(first.kind == NEXMO_EVENT_DROPPED && strcmp(first.message_id, "stays-0") == 0, "%s", first.message_id);
    CHECK(first.id >= SMALLEST_ID && first.id < INT64_C(1) << 53, "%ld", (long)first.id);
    CHECK(first.created_unix_ms >= before && first.created_unix_ms <= unix_ms(), "%ld", (long)first.created_unix_ms);
    again = oldest_event(reporter);
    CHECK(memcmp(&first, &again, sizeof first) == 0, "the poll returned another event: %s", again.message_id);
    CHECK(nexmo_reporter_acknowledge(reporter, first.id, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    CHECK(nexmo_reporter_acknowledge(reporter, first.id, &reporting.result) == NEXMO_OK,
          "acknowledging the event again failed: %s", reporting.result.message);
    second = oldest_event(reporter);
    CHECK(second.id > first.id && strcmp(second.message_id, "stays-1") == 0, "%s", second.message_id);
    CHECK(second.created_unix_ms >= first.created_unix_ms, "the second event is older than the first");
    CHECK(statistics_of(reporter).events == 2 && statistics_of(reporter).dropped == 3, "there are %ld events",
          (long)statistics_of(reporter).events);
    nexmo_reporter_free(reporter);
}

/* The id before that of the oldest event belongs to an acknowledged event. */
static void one_event_is_acknowledged_and_no_other(void)
{
    struct reporting reporting = dropping_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    int64_t id;
    submit_some(reporter, "first", 2);
    id = oldest_event(reporter).id;
    submit_some(reporter, "others", 2);
    CHECK(consume_event(reporter).id == id, "the poll did not return the oldest event");
    id = oldest_event(reporter).id;
    CHECK(nexmo_reporter_acknowledge(reporter, id - 1, NULL) == NEXMO_OK && oldest_event(reporter).id == id,
          "another event is gone");
    CHECK(statistics_of(reporter).events == 2, "there are %ld events", (long)statistics_of(reporter).events);
    nexmo_reporter_free(reporter);
}

static void events_outlive_their_reporter(void)
{
    struct reporting reporting = dropping_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_event event;
    submit_some(reporter, "outlives", 3);
    event = oldest_event(reporter);
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
    reporter = begin(&reporting);
    WAIT_UNTIL(is_readable(reporter), "the descriptor of the next reporter is not readable");
    CHECK(consume_event(reporter).id == event.id && consume_event(reporter).id > event.id,
          "the next reporter returned other events");
    CHECK(oldest_event(reporter).kind == NEXMO_EVENT_NONE, "there is another event");
    nexmo_reporter_free(reporter);
}

static void invalid_event_ids_are_rejected(void)
{
    struct reporting reporting = dropping_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    const int64_t ids[] = {
        0, -1, 1, 65536, SMALLEST_ID - 1, unix_ms() * 1000 + INT64_C(3600000000), INT64_C(1) << 53, INT64_MAX, INT64_MIN};
    size_t i;
    submit_some(reporter, "ids", 2);
    for (i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        CHECK(nexmo_reporter_acknowledge(reporter, ids[i], &reporting.result) == NEXMO_ERR_INVALID_ARGUMENT, "%lld",
              (long long)ids[i]);
        CHECK(begins_with(reporting.result.message, "event_id "), "%s", reporting.result.message);
    }
    CHECK(nexmo_reporter_acknowledge(reporter, SMALLEST_ID, &reporting.result) == NEXMO_OK,
          "acknowledging a discarded event failed: %s", reporting.result.message);
    CHECK(statistics_of(reporter).events == 1, "there are %ld events", (long)statistics_of(reporter).events);
    nexmo_reporter_free(reporter);
}

static void a_poll_waits_until_its_time_limit(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_event event = NEXMO_EVENT_INIT;
    long took = now_ms();
    event.kind = -1;
    CHECK(nexmo_reporter_poll(reporter, 300, &event, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    took = now_ms() - took;
    CHECK(event.kind == NEXMO_EVENT_NONE && took >= 300 && took < 10000,
          "the poll returned kind %d after %ld ms", (int)event.kind, took);
    nexmo_reporter_free(reporter);
}

static void a_poll_that_fails_has_no_event(void)
{
    static const int32_t limits[] = {-2, -1000, INT32_MIN};
    struct reporting reporting = dropping_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_result wrong_size = NEXMO_RESULT_INIT;
    size_t i;
    wrong_size.struct_size = 4;
    submit_some(reporter, "fails", 2);
    for (i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        nexmo_event event = oldest_event(reporter);
        CHECK(nexmo_reporter_poll(reporter, limits[i], &event, &reporting.result) == NEXMO_ERR_INVALID_ARGUMENT, "%s",
              reporting.result.message);
        CHECK(begins_with(reporting.result.message, "timeout_ms is -"), "%s", reporting.result.message);
        CHECK(event.kind == NEXMO_EVENT_NONE && event.id == 0 && event.message_id[0] == '\0', "the event was not cleared");
        event = oldest_event(reporter);
        CHECK(nexmo_reporter_poll(reporter, 0, &event, &wrong_size) == NEXMO_ERR_STRUCT_SIZE &&
                  event.kind == NEXMO_EVENT_NONE,
              "the event was not cleared");
        event = oldest_event(reporter);
        CHECK(nexmo_reporter_poll(NULL, 0, &event, NULL) == NEXMO_ERR_INVALID_HANDLE && event.kind == NEXMO_EVENT_NONE,
              "the event was not cleared");
    }
    nexmo_reporter_free(reporter);
}

/* A poll in a separate thread. */
struct polling {
    nexmo_reporter *reporter;
    int32_t timeout_ms;
    nexmo_status status;
    nexmo_event event;
    long took;
};

static void *poll_in_a_thread(void *argument)
{
    struct polling *polling = argument;
    polling->took = now_ms();
    polling->status = nexmo_reporter_poll(polling->reporter, polling->timeout_ms, &polling->event, NULL);
    polling->took = now_ms() - polling->took;
    return NULL;
}

static struct polling polling_of(nexmo_reporter *reporter, int32_t timeout_ms)
{
    static const nexmo_event none = NEXMO_EVENT_INIT;
    struct polling polling = {0};
    polling.reporter = reporter;
    polling.timeout_ms = timeout_ms;
    polling.event = none;
    return polling;
}

static void a_poll_without_a_limit_ends_with_an_event(void)
{
    struct reporting reporting = dropping_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    struct polling polling = polling_of(reporter, -1);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, poll_in_a_thread, &polling) == 0, "the thread was not created");
    poll(NULL, 0, 200);
    submit_some(reporter, "wakes", 2);
    pthread_join(thread, NULL);
    CHECK(polling.status == NEXMO_OK && strcmp(polling.event.message_id, "wakes-0") == 0, "%s",
          nexmo_status_name(polling.status));
    CHECK(polling.took >= 150 && polling.took < PLENTY_MS / 2, "the call took %ld ms", polling.took);
    nexmo_reporter_free(reporter);
}

static void a_poll_without_a_limit_ends_with_its_reporter(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    struct polling polling = polling_of(reporter, -1);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, poll_in_a_thread, &polling) == 0, "the thread was not created");
    poll(NULL, 0, 100);
    CHECK(nexmo_reporter_close(reporter, 0, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    pthread_join(thread, NULL);
    CHECK(polling.status == NEXMO_ERR_CLOSED && polling.event.kind == NEXMO_EVENT_NONE, "%s", nexmo_status_name(polling.status));
    CHECK(polling.took < PLENTY_MS / 2, "the call took %ld ms", polling.took);
    nexmo_reporter_free(reporter);
}

static volatile sig_atomic_t interruptions;

static void count_interruption(int number)
{
    (void)number;
    interruptions++;
}

static void signals_do_not_end_a_poll(void)
{
    struct sigaction counting, before;
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    struct polling polling = polling_of(reporter, 500);
    pthread_t thread;
    int i;
    memset(&counting, 0, sizeof counting);
    counting.sa_handler = count_interruption;
    sigaction(SIGUSR1, &counting, &before);
    CHECK(pthread_create(&thread, NULL, poll_in_a_thread, &polling) == 0, "the thread was not created");
    for (i = 0; i < 20; i++) {
        pthread_kill(thread, SIGUSR1);
        poll(NULL, 0, 10);
    }
    pthread_join(thread, NULL);
    sigaction(SIGUSR1, &before, NULL);
    CHECK(polling.status == NEXMO_OK && polling.took >= 500,
          "the poll returned %s after %ld ms", nexmo_status_name(polling.status), polling.took);
    CHECK(interruptions >= 10, "only %d signals were delivered", (int)interruptions);
    nexmo_reporter_free(reporter);
}

static void a_closed_reporter_returns_its_events_and_then_closed(void)
{
    struct reporting reporting = dropping_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_event event = NEXMO_EVENT_INIT;
    submit_some(reporter, "closed", 3);
    CHECK(nexmo_reporter_close(reporter, 0, NULL) == NEXMO_ERR_PENDING, "no report is pending");
    CHECK(is_readable(reporter), "the descriptor is not readable although there are events");
    CHECK(strcmp(consume_event(reporter).message_id, "closed-0") == 0 &&
              strcmp(consume_event(reporter).message_id, "closed-1") == 0,
          "the closed reporter did not return its events");
    CHECK(is_readable(reporter), "the descriptor is not readable after the last event");
    CHECK(nexmo_reporter_poll(reporter, -1, &event, &reporting.result) == NEXMO_ERR_CLOSED, "%s", reporting.result.message);
    CHECK(event.kind == NEXMO_EVENT_NONE && event.id == 0, "the closed reporter returned an event");
    CHECK(is_readable(reporter), "the descriptor is no longer readable");
    CHECK(nexmo_reporter_acknowledge(reporter, SMALLEST_ID, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    nexmo_reporter_free(reporter);
}

static void the_oldest_events_beyond_10000_are_discarded(void)
{
    struct reporting reporting = dropping_reporting();
    nexmo_reporter *reporter;
    nexmo_event event;
    reporting.reporter_options.outbox = NULL;
    reporting.reporter_options.durability = NEXMO_DURABILITY_NONE;
    reporter = begin(&reporting);
    submit_some(reporter, "many", 2);
    event = oldest_event(reporter);
    submit_some(reporter, "more", MOST_EVENTS + 4);
    CHECK(statistics_of(reporter).events == MOST_EVENTS, "there are %ld events", (long)statistics_of(reporter).events);
    CHECK(statistics_of(reporter).events_discarded == 5,
          "%ld events were discarded", (long)statistics_of(reporter).events_discarded);
    CHECK(nexmo_reporter_acknowledge(reporter, event.id, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    CHECK(oldest_event(reporter).id > event.id && statistics_of(reporter).events == MOST_EVENTS, "another event is gone");
    nexmo_reporter_free(reporter);
}

void test_reporter_events(void)
{
    an_event_stays_until_it_is_acknowledged();
    one_event_is_acknowledged_and_no_other();
    events_outlive_their_reporter();
    invalid_event_ids_are_rejected();
    a_poll_waits_until_its_time_limit();
    a_poll_that_fails_has_no_event();
    a_poll_without_a_limit_ends_with_an_event();
    a_poll_without_a_limit_ends_with_its_reporter();
    signals_do_not_end_a_poll();
    a_closed_reporter_returns_its_events_and_then_closed();
    the_oldest_events_beyond_10000_are_discarded();
}
