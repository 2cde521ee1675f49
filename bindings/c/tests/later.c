/*
 * What only a library built with the feature `testing` can show: callers of today and a library of tomorrow, whose
 * structs are one field longer, and a panic inside the library, which must print nothing.
 *
 *     nexmo-sandbox RULES -- later        prints nothing at all, unless a check fails
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "reporting.h"
#include "setup.h"

struct later_options {
    nexmo_options today;
    int64_t added;
};

struct later_result {
    nexmo_result today;
    int64_t added;
};

struct later_reporter_options {
    nexmo_reporter_options today;
    int64_t added;
};

struct later_statistics {
    nexmo_statistics today;
    int64_t added;
};

struct later_aside {
    nexmo_aside today;
    int64_t added;
};

nexmo_status nexmo_testing_read_later_reporter_options(const nexmo_reporter_options *options, int64_t *added);
nexmo_status nexmo_testing_write_later_statistics(nexmo_statistics *statistics);
nexmo_status nexmo_testing_write_later_aside(nexmo_aside *aside);
nexmo_status nexmo_testing_read_later_options(const nexmo_options *options, int64_t *added);
nexmo_status nexmo_testing_write_later_result(nexmo_result *result);
void nexmo_testing_panic(void);
size_t nexmo_testing_live_clients(void);

long checks_passed = 0;
long checks_failed = 0;

static void options_of_today_and_tomorrow_are_read(void)
{
    nexmo_options today = NEXMO_OPTIONS_INIT;
    struct later_options later;
    int64_t added = -1;
    CHECK(nexmo_testing_read_later_options(&today, &added) == NEXMO_OK, "refused");
    CHECK(added == 0, "what an old caller does not know is %ld", (long)added);
    memset(&later, 0, sizeof later);
    later.today.struct_size = sizeof later;
    later.added = 42;
    CHECK(nexmo_testing_read_later_options(&later.today, &added) == NEXMO_OK, "refused");
    CHECK(added == 42, "the added field is %ld", (long)added);
    today.struct_size--;
    CHECK(nexmo_testing_read_later_options(&today, &added) == NEXMO_ERR_STRUCT, "taken");
}

static void results_of_today_and_tomorrow_are_written(void)
{
    struct later_result later;
    memset(&later, 0x5a, sizeof later);
    later.today.struct_size = sizeof later.today;
    CHECK(nexmo_testing_write_later_result(&later.today) == NEXMO_OK, "refused");
    CHECK(later.added == 0x5a5a5a5a5a5a5a5a, "written behind what an old caller has");
    CHECK(later.today.message[0] == '\0' && later.today.elapsed_us == 0, "not written");
    later.today.struct_size = sizeof later;
    CHECK(nexmo_testing_write_later_result(&later.today) == NEXMO_OK, "refused");
    CHECK(later.added == 7, "the added field is %ld", (long)later.added);
}

static void reporter_options_of_today_and_tomorrow_are_read(void)
{
    nexmo_reporter_options today = NEXMO_REPORTER_OPTIONS_INIT;
    struct later_reporter_options later;
    int64_t added = -1;
    CHECK(nexmo_testing_read_later_reporter_options(&today, &added) == NEXMO_OK, "refused");
    CHECK(added == 0, "what an old caller does not know is %ld", (long)added);
    memset(&later, 0, sizeof later);
    later.today.struct_size = sizeof later;
    later.added = 42;
    CHECK(nexmo_testing_read_later_reporter_options(&later.today, &added) == NEXMO_OK, "refused");
    CHECK(added == 42, "the added field is %ld", (long)added);
}

static void statistics_of_today_and_tomorrow_are_written(void)
{
    struct later_statistics later;
    memset(&later, 0x5a, sizeof later);
    later.today.struct_size = sizeof later.today;
    CHECK(nexmo_testing_write_later_statistics(&later.today) == NEXMO_OK, "refused");
    CHECK(later.added == 0x5a5a5a5a5a5a5a5a, "written behind what an old caller has");
    CHECK(later.today.last_error_message[0] == '\0' && later.today.accepted == 0, "not written");
    later.today.struct_size = sizeof later;
    CHECK(nexmo_testing_write_later_statistics(&later.today) == NEXMO_OK, "refused");
    CHECK(later.added == 7, "the added field is %ld", (long)later.added);
}

static void asides_of_today_and_tomorrow_are_written(void)
{
    struct later_aside later;
    memset(&later, 0x5a, sizeof later);
    later.today.struct_size = sizeof later.today;
    CHECK(nexmo_testing_write_later_aside(&later.today) == NEXMO_OK, "refused");
    CHECK(later.added == 0x5a5a5a5a5a5a5a5a, "written behind what an old caller has");
    CHECK(later.today.message[0] == '\0' && later.today.reason == NEXMO_ASIDE_NONE, "not written");
    later.today.struct_size = sizeof later;
    CHECK(nexmo_testing_write_later_aside(&later.today) == NEXMO_OK, "refused");
    CHECK(later.added == 7, "the added field is %ld", (long)later.added);
}

/* What was accepted before the panic stays in the outbox, and the next reporter sends it. */
static void a_panic_takes_the_reporter_away_and_no_report(void)
{
    struct reporting wrong = unauthorized_reporting(), right = fine_reporting_into(wrong.reporter_options.outbox);
    nexmo_reporter *reporter = begin(&wrong);
    submit_some(reporter, "panic", 10);
    nexmo_testing_panic();
    CHECK(nexmo_reporter_submit_sms(reporter, "panic-10", 1, NULL, &wrong.result) == NEXMO_ERR_INTERNAL, "%s", wrong.result.message);
    CHECK(wrong.result.status == NEXMO_ERR_INTERNAL && wrong.result.message[0] != '\0', "%s", wrong.result.message);
    CHECK(submit(reporter, "panic-11") == NEXMO_ERR_HANDLE && nexmo_reporter_free(reporter) == NEXMO_ERR_HANDLE, "still there");
    reporter = begin(&right);
    CHECK(submit(reporter, "panic-12") == NEXMO_OK, "the next reporter");
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, NULL, &right.result) == NEXMO_OK, "%s", right.result.message);
    CHECK(statistics_of(reporter).sent == 11 && sandbox_took("panic", NULL, 0) == 11, "%ld arrived", sandbox_took("panic", NULL, 0));
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "not freed");
}

/* The reporter that a panic took away ends those who wait for it. */
static void *flush_until_over(void *reporter)
{
    const nexmo_status status = nexmo_reporter_flush(reporter, PLENTY_MS, NULL, NULL);
    CHECK(status == NEXMO_ERR_CANCELLED || status == NEXMO_ERR_HANDLE, "%s", nexmo_status_name(status));
    return NULL;
}

static void a_panic_ends_the_calls_of_other_threads(void)
{
    struct reporting reporting = unheard_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    const long began = now_ms();
    pthread_t thread;
    submit_some(reporter, "waiting", 3);
    CHECK(pthread_create(&thread, NULL, flush_until_over, reporter) == 0, "no thread");
    nexmo_testing_panic();
    CHECK(nexmo_reporter_submit_voice(reporter, "waiting", 1, NULL, NULL) == NEXMO_ERR_INTERNAL, "no panic");
    pthread_join(thread, NULL);
    CHECK(now_ms() - began < PLENTY_MS / 2, "it took %ld ms", now_ms() - began);
}

static void a_panic_becomes_a_status(void)
{
    struct call call = fine_call();
    CHECK(make(&call) == NEXMO_OK, "%s", call.result.message);
    nexmo_testing_panic();
    CHECK(make(&call) == NEXMO_ERR_INTERNAL, "%s", call.result.message);
    CHECK(call.result.status == NEXMO_ERR_INTERNAL && call.result.taken == NEXMO_TAKEN_PERHAPS, "%s", call.result.message);
    CHECK(make(&call) == NEXMO_OK, "the next call: %s", call.result.message);
    nexmo_testing_panic();
    CHECK(nexmo_conversion_sms(&call.credentials, "id", 1, NULL, &call.options, NULL) == NEXMO_ERR_INTERNAL, "no panic");
}

static void a_panic_takes_the_client_away(void)
{
    struct call call = fine_call();
    nexmo_client *client;
    CHECK(nexmo_client_new(&call.credentials, &call.options, &client, &call.result) == NEXMO_OK, "%s", call.result.message);
    nexmo_testing_panic();
    CHECK(nexmo_client_report_sms(client, "id", 1, NULL, &call.result) == NEXMO_ERR_INTERNAL, "%s", call.result.message);
    CHECK(nexmo_client_report_sms(client, "id", 1, NULL, &call.result) == NEXMO_ERR_HANDLE, "%s", call.result.message);
}

static void a_freed_client_is_released(void)
{
    const size_t live = nexmo_testing_live_clients();
    struct call call = fine_call();
    nexmo_client *client;
    nexmo_client_new(&call.credentials, &call.options, &client, NULL);
    CHECK(nexmo_testing_live_clients() == live + 1, "not counted");
    CHECK(nexmo_client_report_sms(client, "id", 1, NULL, NULL) == NEXMO_OK, "no report");
    nexmo_client_free(client);
    CHECK(nexmo_testing_live_clients() == live, "not released");
}

enum { THREADS = 16 };

static void *report_slowly(void *client)
{
    CHECK(nexmo_client_report_sms(client, "slow", 1, NULL, NULL) == NEXMO_ERR_CANCELLED, "not cancelled");
    return NULL;
}

static void a_client_that_was_freed_under_many_calls_is_released(void)
{
    const size_t live = nexmo_testing_live_clients();
    const long requests_before = sandbox_requests();
    struct call call = fine_call();
    pthread_t threads[THREADS];
    nexmo_client *client;
    int i;
    nexmo_client_new(&call.credentials, &call.options, &client, NULL);
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, report_slowly, client);
    while (sandbox_requests() - requests_before < THREADS)
        poll(NULL, 0, 1);
    CHECK(nexmo_client_free(client) == NEXMO_OK, "not freed");
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(nexmo_testing_live_clients() == live, "%ld clients are left", (long)(nexmo_testing_live_clients() - live));
}

int main(void)
{
    options_of_today_and_tomorrow_are_read();
    results_of_today_and_tomorrow_are_written();
    reporter_options_of_today_and_tomorrow_are_read();
    statistics_of_today_and_tomorrow_are_written();
    asides_of_today_and_tomorrow_are_written();
    a_panic_becomes_a_status();
    a_freed_client_is_released();
    a_client_that_was_freed_under_many_calls_is_released();
    a_panic_takes_the_client_away();
    a_panic_takes_the_reporter_away_and_no_report();
    a_panic_ends_the_calls_of_other_threads();
    remove_outboxes();
    return checks_failed == 0 ? 0 : 1;
}
