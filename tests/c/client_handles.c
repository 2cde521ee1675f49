/* Tests clients: invalid handles, calls from many threads, and a free while calls are in progress. */
#include "harness.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "reporter_fixture.h"
#include "fixture.h"

enum { THREADS = 16, CALLS_A_THREAD = 20 };

static nexmo_client *new_client(void)
{
    struct call call = valid_call();
    nexmo_client *client = NULL;
    CHECK(nexmo_client_new(&call.credentials, &call.options, &client, &call.result) == NEXMO_OK, "%s", call.result.message);
    CHECK(client != NULL, "no client was created");
    return client;
}

static void a_client_reports(void)
{
    nexmo_client *client = new_client();
    nexmo_result result = NEXMO_RESULT_INIT;
    char line[8192];
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, "client-sms", 1, NULL, &result) == NEXMO_OK, "%s", result.message);
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_VOICE, "client-voice", 0, "2020-01-01 12:00:00", &result) == NEXMO_OK, "%s",
          result.message);
    sandbox_last_request(line, sizeof line);
    CHECK(strstr(line, "\"channel\":\"voice\"") != NULL && strstr(line, "\"message_id\":\"client-voice\"") != NULL, "%s", line);
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, NULL, 1, NULL, &result) == NEXMO_ERR_NULL_POINTER,
          "the report succeeded");
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, "id", 7, NULL, &result) == NEXMO_ERR_INVALID_ARGUMENT,
          "the report succeeded");
    CHECK(nexmo_client_free(client) == NEXMO_OK, "the client was not freed");
}

static void a_client_that_cannot_be_created_is_null(void)
{
    struct call call = valid_call();
    nexmo_client *client = (nexmo_client *)(void *)&call;
    call.options.base_url = "ftp://127.0.0.1";
    CHECK(nexmo_client_new(&call.credentials, &call.options, &client, &call.result) == NEXMO_ERR_INVALID_ARGUMENT, "%s",
          call.result.message);
    CHECK(client == NULL && begins_with(call.result.message, "base_url "), "%s", call.result.message);
    CHECK(nexmo_client_new(&call.credentials, NULL, NULL, &call.result) == NEXMO_ERR_NULL_POINTER, "%s", call.result.message);
    CHECK(begins_with(call.result.message, "client "), "%s", call.result.message);
    client = (nexmo_client *)(void *)&call;
    CHECK(nexmo_client_new(NULL, NULL, &client, NULL) == NEXMO_ERR_NULL_POINTER && client == NULL, "a client was created");
    client = (nexmo_client *)(void *)&call;
    call = valid_call();
    call.result.struct_size = 4;
    CHECK(nexmo_client_new(&call.credentials, &call.options, &client, &call.result) == NEXMO_ERR_STRUCT_SIZE && client == NULL,
          "a client was created");
}

static void a_client_needs_neither_options_nor_a_result(void)
{
    const struct call call = valid_call();
    nexmo_client *client = NULL;
    CHECK(nexmo_client_new(&call.credentials, NULL, &client, NULL) == NEXMO_OK, "no client was created");
    CHECK(nexmo_client_free(client) == NEXMO_OK, "the client was not freed");
}

static void a_client_keeps_copies_of_its_arguments(void)
{
    struct call call = valid_call();
    char secret[] = "s3cret";
    nexmo_client *client = NULL;
    call.credentials.api_secret = secret;
    CHECK(nexmo_client_new(&call.credentials, &call.options, &client, NULL) == NEXMO_OK, "no client was created");
    memset(secret, 0x5a, sizeof secret - 1);
    memset(&call.credentials, 0x5a, sizeof call.credentials);
    memset(&call.options, 0x5a, sizeof call.options);
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, "id", 1, NULL, &call.result) == NEXMO_OK, "%s", call.result.message);
    nexmo_client_free(client);
}

/* The size of the result is checked first, then the handle, then the other arguments. */
static void arguments_are_checked_in_order(void)
{
    const long requests_before = sandbox_requests();
    nexmo_client *client = new_client();
    nexmo_result result = NEXMO_RESULT_INIT, wrong_size = NEXMO_RESULT_INIT;
    wrong_size.struct_size = 4;
    CHECK(nexmo_client_report(NULL, NEXMO_CHANNEL_SMS, NULL, 7, "yesterday", &result) == NEXMO_ERR_INVALID_HANDLE, "%s",
          result.message);
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, NULL, 7, "yesterday", &result) == NEXMO_ERR_NULL_POINTER, "%s",
          result.message);
    CHECK(nexmo_client_report(NULL, NEXMO_CHANNEL_SMS, "id", 1, NULL, &wrong_size) == NEXMO_ERR_STRUCT_SIZE,
          "the wrong size was accepted");
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, "id", 1, NULL, &wrong_size) == NEXMO_ERR_STRUCT_SIZE,
          "the wrong size was accepted");
    CHECK(sandbox_requests() == requests_before, "a request was sent");
    nexmo_client_free(client);
}

static void invalid_client_handles_are_rejected(void)
{
    struct call call = valid_call();
    const long requests_before = sandbox_requests();
    nexmo_client *freed = new_client(), *client = new_client();
    const unsigned bits = 8 * sizeof(uintptr_t);
    nexmo_client *const garbage[] = {NULL,
                                     (nexmo_client *)(void *)&call,
                                     (nexmo_client *)(uintptr_t)0x7fffffff,
                                     (nexmo_client *)(uintptr_t)-1,
                                     (nexmo_client *)((uintptr_t)1 << (bits - 1)),
                                     (nexmo_client *)((uintptr_t)1 << (bits / 2)),
                                     /* A handle that does not exist yet, and handles that differ from a valid one in a
                                      * high bit. */
                                     (nexmo_client *)((uintptr_t)client + 1000),
                                     (nexmo_client *)((uintptr_t)client ^ (uintptr_t)1 << (bits - 1)),
                                     (nexmo_client *)((uintptr_t)client ^ (uintptr_t)1 << (bits / 2)),
                                     (nexmo_client *)((uintptr_t)client ^ (uintptr_t)1 << 31)};
    size_t i;
    CHECK(nexmo_client_free(freed) == NEXMO_OK, "the client was not freed");
    CHECK(nexmo_client_free(freed) == NEXMO_ERR_INVALID_HANDLE, "the client was freed twice");
    CHECK(nexmo_client_report(freed, NEXMO_CHANNEL_SMS, "id", 1, NULL, &call.result) == NEXMO_ERR_INVALID_HANDLE, "%s",
          call.result.message);
    CHECK(nexmo_client_free(NULL) == NEXMO_OK, "freeing NULL failed");
    CHECK(nexmo_client_report(NULL, NEXMO_CHANNEL_SMS, "id", 1, NULL, &call.result) == NEXMO_ERR_INVALID_HANDLE, "%s",
          call.result.message);
    CHECK(strstr(call.result.message, "handle is NULL") != NULL, "%s", call.result.message);
    for (i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        CHECK(nexmo_client_report(garbage[i], NEXMO_CHANNEL_VOICE, "id", 1, NULL, &call.result) == NEXMO_ERR_INVALID_HANDLE, "%s",
              call.result.message);
        CHECK(garbage[i] == NULL || nexmo_client_free(garbage[i]) == NEXMO_ERR_INVALID_HANDLE, "an invalid handle was freed");
    }
    CHECK(sandbox_requests() == requests_before, "a request was sent");
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, "id", 1, NULL, NULL) == NEXMO_OK,
          "an invalid handle affected a valid one");
    nexmo_client_free(client);
}

static void invalid_channels_are_rejected(void)
{
    static const int32_t channels[] = {0, 3, -1, 257, INT32_MIN, INT32_MAX};
    const long requests_before = sandbox_requests();
    nexmo_client *client = new_client();
    nexmo_result result = NEXMO_RESULT_INIT;
    char expected[64];
    size_t i;
    for (i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        snprintf(expected, sizeof expected, "channel is %d; valid: 1, 2 (NEXMO_CHANNEL_*)", (int)channels[i]);
        CHECK(nexmo_client_report(client, channels[i], "id", 1, NULL, &result) == NEXMO_ERR_INVALID_ARGUMENT, "%s",
              result.message);
        CHECK(strcmp(result.message, expected) == 0 && result.acceptance == NEXMO_ACCEPTANCE_NO, "%s", result.message);
    }
    CHECK(sandbox_requests() == requests_before, "a request was sent");
    nexmo_client_free(client);
}

/* All types of handles share a counter, which starts at 65536 and only increases. So a handle is never a small number,
 * is never reused and is never valid for another type. */
static void handles_are_never_reused(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_client *client = new_client();
    nexmo_reporter *reporter = begin(&reporting);
    nexmo_client *later = new_client();
    CHECK((uintptr_t)client >= 65536, "%lu", (unsigned long)(uintptr_t)client);
    CHECK((uintptr_t)reporter > (uintptr_t)client && (uintptr_t)later > (uintptr_t)reporter, "the handles do not increase");
    CHECK(nexmo_client_free((nexmo_client *)(void *)reporter) == NEXMO_ERR_INVALID_HANDLE, "a reporter was freed as a client");
    CHECK(nexmo_reporter_free((nexmo_reporter *)(void *)client) == NEXMO_ERR_INVALID_HANDLE, "a client was freed as a reporter");
    CHECK(nexmo_client_report((nexmo_client *)(void *)reporter, NEXMO_CHANNEL_SMS, "id", 1, NULL, NULL) ==
              NEXMO_ERR_INVALID_HANDLE,
          "a client call accepted a reporter");
    CHECK(nexmo_reporter_submit((nexmo_reporter *)(void *)client, NEXMO_CHANNEL_SMS, "id", 1, NULL, NULL) ==
              NEXMO_ERR_INVALID_HANDLE,
          "a reporter call accepted a client");
    CHECK(nexmo_client_free(later) == NEXMO_OK && nexmo_client_free(client) == NEXMO_OK &&
              nexmo_reporter_free(reporter) == NEXMO_OK,
          "a handle was not freed");
    later = new_client();
    CHECK((uintptr_t)later > (uintptr_t)client, "a handle was reused");
    nexmo_client_free(later);
}

static void a_report_is_retried_up_to_max_attempts(void)
{
    const long requests_before = sandbox_requests();
    struct call call = valid_call();
    call.message_id = "twice"; /* gets 503 twice, with Retry-After: 0 */
    call.options.max_attempts = 3;
    CHECK(make(&call) == NEXMO_OK, "%s", call.result.message);
    CHECK(call.result.attempts == 3 && call.result.acceptance == NEXMO_ACCEPTANCE_YES,
          "the call made %d attempts", (int)call.result.attempts);
    CHECK(sandbox_requests() - requests_before == 3, "the sandbox received %ld requests", sandbox_requests() - requests_before);
    call.message_id = "not-enabled";
    CHECK(make(&call) == NEXMO_ERR_NOT_ENABLED && call.result.attempts == 1,
          "the call made %d attempts", (int)call.result.attempts);
}

/* The calls that a thread makes with a shared client, and how often each status was returned. */
struct shared {
    nexmo_client *client;
    const char *message_id;
    int calls;
    int by_status[NEXMO_ERR_INTERNAL + 1];
};

static void *report_in_a_thread(void *argument)
{
    struct shared *shared = argument;
    int i;
    for (i = 0; i < shared->calls; i++)
        shared->by_status[nexmo_client_report(shared->client, NEXMO_CHANNEL_SMS, shared->message_id, 1, NULL, NULL)]++;
    return NULL;
}

/* Uses one client in THREADS threads, and calls meanwhile() after they have started. */
static void share(nexmo_client *client, const char *message_id, int calls, void (*meanwhile)(nexmo_client *),
                  struct shared *shared)
{
    pthread_t threads[THREADS];
    int i;
    for (i = 0; i < THREADS; i++) {
        memset(&shared[i], 0, sizeof shared[i]);
        shared[i].client = client;
        shared[i].message_id = message_id;
        shared[i].calls = calls;
        CHECK(pthread_create(&threads[i], NULL, report_in_a_thread, &shared[i]) == 0, "the thread was not created");
    }
    meanwhile(client);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void do_nothing(nexmo_client *client)
{
    (void)client;
}

static void threads_share_a_client(void)
{
    static struct shared shared[THREADS];
    const long requests_before = sandbox_requests();
    nexmo_client *client = new_client();
    int i;
    share(client, "shared", CALLS_A_THREAD, do_nothing, shared);
    for (i = 0; i < THREADS; i++)
        CHECK(shared[i].by_status[NEXMO_OK] == CALLS_A_THREAD,
              "thread %d made %d successful calls", i, shared[i].by_status[NEXMO_OK]);
    CHECK(sandbox_requests() - requests_before == THREADS * CALLS_A_THREAD,
          "the sandbox received %ld requests", sandbox_requests() - requests_before);
    nexmo_client_free(client);
}

/* The number of requests before the threads started. */
static long requests_before_share;

/* Frees the client once all threads wait for a response, which the sandbox delays. */
static void free_when_all_wait(nexmo_client *client)
{
    while (sandbox_requests() - requests_before_share < THREADS)
        poll(NULL, 0, 1);
    CHECK(nexmo_client_free(client) == NEXMO_OK, "the client was not freed");
}

static void a_free_cancels_calls_of_other_threads(void)
{
    static struct shared shared[THREADS];
    int i;
    requests_before_share = sandbox_requests();
    share(new_client(), "slow", 1, free_when_all_wait, shared);
    for (i = 0; i < THREADS; i++)
        CHECK(shared[i].by_status[NEXMO_ERR_CANCELLED] == 1, "thread %d was not cancelled", i);
}

void test_client_handles(void)
{
    a_client_reports();
    a_client_that_cannot_be_created_is_null();
    a_client_needs_neither_options_nor_a_result();
    a_client_keeps_copies_of_its_arguments();
    arguments_are_checked_in_order();
    invalid_client_handles_are_rejected();
    invalid_channels_are_rejected();
    handles_are_never_reused();
    a_report_is_retried_up_to_max_attempts();
    threads_share_a_client();
    a_free_cancels_calls_of_other_threads();
}
