/* Reports with this library's one-call functions on CONCURRENCY threads. Has no extra arguments. */
#include <stdio.h>

#include "common.h"
#include "nexmo_conversion.h"

struct account {
    nexmo_credentials credentials;
    nexmo_options options;
};

static bool report(void *context, size_t thread, size_t number)
{
    const struct account *account = context;
    nexmo_result result = NEXMO_RESULT_INIT;
    char id[MESSAGE_ID_SIZE];
    nexmo_status status;
    (void)thread;
    message_id(number, id);
    status = nexmo_conversion_sms(&account->credentials, id, 1, TIMESTAMP, &account->options, &result);
    if (status == NEXMO_OK && result.http_status == 200)
        return true;
    fprintf(stderr, "%s\n", result.message);
    return false;
}

int main(int argc, char **argv)
{
    struct arguments given = arguments(argc, argv);
    struct account account = {NEXMO_CREDENTIALS_INIT, NEXMO_OPTIONS_INIT};

    account.credentials.api_key = API_KEY;
    account.credentials.api_secret = API_SECRET;
    account.options.base_url = given.url;
    account.options.ca_file = given.ca_file;
    account.options.max_idle_connections = (int32_t)given.concurrency;
    return measure(&given, report, &account);
}
