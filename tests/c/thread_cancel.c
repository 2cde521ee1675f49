/*
 * Cancels threads with pthread_cancel while they are inside the library. The call must complete normally, the thread
 * must end at its next cancellation point, and the process and the library must continue to work.
 *
 *     nexmo-sandbox RULES -- thread_cancel
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "reporter_fixture.h"
#include "fixture.h"

enum { SUBMITS = 40, MEANWHILE_MS = 200 };

long checks_passed = 0;
long checks_failed = 0;

/* A call in a cancelled thread, and its outcome. */
struct call_in_a_thread {
    nexmo_status (*make)(struct call_in_a_thread *);
    nexmo_client *client;
    nexmo_reporter *reporter;
    int64_t handle;
    int32_t timeout_ms;
    atomic_int has_begun, has_returned, is_cleaned_up;
    nexmo_status status;
};

static void clean_up(void *is_cleaned_up)
{
    *(atomic_int *)is_cleaned_up = 1;
}

static void *make_and_end(void *argument)
{
    struct call_in_a_thread *call = argument;
    pthread_cleanup_push(clean_up, &call->is_cleaned_up);
    call->has_begun = 1;
    call->status = call->make(call);
    call->has_returned = 1;
    pthread_testcancel();
    pthread_cleanup_pop(0);
    return NULL;
}

static pthread_t begin_call(struct call_in_a_thread *call)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, make_and_end, call) == 0, "the thread was not created");
    WAIT_UNTIL(call->has_begun, "the thread did not start");
    poll(NULL, 0, MEANWHILE_MS);
    return thread;
}

static void check_cancelled(pthread_t thread, struct call_in_a_thread *call, nexmo_status status, const char *name)
{
    void *result = NULL;
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED, "%s: the thread was not cancelled", name);
    CHECK(call->has_returned && call->is_cleaned_up, "%s: the thread was cancelled within the call", name);
    CHECK(call->status == status, "%s: %s", name, nexmo_status_name(call->status));
}

/* Cancels a thread during a call. The call must still complete, with this status. */
static void cancel_in(struct call_in_a_thread call, nexmo_status status, const char *name)
{
    const pthread_t thread = begin_call(&call);
    CHECK(!call.has_returned, "%s does not wait", name);
    CHECK(pthread_cancel(thread) == 0, "%s: the thread was not cancelled", name);
    check_cancelled(thread, &call, status, name);
}

static nexmo_status report_once(struct call_in_a_thread *unused)
{
    struct call call = valid_call();
    (void)unused;
    call.message_id = "slow";
    return make(&call);
}

static nexmo_status report_by_client(struct call_in_a_thread *call)
{
    return nexmo_client_report(call->client, NEXMO_CHANNEL_SMS, "slow", 1, NULL, NULL);
}

static nexmo_status flush(struct call_in_a_thread *call)
{
    return nexmo_reporter_flush(call->reporter, call->timeout_ms, NULL);
}

static nexmo_status close_reporter(struct call_in_a_thread *call)
{
    return nexmo_reporter_close(call->reporter, call->timeout_ms, NULL);
}

static nexmo_status poll_events(struct call_in_a_thread *call)
{
    nexmo_event event = NEXMO_EVENT_INIT;
    return nexmo_reporter_poll(call->reporter, call->timeout_ms, &event, NULL);
}

static nexmo_status report_flat(struct call_in_a_thread *call)
{
    return nexmo_flat_report(call->handle, NEXMO_CHANNEL_SMS, "slow", -1, 1, NULL, 0, NULL, 0, NULL, 0);
}

static nexmo_status flush_flat(struct call_in_a_thread *call)
{
    return nexmo_flat_flush(call->handle, call->timeout_ms, NULL, 0);
}

static nexmo_status poll_flat(struct call_in_a_thread *call)
{
    return nexmo_flat_poll(call->handle, call->timeout_ms, NULL, 0, NULL, 0, NULL, 0, NULL, 0);
}

static nexmo_status close_flat_handle(struct call_in_a_thread *call)
{
    return nexmo_flat_close(call->handle, call->timeout_ms, NULL, 0);
}

static void reports_end_before_their_threads(void)
{
    struct call_in_a_thread call = {0};
    struct call fine = valid_call();
    call.make = report_once;
    cancel_in(call, NEXMO_OK, "sms");
    CHECK(nexmo_client_new(&fine.credentials, &fine.options, &call.client, NULL) == NEXMO_OK, "no client was created");
    call.make = report_by_client;
    cancel_in(call, NEXMO_OK, "report");
    CHECK(nexmo_client_report(call.client, NEXMO_CHANNEL_SMS, "after", 1, NULL, &fine.result) == NEXMO_OK, "%s",
          fine.result.message);
    CHECK(nexmo_client_free(call.client) == NEXMO_OK, "the client was not freed");
    CHECK(make(&fine) == NEXMO_OK, "%s", fine.result.message);
}

static void waits_end_before_their_threads(void)
{
    struct reporting reporting = unanswered_reporting();
    struct call_in_a_thread call = {0};
    call.reporter = begin(&reporting);
    call.timeout_ms = 1000;
    submit_some(call.reporter, "cancel", 3);
    call.make = flush;
    cancel_in(call, NEXMO_ERR_PENDING, "flush");
    call.make = poll_events;
    cancel_in(call, NEXMO_OK, "poll");
    submit_some(call.reporter, "cancel", 4);
    call.make = close_reporter;
    cancel_in(call, NEXMO_ERR_PENDING, "close");
    CHECK(statistics_of(call.reporter).state == NEXMO_STATE_CLOSED, "the reporter is not closed");
    CHECK(nexmo_reporter_free(call.reporter) == NEXMO_OK, "the reporter was not freed");
}

/* The cancellation does not end a wait without a time limit; a close or free by another thread does. */
static void a_wait_without_a_limit_is_ended_by_close_or_free(void)
{
    struct reporting reporting = unanswered_reporting();
    struct call_in_a_thread polling = {0}, flushing = {0};
    pthread_t threads[2];
    polling.reporter = flushing.reporter = begin(&reporting);
    polling.timeout_ms = flushing.timeout_ms = -1;
    polling.make = poll_events;
    flushing.make = flush;
    submit_some(polling.reporter, "unlimited", 3);
    threads[0] = begin_call(&polling);
    threads[1] = begin_call(&flushing);
    CHECK(pthread_cancel(threads[0]) == 0 && pthread_cancel(threads[1]) == 0, "the thread was not cancelled");
    poll(NULL, 0, MEANWHILE_MS);
    CHECK(!polling.has_returned && !flushing.has_returned, "the cancellation ended a wait");
    CHECK(nexmo_reporter_free(polling.reporter) == NEXMO_OK, "the reporter was not freed");
    check_cancelled(threads[0], &polling, NEXMO_ERR_CANCELLED, "poll without a limit");
    check_cancelled(threads[1], &flushing, NEXMO_ERR_CANCELLED, "flush without a limit");
}

static int64_t open_flat(const char *base_url, const char *outbox)
{
    char settings[512], message[NEXMO_MESSAGE_SIZE];
    int64_t handle = 0;
    snprintf(settings, sizeof settings, "api_key = abcd1234\napi_secret = s3cret\nbase_url = %s\n%s%s\n", base_url,
             outbox == NULL ? "" : "outbox = ", outbox == NULL ? "" : outbox);
    CHECK(nexmo_flat_open(settings, -1, &handle, message, sizeof message) == NEXMO_OK, "%s", message);
    return handle;
}

static void flat_calls_end_before_their_threads(void)
{
    const struct reporting reporting = unanswered_reporting();
    struct call_in_a_thread call = {0};
    call.handle = open_flat(sandbox_http(), NULL);
    call.timeout_ms = 1000;
    call.make = report_flat;
    cancel_in(call, NEXMO_OK, "flat report");
    CHECK(nexmo_flat_close(call.handle, 0, NULL, 0) == NEXMO_OK, "the handle was not closed");
    call.handle = open_flat(reporting.options.base_url, reporting.reporter_options.outbox);
    CHECK(nexmo_flat_submit(call.handle, NEXMO_CHANNEL_SMS, "cancel-flat", -1, 1, NULL, 0, NULL, 0, NULL, 0) == NEXMO_OK,
          "the report was not submitted");
    call.make = flush_flat;
    cancel_in(call, NEXMO_ERR_PENDING, "flat flush");
    call.make = poll_flat;
    cancel_in(call, NEXMO_OK, "flat poll");
    call.make = close_flat_handle;
    cancel_in(call, NEXMO_ERR_PENDING, "flat close");
    CHECK(nexmo_flat_close(call.handle, 0, NULL, 0) == NEXMO_ERR_INVALID_HANDLE, "the handle was not freed");
}

/* The state of a thread that submits until it is cancelled, and the number of stored reports. */
struct submitting {
    nexmo_reporter *reporter;
    int number;
    atomic_long stored;
};

static void *submit_until_cancelled(void *argument)
{
    struct submitting *submitting = argument;
    char message_id[64];
    long i;
    for (i = 0;; i++) {
        snprintf(message_id, sizeof message_id, "cancelled-%d-%ld", submitting->number, i);
        if (submit(submitting->reporter, message_id) == NEXMO_OK)
            submitting->stored++;
        pthread_testcancel();
    }
    return NULL;
}

/* A thread may be cancelled at any step of a submit. The status of the submit must agree with the outbox. */
static void a_submit_is_stored_or_not_begun(int32_t durability)
{
    struct reporting reporting = unanswered_reporting();
    struct submitting submitting;
    pthread_t thread;
    void *result;
    int i;
    reporting.reporter_options.durability = durability;
    reporting.reporter_options.outbox = durability == NEXMO_DURABILITY_NONE ? NULL : reporting.reporter_options.outbox;
    submitting.reporter = begin(&reporting);
    submitting.stored = 0;
    for (i = 0; i < SUBMITS; i++) {
        const long before = submitting.stored;
        submitting.number = i;
        CHECK(pthread_create(&thread, NULL, submit_until_cancelled, &submitting) == 0, "the thread was not created");
        WAIT_UNTIL(submitting.stored > before + i, "no report was stored");
        CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED,
              "the thread was not cancelled");
    }
    CHECK(statistics_of(submitting.reporter).submitted == submitting.stored, "%ld reports were submitted, %ld stored",
          (long)statistics_of(submitting.reporter).submitted, (long)submitting.stored);
    CHECK(submit(submitting.reporter, "after-all") == NEXMO_OK, "the outbox is no longer usable");
    CHECK(nexmo_reporter_free(submitting.reporter) == NEXMO_OK, "the reporter was not freed");
}

/* The library still works afterwards. */
static void the_library_goes_on(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    submit_some(reporter, "works-on", 10);
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    CHECK(sandbox_accepted("works-on", NULL, 0) == 10, "%ld reports arrived", sandbox_accepted("works-on", NULL, 0));
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
}

int main(void)
{
    reports_end_before_their_threads();
    waits_end_before_their_threads();
    a_wait_without_a_limit_is_ended_by_close_or_free();
    flat_calls_end_before_their_threads();
    a_submit_is_stored_or_not_begun(NEXMO_DURABILITY_PROCESS);
    a_submit_is_stored_or_not_begun(NEXMO_DURABILITY_POWER);
    a_submit_is_stored_or_not_begun(NEXMO_DURABILITY_NONE);
    the_library_goes_on();
    remove_outboxes();
    printf("%ld passed, %ld failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
