/* Prints each struct with its size, each field with its offset and size, and each constant with its value.
   abi/tests compares that with docs/abi.json, on 64 and on 32 bits.
   Generated from src/ffi by `make generate`; do not edit. */
#include <stddef.h>
#include <stdio.h>

#include "nexmo_conversion.h"

#define STRUCT(type) printf("%s %lu\n", #type, (unsigned long)sizeof(type))
#define PLACE(type, field)                                                                     \
    printf("%s.%s %lu %lu\n", #type, #field, (unsigned long)offsetof(type, field),              \
           (unsigned long)sizeof(((type *)NULL)->field))
#define CONSTANT(name) printf("%s %ld\n", #name, (long)(name))

int main(void)
{
    STRUCT(nexmo_credentials);
    PLACE(nexmo_credentials, struct_size);
    PLACE(nexmo_credentials, flags);
    PLACE(nexmo_credentials, api_key);
    PLACE(nexmo_credentials, api_secret);
    PLACE(nexmo_credentials, signature_secret);
    PLACE(nexmo_credentials, auth);
    PLACE(nexmo_credentials, signature_method);
    STRUCT(nexmo_options);
    PLACE(nexmo_options, struct_size);
    PLACE(nexmo_options, flags);
    PLACE(nexmo_options, base_url);
    PLACE(nexmo_options, proxy);
    PLACE(nexmo_options, ca_file);
    PLACE(nexmo_options, client_cert_file);
    PLACE(nexmo_options, client_key_file);
    PLACE(nexmo_options, user_agent);
    PLACE(nexmo_options, connect_timeout_ms);
    PLACE(nexmo_options, timeout_ms);
    PLACE(nexmo_options, max_attempts);
    PLACE(nexmo_options, max_idle_connections);
    STRUCT(nexmo_result);
    PLACE(nexmo_result, struct_size);
    PLACE(nexmo_result, flags);
    PLACE(nexmo_result, status);
    PLACE(nexmo_result, http_status);
    PLACE(nexmo_result, attempts);
    PLACE(nexmo_result, acceptance);
    PLACE(nexmo_result, elapsed_us);
    PLACE(nexmo_result, retry_after_ms);
    PLACE(nexmo_result, message);
    STRUCT(nexmo_reporter_options);
    PLACE(nexmo_reporter_options, struct_size);
    PLACE(nexmo_reporter_options, flags);
    PLACE(nexmo_reporter_options, outbox);
    PLACE(nexmo_reporter_options, durability);
    PLACE(nexmo_reporter_options, overflow);
    PLACE(nexmo_reporter_options, max_pending);
    PLACE(nexmo_reporter_options, max_age_s);
    PLACE(nexmo_reporter_options, max_in_flight);
    PLACE(nexmo_reporter_options, busy_timeout_ms);
    STRUCT(nexmo_event);
    PLACE(nexmo_event, struct_size);
    PLACE(nexmo_event, flags);
    PLACE(nexmo_event, id);
    PLACE(nexmo_event, created_unix_ms);
    PLACE(nexmo_event, kind);
    PLACE(nexmo_event, http_status);
    PLACE(nexmo_event, channel);
    PLACE(nexmo_event, delivered);
    PLACE(nexmo_event, message_id);
    PLACE(nexmo_event, timestamp);
    PLACE(nexmo_event, message);
    STRUCT(nexmo_statistics);
    PLACE(nexmo_statistics, struct_size);
    PLACE(nexmo_statistics, flags);
    PLACE(nexmo_statistics, state);
    PLACE(nexmo_statistics, in_flight);
    PLACE(nexmo_statistics, last_error);
    PLACE(nexmo_statistics, last_error_http_status);
    PLACE(nexmo_statistics, submitted);
    PLACE(nexmo_statistics, accepted);
    PLACE(nexmo_statistics, rejected);
    PLACE(nexmo_statistics, expired);
    PLACE(nexmo_statistics, replaced);
    PLACE(nexmo_statistics, dropped);
    PLACE(nexmo_statistics, damaged);
    PLACE(nexmo_statistics, pending);
    PLACE(nexmo_statistics, events);
    PLACE(nexmo_statistics, events_discarded);
    PLACE(nexmo_statistics, outbox_resets);
    PLACE(nexmo_statistics, outbox_errors);
    PLACE(nexmo_statistics, oldest_pending_ms);
    PLACE(nexmo_statistics, last_error_unix_ms);
    PLACE(nexmo_statistics, last_error_message);
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
