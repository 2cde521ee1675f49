/* What a reporter says of reports that stay or were set aside: NEXMO_ERR_PENDING, _CLOSED, _PARKED and _ASIDE, provoked. */
#include "tests.h"

#include <string.h>

#include "reporting.h"

static void what_is_left_at_close_is_pending_and_closed_takes_no_more(void)
{
    struct reporting reporting = unheard_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
    long took = now_ms();
    submit_some(reporter, "left", 3);
    CHECK(nexmo_reporter_close(reporter, 0, &statistics, &reporting.result) == NEXMO_ERR_PENDING, "%s", reporting.result.message);
    CHECK(strstr(reporting.result.message, "still pending") != NULL, "%s", reporting.result.message);
    CHECK(statistics.pending == 3 && statistics.state == NEXMO_STATE_CLOSED, "%ld pending", (long)statistics.pending);
    CHECK(nexmo_reporter_submit_sms(reporter, "late", 1, NULL, &reporting.result) == NEXMO_ERR_CLOSED, "%s", reporting.result.message);
    CHECK(nexmo_reporter_submit_voice(reporter, "late", 1, NULL, NULL) == NEXMO_ERR_CLOSED, "taken");
    CHECK(fetch_aside(reporter).reason == NEXMO_ASIDE_NONE && statistics_of(reporter).accepted == 3, "not to be asked any more");
    CHECK(nexmo_reporter_close(reporter, 0, NULL, NULL) == NEXMO_ERR_PENDING, "closed twice is closed");
    took = now_ms() - took;
    CHECK(took < 10000, "it took %ld ms", took);
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "not freed");
}

static void a_reporter_that_sent_all_closes_well(void)
{
    struct reporting reporting = fine_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
    submit_some(reporter, "close", 20);
    CHECK(nexmo_reporter_close(reporter, PLENTY_MS, &statistics, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    CHECK(statistics.sent == 20 && sandbox_took("close", NULL, 0) == 20, "%ld sent", (long)statistics.sent);
    nexmo_reporter_free(reporter);
}

/* A wrong secret burns nothing: another reporter with the right one sends what the first could not. */
static void reports_stay_while_the_account_is_refused(void)
{
    struct reporting wrong = unauthorized_reporting(), right = fine_reporting_into(wrong.reporter_options.outbox);
    nexmo_reporter *parked = begin(&wrong), *other;
    nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
    long took;
    submit_some(parked, "parked", 5);
    CHECK(nexmo_reporter_flush(parked, PLENTY_MS, &statistics, &wrong.result) == NEXMO_ERR_PARKED, "%s", wrong.result.message);
    CHECK(strstr(wrong.result.message, "still pending: 5") != NULL && statistics.pending == 5, "%s", wrong.result.message);
    CHECK(statistics.state == NEXMO_STATE_PARKED && statistics.last_error == NEXMO_ERR_UNAUTHORIZED, "%s", statistics.last_error_message);
    CHECK(statistics.last_error_http_status == 401 && statistics.last_error_unix_ms > 0, "%s", statistics.last_error_message);
    other = begin(&right);
    took = now_ms();
    CHECK(nexmo_reporter_flush(other, 2 * PLENTY_MS, &statistics, &right.result) == NEXMO_OK, "%s", right.result.message);
    took = now_ms() - took;
    CHECK(took < 10000, "the one that is parked kept the others from sending for %ld ms", took);
    CHECK(statistics.sent == 5 && sandbox_took("parked", NULL, 0) == 5, "%ld sent", (long)statistics.sent);
    CHECK(nexmo_reporter_flush(parked, 0, NULL, NULL) == NEXMO_OK, "the first does not see that all is sent");
    nexmo_reporter_free(parked);
    nexmo_reporter_free(other);
}

static void what_the_service_refuses_is_set_aside(void)
{
    struct reporting reporting = fine_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_aside aside;
    CHECK(submit(reporter, "invalid") == NEXMO_OK && submit(reporter, "valid") == NEXMO_OK, "refused");
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, NULL, &reporting.result) == NEXMO_ERR_ASIDE, "%s", reporting.result.message);
    WAIT_UNTIL(is_readable(reporter), "the descriptor tells of nothing");
    aside = fetch_aside(reporter);
    CHECK(aside.reason == NEXMO_ASIDE_REFUSED && aside.http_status == 420 && aside.channel == NEXMO_CHANNEL_SMS, "reason %d", (int)aside.reason);
    CHECK(strcmp(aside.message_id, "invalid") == 0 && aside.delivered == 1 && aside.message[0] != '\0', "%s", aside.message);
    CHECK(nexmo_reporter_flush(reporter, 0, NULL, NULL) == NEXMO_OK, "it was fetched");
    CHECK(statistics_of(reporter).refused == 1 && statistics_of(reporter).sent == 1, "not counted");
    nexmo_reporter_free(reporter);
}

void test_reporter_statuses(void)
{
    what_is_left_at_close_is_pending_and_closed_takes_no_more();
    a_reporter_that_sent_all_closes_well();
    reports_stay_while_the_account_is_refused();
    what_the_service_refuses_is_set_aside();
}
