/* Tests reporters: delivery, invalid handles, and structs of other versions. */
#define _GNU_SOURCE
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reporter_fixture.h"
#include "fixture.h"

static void submitted_reports_arrive_with_their_timestamps(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_statistics statistics;
    nexmo_result result = NEXMO_RESULT_INIT;
    char line[8192];
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "arrives", 1, NULL, &result) == NEXMO_OK, "%s", result.message);
    CHECK(result.status == NEXMO_OK && result.attempts == 0 && result.acceptance == NEXMO_ACCEPTANCE_UNKNOWN, "%s",
          result.message);
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_VOICE, "arrives-voice", 0, "2020-01-01 12:00:00", &result) == NEXMO_OK,
          "%s", result.message);
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &result) == NEXMO_OK, "%s", result.message);
    CHECK(result.acceptance == NEXMO_ACCEPTANCE_NO && result.attempts == 0, "a flush must not return an acceptance or attempts");
    statistics = statistics_of(reporter);
    CHECK(statistics.submitted == 2 && statistics.accepted == 2 && statistics.pending == 0, "%ld reports were accepted",
          (long)statistics.accepted);
    CHECK(sandbox_accepted("arrives-voice", line, sizeof line) == 1, "the report did not arrive");
    CHECK(strstr(line, "\"channel\":\"voice\"") != NULL && strstr(line, "\"timestamp\":\"2020-01-01 12:00:00\"") != NULL, "%s",
          line);
    CHECK(strstr(line, "\"delivered\":\"false\"") != NULL, "%s", line);
    CHECK(sandbox_accepted("arrives", line, sizeof line) == 2, "the two reports did not arrive exactly once");
    CHECK(strstr(line, "\"timestamp\":\"20") != NULL, "the time of submission is missing: %s", line);
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
}

static void a_new_reporter_has_done_nothing(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_statistics statistics = statistics_of(reporter);
    const nexmo_event event = consume_event(reporter);
    CHECK(statistics.flags == 0 && statistics.submitted == 0 && statistics.events == 0 && statistics.events_discarded == 0,
          "a statistic is not 0");
    CHECK(statistics.outbox_resets == 0 && statistics.outbox_errors == 0 && statistics.in_flight == 0, "a statistic is not 0");
    CHECK(statistics.last_error == NEXMO_OK && statistics.last_error_unix_ms == -1, "%s", statistics.last_error_message);
    CHECK(event.kind == NEXMO_EVENT_NONE && event.flags == 0 && event.http_status == 0 && event.channel == 0,
          "the empty event is not 0");
    CHECK(event.message_id[0] == '\0' && event.timestamp[0] == '\0' && event.message[0] == '\0', "%s", event.message);
    CHECK(!is_readable(reporter), "the descriptor is readable");
    CHECK(nexmo_reporter_flush(reporter, 0, NULL) == NEXMO_OK, "a report is pending");
    WAIT_UNTIL(statistics_of(reporter).state == NEXMO_STATE_RUNNING, "the state is %d", (int)statistics_of(reporter).state);
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
}

static void an_outbox_is_readable_by_its_owner_only(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock", ".reserve"};
    const mode_t mask = umask(0);
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    struct stat found;
    size_t i;
    CHECK(submit(reporter, "private") == NEXMO_OK, "the submit failed");
    for (i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        CHECK(stat(beside(reporting.reporter_options.outbox, endings[i]), &found) == 0, "the file %s does not exist", endings[i]);
        CHECK((found.st_mode & 0777) == 0600, "%s has mode %o", endings[i], (unsigned)found.st_mode);
    }
    umask(mask);
    nexmo_reporter_free(reporter);
}

/* Checks that each function rejects an invalid handle. */
static void check_rejected_everywhere(nexmo_reporter *garbage)
{
    nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
    nexmo_event event = NEXMO_EVENT_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    CHECK(nexmo_reporter_submit(garbage, NEXMO_CHANNEL_SMS, "id", 1, NULL, &result) == NEXMO_ERR_INVALID_HANDLE, "%s",
          result.message);
    CHECK(nexmo_reporter_submit(garbage, NEXMO_CHANNEL_VOICE, "id", 1, NULL, NULL) == NEXMO_ERR_INVALID_HANDLE,
          "the submit succeeded");
    CHECK(nexmo_reporter_poll(garbage, 0, &event, &result) == NEXMO_ERR_INVALID_HANDLE, "%s", result.message);
    CHECK(nexmo_reporter_flush(garbage, 0, &result) == NEXMO_ERR_INVALID_HANDLE, "%s", result.message);
    CHECK(nexmo_reporter_statistics(garbage, &statistics, &result) == NEXMO_ERR_INVALID_HANDLE, "%s", result.message);
    CHECK(nexmo_reporter_close(garbage, 0, &result) == NEXMO_ERR_INVALID_HANDLE, "%s", result.message);
    CHECK(nexmo_reporter_acknowledge(garbage, INT64_C(1) << 50, &result) == NEXMO_ERR_INVALID_HANDLE, "%s", result.message);
    CHECK(nexmo_reporter_fd(garbage) == -NEXMO_ERR_INVALID_HANDLE, "%d", (int)nexmo_reporter_fd(garbage));
    CHECK(garbage == NULL || nexmo_reporter_free(garbage) == NEXMO_ERR_INVALID_HANDLE, "an invalid handle was freed");
    CHECK(result.status == NEXMO_ERR_INVALID_HANDLE && result.message[0] != '\0', "%s", result.message);
}

static void invalid_reporter_handles_are_rejected(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *const freed = begin(&reporting), *const live = begin(&reporting);
    nexmo_client *client = NULL;
    CHECK(nexmo_reporter_free(freed) == NEXMO_OK, "the reporter was not freed");
    check_rejected_everywhere(freed);
    check_rejected_everywhere(NULL);
    check_rejected_everywhere((nexmo_reporter *)(void *)&reporting);
    check_rejected_everywhere((nexmo_reporter *)(uintptr_t)0x7fffffff);
    check_rejected_everywhere((nexmo_reporter *)(uintptr_t)-1);
    check_rejected_everywhere((nexmo_reporter *)((uintptr_t)live + 1000));
    check_rejected_everywhere((nexmo_reporter *)((uintptr_t)live ^ (uintptr_t)1 << (4 * sizeof(uintptr_t))));
    CHECK(submit(live, "harmed") == NEXMO_OK && nexmo_reporter_free(live) == NEXMO_OK, "an invalid handle affected a valid one");
    CHECK(nexmo_reporter_free(NULL) == NEXMO_OK, "freeing NULL failed");
    CHECK(nexmo_client_new(&reporting.credentials, &reporting.options, &client, NULL) == NEXMO_OK, "no client was created");
    CHECK(nexmo_reporter_free((nexmo_reporter *)(uintptr_t)((uintptr_t)client + 1000000)) == NEXMO_ERR_INVALID_HANDLE,
          "an invalid handle was freed");
    CHECK(nexmo_client_free(client) == NEXMO_OK, "the client was freed by the failed call");
}

static void required_pointers_must_not_be_null(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting), *none = NULL;
    nexmo_result *const result = &reporting.result;
    const nexmo_reporter_options *const options = &reporting.reporter_options;
    CHECK(nexmo_reporter_new(NULL, &reporting.options, options, &none, result) == NEXMO_ERR_NULL_POINTER, "%s", result->message);
    CHECK(begins_with(result->message, "credentials ") && none == NULL, "%s", result->message);
    CHECK(nexmo_reporter_new(&reporting.credentials, NULL, NULL, &none, result) == NEXMO_ERR_NULL_POINTER, "%s", result->message);
    CHECK(begins_with(result->message, "reporter_options "), "%s", result->message);
    CHECK(nexmo_reporter_new(&reporting.credentials, NULL, options, NULL, result) == NEXMO_ERR_NULL_POINTER, "%s",
          result->message);
    CHECK(begins_with(result->message, "reporter "), "%s", result->message);
    CHECK(nexmo_reporter_new(NULL, NULL, NULL, NULL, NULL) == NEXMO_ERR_NULL_POINTER, "a reporter was created");
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, NULL, 1, NULL, result) == NEXMO_ERR_NULL_POINTER, "%s",
          result->message);
    CHECK(begins_with(result->message, "message_id "), "%s", result->message);
    CHECK(nexmo_reporter_poll(reporter, 0, NULL, result) == NEXMO_ERR_NULL_POINTER && begins_with(result->message, "event "),
          "%s", result->message);
    CHECK(nexmo_reporter_statistics(reporter, NULL, result) == NEXMO_ERR_NULL_POINTER, "%s", result->message);
    CHECK(begins_with(result->message, "statistics "), "%s", result->message);
    nexmo_reporter_free(reporter);
}

static void an_invalid_report_is_not_stored(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_result *const result = &reporting.result;
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "", 1, NULL, result) == NEXMO_ERR_INVALID_ARGUMENT, "%s",
          result->message);
    CHECK(begins_with(result->message, "message_id "), "%s", result->message);
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "id", 2, NULL, result) == NEXMO_ERR_INVALID_ARGUMENT, "%s",
          result->message);
    CHECK(begins_with(result->message, "delivered "), "%s", result->message);
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_VOICE, "id", 1, "2020-02-30 12:00:00", result) ==
              NEXMO_ERR_INVALID_ARGUMENT,
          "%s", result->message);
    CHECK(begins_with(result->message, "timestamp "), "%s", result->message);
    CHECK(nexmo_reporter_flush(reporter, -2, result) == NEXMO_ERR_INVALID_ARGUMENT, "%s", result->message);
    CHECK(begins_with(result->message, "timeout_ms "), "%s", result->message);
    CHECK(nexmo_reporter_close(reporter, INT32_MIN, result) == NEXMO_ERR_INVALID_ARGUMENT, "%s", result->message);
    CHECK(statistics_of(reporter).submitted == 0, "an invalid report was stored");
    CHECK(submit(reporter, "still-open") == NEXMO_OK, "a failed close closed the reporter");
    nexmo_reporter_free(reporter);
}

static const uint32_t invalid_sizes[] = {0, 4, 8, 4097, 4000000000u, 4294967295u};
#define INVALID_SIZES (sizeof invalid_sizes / sizeof invalid_sizes[0])

/* Checks that a call with a struct of the given size fails and leaves the struct unchanged. */
#define CHECK_REJECTED(type, size, call)                                                                                         \
    do {                                                                                                                         \
        type given, untouched;                                                                                                   \
        memset(&given, 0x5a, sizeof given);                                                                                      \
        given.struct_size = size;                                                                                                \
        untouched = given;                                                                                                       \
        CHECK((call) == NEXMO_ERR_STRUCT_SIZE, #call " accepted size %lu", (unsigned long)(size));                               \
        CHECK(memcmp(&given, &untouched, sizeof given) == 0, #call " wrote it");                                           \
    } while (0)

static void invalid_struct_sizes_are_rejected(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting), *none = NULL;
    nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
    nexmo_event event = NEXMO_EVENT_INIT;
    size_t i;
    for (i = 0; i < INVALID_SIZES; i++) {
        CHECK_REJECTED(nexmo_reporter_options, invalid_sizes[i],
                      nexmo_reporter_new(&reporting.credentials, NULL, &given, &none, NULL));
        CHECK_REJECTED(nexmo_event, invalid_sizes[i], nexmo_reporter_poll(reporter, 0, &given, NULL));
        CHECK_REJECTED(nexmo_statistics, invalid_sizes[i], nexmo_reporter_statistics(reporter, &given, NULL));
        CHECK_REJECTED(nexmo_result, invalid_sizes[i], nexmo_reporter_flush(reporter, 0, &given));
        CHECK_REJECTED(nexmo_result, invalid_sizes[i], nexmo_reporter_close(reporter, 0, &given));
        CHECK_REJECTED(nexmo_result, invalid_sizes[i], nexmo_reporter_poll(reporter, 0, &event, &given));
        CHECK_REJECTED(nexmo_result, invalid_sizes[i], nexmo_reporter_acknowledge(reporter, INT64_C(1) << 50, &given));
        CHECK_REJECTED(nexmo_result, invalid_sizes[i], nexmo_reporter_statistics(reporter, &statistics, &given));
        CHECK_REJECTED(nexmo_result, invalid_sizes[i], nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "id", 1, NULL, &given));
    }
    CHECK(statistics_of(reporter).submitted == 0 && submit(reporter, "id") == NEXMO_OK, "a failed call changed the reporter");
    nexmo_reporter_free(reporter);
}

/* A struct of a newer caller with fields that this library does not know. */
#define NEWER(type)                                                                                                              \
    struct {                                                                                                                     \
        type known;                                                                                                              \
        uint64_t added[2];                                                                                                       \
    }

static void a_newer_caller_works_while_its_new_fields_are_0(void)
{
    struct reporting reporting = valid_reporting();
    NEWER(nexmo_reporter_options) options;
    NEWER(nexmo_statistics) statistics;
    NEWER(nexmo_event) event;
    nexmo_reporter *reporter = NULL, *none = NULL;
    memset(&options, 0, sizeof options);
    memset(&statistics, 0x5a, sizeof statistics);
    memset(&event, 0x5a, sizeof event);
    options.known = reporting.reporter_options;
    options.known.struct_size = sizeof options;
    statistics.known.struct_size = sizeof statistics;
    event.known.struct_size = sizeof event;
    CHECK(nexmo_reporter_new(&reporting.credentials, &reporting.options, &options.known, &reporter, NULL) == NEXMO_OK,
          "creating the reporter failed");
    CHECK(nexmo_reporter_statistics(reporter, &statistics.known, NULL) == NEXMO_OK, "the statistics call failed");
    CHECK(statistics.known.struct_size == sizeof statistics && statistics.added[0] == 0 && statistics.added[1] == 0,
          "a statistic is not 0");
    CHECK(nexmo_reporter_poll(reporter, 0, &event.known, NULL) == NEXMO_OK, "the poll failed");
    CHECK(event.known.struct_size == sizeof event && event.added[0] == 0 && event.added[1] == 0, "the empty event is not 0");
    options.added[1] = 1;
    CHECK(nexmo_reporter_new(&reporting.credentials, &reporting.options, &options.known, &none, &reporting.result) ==
              NEXMO_ERR_STRUCT_SIZE,
          "a reporter was created");
    CHECK(begins_with(reporting.result.message, "reporter_options.struct_size "), "%s", reporting.result.message);
    nexmo_reporter_free(reporter);
}

static void a_struct_need_not_be_aligned(void)
{
    unsigned char options[1 + sizeof(nexmo_reporter_options)], statistics[1 + sizeof(nexmo_statistics)] = {0};
    const uint32_t size = sizeof(nexmo_statistics);
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = NULL;
    const void *unaligned_options = options + 1;
    void *unaligned_statistics = statistics + 1;
    memcpy(options + 1, &reporting.reporter_options, sizeof reporting.reporter_options);
    memcpy(statistics + 1, &size, sizeof size);
    CHECK(nexmo_reporter_new(&reporting.credentials, &reporting.options, unaligned_options, &reporter, NULL) == NEXMO_OK,
          "creating the reporter failed");
    CHECK(nexmo_reporter_statistics(reporter, unaligned_statistics, NULL) == NEXMO_OK, "the statistics call failed");
    nexmo_reporter_free(reporter);
}

void test_reporter_basics(void)
{
    submitted_reports_arrive_with_their_timestamps();
    a_new_reporter_has_done_nothing();
    an_outbox_is_readable_by_its_owner_only();
    invalid_reporter_handles_are_rejected();
    required_pointers_must_not_be_null();
    an_invalid_report_is_not_stored();
    invalid_struct_sizes_are_rejected();
    a_newer_caller_works_while_its_new_fields_are_0();
    a_struct_need_not_be_aligned();
}
