/* Tests which paths of outboxes are valid, and which values of base_url belong to the same account. */
#define _GNU_SOURCE
#include "harness.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "reporter_fixture.h"

/* No URL is valid as the path of an outbox. No message may quote a URL, because it may contain a password. */
static void urls_are_rejected_and_not_quoted(void)
{
    static const char *const urls[] = {
        "postgresql://u:hush@h/db",
        "postgres://u:hush@h/db",
        "POSTGRESQL://u:hush@h/db",
        "https://u:hush@h",
        "a1:hush",
        "file:hush",
        ":memory:hush",
        ":hush",
        "a+.-:hush",
        "9p:hush",
        "ab:hush",
        "sqlite:///hush",
    };
    size_t i;
    for (i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct reporting reporting = valid_reporting_at(urls[i]);
        CHECK(try_new_reporter(&reporting) == NEXMO_ERR_INVALID_ARGUMENT, "%s: %s", urls[i], reporting.result.message);
        CHECK(begins_with(reporting.result.message, "outbox "), "%s: %s", urls[i], reporting.result.message);
        CHECK(strstr(reporting.result.message, "hush") == NULL, "%s is quoted", urls[i]);
        CHECK((strstr(reporting.result.message, "PostgreSQL") != NULL) == (i < 3), "%s: %s", urls[i], reporting.result.message);
        CHECK(access(urls[i], F_OK) != 0, "%s was created", urls[i]);
    }
}

/* Changes to this run's folder and returns a descriptor of the previous folder. */
static int enter_folder(void)
{
    char folder[128];
    const int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    strcpy(folder, new_outbox());
    *strrchr(folder, '/') = '\0';
    CHECK(before >= 0 && chdir(folder) == 0, "%s", folder);
    return before;
}

static void other_names_are_valid(void)
{
    static const char *const names[] = {
        "./x:y", "C:\\x", "c:x", "a_b:c", "a b:c", "name", ".x:y", "./:memory:", "\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87:x"};
    const int before = enter_folder();
    size_t i;
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct reporting reporting = valid_reporting_at(names[i]);
        if (strcmp(names[i], ".x:y") == 0) { /* The name begins with a scheme of two characters. */
            CHECK(try_new_reporter(&reporting) == NEXMO_ERR_INVALID_ARGUMENT, "%s: %s", names[i], reporting.result.message);
            continue;
        }
        CHECK(try_new_reporter(&reporting) == NEXMO_OK, "%s: %s", names[i], reporting.result.message);
        CHECK(access(names[i], F_OK) == 0, "%s was not created", names[i]);
    }
    CHECK(fchdir(before) == 0, "the previous folder was not restored");
    close(before);
}

/* Checks whether two values of base_url belong to the same account. */
static void check_account(const char *first, const char *second, int is_same)
{
    struct reporting reporting = valid_reporting();
    nexmo_status status;
    reporting.options.base_url = first;
    CHECK(try_new_reporter(&reporting) == NEXMO_OK, "%s: %s", first, reporting.result.message);
    reporting.options.base_url = second;
    status = try_new_reporter(&reporting);
    CHECK(status == (is_same ? NEXMO_OK : NEXMO_ERR_OUTBOX_WRONG_ACCOUNT), "%s, then %s: %s", first, second,
          reporting.result.message);
}

static void accounts_are_compared_in_normal_form(void)
{
    check_account("http://localhost", "http://LOCALHOST:80", 1);
    check_account("HTTP://LocalHost:80", "http://localhost", 1);
    check_account("https://conversion.test:443/Path", "HTTPS://Conversion.TEST/Path", 1);
    check_account(NULL, "https://API.nexmo.com:443", 1);
    check_account("http://[::1]", "http://[::1]:80", 1);
    check_account("http://localhost", "http://localhost:443", 0);
    check_account("http://localhost:80", "https://localhost:443", 0);
    check_account("https://conversion.test/path", "https://conversion.test/Path", 0);
    check_account("https://conversion.test", "https://other.test", 0);
}

void test_reporter_outbox_names(void)
{
    urls_are_rejected_and_not_quoted();
    other_names_are_valid();
    accounts_are_compared_in_normal_form();
}
