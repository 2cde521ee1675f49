/* Tests how structs are passed: invalid sizes, structs of newer callers, unaligned structs, and NULL pointers. */
#include "harness.h"

#include <string.h>

#include "reporter_fixture.h"
#include "fixture.h"

/* A struct of a newer caller with fields that this library does not know. */
#define NEWER(type)                                                                                                              \
    struct {                                                                                                                     \
        type known;                                                                                                              \
        uint64_t added[2];                                                                                                       \
    }

static const uint32_t invalid_sizes[] = {0, 4, 8, 4097, 4000000000u, 4294967295u};
#define INVALID_SIZES (sizeof invalid_sizes / sizeof invalid_sizes[0])

static void invalid_struct_sizes_are_rejected(void)
{
    const long requests_before = sandbox_requests();
    size_t i;
    for (i = 0; i < INVALID_SIZES; i++) {
        struct call call = valid_call();
        call.credentials.struct_size = invalid_sizes[i];
        CHECK(make(&call) == NEXMO_ERR_STRUCT_SIZE, "size %lu was accepted", (unsigned long)invalid_sizes[i]);
        CHECK(begins_with(call.result.message, "credentials.struct_size "), "%s", call.result.message);
        call = valid_call();
        call.options.struct_size = invalid_sizes[i];
        CHECK(make(&call) == NEXMO_ERR_STRUCT_SIZE, "size %lu was accepted", (unsigned long)invalid_sizes[i]);
        CHECK(begins_with(call.result.message, "options.struct_size "), "%s", call.result.message);
    }
    CHECK(sandbox_requests() == requests_before, "a request was sent");
}

/* A struct, and enough memory for the largest size. */
union any {
    uint32_t struct_size;
    nexmo_credentials credentials;
    nexmo_options options;
    nexmo_result result;
    nexmo_reporter_options reporter_options;
    nexmo_statistics statistics;
    nexmo_event event;
    unsigned char bytes[8192];
};

/* Makes a call with one invalid struct, and leaves the message in reporting->result. */
static nexmo_status call_with(const char *name, union any *any, struct reporting *reporting, nexmo_reporter *reporter)
{
    nexmo_reporter *none;
    if (strcmp(name, "credentials") == 0)
        return nexmo_reporter_new(&any->credentials, NULL, &reporting->reporter_options, &none, &reporting->result);
    if (strcmp(name, "options") == 0)
        return nexmo_reporter_new(&reporting->credentials, &any->options, &reporting->reporter_options, &none,
                                  &reporting->result);
    if (strcmp(name, "reporter_options") == 0)
        return nexmo_reporter_new(&reporting->credentials, NULL, &any->reporter_options, &none, &reporting->result);
    if (strcmp(name, "statistics") == 0)
        return nexmo_reporter_statistics(reporter, &any->statistics, &reporting->result);
    return nexmo_reporter_poll(reporter, 0, &any->event, &reporting->result);
}

/* The struct sizes of the first release with pointers of 8 and 4 bytes. */
static const struct {
    const char *name;
    unsigned wide, narrow;
} first_sizes[] = {
    {"credentials", 40, 28}, {"options", 72, 48}, {"reporter_options", 40, 36}, {"statistics", 392, 392}, {"event", 576, 576}};

static void the_message_names_an_invalid_size_and_valid_ones(void)
{
    static union any any;
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    char expected[160];
    size_t i, j;
    for (i = 0; i < sizeof first_sizes / sizeof first_sizes[0]; i++) {
        const char *name = first_sizes[i].name;
        const unsigned first = sizeof(char *) == 8 ? first_sizes[i].wide : first_sizes[i].narrow;
        const unsigned sizes[] = {0,         1,         7,    8,    first - 8, first - 1, first + 1, first + 2,
                                  first + 3, first + 7, 4095, 4097, 4104,      65536,     UINT32_MAX};
        for (j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            memset(&any, 0, sizeof any);
            any.struct_size = sizes[j];
            snprintf(expected, sizeof expected, "%s.struct_size is %u; nexmo_%s requires a multiple of %u from %u to 4096", name,
                     sizes[j], name, (unsigned)sizeof(char *), first);
            CHECK(call_with(name, &any, &reporting, reporter) == NEXMO_ERR_STRUCT_SIZE,
                  "%s with size %u was accepted", name, sizes[j]);
            CHECK(begins_with(reporting.result.message, expected), "%s", reporting.result.message);
            CHECK(reporting.result.acceptance == NEXMO_ACCEPTANCE_NO && reporting.result.attempts == 0, "%s",
                  reporting.result.message);
        }
    }
    nexmo_reporter_free(reporter);
}

static void a_result_of_invalid_size_is_unchanged(void)
{
    const long requests_before = sandbox_requests();
    nexmo_result untouched;
    size_t i;
    for (i = 0; i < INVALID_SIZES; i++) {
        struct call call = valid_call();
        memset(&call.result, 0x5a, sizeof call.result);
        call.result.struct_size = invalid_sizes[i];
        untouched = call.result;
        CHECK(make(&call) == NEXMO_ERR_STRUCT_SIZE, "size %lu was accepted", (unsigned long)invalid_sizes[i]);
        CHECK(memcmp(&call.result, &untouched, sizeof untouched) == 0, "the result was changed");
    }
    CHECK(sandbox_requests() == requests_before, "a request was sent");
}

static void a_newer_caller_works_while_its_new_fields_are_0(void)
{
    struct call call = valid_call();
    NEWER(nexmo_credentials) credentials;
    NEWER(nexmo_options) options;
    NEWER(nexmo_result) result;
    memset(&credentials, 0, sizeof credentials);
    memset(&options, 0, sizeof options);
    memset(&result, 0x5a, sizeof result);
    credentials.known = call.credentials;
    credentials.known.struct_size = sizeof credentials;
    options.known = call.options;
    options.known.struct_size = sizeof options;
    result.known.struct_size = sizeof result;
    CHECK(nexmo_conversion_sms(&credentials.known, "id", 1, NULL, &options.known, &result.known) == NEXMO_OK, "%s",
          result.known.message);
    CHECK(result.known.struct_size == sizeof result, "the size was changed");
    CHECK(result.added[0] == 0 && result.added[1] == 0, "unknown fields are not 0");

    credentials.added[1] = 1;
    CHECK(nexmo_conversion_sms(&credentials.known, "id", 1, NULL, &options.known, &result.known) == NEXMO_ERR_STRUCT_SIZE,
          "the report succeeded");
    CHECK(begins_with(result.known.message, "credentials.struct_size "), "%s", result.known.message);
    credentials.added[1] = 0;
    options.added[0] = 1;
    CHECK(nexmo_conversion_sms(&credentials.known, "id", 1, NULL, &options.known, &result.known) == NEXMO_ERR_STRUCT_SIZE,
          "the report succeeded");
    CHECK(begins_with(result.known.message, "options.struct_size "), "%s", result.known.message);
}

static void the_largest_struct_is_accepted(void)
{
    static unsigned char bytes[4096];
    struct call call = valid_call();
    const uint32_t size = sizeof bytes;
    memcpy(bytes, &call.options, sizeof call.options);
    memcpy(bytes, &size, sizeof size);
    CHECK(nexmo_conversion_sms(&call.credentials, "id", 1, NULL, (const nexmo_options *)(const void *)bytes, NULL) == NEXMO_OK,
          "the report failed");
}

static void a_struct_need_not_be_aligned(void)
{
    unsigned char bytes[1 + sizeof(nexmo_credentials)];
    struct call call = valid_call();
    const void *unaligned = bytes + 1;
    memcpy(bytes + 1, &call.credentials, sizeof call.credentials);
    CHECK(nexmo_conversion_sms((const nexmo_credentials *)unaligned, "id", 1, NULL, &call.options, NULL) == NEXMO_OK,
          "the report failed");
}

static void null_is_an_error_or_selects_the_default(void)
{
    struct call call = valid_call();
    CHECK(nexmo_conversion_sms(NULL, "id", 1, NULL, &call.options, &call.result) == NEXMO_ERR_NULL_POINTER,
          "the report succeeded");
    CHECK(begins_with(call.result.message, "credentials "), "%s", call.result.message);
    CHECK(nexmo_conversion_sms(NULL, NULL, 7, NULL, NULL, NULL) == NEXMO_ERR_NULL_POINTER, "the report succeeded");
    CHECK(nexmo_conversion_voice(NULL, NULL, 7, NULL, NULL, NULL) == NEXMO_ERR_NULL_POINTER, "the report succeeded");
    CHECK(nexmo_conversion_sms(&call.credentials, "id", 1, NULL, &call.options, NULL) == NEXMO_OK, "the report failed");
}

void test_struct_sizes(void)
{
    invalid_struct_sizes_are_rejected();
    the_message_names_an_invalid_size_and_valid_ones();
    a_result_of_invalid_size_is_unchanged();
    a_newer_caller_works_while_its_new_fields_are_0();
    the_largest_struct_is_accepted();
    a_struct_need_not_be_aligned();
    null_is_an_error_or_selects_the_default();
}
