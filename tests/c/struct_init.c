/* Tests that the _init functions set the initial values in uninitialized memory, and write nothing else. */
#include "harness.h"

#include <stdint.h>
#include <string.h>

#include "check.h"
#include "nexmo_conversion.h"

enum { LARGEST = 4096, OTHERS = 0x5a };

/* The name and size of a struct, the initial values of its INIT macro, and its _init function. */
struct kind {
    const char *name;
    size_t size;
    const void *initial;
    void (*init)(void *memory, size_t size);
};

#define EACH_STRUCT(DO)                                                                                                          \
    DO(credentials, NEXMO_CREDENTIALS_INIT)                                                                                      \
    DO(options, NEXMO_OPTIONS_INIT)                                                                                              \
    DO(result, NEXMO_RESULT_INIT)                                                                                                \
    DO(reporter_options, NEXMO_REPORTER_OPTIONS_INIT)                                                                            \
    DO(statistics, NEXMO_STATISTICS_INIT)                                                                                        \
    DO(event, NEXMO_EVENT_INIT)

#define DEFINE(name, macro)                                                                                                      \
    static const nexmo_##name initial_##name = macro;                                                                            \
    static void init_##name(void *memory, size_t size)                                                                           \
    {                                                                                                                            \
        nexmo_##name##_init(memory, size);                                                                                       \
    }
EACH_STRUCT(DEFINE)

#define KIND(name, macro) {#name, sizeof(nexmo_##name), &initial_##name, init_##name},

static const struct kind kinds[] = {EACH_STRUCT(KIND)};

/* Memory in which a struct is initialized at an offset. */
static unsigned char memory[2 * LARGEST];

static int are_all(const unsigned char *bytes, size_t count, int value)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (bytes[i] != value)
            return 0;
    return 1;
}

/* Returns whether the four bytes at an address, which may be unaligned, are this number. */
static int is_number(const unsigned char *bytes, size_t number)
{
    const uint32_t expected = (uint32_t)number;
    return memcmp(bytes, &expected, sizeof expected) == 0;
}

static void check_initialized(const struct kind *kind, size_t offset, size_t size)
{
    const unsigned char *initial = kind->initial, *written = memory + offset;
    memset(memory, OTHERS, sizeof memory);
    kind->init(memory + offset, size);
    CHECK(are_all(memory, offset, OTHERS),
          "%s of %lu bytes: the function wrote before its beginning", kind->name, (unsigned long)size);
    CHECK(are_all(written + size, LARGEST - size, OTHERS), "%s of %lu bytes: the function wrote beyond its end", kind->name,
          (unsigned long)size);
    CHECK(is_number(written, size), "%s of %lu bytes: struct_size is wrong", kind->name, (unsigned long)size);
    if (size >= kind->size) {
        CHECK(memcmp(written + 4, initial + 4, kind->size - 4) == 0, "%s: the values differ from those of the macro", kind->name);
        CHECK(are_all(written + kind->size, size - kind->size, 0), "%s: the unknown part is not 0", kind->name);
    }
}

static void check_untouched(const struct kind *kind, size_t size)
{
    memset(memory, OTHERS, sizeof memory);
    kind->init(memory, size);
    CHECK(are_all(memory, sizeof memory, OTHERS), "%s with the invalid size %lu was written", kind->name, (unsigned long)size);
}

static void a_struct_is_initialized_as_its_macro_does(const struct kind *kind)
{
    size_t offset;
    CHECK(is_number(kind->initial, kind->size), "%s: the macro sets a wrong struct_size", kind->name);
    for (offset = 1; offset <= 8; offset++)
        check_initialized(kind, offset, kind->size);
    check_initialized(kind, 1, 8);
    CHECK(is_number(memory + 1 + 4, 0), "%s: the flags are not 0", kind->name);
    check_initialized(kind, 1, kind->size + 8);
    check_initialized(kind, 1, LARGEST);
}

static void other_sizes_do_nothing(const struct kind *kind)
{
    static const size_t sizes[] = {0, 1, 4, 7, LARGEST + 1, LARGEST + 8, (size_t)1 << 31, SIZE_MAX};
    size_t i;
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check_untouched(kind, sizes[i]);
    kind->init(NULL, kind->size);
    kind->init(NULL, 0);
}

/* An _init function writes the fields that fit into the struct of an older caller, and no part of any other field. */
static void an_older_caller_has_the_fields_that_fit(void)
{
    const size_t end = offsetof(nexmo_result, retry_after_ms) + 8;
    const size_t status = offsetof(nexmo_result, status);
    check_initialized(&kinds[2], 0, end);
    CHECK(is_number(memory + status, NEXMO_ERR_STRUCT_SIZE), "the status is not initialized");
    CHECK(are_all(memory + end - 8, 8, 0xff), "retry_after_ms is not -1");
    check_initialized(&kinds[2], 0, end - 1);
    CHECK(are_all(memory + end - 8, 7, 0), "part of a field was written");
}

void test_struct_init(void)
{
    size_t i;
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        a_struct_is_initialized_as_its_macro_does(&kinds[i]);
        other_sizes_do_nothing(&kinds[i]);
    }
    an_older_caller_has_the_fields_that_fit();
}
