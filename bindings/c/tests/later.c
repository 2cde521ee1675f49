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
#include "setup.h"

struct later_options {
    nexmo_options today;
    int64_t added;
};

struct later_result {
    nexmo_result today;
    int64_t added;
};

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
    a_panic_becomes_a_status();
    a_freed_client_is_released();
    a_client_that_was_freed_under_many_calls_is_released();
    a_panic_takes_the_client_away();
    return checks_failed == 0 ? 0 : 1;
}
