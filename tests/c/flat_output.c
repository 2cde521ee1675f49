/* Tests the buffers and arrays that the flat functions write: text is truncated or padded, and nothing is written
 * beyond the end. */
#define _GNU_SOURCE
#include "flat_fixture.h"

#include <stdio.h>

#include "reporter_fixture.h"
#include "fixture.h"
#include "harness.h"

enum { OTHERS = 0x5a };

/* The path of an outbox in a missing folder. The message quotes it, and so contains multibyte characters. */
static const char *const name_of_no_folder = "/not-\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87-\xe2\x82\xac\xf0\x9f\x98\x80/there";

static nexmo_status open_into_no_folder(char *message, int32_t message_size)
{
    char settings[512];
    int64_t handle = -1;
    nexmo_status status;
    snprintf(settings, sizeof settings, "api_key = k\napi_secret = s\noutbox = %s\n", name_of_no_folder);
    status = nexmo_flat_open(settings, -1, &handle, message, message_size);
    CHECK(status != NEXMO_OK && handle == 0, "the handle was opened");
    return status;
}

/* Returns whether a character begins or the text ends at this byte. */
static int is_boundary(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

static void check_truncated(const char *whole, size_t size)
{
    char *const ended = guarded(size);
    size_t length = size - 1 < strlen(whole) ? size - 1 : strlen(whole), i;
    while (!is_boundary(whole[length]))
        length--;
    memset(ended, OTHERS, size);
    open_into_no_folder(ended, (int32_t)size);
    CHECK(memcmp(ended, whole, length) == 0, "%lu bytes: %.*s", (unsigned long)size, (int)size, ended);
    for (i = length; i < size; i++)
        CHECK(ended[i] == '\0', "%lu bytes: the byte at %lu is not 0", (unsigned long)size, (unsigned long)i);
}

static void check_padded(const char *whole, size_t size)
{
    char *const padded = guarded(size);
    size_t length = size < strlen(whole) ? size : strlen(whole), i;
    while (!is_boundary(whole[length]))
        length--;
    memset(padded, OTHERS, size);
    open_into_no_folder(padded, -(int32_t)size);
    CHECK(memcmp(padded, whole, length) == 0, "-%lu bytes: %.*s", (unsigned long)size, (int)size, padded);
    for (i = length; i < size; i++)
        CHECK(padded[i] == ' ', "-%lu bytes: the byte at %lu is not a space", (unsigned long)size, (unsigned long)i);
}

static void text_is_truncated_at_a_character_and_padded(void)
{
    char whole[1024];
    size_t size;
    open_into_no_folder(whole, sizeof whole);
    CHECK(strstr(whole, "\xd1\x87-\xe2\x82\xac\xf0\x9f\x98\x80") != NULL,
          "the message does not contain the characters: %s", whole);
    for (size = 1; size < strlen(whole) + 20; size++)
        check_truncated(whole, size);
    for (size = 2; size < strlen(whole) + 20; size++)
        check_padded(whole, size);
}

static void a_buffer_of_size_0_is_not_written(int64_t client)
{
    char message[4] = "abc";
    int64_t details[2] = {7, 7};
    CHECK(nexmo_flat_report(client, 1, "id", -1, 1, NULL, 0, details, 0, message, 0) == NEXMO_OK && message[0] == 'a' &&
              details[0] == 7,
          "a buffer of size 0 was written");
    CHECK(nexmo_flat_report(client, 1, "id", -1, 1, NULL, 0, NULL, 6, NULL, 4) == NEXMO_OK, "the report failed");
    CHECK(nexmo_flat_report(client, 1, "id", -1, 1, NULL, 0, NULL, -6, NULL, -1) == NEXMO_OK,
          "NULL with a negative size was rejected");
}

static void invalid_buffer_sizes_are_rejected_before_anything_is_sent(int64_t client)
{
    const long requests_before = sandbox_requests();
    char message[NEXMO_MESSAGE_SIZE] = "abc", other[4] = "abc";
    int64_t details[NEXMO_DETAIL_COUNT] = {7, 7, 7, 7, 7, 7};
    CHECK(nexmo_flat_report(client, 1, "id", -1, 1, NULL, 0, details, 6, message, -1) == NEXMO_ERR_INVALID_ARGUMENT &&
              strcmp(message, "abc") == 0,
          "%s", message);
    CHECK(details[NEXMO_DETAIL_STATUS] == NEXMO_ERR_INVALID_ARGUMENT && details[NEXMO_DETAIL_RETRY_AFTER_MS] == -1,
          "the details were not written");
    details[0] = 7;
    CHECK(nexmo_flat_report(client, 1, "id", -1, 1, NULL, 0, details, -1, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT,
          "%s", message);
    CHECK(begins_with(message, "details_count is -1") && details[0] == 7, "%s", message);
    CHECK(nexmo_flat_report(client, 1, "id", -1, 1, NULL, 0, details, INT32_MIN, message, sizeof message) ==
              NEXMO_ERR_INVALID_ARGUMENT,
          "%s", message);
    CHECK(nexmo_flat_version(other, -1) == NEXMO_ERR_INVALID_ARGUMENT && strcmp(other, "abc") == 0, "%s", other);
    CHECK(nexmo_flat_status(0, other, -1, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT && message[0] == '\0' &&
              strcmp(other, "abc") == 0,
          "%s", message);
    CHECK(nexmo_flat_status(0, message, sizeof message, other, -1) == NEXMO_ERR_INVALID_ARGUMENT && message[0] == '\0' &&
              strcmp(other, "abc") == 0,
          "%s", message);
    CHECK(sandbox_requests() == requests_before, "a request was sent");
}

static void a_reporter_rejects_invalid_buffer_sizes(void)
{
    const int64_t reporter = open_flat_reporter("");
    char message[NEXMO_MESSAGE_SIZE], other[4] = "abc";
    int64_t event[NEXMO_EVENT_FIELD_COUNT] = {7, 7, 7, 7, 7}, value = 7;
    CHECK(nexmo_flat_submit(reporter, 1, "id", -1, 1, NULL, 0, event, -1, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT,
          "%s", message);
    CHECK(nexmo_flat_submit(reporter, 1, "id", -1, 1, NULL, 0, NULL, 0, other, -1) == NEXMO_ERR_INVALID_ARGUMENT, "%s", other);
    CHECK(flat_statistic(reporter, "submitted") == 0, "the report was submitted");
    CHECK(nexmo_flat_poll(reporter, 0, event, -1, NULL, 0, NULL, 0, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT &&
              begins_with(message, "event_count is -1"),
          "%s", message);
    CHECK(nexmo_flat_poll(reporter, 0, event, 5, other, -1, NULL, 0, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT &&
              begins_with(message, "message_id_size is -1"),
          "%s", message);
    CHECK(nexmo_flat_poll(reporter, 0, event, 5, NULL, 0, other, -1, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT &&
              begins_with(message, "timestamp_size is -1"),
          "%s", message);
    CHECK(nexmo_flat_poll(reporter, 0, event, 5, NULL, 0, NULL, 0, other, -1) == NEXMO_ERR_INVALID_ARGUMENT, "%s", other);
    CHECK(event[0] == 0 && event[4] == 0, "the event was not set to 0");
    CHECK(nexmo_flat_flush(reporter, 0, other, -1) == NEXMO_ERR_INVALID_ARGUMENT &&
              nexmo_flat_acknowledge(reporter, INT64_C(1) << 50, other, -1) == NEXMO_ERR_INVALID_ARGUMENT,
          "%s", other);
    CHECK(nexmo_flat_statistic(reporter, "pending", -1, &value, other, -1) == NEXMO_ERR_INVALID_ARGUMENT && value == 0, "%ld",
          (long)value);
    CHECK(nexmo_flat_statistic(reporter, "pending", -2, &value, NULL, 0) == NEXMO_ERR_INVALID_ARGUMENT,
          "an invalid size of the name was accepted");
    CHECK(strcmp(other, "abc") == 0, "%s", other);
    CHECK(close_flat(reporter, 0) == NEXMO_OK, "the handle was not closed");
}

static void pointers_need_not_be_aligned(void)
{
    char *const bytes = guarded(1 + sizeof(int64_t[NEXMO_DETAIL_COUNT]));
    const char *const settings = "api_key = k\napi_secret = s\ndurability = none\nbase_url = http://127.0.0.1:1\n";
    void *const unaligned = guarded(sizeof(int64_t)) - 1;
    int64_t handle = 0, numbers[NEXMO_DETAIL_COUNT];
    CHECK(nexmo_flat_open(settings, -1, unaligned, NULL, 0) == NEXMO_OK, "the handle was not opened");
    memcpy(&handle, unaligned, sizeof handle);
    CHECK(nexmo_flat_submit(handle, 1, "id", -1, 1, NULL, 0, (void *)(bytes + 1), NEXMO_DETAIL_COUNT, NULL, 0) == NEXMO_OK,
          "the submit failed");
    memcpy(numbers, bytes + 1, sizeof numbers);
    CHECK(numbers[NEXMO_DETAIL_ACCEPTANCE] == NEXMO_ACCEPTANCE_UNKNOWN && numbers[NEXMO_DETAIL_RETRY_AFTER_MS] == -1,
          "the details were not written");
    CHECK(nexmo_flat_poll(handle, 0, (void *)(guarded(sizeof(int64_t[NEXMO_EVENT_FIELD_COUNT]) + 3)), NEXMO_EVENT_FIELD_COUNT,
                          NULL, 0, NULL, 0, NULL, 0) == NEXMO_OK,
          "the poll failed");
    CHECK(nexmo_flat_statistic(handle, guarded_copy("pending", 7), 7, unaligned, NULL, 0) == NEXMO_OK,
          "the statistic was not returned");
    memcpy(numbers, unaligned, sizeof numbers[0]);
    CHECK(numbers[0] == 1, "%ld reports are pending", (long)numbers[0]);
    CHECK(close_flat(handle, 0) == NEXMO_ERR_PENDING, "the handle was not closed");
}

void test_flat_output(void)
{
    const int64_t client = open_flat_client("");
    text_is_truncated_at_a_character_and_padded();
    a_buffer_of_size_0_is_not_written(client);
    invalid_buffer_sizes_are_rejected_before_anything_is_sent(client);
    a_reporter_rejects_invalid_buffer_sizes();
    pointers_need_not_be_aligned();
    CHECK(close_flat(client, 0) == NEXMO_OK, "the handle was not closed");
}
