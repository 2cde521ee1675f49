/* Tests statistics and the version through the flat functions. */
#define _GNU_SOURCE
#include "flat_fixture.h"

#include <stdio.h>

#include "reporter_fixture.h"
#include "harness.h"

enum { OTHERS = 0x5a };

/* All fields of nexmo_statistics except the first two. */
static const char *const names[] = {
    "state",
    "in_flight",
    "last_error",
    "last_error_http_status",
    "submitted",
    "accepted",
    "rejected",
    "expired",
    "replaced",
    "dropped",
    "damaged",
    "pending",
    "events",
    "events_discarded",
    "outbox_resets",
    "outbox_errors",
    "oldest_pending_ms",
    "last_error_unix_ms",
    "last_error_message",
};

static void check_statistic_text(const char *name, int64_t value, const char *text)
{
    char expected[64];
    snprintf(expected, sizeof expected, "%lld", (long long)value);
    if (strcmp(name, "state") == 0)
        CHECK(begins_with(text, "NEXMO_STATE_") && value >= 0, "%s", text);
    else if (strcmp(name, "last_error") == 0)
        CHECK(strcmp(text, nexmo_status_name((nexmo_status)value)) == 0, "%s", text);
    else if (strcmp(name, "last_error_message") == 0)
        CHECK(value == 0, "%s is %lld", text, (long long)value);
    else
        CHECK(strcmp(text, expected) == 0, "the text of %s is %s", name, text);
}

static void every_statistic_has_a_number_and_a_text(void)
{
    const int64_t handle = open_flat_reporter("");
    size_t i;
    submit_flat(handle, "invalid");
    submit_flat(handle, "flat-statistics");
    CHECK(nexmo_flat_flush(handle, PLENTY_MS, NULL, 0) == NEXMO_OK, "the reports were not sent");
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[NEXMO_MESSAGE_SIZE], padded[64];
        int64_t value = -99;
        CHECK(nexmo_flat_statistic(handle, names[i], -1, &value, text, sizeof text) == NEXMO_OK,
              "the statistic %s was not returned", names[i]);
        check_statistic_text(names[i], value, text);
        snprintf(padded, sizeof padded, "%-40s", names[i]);
        CHECK(nexmo_flat_statistic(handle, padded, 40, NULL, NULL, 0) == NEXMO_OK, "the padded name %s was rejected", names[i]);
    }
    CHECK(flat_statistic(handle, "submitted") == 2 && flat_statistic(handle, "accepted") == 1 &&
              flat_statistic(handle, "rejected") == 1,
          "the statistics are wrong");
    CHECK(flat_statistic(handle, "events") == 1 && flat_statistic(handle, "pending") == 0 &&
              flat_statistic(handle, "oldest_pending_ms") == -1,
          "the statistics are wrong");
    CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
}

static void the_last_error_is_returned_by_name(void)
{
    const int64_t handle = open_flat_reporter("max_in_flight = 1\n");
    char text[NEXMO_MESSAGE_SIZE];
    submit_flat(handle, "unavailable");
    WAIT_UNTIL(flat_statistic(handle, "last_error") == NEXMO_ERR_UNAVAILABLE, "no error was recorded");
    CHECK(nexmo_flat_statistic(handle, "last_error", -1, NULL, text, sizeof text) == NEXMO_OK &&
              strcmp(text, "NEXMO_ERR_UNAVAILABLE") == 0,
          "%s", text);
    CHECK(nexmo_flat_statistic(handle, "last_error_message", -1, NULL, text, sizeof text) == NEXMO_OK &&
              strstr(text, "503") != NULL,
          "%s", text);
    CHECK(flat_statistic(handle, "last_error_http_status") == 503, "the HTTP status was not recorded");
    WAIT_UNTIL(flat_statistic(handle, "state") == NEXMO_STATE_BACKING_OFF, "the reporter does not back off");
    CHECK(nexmo_flat_statistic(handle, "state", -1, NULL, text, sizeof text) == NEXMO_OK &&
              strcmp(text, "NEXMO_STATE_BACKING_OFF") == 0,
          "%s", text);
    CHECK(close_flat(handle, 0) == NEXMO_ERR_PENDING, "no report is pending");
}

static void other_names_are_invalid(void)
{
    static const char *const others[] = {"struct_size", "flags", "Pending", "pending ", " pending", "nothing", ""};
    const int64_t handle = open_flat_reporter("");
    size_t i;
    for (i = 0; i < sizeof others / sizeof others[0]; i++) {
        char text[8];
        int64_t value = -99;
        memset(text, OTHERS, sizeof text);
        CHECK(nexmo_flat_statistic(handle, others[i], -1, &value, text, sizeof text) == NEXMO_ERR_INVALID_ARGUMENT,
              "\"%s\" was accepted as a statistic", others[i]);
        CHECK(value == 0 && text[0] == '\0' && text[7] == '\0', "\"%s\" is %ld, %s", others[i], (long)value, text);
    }
    CHECK(nexmo_flat_statistic(handle, NULL, -1, NULL, NULL, 0) == NEXMO_ERR_NULL_POINTER, "NULL was accepted as a name");
    CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
}

static void the_version_is_returned(void)
{
    char text[16];
    memset(text, OTHERS, sizeof text);
    CHECK(nexmo_flat_version(text, 10) == NEXMO_OK && strcmp(text, NEXMO_CONVERSION_VERSION) == 0 && text[9] == '\0' &&
              text[10] == OTHERS,
          "%s", text);
    CHECK(nexmo_flat_version(text, 4) == NEXMO_OK && strncmp(text, NEXMO_CONVERSION_VERSION, 3) == 0 && text[3] == '\0', "%s",
          text);
    CHECK(nexmo_flat_version(text, -8) == NEXMO_OK && memcmp(text, NEXMO_CONVERSION_VERSION "   ", 8) == 0, "%.8s", text);
    CHECK(nexmo_flat_version(NULL, 10) == NEXMO_OK && nexmo_flat_version(text, 0) == NEXMO_OK, "an optional buffer was required");
}

void test_flat_statistics(void)
{
    every_statistic_has_a_number_and_a_text();
    the_last_error_is_returned_by_name();
    other_names_are_invalid();
    the_version_is_returned();
}
