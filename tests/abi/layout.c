/* Prints each struct with its size, each field with its offset and size, and each constant with its value.
   abi/tests compares the output with the layout that the generator computes, on 64 and on 32 bits.
   Generated from src/ffi by `make generate`; do not edit. */
#include <stddef.h>
#include <stdio.h>

#include "nexmo_conversion.h"

#define STRUCT(type) printf("%s %lu\n", #type, (unsigned long)sizeof(type))
#define FIELD(type, field)                                                                     \
    printf("%s.%s %lu %lu\n", #type, #field, (unsigned long)offsetof(type, field),              \
           (unsigned long)sizeof(((type *)NULL)->field))
#define CONSTANT(name) printf("%s %ld\n", #name, (long)(name))

int main(void)
{
    STRUCT(nexmo_credentials);
    FIELD(nexmo_credentials, struct_size);
    FIELD(nexmo_credentials, flags);
    FIELD(nexmo_credentials, api_key);
    FIELD(nexmo_credentials, api_secret);
    FIELD(nexmo_credentials, signature_secret);
    FIELD(nexmo_credentials, auth);
    FIELD(nexmo_credentials, signature_method);
    STRUCT(nexmo_options);
    FIELD(nexmo_options, struct_size);
    FIELD(nexmo_options, flags);
    FIELD(nexmo_options, base_url);
    FIELD(nexmo_options, proxy);
    FIELD(nexmo_options, ca_file);
    FIELD(nexmo_options, client_cert_file);
    FIELD(nexmo_options, client_key_file);
    FIELD(nexmo_options, user_agent);
    FIELD(nexmo_options, connect_timeout_ms);
    FIELD(nexmo_options, timeout_ms);
    FIELD(nexmo_options, max_attempts);
    FIELD(nexmo_options, max_idle_connections);
    STRUCT(nexmo_result);
    FIELD(nexmo_result, struct_size);
    FIELD(nexmo_result, flags);
    FIELD(nexmo_result, status);
    FIELD(nexmo_result, http_status);
    FIELD(nexmo_result, attempts);
    FIELD(nexmo_result, acceptance);
    FIELD(nexmo_result, elapsed_us);
    FIELD(nexmo_result, retry_after_ms);
    FIELD(nexmo_result, message);
    STRUCT(nexmo_reporter_options);
    FIELD(nexmo_reporter_options, struct_size);
    FIELD(nexmo_reporter_options, flags);
    FIELD(nexmo_reporter_options, outbox);
    FIELD(nexmo_reporter_options, durability);
    FIELD(nexmo_reporter_options, overflow);
    FIELD(nexmo_reporter_options, max_pending);
    FIELD(nexmo_reporter_options, max_age_s);
    FIELD(nexmo_reporter_options, max_in_flight);
    FIELD(nexmo_reporter_options, busy_timeout_ms);
    STRUCT(nexmo_event);
    FIELD(nexmo_event, struct_size);
    FIELD(nexmo_event, flags);
    FIELD(nexmo_event, id);
    FIELD(nexmo_event, created_unix_ms);
    FIELD(nexmo_event, kind);
    FIELD(nexmo_event, http_status);
    FIELD(nexmo_event, channel);
    FIELD(nexmo_event, delivered);
    FIELD(nexmo_event, message_id);
    FIELD(nexmo_event, timestamp);
    FIELD(nexmo_event, message);
    STRUCT(nexmo_statistics);
    FIELD(nexmo_statistics, struct_size);
    FIELD(nexmo_statistics, flags);
    FIELD(nexmo_statistics, state);
    FIELD(nexmo_statistics, in_flight);
    FIELD(nexmo_statistics, last_error);
    FIELD(nexmo_statistics, last_error_http_status);
    FIELD(nexmo_statistics, submitted);
    FIELD(nexmo_statistics, accepted);
    FIELD(nexmo_statistics, rejected);
    FIELD(nexmo_statistics, expired);
    FIELD(nexmo_statistics, replaced);
    FIELD(nexmo_statistics, dropped);
    FIELD(nexmo_statistics, damaged);
    FIELD(nexmo_statistics, pending);
    FIELD(nexmo_statistics, events);
    FIELD(nexmo_statistics, events_discarded);
    FIELD(nexmo_statistics, outbox_resets);
    FIELD(nexmo_statistics, outbox_errors);
    FIELD(nexmo_statistics, oldest_pending_ms);
    FIELD(nexmo_statistics, last_error_unix_ms);
    FIELD(nexmo_statistics, last_error_message);
    CONSTANT(NEXMO_OK);
    CONSTANT(NEXMO_ERR_NULL_POINTER);
    CONSTANT(NEXMO_ERR_STRUCT_SIZE);
    CONSTANT(NEXMO_ERR_UNKNOWN_FLAGS);
    CONSTANT(NEXMO_ERR_INVALID_ARGUMENT);
    CONSTANT(NEXMO_ERR_INVALID_HANDLE);
    CONSTANT(NEXMO_ERR_CLOSED);
    CONSTANT(NEXMO_ERR_FORKED);
    CONSTANT(NEXMO_ERR_NETWORK);
    CONSTANT(NEXMO_ERR_TIMEOUT);
    CONSTANT(NEXMO_ERR_TLS);
    CONSTANT(NEXMO_ERR_PROTOCOL);
    CONSTANT(NEXMO_ERR_PROXY);
    CONSTANT(NEXMO_ERR_CANCELLED);
    CONSTANT(NEXMO_ERR_SYSTEM);
    CONSTANT(NEXMO_ERR_UNAUTHORIZED);
    CONSTANT(NEXMO_ERR_NOT_ENABLED);
    CONSTANT(NEXMO_ERR_REJECTED);
    CONSTANT(NEXMO_ERR_RATE_LIMITED);
    CONSTANT(NEXMO_ERR_UNAVAILABLE);
    CONSTANT(NEXMO_ERR_REDIRECTED);
    CONSTANT(NEXMO_ERR_UNEXPECTED_STATUS);
    CONSTANT(NEXMO_ERR_OUTBOX);
    CONSTANT(NEXMO_ERR_OUTBOX_FULL);
    CONSTANT(NEXMO_ERR_OUTBOX_BUSY);
    CONSTANT(NEXMO_ERR_OUTBOX_CORRUPT);
    CONSTANT(NEXMO_ERR_OUTBOX_WRONG_ACCOUNT);
    CONSTANT(NEXMO_ERR_OUTBOX_VERSION);
    CONSTANT(NEXMO_ERR_PENDING);
    CONSTANT(NEXMO_ERR_SUSPENDED);
    CONSTANT(NEXMO_ERR_INTERNAL);
    CONSTANT(NEXMO_TIMESTAMP_SIZE);
    CONSTANT(NEXMO_AUTH_QUERY);
    CONSTANT(NEXMO_AUTH_BASIC);
    CONSTANT(NEXMO_AUTH_SIGNATURE);
    CONSTANT(NEXMO_SIGNATURE_MD5_HASH);
    CONSTANT(NEXMO_SIGNATURE_HMAC_MD5);
    CONSTANT(NEXMO_SIGNATURE_HMAC_SHA1);
    CONSTANT(NEXMO_SIGNATURE_HMAC_SHA256);
    CONSTANT(NEXMO_SIGNATURE_HMAC_SHA512);
    CONSTANT(NEXMO_OPTIONS_ALLOW_PLAIN_HTTP);
    CONSTANT(NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT);
    CONSTANT(NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY);
    CONSTANT(NEXMO_OPTIONS_SIGN_UNIX_SECONDS);
    CONSTANT(NEXMO_ACCEPTANCE_NO);
    CONSTANT(NEXMO_ACCEPTANCE_UNKNOWN);
    CONSTANT(NEXMO_ACCEPTANCE_YES);
    CONSTANT(NEXMO_MESSAGE_SIZE);
    CONSTANT(NEXMO_CHANNEL_SMS);
    CONSTANT(NEXMO_CHANNEL_VOICE);
    CONSTANT(NEXMO_DURABILITY_PROCESS);
    CONSTANT(NEXMO_DURABILITY_POWER);
    CONSTANT(NEXMO_DURABILITY_NONE);
    CONSTANT(NEXMO_OVERFLOW_FAIL);
    CONSTANT(NEXMO_OVERFLOW_DROP_OLDEST);
    CONSTANT(NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM);
    CONSTANT(NEXMO_EVENT_NONE);
    CONSTANT(NEXMO_EVENT_REJECTED);
    CONSTANT(NEXMO_EVENT_EXPIRED);
    CONSTANT(NEXMO_EVENT_DROPPED);
    CONSTANT(NEXMO_MESSAGE_ID_SIZE);
    CONSTANT(NEXMO_STATE_RUNNING);
    CONSTANT(NEXMO_STATE_BACKING_OFF);
    CONSTANT(NEXMO_STATE_SUSPENDED);
    CONSTANT(NEXMO_STATE_CLOSED);
    CONSTANT(NEXMO_STATE_STANDBY);
    CONSTANT(NEXMO_DETAIL_STATUS);
    CONSTANT(NEXMO_DETAIL_HTTP_STATUS);
    CONSTANT(NEXMO_DETAIL_ATTEMPTS);
    CONSTANT(NEXMO_DETAIL_ACCEPTANCE);
    CONSTANT(NEXMO_DETAIL_ELAPSED_US);
    CONSTANT(NEXMO_DETAIL_RETRY_AFTER_MS);
    CONSTANT(NEXMO_DETAIL_COUNT);
    CONSTANT(NEXMO_EVENT_FIELD_ID);
    CONSTANT(NEXMO_EVENT_FIELD_KIND);
    CONSTANT(NEXMO_EVENT_FIELD_CHANNEL);
    CONSTANT(NEXMO_EVENT_FIELD_DELIVERED);
    CONSTANT(NEXMO_EVENT_FIELD_HTTP_STATUS);
    CONSTANT(NEXMO_EVENT_FIELD_COUNT);
    return 0;
}
