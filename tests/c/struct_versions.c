/*
 * Tests that need a library built with the feature `testing`: a caller of this version with a library of a later
 * version, whose structs are one field longer, and a panic inside the library, which must print nothing.
 *
 *     nexmo-sandbox RULES -- struct_versions        prints nothing unless a check fails
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "reporter_fixture.h"
#include "fixture.h"

/* The six structs of the interface, by their names without "nexmo_". */
#define EACH_STRUCT(DO) DO(credentials) DO(options) DO(result) DO(reporter_options) DO(statistics) DO(event)

/* The functions that handle structs like a later version. The added field has 8 bytes and the initial value 7. */
#define DECLARE(name)                                                                                                            \
    nexmo_status nexmo_testing_read_later_##name(const nexmo_##name *given, uint8_t added[8]);                                   \
    nexmo_status nexmo_testing_write_later_##name(nexmo_##name *written);                                                        \
    void nexmo_testing_init_later_##name(nexmo_##name *written, size_t size);
EACH_STRUCT(DECLARE)

void nexmo_testing_panic(void);
size_t nexmo_testing_live_clients(void);

long checks_passed = 0;
long checks_failed = 0;

enum { ADDED_INITIALLY = 7, ADDED_BY_CALLER = 42, OTHERS = 0x5a };

/* A struct of this version or a later one, and the memory after it. */
struct given {
    union {
        uint32_t struct_size;
        nexmo_credentials credentials;
        nexmo_options options;
        nexmo_result result;
        nexmo_reporter_options reporter_options;
        nexmo_statistics statistics;
        nexmo_event event;
        unsigned char bytes[1024];
    } as;
};

static uint64_t number_at(const unsigned char *bytes)
{
    uint64_t number;
    memcpy(&number, bytes, sizeof number);
    return number;
}

/* Returns whether all bytes have this value. */
static int are_all(const unsigned char *bytes, size_t count, int value)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (bytes[i] != value)
            return 0;
    return 1;
}

/* The size and the functions of a struct. */
struct kind {
    const char *name;
    size_t size;
    const void *initial;
    nexmo_status (*read)(const void *given, uint8_t added[8]);
    nexmo_status (*write)(void *written);
    void (*init)(void *written, size_t size);
};

static void a_struct_is_read(const struct kind *kind)
{
    const uint64_t by_caller = ADDED_BY_CALLER;
    struct given given;
    uint8_t added[8];
    memset(&given, 0, sizeof given);
    memset(added, OTHERS, sizeof added);
    given.as.struct_size = (uint32_t)kind->size;
    memset(given.as.bytes + kind->size, OTHERS, 8);
    CHECK(kind->read(&given, added) == NEXMO_OK, "%s of this version failed", kind->name);
    CHECK(number_at(added) == 0, "%s: the field that an old caller lacks is %lu", kind->name, (unsigned long)number_at(added));
    given.as.struct_size += 8;
    memcpy(given.as.bytes + kind->size, &by_caller, sizeof by_caller);
    CHECK(kind->read(&given, added) == NEXMO_OK, "%s of the next version failed", kind->name);
    CHECK(number_at(added) == ADDED_BY_CALLER, "%s: the added field is %lu", kind->name, (unsigned long)number_at(added));
    given.as.struct_size += 8;
    CHECK(kind->read(&given, added) == NEXMO_OK, "%s of the version after the next failed", kind->name);
    given.as.bytes[kind->size + 8] = 1;
    CHECK(kind->read(&given, added) == NEXMO_ERR_STRUCT_SIZE, "%s: an unknown field was ignored", kind->name);
}

static void sizes_before_the_first_release_are_rejected(const struct kind *kind)
{
    static const int differences[] = {-8, -4, -1, 1, (int)sizeof(void *) / 2};
    struct given given;
    uint8_t added[8];
    size_t i;
    memset(&given, 0, sizeof given);
    for (i = 0; i < sizeof differences / sizeof differences[0]; i++) {
        given.as.struct_size = (uint32_t)((int)kind->size + differences[i]);
        CHECK(kind->read(&given, added) == NEXMO_ERR_STRUCT_SIZE, "%s was read with %+d bytes", kind->name, differences[i]);
        CHECK(kind->write(&given) == NEXMO_ERR_STRUCT_SIZE, "%s was written with %+d bytes", kind->name, differences[i]);
        CHECK(are_all(given.as.bytes + 4, sizeof given - 4, 0), "%s was written with %+d bytes", kind->name, differences[i]);
    }
}

/* Returns whether a struct has its initial values, except for struct_size. */
static int is_initial(const struct kind *kind, const struct given *given)
{
    return memcmp(given->as.bytes + 4, (const unsigned char *)kind->initial + 4, kind->size - 4) == 0;
}

static void a_struct_is_written(const struct kind *kind)
{
    struct given given;
    memset(&given, OTHERS, sizeof given);
    given.as.struct_size = (uint32_t)kind->size;
    CHECK(kind->write(&given) == NEXMO_OK, "%s of this version failed", kind->name);
    CHECK(is_initial(kind, &given) && given.as.struct_size == kind->size, "%s was not written", kind->name);
    CHECK(are_all(given.as.bytes + kind->size, 8, OTHERS), "%s was written beyond the end of an old struct", kind->name);
    memset(&given, OTHERS, sizeof given);
    given.as.struct_size = (uint32_t)kind->size + 16;
    CHECK(kind->write(&given) == NEXMO_OK, "%s of the version after the next failed", kind->name);
    CHECK(is_initial(kind, &given) && given.as.struct_size == kind->size + 16, "%s was not written", kind->name);
    CHECK(number_at(given.as.bytes + kind->size) == ADDED_INITIALLY, "%s: the added field was not written", kind->name);
    CHECK(number_at(given.as.bytes + kind->size + 8) == 0, "%s: an unknown field is not 0", kind->name);
    CHECK(are_all(given.as.bytes + kind->size + 16, 8, OTHERS), "%s was written beyond its end", kind->name);
}

static void a_struct_is_initialized(const struct kind *kind)
{
    struct given given;
    size_t size;
    for (size = kind->size; size <= kind->size + 16; size += 4) {
        memset(&given, OTHERS, sizeof given);
        kind->init(&given, size);
        CHECK(given.as.struct_size == size && is_initial(kind, &given), "%s of %lu bytes", kind->name, (unsigned long)size);
        CHECK(are_all(given.as.bytes + size, 8, OTHERS), "%s of %lu bytes: the function wrote beyond its end", kind->name,
              (unsigned long)size);
        if (size < kind->size + 8)
            CHECK(are_all(given.as.bytes + kind->size, size - kind->size, 0), "%s: half a field was written", kind->name);
        else
            CHECK(number_at(given.as.bytes + kind->size) == ADDED_INITIALLY, "%s: the added field was not written", kind->name);
    }
}

/* Defines functions whose type does not depend on the struct. */
#define WRAP(name)                                                                                                               \
    static nexmo_status read_##name(const void *given, uint8_t added[8])                                                         \
    {                                                                                                                            \
        return nexmo_testing_read_later_##name(given, added);                                                                    \
    }                                                                                                                            \
    static nexmo_status write_##name(void *written)                                                                              \
    {                                                                                                                            \
        return nexmo_testing_write_later_##name(written);                                                                        \
    }                                                                                                                            \
    static void init_##name(void *written, size_t size)                                                                          \
    {                                                                                                                            \
        nexmo_testing_init_later_##name(written, size);                                                                          \
    }
EACH_STRUCT(WRAP)

static const nexmo_credentials initial_credentials = NEXMO_CREDENTIALS_INIT;
static const nexmo_options initial_options = NEXMO_OPTIONS_INIT;
static const nexmo_result initial_result = NEXMO_RESULT_INIT;
static const nexmo_reporter_options initial_reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
static const nexmo_statistics initial_statistics = NEXMO_STATISTICS_INIT;
static const nexmo_event initial_event = NEXMO_EVENT_INIT;

#define KIND(name) {#name, sizeof(nexmo_##name), &initial_##name, read_##name, write_##name, init_##name},

static void structs_grow_at_the_end(void)
{
    static const struct kind kinds[] = {EACH_STRUCT(KIND)};
    size_t i;
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        a_struct_is_read(&kinds[i]);
        sizes_before_the_first_release_are_rejected(&kinds[i]);
        a_struct_is_written(&kinds[i]);
        a_struct_is_initialized(&kinds[i]);
    }
}

/* Reports stored before the panic stay in the outbox, and the next reporter sends them. */
static void a_panic_closes_the_reporter_and_loses_no_report(void)
{
    struct reporting wrong = unauthorized_reporting(), right = valid_reporting_at(wrong.reporter_options.outbox);
    nexmo_reporter *reporter = begin(&wrong);
    submit_some(reporter, "panic", 10);
    nexmo_testing_panic();
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "panic-10", 1, NULL, &wrong.result) == NEXMO_ERR_INTERNAL, "%s",
          wrong.result.message);
    CHECK(wrong.result.status == NEXMO_ERR_INTERNAL && wrong.result.message[0] != '\0', "%s", wrong.result.message);
    CHECK(submit(reporter, "panic-11") == NEXMO_ERR_INVALID_HANDLE && nexmo_reporter_free(reporter) == NEXMO_ERR_INVALID_HANDLE,
          "an event is left");
    reporter = begin(&right);
    CHECK(submit(reporter, "panic-12") == NEXMO_OK, "the submit to the next reporter failed");
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &right.result) == NEXMO_OK, "%s", right.result.message);
    CHECK(statistics_of(reporter).accepted == 11 && sandbox_accepted("panic", NULL, 0) == 11, "%ld reports arrived",
          sandbox_accepted("panic", NULL, 0));
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
}

/* Flushes until a panic in another thread closes the reporter. */
static void *flush_until_over(void *reporter)
{
    const nexmo_status status = nexmo_reporter_flush(reporter, PLENTY_MS, NULL);
    CHECK(status == NEXMO_ERR_CANCELLED || status == NEXMO_ERR_INVALID_HANDLE, "%s", nexmo_status_name(status));
    return NULL;
}

static void a_panic_ends_the_calls_of_other_threads(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    const long began = now_ms();
    pthread_t thread;
    submit_some(reporter, "waiting", 3);
    CHECK(pthread_create(&thread, NULL, flush_until_over, reporter) == 0, "the thread was not created");
    nexmo_testing_panic();
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_VOICE, "waiting", 1, NULL, NULL) == NEXMO_ERR_INTERNAL,
          "the panic was not reported");
    pthread_join(thread, NULL);
    CHECK(now_ms() - began < PLENTY_MS / 2, "the call took %ld ms", now_ms() - began);
}

static void a_panic_becomes_a_status(void)
{
    struct call call = valid_call();
    CHECK(make(&call) == NEXMO_OK, "%s", call.result.message);
    nexmo_testing_panic();
    CHECK(make(&call) == NEXMO_ERR_INTERNAL, "%s", call.result.message);
    CHECK(call.result.status == NEXMO_ERR_INTERNAL && call.result.acceptance == NEXMO_ACCEPTANCE_UNKNOWN, "%s",
          call.result.message);
    CHECK(make(&call) == NEXMO_OK, "the next call failed: %s", call.result.message);
    nexmo_testing_panic();
    CHECK(nexmo_conversion_sms(&call.credentials, "id", 1, NULL, &call.options, NULL) == NEXMO_ERR_INTERNAL,
          "the panic was not reported");
}

static void a_panic_closes_the_client(void)
{
    struct call call = valid_call();
    nexmo_client *client;
    CHECK(nexmo_client_new(&call.credentials, &call.options, &client, &call.result) == NEXMO_OK, "%s", call.result.message);
    nexmo_testing_panic();
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, "id", 1, NULL, &call.result) == NEXMO_ERR_INTERNAL, "%s",
          call.result.message);
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, "id", 1, NULL, &call.result) == NEXMO_ERR_INVALID_HANDLE, "%s",
          call.result.message);
}

static void a_freed_client_is_released(void)
{
    const size_t live = nexmo_testing_live_clients();
    struct call call = valid_call();
    nexmo_client *client;
    nexmo_client_new(&call.credentials, &call.options, &client, NULL);
    CHECK(nexmo_testing_live_clients() == live + 1, "the client is not counted");
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, "id", 1, NULL, NULL) == NEXMO_OK, "the report failed");
    nexmo_client_free(client);
    CHECK(nexmo_testing_live_clients() == live, "the client was not released");
}

enum { THREADS = 16 };

static void *report_slowly(void *client)
{
    CHECK(nexmo_client_report(client, NEXMO_CHANNEL_SMS, "slow", 1, NULL, NULL) == NEXMO_ERR_CANCELLED,
          "the call was not cancelled");
    return NULL;
}

static void a_client_freed_during_many_calls_is_released(void)
{
    const size_t live = nexmo_testing_live_clients();
    const long requests_before = sandbox_requests();
    struct call call = valid_call();
    pthread_t threads[THREADS];
    nexmo_client *client;
    int i;
    nexmo_client_new(&call.credentials, &call.options, &client, NULL);
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, report_slowly, client);
    while (sandbox_requests() - requests_before < THREADS)
        poll(NULL, 0, 1);
    CHECK(nexmo_client_free(client) == NEXMO_OK, "the client was not freed");
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(nexmo_testing_live_clients() == live, "%ld clients are left", (long)(nexmo_testing_live_clients() - live));
}

int main(void)
{
    structs_grow_at_the_end();
    a_panic_becomes_a_status();
    a_freed_client_is_released();
    a_client_freed_during_many_calls_is_released();
    a_panic_closes_the_client();
    a_panic_closes_the_reporter_and_loses_no_report();
    a_panic_ends_the_calls_of_other_threads();
    remove_outboxes();
    return checks_failed == 0 ? 0 : 1;
}
