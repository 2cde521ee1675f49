/* Tests the handles of the flat functions: invalid handles are detected, and close frees a handle. */
#define _GNU_SOURCE
#include "flat_fixture.h"

#include <pthread.h>

#include "reporter_fixture.h"
#include "harness.h"

enum { OTHERS = 0x5a };

/* Checks that each function for which the handle is not valid returns NEXMO_ERR_INVALID_HANDLE. */
static void check_rejected_everywhere(int64_t handle, int is_client, int is_reporter)
{
    int64_t details[NEXMO_DETAIL_COUNT], event[NEXMO_EVENT_FIELD_COUNT] = {-1, -1, -1, -1, -1}, value = -1;
    char message[NEXMO_MESSAGE_SIZE], text[16];
    const char *const right = is_client ? "nexmo_flat_report" : is_reporter ? "nexmo_flat_submit" : "handle";
    memset(details, OTHERS, sizeof details);
    memset(text, OTHERS, sizeof text);
    if (!is_client) {
        CHECK(nexmo_flat_report(handle, 1, "id", -1, 1, NULL, 0, details, NEXMO_DETAIL_COUNT, message, sizeof message) ==
                  NEXMO_ERR_INVALID_HANDLE,
              "%s", message);
        CHECK(are_of_nothing(details, NEXMO_ERR_INVALID_HANDLE) && strstr(message, right) != NULL, "%s", message);
    }
    if (is_reporter)
        return;
    CHECK(nexmo_flat_submit(handle, 1, "id", -1, 1, NULL, 0, details, NEXMO_DETAIL_COUNT, message, sizeof message) ==
              NEXMO_ERR_INVALID_HANDLE,
          "%s", message);
    CHECK(are_of_nothing(details, NEXMO_ERR_INVALID_HANDLE) && strstr(message, right) != NULL, "%s", message);
    CHECK(nexmo_flat_flush(handle, 0, message, sizeof message) == NEXMO_ERR_INVALID_HANDLE && strstr(message, right) != NULL,
          "%s", message);
    CHECK(nexmo_flat_poll(handle, 0, event, NEXMO_EVENT_FIELD_COUNT, text, sizeof text, NULL, 0, message, sizeof message) ==
              NEXMO_ERR_INVALID_HANDLE,
          "%s", message);
    CHECK(event[0] == 0 && event[1] == NEXMO_EVENT_NONE && event[4] == 0 && text[0] == '\0' && text[15] == '\0' &&
              strstr(message, right) != NULL,
          "%s", message);
    CHECK(nexmo_flat_acknowledge(handle, INT64_C(1) << 50, message, sizeof message) == NEXMO_ERR_INVALID_HANDLE &&
              strstr(message, right) != NULL,
          "%s", message);
    CHECK(nexmo_flat_statistic(handle, "pending", -1, &value, text, sizeof text) == NEXMO_ERR_INVALID_HANDLE && value == 0 &&
              text[0] == '\0',
          "%ld", (long)value);
    if (!is_client)
        CHECK(nexmo_flat_close(handle, 0, message, sizeof message) == NEXMO_ERR_INVALID_HANDLE && strstr(message, right) != NULL,
              "%s", message);
}

static void a_handle_of_another_kind_is_rejected(void)
{
    const int64_t client = open_flat_client(""), reporter = open_flat_reporter("");
    check_rejected_everywhere(client, 1, 0);
    check_rejected_everywhere(reporter, 0, 1);
    CHECK(nexmo_client_report((nexmo_client *)(uintptr_t)client, NEXMO_CHANNEL_SMS, "id", 1, NULL, NULL) ==
              NEXMO_ERR_INVALID_HANDLE,
          "a flat client was accepted");
    CHECK(nexmo_client_free((nexmo_client *)(uintptr_t)client) == NEXMO_ERR_INVALID_HANDLE, "a flat client was freed");
    CHECK(nexmo_reporter_submit((nexmo_reporter *)(uintptr_t)reporter, NEXMO_CHANNEL_SMS, "id", 1, NULL, NULL) ==
              NEXMO_ERR_INVALID_HANDLE,
          "a flat reporter was accepted");
    CHECK(nexmo_reporter_free((nexmo_reporter *)(uintptr_t)reporter) == NEXMO_ERR_INVALID_HANDLE, "a flat reporter was freed");
    CHECK(reporter > client, "the handles do not increase");
    CHECK(close_flat(client, 0) == NEXMO_OK && close_flat(reporter, 0) == NEXMO_OK, "a handle was not closed");
}

static void an_invalid_handle_is_rejected(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_client *client = NULL;
    const int64_t closed = open_flat_client("");
    CHECK(nexmo_client_new(&reporting.credentials, &reporting.options, &client, NULL) == NEXMO_OK, "no client was created");
    CHECK(close_flat(closed, 0) == NEXMO_OK, "the handle was not closed");
    check_rejected_everywhere(closed, 0, 0);
    check_rejected_everywhere(closed + (INT64_C(1) << 32), 0, 0);
    check_rejected_everywhere((int64_t)(uintptr_t)reporter, 0, 0);
    check_rejected_everywhere((int64_t)(uintptr_t)client, 0, 0);
    check_rejected_everywhere((int64_t)(uintptr_t)&reporting, 0, 0);
    check_rejected_everywhere(0, 0, 0);
    check_rejected_everywhere(1, 0, 0);
    check_rejected_everywhere(-1, 0, 0);
    check_rejected_everywhere(INT64_MIN, 0, 0);
    check_rejected_everywhere(INT64_MAX, 0, 0);
    CHECK(nexmo_client_free(client) == NEXMO_OK && nexmo_reporter_free(reporter) == NEXMO_OK,
          "a handle of the struct functions was not freed");
}

static void a_close_frees_unless_an_argument_is_invalid(void)
{
    int64_t handle = open_unanswered_flat_reporter("");
    char message[NEXMO_MESSAGE_SIZE];
    submit_flat(handle, "flat-close");
    CHECK(nexmo_flat_close(handle, -2, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT &&
              begins_with(message, "timeout_ms is -2"),
          "%s", message);
    CHECK(nexmo_flat_close(handle, INT32_MIN, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT, "%s", message);
    memset(message, OTHERS, sizeof message);
    CHECK(nexmo_flat_close(handle, 0, message, -1) == NEXMO_ERR_INVALID_ARGUMENT && message[0] == OTHERS,
          "the handle was closed with an invalid size");
    submit_flat(handle, "flat-close-2");
    CHECK(nexmo_flat_flush(handle, -2, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT &&
              begins_with(message, "timeout_ms is -2"),
          "%s", message);
    CHECK(nexmo_flat_flush(handle, 0, message, sizeof message) == NEXMO_ERR_PENDING && strstr(message, "2 pending") != NULL, "%s",
          message);
    CHECK(nexmo_flat_close(handle, 0, message, sizeof message) == NEXMO_ERR_PENDING && strstr(message, "2 pending") != NULL, "%s",
          message);
    check_rejected_everywhere(handle, 0, 0);
    handle = open_flat_client("");
    CHECK(close_flat(handle, -2) == NEXMO_ERR_INVALID_ARGUMENT, "the client was closed");
    CHECK(close_flat(handle, -1) == NEXMO_OK && close_flat(handle, -1) == NEXMO_ERR_INVALID_HANDLE,
          "the handle was closed twice");
    handle = open_flat_reporter("");
    CHECK(close_flat(handle, -1) == NEXMO_OK && close_flat(handle, 0) == NEXMO_ERR_INVALID_HANDLE, "the handle was closed twice");
}

static void *flush_in_a_thread(void *handle)
{
    static nexmo_status status;
    status = nexmo_flat_flush(*(int64_t *)handle, -1, NULL, 0);
    return &status;
}

static void *poll_in_a_thread(void *handle)
{
    static nexmo_status status;
    status = nexmo_flat_poll(*(int64_t *)handle, -1, NULL, 0, NULL, 0, NULL, 0, NULL, 0);
    return &status;
}

/* The other calls find the reporter closed or its handle freed, whichever happens first. */
static void a_close_ends_the_calls_of_other_threads(void)
{
    int64_t handle = open_unanswered_flat_reporter("");
    const long began = now_ms();
    nexmo_status status;
    pthread_t threads[2];
    void *ended;
    submit_flat(handle, "flat-ends");
    CHECK(pthread_create(&threads[0], NULL, flush_in_a_thread, &handle) == 0, "the thread was not created");
    CHECK(pthread_create(&threads[1], NULL, poll_in_a_thread, &handle) == 0, "the thread was not created");
    poll(NULL, 0, 200);
    CHECK(close_flat(handle, 0) == NEXMO_ERR_PENDING, "no report is pending");
    pthread_join(threads[0], &ended);
    status = *(nexmo_status *)ended;
    CHECK(status == NEXMO_ERR_CANCELLED || status == NEXMO_ERR_PENDING, "flush: %s", nexmo_status_name(status));
    pthread_join(threads[1], &ended);
    status = *(nexmo_status *)ended;
    CHECK(status == NEXMO_ERR_CANCELLED || status == NEXMO_ERR_CLOSED, "poll: %s", nexmo_status_name(status));
    CHECK(now_ms() - began < PLENTY_MS / 2, "the call took %ld ms", now_ms() - began);
}

void test_flat_handles(void)
{
    a_handle_of_another_kind_is_rejected();
    an_invalid_handle_is_rejected();
    a_close_frees_unless_an_argument_is_invalid();
    a_close_ends_the_calls_of_other_threads();
}
