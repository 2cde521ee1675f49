/* Tests text that is passed to the flat functions with its size: padding is ignored, and nothing beyond the size is
 * read. */
#define _GNU_SOURCE
#include "flat_fixture.h"

#include <stdio.h>

#include "reporter_fixture.h"
#include "fixture.h"
#include "harness.h"

enum { LONGEST_SETTINGS = 65536 };

/* Reports with a message id and a timestamp of these sizes. */
static nexmo_status report(int64_t client, const char *message_id, int32_t id_size, const char *timestamp, int32_t timestamp_size,
                           char message[NEXMO_MESSAGE_SIZE])
{
    return nexmo_flat_report(client, NEXMO_CHANNEL_SMS, message_id, id_size, 1, timestamp, timestamp_size, NULL, 0, message,
                             NEXMO_MESSAGE_SIZE);
}

/* Returns whether the last request had this message id. */
static int arrived(const char *message_id)
{
    char line[8192], expected[512];
    sandbox_last_request(line, sizeof line);
    snprintf(expected, sizeof expected, "\"message_id\":\"%s\"", message_id);
    return strstr(line, expected) != NULL;
}

#define TEXT(text) text, (int32_t)sizeof text - 1

static void text_is_read_without_its_padding_and_not_beyond(int64_t client)
{
    static const struct {
        const char *bytes;
        int32_t size;
        const char *text;
    } texts[] = {
        {TEXT("sized"), "sized"},       {TEXT("padded    "), "padded"},
        {TEXT("nuls\0\0\0"), "nuls"},   {TEXT("both \0 \0"), "both"},
        {TEXT("in side  "), "in side"}, {TEXT("\xd0\xba\xd0\xbb  "), "\xd0\xba\xd0\xbb"},
        {"cut here", 3, "cut"},         {TEXT("x"), "x"},
    };
    char message[NEXMO_MESSAGE_SIZE];
    size_t i;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const size_t size = (size_t)texts[i].size;
        CHECK(report(client, guarded_copy(texts[i].bytes, size), texts[i].size, NULL, 0, message) == NEXMO_OK, "%s: %s",
              texts[i].text, message);
        CHECK(arrived(texts[i].text), "%s did not arrive", texts[i].text);
    }
    CHECK(report(client, guarded_copy("ended", 6), -1, NULL, 0, message) == NEXMO_OK && arrived("ended"), "%s", message);
    CHECK(report(client, "x", -1, guarded_copy("2020-01-01 12:00:00   ", 22), 22, message) == NEXMO_OK, "%s", message);
    CHECK(report(client, "x", -1, guarded_copy("2020-01-01 12:00:00", 20), -1, message) == NEXMO_OK, "%s", message);
}

static void text_that_is_empty_is_not_given(int64_t client)
{
    char message[NEXMO_MESSAGE_SIZE], line[8192];
    const char *const spaces = guarded_copy("    ", 4);
    CHECK(report(client, "no-timestamp", -1, spaces, 4, message) == NEXMO_OK, "%s", message);
    sandbox_last_request(line, sizeof line);
    CHECK(strstr(line, "\"timestamp\":null") != NULL, "%s", line);
    CHECK(report(client, "no-timestamp", -1, guarded(0), 0, message) == NEXMO_OK, "%s", message);
    CHECK(report(client, "no-timestamp", -1, "", -1, message) == NEXMO_OK, "%s", message);
    CHECK(report(client, "no-timestamp", -1, NULL, -1, message) == NEXMO_OK, "%s", message);
    CHECK(report(client, "no-timestamp", -1, NULL, 7, message) == NEXMO_OK, "%s", message);
    CHECK(report(client, spaces, 4, NULL, 0, message) == NEXMO_ERR_INVALID_ARGUMENT && begins_with(message, "message_id "), "%s",
          message);
    CHECK(report(client, guarded(0), 0, NULL, 0, message) == NEXMO_ERR_INVALID_ARGUMENT && begins_with(message, "message_id "),
          "%s", message);
    CHECK(report(client, NULL, 4, NULL, 0, message) == NEXMO_ERR_NULL_POINTER && begins_with(message, "message_id "), "%s",
          message);
}

static void invalid_text_is_rejected(int64_t client)
{
    static const int32_t sizes[] = {-2, -3, -1000, INT32_MIN};
    const long requests_before = sandbox_requests();
    char message[NEXMO_MESSAGE_SIZE];
    size_t i;
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "message_id_size is %ld", (long)sizes[i]);
        CHECK(report(client, "id", sizes[i], NULL, 0, message) == NEXMO_ERR_INVALID_ARGUMENT && begins_with(message, expected),
              "%s", message);
        CHECK(report(client, "id", -1, "2020-01-01 12:00:00", sizes[i], message) == NEXMO_ERR_INVALID_ARGUMENT &&
                  begins_with(message, "timestamp_size is "),
              "%s", message);
    }
    CHECK(report(client, "a\0b", 3, NULL, 0, message) == NEXMO_ERR_INVALID_ARGUMENT,
          "a NUL in the text was accepted: %s", message);
    CHECK(report(client, "\0id", 3, NULL, 0, message) == NEXMO_ERR_INVALID_ARGUMENT, "a leading NUL was accepted: %s", message);
    CHECK(report(client, guarded_copy("\xd0\xba", 2), 1, NULL, 0, message) == NEXMO_ERR_INVALID_ARGUMENT,
          "half a character was accepted: %s", message);
    CHECK(report(client, " id", 3, NULL, 0, message) == NEXMO_ERR_INVALID_ARGUMENT, "a leading space was accepted: %s", message);
    memset(guarded(5000), 'x', 5000);
    CHECK(report(client, guarded(5000), 5000, NULL, 0, message) == NEXMO_ERR_INVALID_ARGUMENT,
          "an overlong text was accepted: %s", message);
    guarded(1)[0] = '\0';
    CHECK(report(client, guarded(5000), -1, NULL, 0, message) == NEXMO_ERR_INVALID_ARGUMENT,
          "an overlong text was accepted: %s", message);
    CHECK(sandbox_requests() == requests_before, "a request was sent");
}

static void a_message_id_of_256_bytes_and_its_padding_fit(int64_t client)
{
    char message[NEXMO_MESSAGE_SIZE];
    char *const bytes = guarded(3000);
    memset(bytes, ' ', 3000);
    memset(bytes, 'x', 256);
    CHECK(report(client, bytes, 3000, NULL, 0, message) == NEXMO_OK, "%s", message);
    bytes[256] = 'x';
    CHECK(report(client, bytes, 3000, NULL, 0, message) == NEXMO_ERR_INVALID_ARGUMENT, "%s", message);
}

/* Some languages pass the same buffer for input and output. */
static void inputs_are_read_before_outputs_are_written(int64_t client)
{
    const int64_t reporter = open_flat_reporter("");
    char both[NEXMO_MESSAGE_SIZE] = "overlaps";
    int64_t handle = 0;
    CHECK(nexmo_flat_report(client, 1, both, -1, 1, NULL, 0, NULL, 0, both, sizeof both) == NEXMO_OK && arrived("overlaps"), "%s",
          both);
    strcpy(both, "submitted");
    CHECK(nexmo_flat_statistic(reporter, both, -1, NULL, both, sizeof both) == NEXMO_OK && strcmp(both, "0") == 0, "%s", both);
    snprintf(both, sizeof both, "api_key = k\napi_secret = s\n");
    CHECK(nexmo_flat_open(both, -1, &handle, both, sizeof both) == NEXMO_OK && strstr(both, "api_key") == NULL, "%s", both);
    CHECK(close_flat(handle, 0) == NEXMO_OK && close_flat(reporter, 0) == NEXMO_OK, "a handle was not closed");
}

static void settings_are_read_no_further_than_their_size(void)
{
    static const char settings[] = "api_key = k\napi_secret = s";
    int64_t handle = 0;
    char message[NEXMO_MESSAGE_SIZE];
    char *const longest = guarded(LONGEST_SETTINGS);
    CHECK(nexmo_flat_open(guarded_copy(settings, sizeof settings - 1), sizeof settings - 1, &handle, message, sizeof message) ==
              NEXMO_OK,
          "%s", message);
    CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
    CHECK(nexmo_flat_open(guarded_copy(settings, sizeof settings), -1, &handle, message, sizeof message) == NEXMO_OK, "%s",
          message);
    CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
    memset(longest, '#', LONGEST_SETTINGS);
    memcpy(longest, settings, sizeof settings - 1);
    longest[sizeof settings - 1] = '\n';
    CHECK(nexmo_flat_open(longest, LONGEST_SETTINGS, &handle, message, sizeof message) == NEXMO_OK, "%s", message);
    CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
    memmove(longest - 1, longest, LONGEST_SETTINGS);
    CHECK(nexmo_flat_open(longest - 1, LONGEST_SETTINGS + 1, &handle, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT,
          "%s", message);
    CHECK(begins_with(message, "settings ") && handle == 0, "%s", message);
    CHECK(nexmo_flat_open(settings, -2, &handle, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT &&
              begins_with(message, "settings_size is -2"),
          "%s", message);
    CHECK(nexmo_flat_open(settings, -1, &handle, message, -1) == NEXMO_ERR_INVALID_ARGUMENT && handle == 0, "%s", message);
    CHECK(nexmo_flat_open(settings, -1, NULL, message, sizeof message) == NEXMO_ERR_NULL_POINTER &&
              begins_with(message, "handle "),
          "%s", message);
    handle = -1;
    CHECK(nexmo_flat_open(NULL, -1, &handle, message, sizeof message) == NEXMO_ERR_NULL_POINTER &&
              begins_with(message, "settings ") && handle == 0,
          "%s", message);
    CHECK(nexmo_flat_open("", 0, &handle, message, sizeof message) == NEXMO_ERR_INVALID_ARGUMENT &&
              begins_with(message, "settings "),
          "%s", message);
}

void test_flat_input(void)
{
    const int64_t client = open_flat_client("");
    text_is_read_without_its_padding_and_not_beyond(client);
    text_that_is_empty_is_not_given(client);
    invalid_text_is_rejected(client);
    a_message_id_of_256_bytes_and_its_padding_fit(client);
    inputs_are_read_before_outputs_are_written(client);
    settings_are_read_no_further_than_their_size();
    CHECK(close_flat(client, 0) == NEXMO_OK, "the handle was not closed");
}
