#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *needed(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "%s is not set: run `make test`, or run this program as `nexmo-sandbox -- PROGRAM`\n", name);
        exit(2);
    }
    return value;
}

const char *sandbox_http(void)
{
    return needed("NEXMO_SANDBOX_HTTP");
}

const char *sandbox_https(void)
{
    return needed("NEXMO_SANDBOX_HTTPS");
}

const char *sandbox_ca(void)
{
    return needed("NEXMO_SANDBOX_CA");
}

static FILE *open_log(void)
{
    FILE *log = fopen(needed("NEXMO_SANDBOX_LOG"), "r");
    if (log == NULL) {
        perror("opening the sandbox's log");
        exit(2);
    }
    return log;
}

long sandbox_requests(void)
{
    /* The sandbox only appends lines to its log, so earlier lines need not be counted again. */
    static long counted = 0;
    static long read_so_far = 0;
    FILE *log = open_log();
    int c;
    fseek(log, read_so_far, SEEK_SET);
    while ((c = getc(log)) != EOF) {
        read_so_far++;
        counted += c == '\n';
    }
    fclose(log);
    return counted;
}

void sandbox_last_request(char *line, size_t size)
{
    char next[8192];
    FILE *log = open_log();
    long end;
    line[0] = '\0';
    fseek(log, 0, SEEK_END);
    end = ftell(log);
    fseek(log, end > 16384 ? end - 16384 : 0, SEEK_SET);
    while (fgets(next, sizeof next, log) != NULL)
        snprintf(line, size, "%s", next);
    fclose(log);
}

struct call valid_call(void)
{
    static const nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    static const nexmo_options options = NEXMO_OPTIONS_INIT;
    static const nexmo_result result = NEXMO_RESULT_INIT;
    struct call call;
    memset(&call, 0, sizeof call);
    call.message_id = "00A0B0C0";
    call.delivered = 1;
    call.credentials = credentials;
    call.credentials.api_key = "abcd1234";
    call.credentials.api_secret = "s3cret";
    call.credentials.signature_secret = "sign4ture";
    call.options = options;
    call.options.base_url = sandbox_http();
    call.result = result;
    return call;
}

nexmo_status make(struct call *call)
{
    return (call->is_voice ? nexmo_conversion_voice : nexmo_conversion_sms)(
        &call->credentials, call->message_id, call->delivered, call->timestamp, &call->options, &call->result);
}

nexmo_status make_by_client(struct call *call)
{
    nexmo_client *client;
    nexmo_status status = nexmo_client_new(&call->credentials, &call->options, &client, &call->result);
    if (status == NEXMO_OK) {
        status = nexmo_client_report(client, call->is_voice ? NEXMO_CHANNEL_VOICE : NEXMO_CHANNEL_SMS, call->message_id,
                                     call->delivered, call->timestamp, &call->result);
        nexmo_client_free(client);
    }
    return status;
}
