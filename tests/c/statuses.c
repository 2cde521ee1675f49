/* Tests that the names, texts and retryability of statuses agree with the header and docs/statuses.md. */
#include "harness.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "nexmo_conversion.h"

enum { FIRST = -200, END = 1200, LONGEST = 1024 };

/* The statuses of the header. */
#define STATUS(name, is_retryable) {NEXMO_##name, "NEXMO_" #name, is_retryable}

static const struct status {
    nexmo_status number;
    const char *name;
    int is_retryable;
} statuses[] = {
    STATUS(OK, 0),
    STATUS(ERR_NULL_POINTER, 0),
    STATUS(ERR_STRUCT_SIZE, 0),
    STATUS(ERR_UNKNOWN_FLAGS, 0),
    STATUS(ERR_INVALID_ARGUMENT, 0),
    STATUS(ERR_INVALID_HANDLE, 0),
    STATUS(ERR_CLOSED, 0),
    STATUS(ERR_FORKED, 0),
    STATUS(ERR_NETWORK, 1),
    STATUS(ERR_TIMEOUT, 1),
    STATUS(ERR_TLS, 0),
    STATUS(ERR_PROTOCOL, 1),
    STATUS(ERR_PROXY, 1),
    STATUS(ERR_CANCELLED, 0),
    STATUS(ERR_SYSTEM, 1),
    STATUS(ERR_UNAUTHORIZED, 0),
    STATUS(ERR_NOT_ENABLED, 0),
    STATUS(ERR_REJECTED, 0),
    STATUS(ERR_RATE_LIMITED, 1),
    STATUS(ERR_UNAVAILABLE, 1),
    STATUS(ERR_REDIRECTED, 0),
    STATUS(ERR_UNEXPECTED_STATUS, 0),
    STATUS(ERR_OUTBOX, 0),
    STATUS(ERR_OUTBOX_FULL, 1),
    STATUS(ERR_OUTBOX_BUSY, 1),
    STATUS(ERR_OUTBOX_CORRUPT, 1),
    STATUS(ERR_OUTBOX_WRONG_ACCOUNT, 0),
    STATUS(ERR_OUTBOX_VERSION, 0),
    STATUS(ERR_PENDING, 0),
    STATUS(ERR_SUSPENDED, 0),
    STATUS(ERR_INTERNAL, 0),
};

enum { STATUSES = sizeof statuses / sizeof statuses[0] };

static const struct status *known(nexmo_status number)
{
    size_t i;
    for (i = 0; i < STATUSES; i++)
        if (statuses[i].number == number)
            return &statuses[i];
    return NULL;
}

/* Checks that the flat function returns the same name and text. */
static void check_flat(nexmo_status number)
{
    char name[64], text[512];
    CHECK(nexmo_flat_status(number, name, sizeof name, text, sizeof text) == NEXMO_OK, "%ld", (long)number);
    CHECK(strcmp(name, nexmo_status_name(number)) == 0, "%ld: %s", (long)number, name);
    CHECK(strcmp(text, nexmo_status_describe(number)) == 0, "%ld: %s", (long)number, text);
}

static void check_status(nexmo_status number)
{
    const struct status *status = known(number);
    const char *name = nexmo_status_name(number), *text = nexmo_status_describe(number);
    if (status == NULL) {
        CHECK(strcmp(name, "NEXMO_ERR_UNKNOWN") == 0, "the name of %ld is %s", (long)number, name);
        CHECK(nexmo_status_is_retryable(number) == 0, "%ld is retryable", (long)number);
        CHECK(strcmp(text, nexmo_status_describe(INT32_MIN)) == 0 && text[0] != '\0', "%ld: %s", (long)number, text);
    } else {
        CHECK(strcmp(name, status->name) == 0, "the name of %ld is %s", (long)number, name);
        CHECK(nexmo_status_is_retryable(number) == status->is_retryable, "%s", name);
        CHECK(strcmp(text, nexmo_status_describe(INT32_MIN)) != 0 && strlen(text) > 20, "%s: %s", name, text);
    }
    check_flat(number);
}

static void every_number_has_a_name_and_a_text(void)
{
    nexmo_status number;
    for (number = FIRST; number <= END; number++)
        check_status(number);
    check_status(INT32_MIN);
    check_status(INT32_MAX);
}

/* Checks a row "| NUMBER | `NAME` | yes or no | TEXT |" of the table. Returns whether the line is such a row. */
static int check_row(const char *row)
{
    char name[64], is_retryable[8], text[LONGEST];
    int number;
    if (sscanf(row, "| %d | `%63[^`]` | %7s | %1023[^|]|", &number, name, is_retryable, text) != 4)
        return 0;
    text[strlen(text) - 1] = '\0';
    CHECK(strcmp(nexmo_status_name(number), name) == 0, "docs/statuses.md names %d %s", number, name);
    CHECK(strcmp(is_retryable, nexmo_status_is_retryable(number) ? "yes" : "no") == 0, "%s: %s", name, is_retryable);
    CHECK(strcmp(nexmo_status_describe(number), text) == 0, "%s: %s", name, text);
    return 1;
}

static void the_documentation_agrees(const char *path)
{
    char row[LONGEST + 128];
    int rows = 0;
    FILE *documents = fopen(path, "r");
    if (documents == NULL) {
        CHECK(0, "%s cannot be read", path);
        return;
    }
    while (fgets(row, sizeof row, documents) != NULL)
        rows += check_row(row);
    fclose(documents);
    CHECK(rows == STATUSES, "%s has %d statuses, the header has %d", path, rows, STATUSES);
}

static void statuses_are_below_100_and_in_their_bands(void)
{
    size_t i;
    for (i = 0; i < STATUSES; i++) {
        const nexmo_status number = statuses[i].number;
        CHECK(number >= 0 && (number < 80 || number == NEXMO_ERR_INTERNAL) && number < 100, "%s is %ld", statuses[i].name,
              (long)number);
        CHECK(i == 0 || number > statuses[i - 1].number, "%s shares its number with another status", statuses[i].name);
    }
}

void test_statuses(const char *path)
{
    every_number_has_a_name_and_a_text();
    the_documentation_agrees(path);
    statuses_are_below_100_and_in_their_bands();
}
