/* Tests the requests that the service receives, and the results that the caller gets. */
#include "harness.h"

#include <string.h>

#include "check.h"
#include "fixture.h"

/* Returns whether the sandbox's log line of the last request contains text. */
static int arrived(const char *text)
{
    char line[8192];
    sandbox_last_request(line, sizeof line);
    return strstr(line, text) != NULL;
}

static void check_accepted(struct call *call, const char *what)
{
    const nexmo_status status = make(call);
    CHECK(status == NEXMO_OK, "%s: %s: %s", what, nexmo_status_name(status), call->result.message);
    CHECK(call->result.status == NEXMO_OK && call->result.http_status == 200, "%s", what);
    CHECK(call->result.acceptance == NEXMO_ACCEPTANCE_YES && call->result.attempts == 1, "%s", what);
    CHECK(call->result.elapsed_us > 0 && call->result.retry_after_ms == -1, "%s", what);
    CHECK(arrived("\"violations\":[]"), "%s: the sandbox reports violations", what);
}

static void every_authentication_is_accepted(void)
{
    int32_t auth, method;
    int is_voice, has_timestamp;
    for (is_voice = 0; is_voice <= 1; is_voice++)
        for (has_timestamp = 0; has_timestamp <= 1; has_timestamp++)
            for (auth = NEXMO_AUTH_QUERY; auth <= NEXMO_AUTH_SIGNATURE; auth++)
                for (method = NEXMO_SIGNATURE_MD5_HASH; method <= NEXMO_SIGNATURE_HMAC_SHA512; method++) {
                    struct call call = valid_call();
                    call.is_voice = is_voice;
                    call.delivered = !is_voice;
                    call.timestamp = has_timestamp ? "2020-01-01 12:00:00" : NULL;
                    call.credentials.auth = auth;
                    call.credentials.signature_method = method;
                    check_accepted(&call, "authentication");
                    CHECK(arrived(is_voice ? "\"channel\":\"voice\"" : "\"channel\":\"sms\""), "the channel is wrong");
                    CHECK(arrived(is_voice ? "\"delivered\":\"false\"" : "\"delivered\":\"true\""), "delivered is wrong");
                    CHECK(!has_timestamp || arrived("\"timestamp\":\"2020-01-01 12:00:00\""), "the timestamp is wrong");
                    CHECK(arrived("\"message_id\":\"00A0B0C0\""), "the message id is wrong");
                }
}

static void unusual_ids_arrive_unchanged(void)
{
    static const char *const ids[][2] = {
        {"%", "%"},
        {"&", "&"},
        {"=", "="},
        {"+", "+"},
        {"#", "#"},
        {"?", "?"},
        {"a b  c", "a b  c"},
        {"%20", "%20"},
        {"a&delivered=false", "a&delivered=false"},
        {"\"\\", "\\\"\\\\"},
        {"\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87", "\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"../..//", "../..//"},
        {"'<>;{}|^`", "'<>;{}|^`"},
    };
    char expected[128];
    size_t i;
    int32_t method;
    for (i = 0; i < sizeof ids / sizeof ids[0]; i++)
        for (method = 0; method <= NEXMO_SIGNATURE_HMAC_SHA512; method++) {
            struct call call = valid_call();
            call.message_id = ids[i][0];
            call.credentials.auth = method == 0 ? NEXMO_AUTH_BASIC : NEXMO_AUTH_SIGNATURE;
            call.credentials.signature_method = method;
            check_accepted(&call, ids[i][0]);
            snprintf(expected, sizeof expected, "\"message_id\":\"%s\"", ids[i][1]);
            CHECK(arrived(expected), "%s did not arrive unchanged", ids[i][0]);
        }
}

static void https_trusts_only_the_ca_file(void)
{
    struct call call = valid_call();
    call.options.base_url = sandbox_https();
    call.options.ca_file = sandbox_ca();
    check_accepted(&call, "https");
    CHECK(arrived("\"scheme\":\"https\""), "the report did not arrive over HTTPS");
    call.options.ca_file = NULL;
    CHECK(make(&call) == NEXMO_ERR_TLS, "%s", call.result.message);
    CHECK(call.result.acceptance == NEXMO_ACCEPTANCE_NO && call.result.http_status == 0, "%s", call.result.message);
}

static void options_change_the_request(void)
{
    struct call call = valid_call();
    call.options.user_agent = "harness/1 (C)";
    check_accepted(&call, "user agent");
    CHECK(arrived("[\"user-agent\",\"nexmo-conversion/" NEXMO_CONVERSION_VERSION " harness/1 (C)\"]"), "the user agent is wrong");
    call.credentials.auth = NEXMO_AUTH_SIGNATURE;
    call.credentials.signature_method = NEXMO_SIGNATURE_HMAC_SHA256;
    call.options.flags = NEXMO_OPTIONS_SIGN_UNIX_SECONDS;
    call.timestamp = "2020-01-01 12:00:00";
    check_accepted(&call, "unix seconds");
    CHECK(!arrived("\"timestamp\":\"2020-") && !arrived("\"timestamp\":null"), "the timestamp is not in seconds");
}

static void a_time_limit_ends_a_slow_call(void)
{
    struct call call = valid_call();
    call.message_id = "slow";
    call.options.timeout_ms = 50;
    CHECK(make(&call) == NEXMO_ERR_TIMEOUT, "%s", call.result.message);
    CHECK(call.result.acceptance == NEXMO_ACCEPTANCE_UNKNOWN && call.result.http_status == 0, "%s", call.result.message);
    CHECK(call.result.elapsed_us >= 50000, "the call ended after only %ld us", (long)call.result.elapsed_us);
}

/* The Makefile defines how the sandbox responds to these message ids. */
static void each_response_has_its_status(void)
{
    static const struct {
        const char *message_id;
        nexmo_status status;
        int32_t http_status;
        int32_t acceptance;
        int64_t retry_after_ms;
        const char *message;
    } responses[] = {
        {"not-enabled", NEXMO_ERR_NOT_ENABLED, 402, NEXMO_ACCEPTANCE_NO, -1, "Conversion has not been enabled for your account"},
        {"invalid", NEXMO_ERR_REJECTED, 420, NEXMO_ACCEPTANCE_NO, -1, "Invalid parameters"},
        {"throttled", NEXMO_ERR_RATE_LIMITED, 429, NEXMO_ACCEPTANCE_NO, 7000, "HTTP 429"},
        {"unavailable", NEXMO_ERR_UNAVAILABLE, 503, NEXMO_ACCEPTANCE_UNKNOWN, -1, "HTTP 503"},
        {"moved", NEXMO_ERR_REDIRECTED, 302, NEXMO_ACCEPTANCE_UNKNOWN, -1, "HTTP 302"},
        {"teapot", NEXMO_ERR_UNEXPECTED_STATUS, 418, NEXMO_ACCEPTANCE_UNKNOWN, -1, "HTTP 418"},
    };
    size_t i;
    for (i = 0; i < sizeof responses / sizeof responses[0]; i++) {
        struct call call = valid_call();
        call.message_id = responses[i].message_id;
        CHECK(make(&call) == responses[i].status, "%s: %s", responses[i].message_id, call.result.message);
        CHECK(call.result.http_status == responses[i].http_status, "%s: %d", responses[i].message_id,
              (int)call.result.http_status);
        CHECK(call.result.retry_after_ms == responses[i].retry_after_ms, "%s: %ld", responses[i].message_id,
              (long)call.result.retry_after_ms);
        CHECK(strstr(call.result.message, responses[i].message) != NULL, "%s: %s", responses[i].message_id, call.result.message);
        CHECK(call.result.acceptance == responses[i].acceptance, "%s: %d", responses[i].message_id, (int)call.result.acceptance);
    }
}

static void wrong_credentials_are_unauthorized(void)
{
    int32_t auth;
    for (auth = NEXMO_AUTH_QUERY; auth <= NEXMO_AUTH_SIGNATURE; auth++) {
        struct call call = valid_call();
        call.credentials.auth = auth;
        call.credentials.api_secret = call.credentials.signature_secret = "wrong";
        call.credentials.signature_method = NEXMO_SIGNATURE_HMAC_SHA1;
        CHECK(make(&call) == NEXMO_ERR_UNAUTHORIZED, "%s", call.result.message);
        CHECK(call.result.http_status == 401 && call.result.acceptance == NEXMO_ACCEPTANCE_NO, "%s", call.result.message);
    }
}

static void no_secret_is_revealed(void)
{
    static const char *const traces[] = {"s3cret", "sign4ture", "czNjcmV0", "YWJjZDEyMzQ6"};
    int32_t auth;
    size_t i;
    for (auth = NEXMO_AUTH_QUERY; auth <= NEXMO_AUTH_SIGNATURE; auth++) {
        struct call call = valid_call();
        call.message_id = "leak";
        call.credentials.auth = auth;
        call.credentials.signature_method = NEXMO_SIGNATURE_HMAC_MD5;
        CHECK(make(&call) == NEXMO_ERR_NOT_ENABLED, "%s", call.result.message);
        for (i = 0; i < sizeof traces / sizeof traces[0]; i++)
            CHECK(strstr(call.result.message, traces[i]) == NULL, "the message contains a secret");
    }
}

static void a_refused_connection_is_a_network_error(void)
{
    struct call call = valid_call();
    call.options.base_url = "http://127.0.0.1:1";
    CHECK(make(&call) == NEXMO_ERR_NETWORK, "%s", call.result.message);
    CHECK(call.result.acceptance == NEXMO_ACCEPTANCE_NO && call.result.attempts == 1, "%s", call.result.message);
}

static void unix_seconds_become_text(void)
{
    char text[NEXMO_TIMESTAMP_SIZE];
    CHECK(nexmo_timestamp_from_unix(1577880000, text, sizeof text) == NEXMO_OK, "the call failed");
    CHECK(strcmp(text, "2020-01-01 12:00:00") == 0, "%s", text);
    CHECK(nexmo_timestamp_from_unix(0, NULL, sizeof text) == NEXMO_ERR_NULL_POINTER, "the call succeeded");
    memset(text, 'x', sizeof text);
    CHECK(nexmo_timestamp_from_unix(0, text, sizeof text - 1) == NEXMO_ERR_INVALID_ARGUMENT, "the call succeeded");
    CHECK(nexmo_timestamp_from_unix(INT64_MAX, text, sizeof text) == NEXMO_ERR_INVALID_ARGUMENT, "the call succeeded");
    CHECK(text[0] == '\0' && text[sizeof text - 1] == 'x', "the failed call must write an empty string");
}

static void the_library_has_the_version_of_its_header(void)
{
    char numbers[64];
    CHECK(strcmp(nexmo_conversion_version(), NEXMO_CONVERSION_VERSION) == 0, "header %s, library %s", NEXMO_CONVERSION_VERSION,
          nexmo_conversion_version());
    snprintf(numbers, sizeof numbers, "%d.%d.%d", NEXMO_CONVERSION_VERSION_MAJOR, NEXMO_CONVERSION_VERSION_MINOR,
             NEXMO_CONVERSION_VERSION_PATCH);
    CHECK(strcmp(numbers, NEXMO_CONVERSION_VERSION) == 0, "the version is %s, not %s", numbers, NEXMO_CONVERSION_VERSION);
}

void test_reports(void)
{
    every_authentication_is_accepted();
    unusual_ids_arrive_unchanged();
    https_trusts_only_the_ca_file();
    options_change_the_request();
    a_time_limit_ends_a_slow_call();
    each_response_has_its_status();
    wrong_credentials_are_unauthorized();
    no_secret_is_revealed();
    a_refused_connection_is_a_network_error();
    unix_seconds_become_text();
    the_library_has_the_version_of_its_header();
}
