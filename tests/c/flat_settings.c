/* Tests settings: their syntax, the effect of each, and errors, which must not quote values. */
#define _GNU_SOURCE
#include "flat_fixture.h"

#include <stdio.h>

#include "reporter_fixture.h"
#include "fixture.h"
#include "harness.h"

static const char account[] = "api_key = abcd1234\napi_secret = s3cret\n";

/* Checks that the sandbox accepts the account in these settings. */
static void check_account_of(const char *format)
{
    char settings[1024], message[NEXMO_MESSAGE_SIZE], line[8192];
    int64_t handle = 0;
    snprintf(settings, sizeof settings, format, sandbox_http());
    CHECK(nexmo_flat_open(settings, -1, &handle, message, sizeof message) == NEXMO_OK, "%s: %s", settings, message);
    CHECK(nexmo_flat_report(handle, NEXMO_CHANNEL_SMS, "settings", -1, 1, NULL, 0, NULL, 0, message, sizeof message) == NEXMO_OK,
          "%s: %s", settings, message);
    sandbox_last_request(line, sizeof line);
    CHECK(strstr(line, "\"violations\":[]") != NULL, "%s: %s", settings, line);
    CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
}

static void settings_are_lines(void)
{
    check_account_of("api_key = abcd1234\napi_secret = s3cret\nbase_url = %s");
    check_account_of("\xef\xbb\xbf"
                     "api_key = abcd1234\r\napi_secret = s3cret\r\nbase_url = %s\r\n");
    check_account_of("\n# x\n\t # base_url = 1\n  api_key=abcd1234\n\tapi_secret\t=\ts3cret\t\n\r\nbase_url = %s \t\n\n");
    check_account_of("api_key = \"abcd1234\"\napi_secret = \"s3cret\"\nbase_url = \"%s\"\n");
    check_account_of("base_url = %s\napi_key = abcd1234\nauth = basic\napi_secret = s3cret\n");
    check_account_of(
        "base_url = %s\napi_key = abcd1234\nauth = signature\nsignature_method = hmac_sha256\nsignature_secret = sign4ture\n");
    check_account_of(
        "base_url = %s\napi_key = abcd1234\nauth = signature\nsignature_method = md5_hash\nsignature_secret = sign4ture\n");
    check_account_of("base_url = %s\napi_key = abcd1234\napi_secret = s3cret\ntimeout_ms = 0000010000\nmax_attempts = 01\n");
}

static void a_value_is_used_verbatim(void)
{
    char settings[1024], message[NEXMO_MESSAGE_SIZE], line[8192];
    int64_t handle = 0;
    snprintf(settings, sizeof settings, "%sbase_url = %s\nuser_agent = \"a # b = \\\"c\\\" \\\\ \"\n", account, sandbox_http());
    CHECK(nexmo_flat_open(settings, -1, &handle, message, sizeof message) == NEXMO_OK, "%s", message);
    CHECK(nexmo_flat_report(handle, NEXMO_CHANNEL_SMS, "settings", -1, 1, NULL, 0, NULL, 0, NULL, 0) == NEXMO_OK,
          "the report failed");
    sandbox_last_request(line, sizeof line);
    CHECK(strstr(line, " a # b = \\\"c\\\" \\\\") != NULL, "%s", line);
    CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
}

/* Uses every name except client_cert_file and client_key_file, and checks that none is unknown. */
static void every_name_is_known(void)
{
    static const char all[] = "auth = query\nsignature_method = hmac_sha512\nsignature_secret = x\nuser_agent = "
                              "x\nconnect_timeout_ms = 1000\ntimeout_ms = 2000\n"
                              "max_attempts = 2\nmax_idle_connections = 3\nallow_plain_http = true\nproxy_from_environment = "
                              "false\nbuilt_in_roots_only = false\n"
                              "sign_unix_seconds = false\noutbox = %s\ndurability = power\noverflow = drop_oldest\nmax_pending = "
                              "10\nmax_age_s = 60\nmax_in_flight = 2\n"
                              "busy_timeout_ms = 1000\nallow_network_file_system = true\nbase_url = http://127.0.0.1:1\nproxy = "
                              "\"http://127.0.0.1:1\"\nca_file = %s\n";
    char settings[2048], message[NEXMO_MESSAGE_SIZE];
    snprintf(settings, sizeof settings, all, new_outbox(), sandbox_ca());
    memmove(settings + sizeof account - 1, settings, strlen(settings) + 1);
    memcpy(settings, account, sizeof account - 1);
    CHECK(try_to_open_flat(settings, message) == NEXMO_OK, "%s", message);
}

static void an_outbox_or_durability_none_selects_a_reporter(void)
{
    static const struct {
        const char *settings;
        int is_reporter;
    } kinds[] = {{"", 0}, {"durability = process\n", 0}, {"durability = power\n", 0}, {"durability = none\n", 1}};
    size_t i;
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char settings[256], message[NEXMO_MESSAGE_SIZE];
        int64_t handle = 0;
        nexmo_status status;
        snprintf(settings, sizeof settings, "%s%s", account, kinds[i].settings);
        status = nexmo_flat_open(settings, -1, &handle, message, sizeof message);
        if (strcmp(kinds[i].settings, "durability = process\n") == 0 || strcmp(kinds[i].settings, "durability = power\n") == 0) {
            CHECK(status == NEXMO_ERR_INVALID_ARGUMENT && begins_with(message, "line 3: durability "), "%s", message);
            continue;
        }
        CHECK(status == NEXMO_OK, "%s", message);
        CHECK((nexmo_flat_flush(handle, 0, message, sizeof message) == NEXMO_OK) == kinds[i].is_reporter, "%s: %s", settings,
              message);
        CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
    }
}

/* Each error is in line 3 or later, after a valid account. No message may contain CANARY. */
static void errors_name_the_line_and_never_quote_the_value(void)
{
    static const struct {
        const char *line, *message;
    } invalid[] = {
        {"CANARY", "line 3: "},
        {"timeout_ms", "line 3: "},
        {"= CANARY", "line 3: "},
        {"CANARY = 1", "line 3: "},
        {"timeout = CANARY", "line 3: timeout "},
        {"Timeout_ms = CANARY", "line 3: "},
        {"abcdefghijklmnopqrstuvwxyz_abcdef = CANARY", "line 3: the name "},
        {"flags = CANARY", "line 3: flags "},
        {"struct_size = CANARY", "line 3: struct_size "},
        {"api_key = CANARY", "line 3: api_key "},
        {"api_secret = CANARY", "line 3: api_secret "},
        {"proxy =", "line 3: proxy "},
        {"proxy = CANARY\tx", "line 3: proxy "},
        {"proxy = \"CANARY", "line 3: proxy "},
        {"proxy = \"CANARY\" x", "line 3: proxy "},
        {"proxy = \"CANARY\\n\"", "line 3: proxy "},
        {"proxy = CANARY", "line 3: proxy "},
        {"timeout_ms = CANARY", "line 3: timeout_ms "},
        {"timeout_ms = -1", "line 3: timeout_ms "},
        {"timeout_ms = 3600001", "line 3: timeout_ms "},
        {"timeout_ms = 99999999999999999999", "line 3: timeout_ms "},
        {"sign_unix_seconds = CANARY", "line 3: sign_unix_seconds "},
        {"sign_unix_seconds = 1", "line 3: sign_unix_seconds "},
        {"auth = CANARY", "line 3: auth "},
        {"auth = 1", "line 3: auth "},
        {"signature_method = sha256", "line 3: signature_method "},
        {"base_url = ftp://CANARY", "line 3: base_url "},
        {"base_url = https://u:CANARY@h", "line 3: base_url "},
        {"ca_file = /CANARY", "line 3: ca_file "},
        {"max_pending = 1", "line 3: max_pending "},
        {"allow_network_file_system = true", "line 3: allow_network_file_system "},
        {"outbox = \"\"", "line 3: outbox "},
        {"outbox = postgresql://u:CANARY@h/db", "line 3: outbox "},
        {"outbox = :memory:", "line 3: outbox "},
        {"durability = none\noutbox = /CANARY", "line 4: outbox "},
        {"# CANARY\n\ntimeout_ms = x", "line 5: timeout_ms "},
        {"\xff = CANARY", "settings "},
        {"auth = signature", "signature_secret "},
        {"auth = signature\nsignature_secret = CANARY", "signature_method "},
        {"client_cert_file = /CANARY", "client_key_file "},
    };
    size_t i;
    for (i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        char settings[512], message[NEXMO_MESSAGE_SIZE];
        snprintf(settings, sizeof settings, "%s%s\n", account, invalid[i].line);
        CHECK(try_to_open_flat(settings, message) == NEXMO_ERR_INVALID_ARGUMENT, "%s: %s", invalid[i].line, message);
        CHECK(begins_with(message, invalid[i].message), "%s: %s", invalid[i].line, message);
        CHECK(strstr(message, "CANARY") == NULL, "%s: %s", invalid[i].line, message);
    }
}

static void a_missing_name_is_an_invalid_argument(void)
{
    char message[NEXMO_MESSAGE_SIZE];
    CHECK(try_to_open_flat("timeout_ms = 1", message) == NEXMO_ERR_INVALID_ARGUMENT && begins_with(message, "api_key "), "%s",
          message);
    CHECK(try_to_open_flat("api_key = abcd1234", message) == NEXMO_ERR_INVALID_ARGUMENT && begins_with(message, "api_secret "),
          "%s", message);
    CHECK(try_to_open_flat("# nothing", message) == NEXMO_ERR_INVALID_ARGUMENT && begins_with(message, "api_key "), "%s",
          message);
}

void test_flat_settings(void)
{
    settings_are_lines();
    a_value_is_used_verbatim();
    every_name_is_known();
    an_outbox_or_durability_none_selects_a_reporter();
    errors_name_the_line_and_never_quote_the_value();
    a_missing_name_is_an_invalid_argument();
}
