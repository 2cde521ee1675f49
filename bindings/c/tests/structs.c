/* Callers that are older or newer than the library: sizes of structs, surplus bytes, and pointers that are NULL. */
#include "tests.h"

#include <string.h>

#include "check.h"
#include "setup.h"

/* A struct of any kind as a newer caller would have it: with fields that this library does not know. */
#define NEWER(type)                                                                                                              \
    struct {                                                                                                                     \
        type known;                                                                                                              \
        uint64_t added[2];                                                                                                       \
    }

static const uint32_t refused_sizes[] = {0, 4, 8, 4097, 4000000000u, 4294967295u};
#define REFUSED_SIZES (sizeof refused_sizes / sizeof refused_sizes[0])

static void sizes_of_no_release_are_refused(void)
{
    const long requests_before = sandbox_requests();
    size_t i;
    for (i = 0; i < REFUSED_SIZES; i++) {
        struct call call = fine_call();
        call.credentials.struct_size = refused_sizes[i];
        CHECK(make(&call) == NEXMO_ERR_STRUCT, "size %lu", (unsigned long)refused_sizes[i]);
        CHECK(begins_with(call.result.message, "credentials.struct_size "), "%s", call.result.message);
        call = fine_call();
        call.options.struct_size = refused_sizes[i];
        CHECK(make(&call) == NEXMO_ERR_STRUCT, "size %lu", (unsigned long)refused_sizes[i]);
        CHECK(begins_with(call.result.message, "options.struct_size "), "%s", call.result.message);
    }
    CHECK(sandbox_requests() == requests_before, "something was sent");
}

static void a_refused_result_is_left_as_it_was(void)
{
    const long requests_before = sandbox_requests();
    nexmo_result untouched;
    size_t i;
    for (i = 0; i < REFUSED_SIZES; i++) {
        struct call call = fine_call();
        memset(&call.result, 0x5a, sizeof call.result);
        call.result.struct_size = refused_sizes[i];
        untouched = call.result;
        CHECK(make(&call) == NEXMO_ERR_STRUCT, "size %lu", (unsigned long)refused_sizes[i]);
        CHECK(memcmp(&call.result, &untouched, sizeof untouched) == 0, "it was written");
    }
    CHECK(sandbox_requests() == requests_before, "something was sent");
}

static void a_newer_caller_is_understood_while_its_new_fields_are_0(void)
{
    struct call call = fine_call();
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
    CHECK(nexmo_conversion_sms(&credentials.known, "id", 1, NULL, &options.known, &result.known) == NEXMO_OK, "%s", result.known.message);
    CHECK(result.known.struct_size == sizeof result, "the size was written");
    CHECK(result.added[0] == 0 && result.added[1] == 0, "what the library does not know is not 0");

    credentials.added[1] = 1;
    CHECK(nexmo_conversion_sms(&credentials.known, "id", 1, NULL, &options.known, &result.known) == NEXMO_ERR_STRUCT, "taken");
    CHECK(begins_with(result.known.message, "credentials.struct_size "), "%s", result.known.message);
    credentials.added[1] = 0;
    options.added[0] = 1;
    CHECK(nexmo_conversion_sms(&credentials.known, "id", 1, NULL, &options.known, &result.known) == NEXMO_ERR_STRUCT, "taken");
    CHECK(begins_with(result.known.message, "options.struct_size "), "%s", result.known.message);
}

static void the_largest_struct_is_taken(void)
{
    static unsigned char bytes[4096];
    struct call call = fine_call();
    const uint32_t size = sizeof bytes;
    memcpy(bytes, &call.options, sizeof call.options);
    memcpy(bytes, &size, sizeof size);
    CHECK(nexmo_conversion_sms(&call.credentials, "id", 1, NULL, (const nexmo_options *)(const void *)bytes, NULL) == NEXMO_OK, "refused");
}

static void a_struct_need_not_be_aligned(void)
{
    unsigned char bytes[1 + sizeof(nexmo_credentials)];
    struct call call = fine_call();
    const void *unaligned = bytes + 1;
    memcpy(bytes + 1, &call.credentials, sizeof call.credentials);
    CHECK(nexmo_conversion_sms((const nexmo_credentials *)unaligned, "id", 1, NULL, &call.options, NULL) == NEXMO_OK, "refused");
}

static void null_is_refused_or_means_the_default(void)
{
    struct call call = fine_call();
    CHECK(nexmo_conversion_sms(NULL, "id", 1, NULL, &call.options, &call.result) == NEXMO_ERR_NULL, "taken");
    CHECK(begins_with(call.result.message, "credentials "), "%s", call.result.message);
    CHECK(nexmo_conversion_sms(NULL, NULL, 7, NULL, NULL, NULL) == NEXMO_ERR_NULL, "taken");
    CHECK(nexmo_conversion_voice(NULL, NULL, 7, NULL, NULL, NULL) == NEXMO_ERR_NULL, "taken");
    CHECK(nexmo_conversion_sms(&call.credentials, "id", 1, NULL, &call.options, NULL) == NEXMO_OK, "refused");
}

void test_structs(void)
{
    sizes_of_no_release_are_refused();
    a_refused_result_is_left_as_it_was();
    a_newer_caller_is_understood_while_its_new_fields_are_0();
    the_largest_struct_is_taken();
    a_struct_need_not_be_aligned();
    null_is_refused_or_means_the_default();
}
