/* Tests reports and events through the flat functions. */
#define _GNU_SOURCE
#include "flat_fixture.h"

#include <stdio.h>

#include "reporter_fixture.h"
#include "fixture.h"
#include "harness.h"

enum { OTHERS = 0x5a };

static void a_client_reports(void)
{
    const int64_t handle = open_flat_client("");
    int64_t details[NEXMO_DETAIL_COUNT + 3];
    char message[NEXMO_MESSAGE_SIZE], line[8192];
    memset(details, OTHERS, sizeof details);
    CHECK(nexmo_flat_report(handle, NEXMO_CHANNEL_VOICE, "flat-voice", -1, 0, "2020-01-01 12:00:00", -1, details,
                            NEXMO_DETAIL_COUNT + 2, message, sizeof message) == NEXMO_OK,
          "%s", message);
    CHECK(details[NEXMO_DETAIL_STATUS] == NEXMO_OK && details[NEXMO_DETAIL_HTTP_STATUS] == 200 &&
              details[NEXMO_DETAIL_ATTEMPTS] == 1,
          "%s", message);
    CHECK(details[NEXMO_DETAIL_ACCEPTANCE] == NEXMO_ACCEPTANCE_YES && details[NEXMO_DETAIL_ELAPSED_US] > 0, "%s", message);
    CHECK(details[NEXMO_DETAIL_RETRY_AFTER_MS] == -1 && details[NEXMO_DETAIL_COUNT] == 0 && details[NEXMO_DETAIL_COUNT + 1] == 0,
          "the additional details are not 0");
    CHECK(details[NEXMO_DETAIL_COUNT + 2] == 0x5a5a5a5a5a5a5a5a && message[0] != '\0', "the call wrote beyond the end");
    sandbox_last_request(line, sizeof line);
    CHECK(strstr(line, "\"channel\":\"voice\"") != NULL && strstr(line, "\"message_id\":\"flat-voice\"") != NULL, "%s", line);
    CHECK(strstr(line, "\"delivered\":\"false\"") != NULL && strstr(line, "\"timestamp\":\"2020-01-01 12:00:00\"") != NULL, "%s",
          line);
    CHECK(nexmo_flat_report(handle, NEXMO_CHANNEL_SMS, "flat-sms", -1, 1, NULL, 0, NULL, 0, NULL, 0) == NEXMO_OK,
          "the outputs were required");
    memset(details, OTHERS, sizeof details);
    CHECK(nexmo_flat_report(handle, NEXMO_CHANNEL_SMS, "invalid", -1, 1, NULL, 0, details, 2, message, sizeof message) ==
              NEXMO_ERR_REJECTED,
          "%s", message);
    CHECK(details[0] == NEXMO_ERR_REJECTED && details[1] == 420 && details[2] == 0x5a5a5a5a5a5a5a5a,
          "more than the requested details were written");
    CHECK(nexmo_flat_report(handle, NEXMO_CHANNEL_SMS, "throttled", -1, 1, NULL, 0, details, NEXMO_DETAIL_COUNT, NULL, 0) ==
              NEXMO_ERR_RATE_LIMITED,
          "the report was not throttled");
    CHECK(details[NEXMO_DETAIL_RETRY_AFTER_MS] == 7000 && details[NEXMO_DETAIL_ACCEPTANCE] == NEXMO_ACCEPTANCE_NO,
          "the delay is %ld ms", (long)details[NEXMO_DETAIL_RETRY_AFTER_MS]);
    CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
}

static void a_reporter_submits_and_returns_the_outcome(void)
{
    const int64_t handle = open_flat_reporter("");
    int64_t details[NEXMO_DETAIL_COUNT], event[NEXMO_EVENT_FIELD_COUNT + 2];
    char message[NEXMO_MESSAGE_SIZE], message_id[NEXMO_MESSAGE_ID_SIZE], timestamp[NEXMO_TIMESTAMP_SIZE];
    memset(details, OTHERS, sizeof details);
    CHECK(nexmo_flat_submit(handle, NEXMO_CHANNEL_VOICE, "invalid", -1, 0, "2020-01-01 12:00:00", -1, details, NEXMO_DETAIL_COUNT,
                            message, sizeof message) == NEXMO_OK,
          "%s", message);
    CHECK(details[NEXMO_DETAIL_STATUS] == NEXMO_OK && details[NEXMO_DETAIL_HTTP_STATUS] == 0 &&
              details[NEXMO_DETAIL_ATTEMPTS] == 0,
          "%s", message);
    CHECK(details[NEXMO_DETAIL_ACCEPTANCE] == NEXMO_ACCEPTANCE_UNKNOWN && details[NEXMO_DETAIL_RETRY_AFTER_MS] == -1, "%s",
          message);
    submit_flat(handle, "flat-valid");
    CHECK(nexmo_flat_flush(handle, PLENTY_MS, message, sizeof message) == NEXMO_OK, "%s", message);
    CHECK(sandbox_accepted("flat-valid", NULL, 0) == 1, "the report did not arrive");
    memset(event, OTHERS, sizeof event);
    CHECK(nexmo_flat_poll(handle, PLENTY_MS, event, NEXMO_EVENT_FIELD_COUNT + 1, message_id, sizeof message_id, timestamp,
                          sizeof timestamp, message, sizeof message) == NEXMO_OK,
          "%s", message);
    CHECK(event[NEXMO_EVENT_FIELD_KIND] == NEXMO_EVENT_REJECTED && event[NEXMO_EVENT_FIELD_ID] >= INT64_C(1) << 50, "kind %ld",
          (long)event[NEXMO_EVENT_FIELD_KIND]);
    CHECK(event[NEXMO_EVENT_FIELD_CHANNEL] == NEXMO_CHANNEL_VOICE && event[NEXMO_EVENT_FIELD_DELIVERED] == 0, "%ld",
          (long)event[NEXMO_EVENT_FIELD_CHANNEL]);
    CHECK(event[NEXMO_EVENT_FIELD_HTTP_STATUS] == 420 && event[NEXMO_EVENT_FIELD_COUNT] == 0, "%ld",
          (long)event[NEXMO_EVENT_FIELD_HTTP_STATUS]);
    CHECK(event[NEXMO_EVENT_FIELD_COUNT + 1] == 0x5a5a5a5a5a5a5a5a, "the call wrote beyond the end");
    CHECK(strcmp(message_id, "invalid") == 0 && strcmp(timestamp, "2020-01-01 12:00:00") == 0 && strstr(message, "420") != NULL,
          "%s", message);
    CHECK(nexmo_flat_acknowledge(handle, event[NEXMO_EVENT_FIELD_ID], message, sizeof message) == NEXMO_OK, "%s", message);
    CHECK(nexmo_flat_acknowledge(handle, event[NEXMO_EVENT_FIELD_ID], NULL, 0) == NEXMO_OK,
          "acknowledging the event again failed");
    CHECK(nexmo_flat_acknowledge(handle, 0, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT &&
              begins_with(message, "event_id "),
          "%s", message);
    CHECK(nexmo_flat_poll(handle, 0, event, NEXMO_EVENT_FIELD_COUNT, message_id, sizeof message_id, timestamp, sizeof timestamp,
                          NULL, 0) == NEXMO_OK,
          "the poll failed");
    CHECK(event[0] == 0 && event[1] == NEXMO_EVENT_NONE && event[2] == 0 && event[3] == 0 && event[4] == 0,
          "the empty event is not 0");
    CHECK(message_id[0] == '\0' && timestamp[0] == '\0', "%s", message_id);
    CHECK(nexmo_flat_close(handle, PLENTY_MS, message, sizeof message) == NEXMO_OK, "%s", message);
}

static void arguments_are_checked_as_by_the_other_functions(void)
{
    const long requests_before = sandbox_requests();
    const int64_t client = open_flat_client(""), reporter = open_flat_reporter("");
    static const struct {
        int32_t channel;
        const char *message_id;
        int32_t delivered;
        const char *timestamp;
        nexmo_status status;
        const char *message;
    } invalid[] = {
        {0, "id", 1, NULL, NEXMO_ERR_INVALID_ARGUMENT, "channel is 0; valid: 1, 2 (NEXMO_CHANNEL_*)"},
        {3, "id", 1, NULL, NEXMO_ERR_INVALID_ARGUMENT, "channel is 3; valid: 1, 2 (NEXMO_CHANNEL_*)"},
        {1, NULL, 1, NULL, NEXMO_ERR_NULL_POINTER, "message_id "},
        {1, "", 1, NULL, NEXMO_ERR_INVALID_ARGUMENT, "message_id "},
        {1, " id", 1, NULL, NEXMO_ERR_INVALID_ARGUMENT, "message_id "},
        {1, "id ", 1, NULL, NEXMO_ERR_INVALID_ARGUMENT, "message_id "},
        {1, "id", 2, NULL, NEXMO_ERR_INVALID_ARGUMENT, "delivered "},
        {1, "id", -1, NULL, NEXMO_ERR_INVALID_ARGUMENT, "delivered "},
        {1, "id", 1, "2020-02-30 12:00:00", NEXMO_ERR_INVALID_ARGUMENT, "timestamp "},
    };
    size_t i;
    for (i = 0; i < 2 * (sizeof invalid / sizeof invalid[0]); i++) {
        const size_t row = i / 2;
        int64_t details[NEXMO_DETAIL_COUNT];
        char message[NEXMO_MESSAGE_SIZE];
        memset(details, OTHERS, sizeof details);
        CHECK((i % 2 == 0 ? nexmo_flat_report : nexmo_flat_submit)(
                  i % 2 == 0 ? client : reporter, invalid[row].channel, invalid[row].message_id, -1, invalid[row].delivered,
                  invalid[row].timestamp, -1, details, NEXMO_DETAIL_COUNT, message, sizeof message) == invalid[row].status,
              "row %d: %s", (int)row, message);
        CHECK(begins_with(message, invalid[row].message) && are_of_nothing(details, invalid[row].status), "row %d: %s", (int)row,
              message);
    }
    CHECK(sandbox_requests() == requests_before && flat_statistic(reporter, "submitted") == 0,
          "a request was sent or a report submitted");
    CHECK(close_flat(client, 0) == NEXMO_OK && close_flat(reporter, 0) == NEXMO_OK, "a handle was not closed");
}

/* Polls the event of the report "invalid" into a buffer of this size, which is too small, and checks that the event
 * stays. */
static void check_too_small(int64_t handle, int32_t size)
{
    int64_t event[NEXMO_EVENT_FIELD_COUNT] = {-1, -1, -1, -1, -1};
    char message[NEXMO_MESSAGE_SIZE], message_id[16], timestamp[NEXMO_TIMESTAMP_SIZE] = "?";
    memset(message_id, OTHERS, sizeof message_id);
    CHECK(nexmo_flat_poll(handle, PLENTY_MS, event, NEXMO_EVENT_FIELD_COUNT, message_id, size, timestamp, sizeof timestamp,
                          message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT,
          "size %d was accepted", (int)size);
    CHECK(begins_with(message, "message_id") && event[0] == 0 && event[1] == NEXMO_EVENT_NONE && timestamp[0] == '\0',
          "size %d: %s", (int)size, message);
    CHECK(message_id[0] == (size > 0 ? '\0' : size == -1 ? OTHERS : ' '), "size %d: %.16s", (int)size, message_id);
    CHECK(flat_statistic(handle, "events") == 1, "the event is gone");
}

static void a_message_id_is_not_truncated(void)
{
    static const int32_t sizes[] = {1, 2, 7, -1, -2, -6};
    const int64_t handle = open_flat_reporter("");
    char message_id[16];
    size_t i;
    submit_flat(handle, "invalid");
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check_too_small(handle, sizes[i]);
    memset(message_id, OTHERS, sizeof message_id);
    CHECK(nexmo_flat_poll(handle, PLENTY_MS, NULL, 0, message_id, 8, NULL, 0, NULL, 0) == NEXMO_OK &&
              memcmp(message_id, "invalid\0Z", 9) == 0,
          "%.9s", message_id);
    CHECK(nexmo_flat_poll(handle, PLENTY_MS, NULL, 0, message_id, -7, NULL, 0, NULL, 0) == NEXMO_OK &&
              memcmp(message_id, "invalid", 7) == 0,
          "%.9s", message_id);
    CHECK(nexmo_flat_poll(handle, PLENTY_MS, NULL, 0, message_id, -9, NULL, 0, NULL, 0) == NEXMO_OK &&
              memcmp(message_id, "invalid  Z", 10) == 0,
          "%.9s", message_id);
    CHECK(nexmo_flat_poll(handle, PLENTY_MS, NULL, 0, message_id, 0, NULL, 0, NULL, 0) == NEXMO_OK,
          "an optional buffer was required");
    CHECK(nexmo_flat_poll(handle, PLENTY_MS, NULL, 0, NULL, 1, NULL, 0, NULL, 0) == NEXMO_OK, "an optional buffer was required");
    CHECK(nexmo_flat_poll(handle, -2, NULL, 0, NULL, 0, NULL, 0, NULL, 0) == NEXMO_ERR_INVALID_ARGUMENT,
          "a time limit below -1 was accepted");
    CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
}

void test_flat_reports(void)
{
    a_client_reports();
    a_reporter_submits_and_returns_the_outcome();
    arguments_are_checked_as_by_the_other_functions();
    a_message_id_is_not_truncated();
}
