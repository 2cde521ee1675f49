/* Tests calls that leave reports pending (NEXMO_ERR_PENDING, _CLOSED and _SUSPENDED), and the events of reports that are
 * not accepted. */
#include "harness.h"

#include <string.h>

#include "reporter_fixture.h"
#include "fixture.h"

static void a_close_returns_pending_and_further_submits_fail(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_statistics statistics;
    nexmo_event event = NEXMO_EVENT_INIT;
    long took = now_ms();
    submit_some(reporter, "left", 3);
    CHECK(nexmo_reporter_close(reporter, 0, &reporting.result) == NEXMO_ERR_PENDING, "%s", reporting.result.message);
    CHECK(strstr(reporting.result.message, "3 pending") != NULL && strstr(reporting.result.message, "lost") == NULL, "%s",
          reporting.result.message);
    statistics = statistics_of(reporter);
    CHECK(statistics.pending == 3 && statistics.state == NEXMO_STATE_CLOSED, "%ld reports are pending", (long)statistics.pending);
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "late", 1, NULL, &reporting.result) == NEXMO_ERR_CLOSED, "%s",
          reporting.result.message);
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_VOICE, "late", 1, NULL, NULL) == NEXMO_ERR_CLOSED,
          "the submit succeeded");
    CHECK(statistics_of(reporter).submitted == 3, "statistics of a closed reporter failed");
    CHECK(nexmo_reporter_poll(reporter, -1, &event, &reporting.result) == NEXMO_ERR_CLOSED, "%s", reporting.result.message);
    CHECK(nexmo_reporter_close(reporter, PLENTY_MS, NULL) == NEXMO_ERR_PENDING, "a second close must return pending");
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &reporting.result) == NEXMO_ERR_PENDING, "%s", reporting.result.message);
    took = now_ms() - took;
    CHECK(took < 10000, "the call took %ld ms", took);
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
}

static void a_close_after_all_was_sent_succeeds(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    submit_some(reporter, "close", 20);
    CHECK(nexmo_reporter_close(reporter, PLENTY_MS, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    CHECK(statistics_of(reporter).accepted == 20 && sandbox_accepted("close", NULL, 0) == 20, "%ld reports were accepted",
          (long)statistics_of(reporter).accepted);
    CHECK(nexmo_reporter_close(reporter, 0, NULL) == NEXMO_OK && nexmo_reporter_flush(reporter, 0, NULL) == NEXMO_OK,
          "a report is still pending");
    nexmo_reporter_free(reporter);
}

/* A wrong secret loses no report: another reporter with the right secret sends the reports. */
static void reports_stay_while_the_account_is_rejected(void)
{
    struct reporting wrong = unauthorized_reporting(), right = valid_reporting_at(wrong.reporter_options.outbox);
    nexmo_reporter *suspended = begin(&wrong), *other;
    nexmo_statistics statistics;
    long took;
    submit_some(suspended, "suspended", 5);
    CHECK(nexmo_reporter_flush(suspended, PLENTY_MS, &wrong.result) == NEXMO_ERR_SUSPENDED, "%s", wrong.result.message);
    statistics = statistics_of(suspended);
    CHECK(strstr(wrong.result.message, "5 pending") != NULL && statistics.pending == 5, "%s", wrong.result.message);
    CHECK(statistics.state == NEXMO_STATE_SUSPENDED && statistics.last_error == NEXMO_ERR_UNAUTHORIZED, "%s",
          statistics.last_error_message);
    CHECK(statistics.last_error_http_status == 401 && statistics.last_error_unix_ms > 0, "%s", statistics.last_error_message);
    other = begin(&right);
    took = now_ms();
    CHECK(nexmo_reporter_flush(other, 2 * PLENTY_MS, &right.result) == NEXMO_OK, "%s", right.result.message);
    took = now_ms() - took;
    CHECK(took < 10000, "the suspended reporter delayed the other reporter for %ld ms", took);
    CHECK(statistics_of(other).accepted == 5 && sandbox_accepted("suspended", NULL, 0) == 5, "%ld reports were accepted",
          (long)statistics_of(other).accepted);
    CHECK(nexmo_reporter_flush(suspended, 0, NULL) == NEXMO_OK, "the suspended reporter still has pending reports");
    nexmo_reporter_free(suspended);
    nexmo_reporter_free(other);
}

static void pending_reports_in_memory_are_lost_at_close(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter;
    reporting.reporter_options.outbox = NULL;
    reporting.reporter_options.durability = NEXMO_DURABILITY_NONE;
    reporter = begin(&reporting);
    submit_some(reporter, "lost", 2);
    CHECK(nexmo_reporter_flush(reporter, 0, &reporting.result) == NEXMO_ERR_PENDING, "%s", reporting.result.message);
    CHECK(strstr(reporting.result.message, "2 pending") != NULL && strstr(reporting.result.message, "lost") == NULL, "%s",
          reporting.result.message);
    CHECK(nexmo_reporter_close(reporter, 0, &reporting.result) == NEXMO_ERR_PENDING, "%s", reporting.result.message);
    CHECK(strstr(reporting.result.message, "2 pending") != NULL && strstr(reporting.result.message, "lost") != NULL, "%s",
          reporting.result.message);
    nexmo_reporter_free(reporter);
}

/* A flush of a suspended reporter sends a probe, at most once a second, and returns when the outcome is known. */
static void a_flush_probes_once_a_second(void)
{
    struct reporting wrong = unauthorized_reporting();
    nexmo_reporter *reporter = begin(&wrong);
    const long began = now_ms();
    long requests, seconds;
    int i;
    submit_some(reporter, "probe", 1);
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, NULL) == NEXMO_ERR_SUSPENDED, "the flush did not return suspended");
    requests = sandbox_requests();
    for (i = 0; i < 3; i++)
        CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &wrong.result) == NEXMO_ERR_SUSPENDED, "%s", wrong.result.message);
    requests = sandbox_requests() - requests;
    seconds = (now_ms() - began) / 1000;
    CHECK(requests >= 3 && requests <= seconds + 1, "%ld probes were sent in %ld s", requests, seconds);
    CHECK(now_ms() - began < PLENTY_MS / 2, "the probes took %ld s", seconds);
    nexmo_reporter_free(reporter);
}

/* The sandbox responds with 503 and no Retry-After. A flush does not wait for the back-off delay. */
static void a_flush_does_not_wait_for_a_back_off(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    long requests, took;
    CHECK(submit(reporter, "unavailable") == NEXMO_OK, "the submit failed");
    WAIT_UNTIL(statistics_of(reporter).state == NEXMO_STATE_BACKING_OFF, "the state is %d", (int)statistics_of(reporter).state);
    WAIT_UNTIL(statistics_of(reporter).oldest_pending_ms > 4000,
               "the oldest report is pending for %ld ms", (long)statistics_of(reporter).oldest_pending_ms);
    requests = sandbox_requests();
    took = now_ms();
    CHECK(nexmo_reporter_flush(reporter, 1500, &reporting.result) == NEXMO_ERR_PENDING, "%s", reporting.result.message);
    took = now_ms() - took;
    requests = sandbox_requests() - requests;
    CHECK(requests >= 1 && requests <= 4 && took >= 1500, "%ld requests were sent in %ld ms", requests, took);
    nexmo_reporter_free(reporter);
}

/* The sandbox responds with 429 and Retry-After: 7. A flush does not shorten this delay. */
static void a_flush_respects_retry_after(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    long requests;
    CHECK(submit(reporter, "throttled") == NEXMO_OK, "the submit failed");
    WAIT_UNTIL(statistics_of(reporter).state == NEXMO_STATE_BACKING_OFF, "the state is %d", (int)statistics_of(reporter).state);
    WAIT_UNTIL(statistics_of(reporter).in_flight == 0, "a report is still in flight");
    requests = sandbox_requests();
    CHECK(nexmo_reporter_flush(reporter, 1500, &reporting.result) == NEXMO_ERR_PENDING, "%s", reporting.result.message);
    CHECK(sandbox_requests() == requests, "the sandbox received %ld requests", sandbox_requests() - requests);
    nexmo_reporter_free(reporter);
}

static void a_rejected_report_becomes_an_event(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_event event;
    CHECK(submit(reporter, "invalid") == NEXMO_OK && submit(reporter, "valid") == NEXMO_OK, "the submit failed");
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    WAIT_UNTIL(is_readable(reporter), "the descriptor is not readable");
    event = consume_event(reporter);
    CHECK(event.kind == NEXMO_EVENT_REJECTED && event.http_status == 420 && event.channel == NEXMO_CHANNEL_SMS,
          "the event has kind %d", (int)event.kind);
    CHECK(strcmp(event.message_id, "invalid") == 0 && event.delivered == 1 && event.message[0] != '\0', "%s", event.message);
    CHECK(nexmo_reporter_flush(reporter, 0, NULL) == NEXMO_OK, "a report is pending");
    CHECK(statistics_of(reporter).rejected == 1 && statistics_of(reporter).accepted == 1,
          "the statistics do not count the report");
    nexmo_reporter_free(reporter);
}

void test_reporter_statuses(void)
{
    a_close_returns_pending_and_further_submits_fail();
    a_close_after_all_was_sent_succeeds();
    reports_stay_while_the_account_is_rejected();
    pending_reports_in_memory_are_lost_at_close();
    a_flush_probes_once_a_second();
    a_flush_does_not_wait_for_a_back_off();
    a_flush_respects_retry_after();
    a_rejected_report_becomes_an_event();
}
