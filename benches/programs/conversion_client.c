/* Reports on CONCURRENCY threads that share one client of this library. Has no extra arguments. */
#include <stdio.h>

#include "common.h"
#include "nexmo_conversion.h"

static bool report(void *client, size_t thread, size_t number)
{
    nexmo_result result = NEXMO_RESULT_INIT;
    char id[MESSAGE_ID_SIZE];
    (void)thread;
    message_id(number, id);
    if (nexmo_client_report(client, NEXMO_CHANNEL_SMS, id, 1, TIMESTAMP, &result) == NEXMO_OK && result.http_status == 200)
        return true;
    fprintf(stderr, "%s\n", result.message);
    return false;
}

int main(int argc, char **argv)
{
    struct arguments given = arguments(argc, argv);
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    nexmo_options options = NEXMO_OPTIONS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    nexmo_client *client = NULL;
    int status;

    credentials.api_key = API_KEY;
    credentials.api_secret = API_SECRET;
    options.base_url = given.url;
    options.ca_file = given.ca_file;
    options.max_idle_connections = (int32_t)given.concurrency;
    if (nexmo_client_new(&credentials, &options, &client, &result) != NEXMO_OK)
        die(result.message);
    status = measure(&given, report, client);
    nexmo_client_free(client);
    return status;
}
