/* Tests the options of a reporter by their effects. */
#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "reporter_fixture.h"

/* The number of calls of fdatasync in this process. The library calls the fdatasync below instead of the system's. */
static long syncs;

int fdatasync(int file);

int fdatasync(int file)
{
    __atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST);
    return (int)syscall(SYS_fdatasync, file);
}

/* An invalid value of an option. The error message must begin with the name of the option. */
struct invalid_option {
    const char *name;
    size_t offset;
    int32_t value;
};

#define OPTION(field, value) {#field " ", offsetof(nexmo_reporter_options, field), value}

static void values_out_of_range_are_rejected(void)
{
    static const struct invalid_option table[] = {
        OPTION(durability, 3),     OPTION(durability, -1),          OPTION(overflow, 2),         OPTION(overflow, -1),
        OPTION(max_pending, -1),   OPTION(max_pending, 1000000001), OPTION(max_age_s, -1),       OPTION(max_age_s, 31536001),
        OPTION(max_in_flight, -1), OPTION(max_in_flight, 257),      OPTION(busy_timeout_ms, -1), OPTION(busy_timeout_ms, 60001),
    };
    size_t i;
    for (i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct reporting reporting = valid_reporting();
        memcpy((char *)&reporting.reporter_options + table[i].offset, &table[i].value, sizeof table[i].value);
        CHECK(try_new_reporter(&reporting) == NEXMO_ERR_INVALID_ARGUMENT, "%s%d: %s", table[i].name, (int)table[i].value,
              reporting.result.message);
        CHECK(begins_with(reporting.result.message, table[i].name), "%s%d: %s", table[i].name, (int)table[i].value,
              reporting.result.message);
        CHECK(access(reporting.reporter_options.outbox, F_OK) != 0, "an outbox was created");
    }
}

static void unknown_flags_are_rejected(void)
{
    struct reporting reporting = valid_reporting();
    reporting.reporter_options.flags = 2;
    CHECK(try_new_reporter(&reporting) == NEXMO_ERR_UNKNOWN_FLAGS, "%s", reporting.result.message);
    CHECK(begins_with(reporting.result.message, "reporter_options.flags "), "%s", reporting.result.message);
    reporting.reporter_options.flags = NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM;
    CHECK(try_new_reporter(&reporting) == NEXMO_OK, "%s", reporting.result.message);
}

static void outbox_and_durability_must_agree(void)
{
    struct reporting reporting = valid_reporting();
    reporting.reporter_options.durability = NEXMO_DURABILITY_NONE;
    CHECK(try_new_reporter(&reporting) == NEXMO_ERR_INVALID_ARGUMENT, "%s", reporting.result.message);
    CHECK(begins_with(reporting.result.message, "outbox "), "%s", reporting.result.message);
    reporting.reporter_options.outbox = "";
    reporting.reporter_options.durability = NEXMO_DURABILITY_PROCESS;
    CHECK(try_new_reporter(&reporting) == NEXMO_ERR_INVALID_ARGUMENT, "%s", reporting.result.message);
    CHECK(begins_with(reporting.result.message, "outbox "), "%s", reporting.result.message);
    reporting.reporter_options.outbox = NULL;
    CHECK(try_new_reporter(&reporting) == NEXMO_ERR_NULL_POINTER, "%s", reporting.result.message);
    CHECK(strcmp(reporting.result.message, "outbox is NULL") == 0, "%s", reporting.result.message);
    reporting.reporter_options.durability = NEXMO_DURABILITY_POWER;
    CHECK(try_new_reporter(&reporting) == NEXMO_ERR_NULL_POINTER, "%s", reporting.result.message);
}

/* Submits reports to a reporter that cannot send them, frees it, and returns the number of reports that are pending in
 * a new reporter with the same options. */
static long pending_at_next_start(int32_t durability, const char *name)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter;
    long pending;
    reporting.reporter_options.durability = durability;
    if (durability == NEXMO_DURABILITY_NONE)
        reporting.reporter_options.outbox = NULL;
    reporter = begin(&reporting);
    submit_some(reporter, name, 5);
    nexmo_reporter_free(reporter);
    reporter = begin(&reporting);
    pending = (long)statistics_of(reporter).pending;
    nexmo_reporter_free(reporter);
    return pending;
}

static void reports_survive_a_restart_according_to_durability(void)
{
    CHECK(pending_at_next_start(NEXMO_DURABILITY_PROCESS, "process") == 5, "reports were lost");
    CHECK(pending_at_next_start(NEXMO_DURABILITY_POWER, "power") == 5, "reports were lost");
    CHECK(pending_at_next_start(NEXMO_DURABILITY_NONE, "none") == 0, "reports in memory were kept");
}

static void a_reporter_in_memory_sends(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter;
    reporting.reporter_options.outbox = NULL;
    reporting.reporter_options.durability = NEXMO_DURABILITY_NONE;
    reporter = begin(&reporting);
    submit_some(reporter, "memory", 20);
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    CHECK(sandbox_accepted("memory", NULL, 0) == 20 && statistics_of(reporter).accepted == 20, "%ld reports arrived",
          sandbox_accepted("memory", NULL, 0));
    nexmo_reporter_free(reporter);
}

/* Returns the number of calls of fdatasync during count submits. */
static long syncs_of(int32_t durability, const char *name, int count)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter;
    long before;
    reporting.reporter_options.durability = durability;
    reporter = begin(&reporting);
    before = __atomic_load_n(&syncs, __ATOMIC_SEQ_CST);
    submit_some(reporter, name, count);
    before = __atomic_load_n(&syncs, __ATOMIC_SEQ_CST) - before;
    nexmo_reporter_free(reporter);
    return before;
}

static void only_power_durability_flushes_the_disk(void)
{
    const long process = syncs_of(NEXMO_DURABILITY_PROCESS, "no-disk", 50), power = syncs_of(NEXMO_DURABILITY_POWER, "disk", 50);
    CHECK(process < 10, "the library flushed %ld times", process);
    CHECK(power >= 50, "the library flushed only %ld times", power);
}

static void no_more_than_max_pending_are_pending(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter;
    reporting.reporter_options.max_pending = 3;
    reporter = begin(&reporting);
    submit_some(reporter, "most", 3);
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "one-too-many", 1, NULL, &reporting.result) == NEXMO_ERR_OUTBOX_FULL,
          "%s", reporting.result.message);
    CHECK(strstr(reporting.result.message, "max_pending = 3") != NULL, "%s", reporting.result.message);
    CHECK(submit(reporter, "most-1") == NEXMO_OK, "a later report for a pending message must not need space");
    CHECK(statistics_of(reporter).replaced == 1 && statistics_of(reporter).pending == 3, "the report was not replaced");
    nexmo_reporter_free(reporter);
}

static void drop_oldest_drops_the_oldest_report(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter;
    nexmo_event event;
    reporting.reporter_options.max_pending = 3;
    reporting.reporter_options.overflow = NEXMO_OVERFLOW_DROP_OLDEST;
    reporter = begin(&reporting);
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_VOICE, "dropped", 0, "2020-01-01 12:00:00", NULL) == NEXMO_OK,
          "the submit failed");
    submit_some(reporter, "kept", 3);
    CHECK(statistics_of(reporter).dropped == 1 && statistics_of(reporter).events == 1, "the statistics do not count the report");
    WAIT_UNTIL(is_readable(reporter), "the descriptor is not readable");
    event = consume_event(reporter);
    CHECK(event.kind == NEXMO_EVENT_DROPPED && event.http_status == 0 && event.channel == NEXMO_CHANNEL_VOICE,
          "the event has kind %d", (int)event.kind);
    CHECK(strcmp(event.message_id, "dropped") == 0 && event.delivered == 0, "%s", event.message_id);
    CHECK(strcmp(event.timestamp, "2020-01-01 12:00:00") == 0 && event.message[0] != '\0', "%s", event.timestamp);
    CHECK(consume_event(reporter).kind == NEXMO_EVENT_NONE, "an event is left");
    nexmo_reporter_free(reporter);
}

static void a_report_expires_at_max_age_s(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter;
    nexmo_event event;
    reporting.reporter_options.max_age_s = 1;
    reporting.options.timeout_ms = 200;
    reporter = begin(&reporting);
    CHECK(submit(reporter, "too-old") == NEXMO_OK, "the submit failed");
    WAIT_UNTIL(is_readable(reporter), "the descriptor is not readable");
    event = consume_event(reporter);
    CHECK(event.kind == NEXMO_EVENT_EXPIRED && strcmp(event.message_id, "too-old") == 0, "the event has kind %d",
          (int)event.kind);
    CHECK(event.delivered == 1 && begins_with(event.timestamp, "20"), "%s", event.timestamp);
    CHECK(statistics_of(reporter).expired == 1 && statistics_of(reporter).pending == 0, "the statistics do not count the report");
    nexmo_reporter_free(reporter);
}

static void max_in_flight_limits_reports_in_flight(void)
{
    struct reporting reporting = unanswered_reporting();
    const int before = unanswered_connections();
    nexmo_reporter *reporter;
    int most = 0, count = 0;
    reporting.reporter_options.max_in_flight = 3;
    reporter = begin(&reporting);
    submit_some(reporter, "in-flight", 10);
    WAIT_UNTIL((count = unanswered_connections() - before) >= 3, "there are %d connections", count);
    WAIT_UNTIL((most = statistics_of(reporter).in_flight) >= 3, "%d reports are in flight", most);
    CHECK(most == 3 && unanswered_connections() - before == 3, "%d reports are in flight over %d connections", most,
          unanswered_connections() - before);
    nexmo_reporter_free(reporter);
}

void test_reporter_options(void)
{
    values_out_of_range_are_rejected();
    unknown_flags_are_rejected();
    outbox_and_durability_must_agree();
    reports_survive_a_restart_according_to_durability();
    a_reporter_in_memory_sends();
    only_power_durability_flushes_the_disk();
    no_more_than_max_pending_are_pending();
    drop_oldest_drops_the_oldest_report();
    a_report_expires_at_max_age_s();
    max_in_flight_limits_reports_in_flight();
}
