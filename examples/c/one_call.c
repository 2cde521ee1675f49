/*
 * Reports one conversion and prints the outcome. Copy this program and remove the parts that you do not need.
 *
 *     one_call sms|voice MESSAGE_ID 1|0 [TIMESTAMP]
 *
 * Environment variables for the credentials:
 *     NEXMO_API_KEY, NEXMO_API_SECRET    the account
 *     NEXMO_AUTH                         query (the default), basic or signature
 *     NEXMO_SIGNATURE_SECRET             the secret for signature; this program signs with HMAC-SHA-256
 * and to try the program against the sandbox:
 *     NEXMO_BASE_URL, NEXMO_CA_FILE      the service's address and its certificate authority
 *
 * Build, in this folder:
 *     cc -I ../../include one_call.c -L ../../build/lib -Wl,-rpath,"$PWD/../../build/lib" -lnexmo_conversion -o one_call
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nexmo_conversion.h"

/* Returns the constant for a value of NEXMO_AUTH. */
static int32_t auth_from(const char *name)
{
    if (name != NULL && strcmp(name, "basic") == 0)
        return NEXMO_AUTH_BASIC;
    if (name != NULL && strcmp(name, "signature") == 0)
        return NEXMO_AUTH_SIGNATURE;
    return NEXMO_AUTH_QUERY;
}

int main(int argc, char **argv)
{
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    nexmo_options options = NEXMO_OPTIONS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    const char *timestamp = argc > 4 ? argv[4] : NULL;
    nexmo_status status;

    if (argc < 4 || (strcmp(argv[1], "sms") != 0 && strcmp(argv[1], "voice") != 0) ||
        (strcmp(argv[3], "1") != 0 && strcmp(argv[3], "0") != 0)) {
        fprintf(stderr, "usage: %s sms|voice MESSAGE_ID 1|0 [TIMESTAMP]\n", argv[0]);
        return 2;
    }
    credentials.api_key = getenv("NEXMO_API_KEY");
    credentials.api_secret = getenv("NEXMO_API_SECRET");
    credentials.signature_secret = getenv("NEXMO_SIGNATURE_SECRET");
    credentials.signature_method = NEXMO_SIGNATURE_HMAC_SHA256;
    credentials.auth = auth_from(getenv("NEXMO_AUTH"));
    options.base_url = getenv("NEXMO_BASE_URL");
    options.ca_file = getenv("NEXMO_CA_FILE");
    options.user_agent = "example/1";

    if (strcmp(argv[1], "voice") == 0)
        status = nexmo_conversion_voice(&credentials, argv[2], atoi(argv[3]), timestamp, &options, &result);
    else
        status = nexmo_conversion_sms(&credentials, argv[2], atoi(argv[3]), timestamp, &options, &result);

    printf("%s: %s\n", nexmo_status_name(status), result.message);
    if (status != NEXMO_OK)
        printf("%s\n", nexmo_status_describe(status));
    return status == NEXMO_OK ? 0 : 1;
}
