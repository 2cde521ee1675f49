/* Prints the place of every field, as tests/abi/layout.txt has it, as this compiler sees the header. */
#include <stddef.h>
#include <stdio.h>

#include "nexmo_conversion.h"

#define STRUCT(type) printf("%s %lu\n", #type, (unsigned long)sizeof(type))
#define FIELD(type, field)                                                                                                       \
    printf("%s.%s %lu %lu\n", #type, #field, (unsigned long)offsetof(type, field), (unsigned long)sizeof(((type *)NULL)->field))

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
    FIELD(nexmo_options, attempts);
    FIELD(nexmo_options, connections);
    STRUCT(nexmo_result);
    FIELD(nexmo_result, struct_size);
    FIELD(nexmo_result, flags);
    FIELD(nexmo_result, status);
    FIELD(nexmo_result, http_status);
    FIELD(nexmo_result, attempts);
    FIELD(nexmo_result, taken);
    FIELD(nexmo_result, elapsed_us);
    FIELD(nexmo_result, retry_after_ms);
    FIELD(nexmo_result, message);
    STRUCT(nexmo_reporter_options);
    FIELD(nexmo_reporter_options, struct_size);
    FIELD(nexmo_reporter_options, flags);
    FIELD(nexmo_reporter_options, outbox);
    FIELD(nexmo_reporter_options, durability);
    FIELD(nexmo_reporter_options, when_full);
    FIELD(nexmo_reporter_options, most_reports);
    FIELD(nexmo_reporter_options, age_limit_s);
    FIELD(nexmo_reporter_options, connections);
    FIELD(nexmo_reporter_options, lock_wait_ms);
    STRUCT(nexmo_statistics);
    FIELD(nexmo_statistics, struct_size);
    FIELD(nexmo_statistics, flags);
    FIELD(nexmo_statistics, state);
    FIELD(nexmo_statistics, under_way);
    FIELD(nexmo_statistics, last_error);
    FIELD(nexmo_statistics, last_error_http_status);
    FIELD(nexmo_statistics, accepted);
    FIELD(nexmo_statistics, sent);
    FIELD(nexmo_statistics, refused);
    FIELD(nexmo_statistics, expired);
    FIELD(nexmo_statistics, replaced);
    FIELD(nexmo_statistics, dropped);
    FIELD(nexmo_statistics, pending);
    FIELD(nexmo_statistics, aside);
    FIELD(nexmo_statistics, forgotten);
    FIELD(nexmo_statistics, outboxes_lost);
    FIELD(nexmo_statistics, outbox_errors);
    FIELD(nexmo_statistics, oldest_pending_ms);
    FIELD(nexmo_statistics, last_error_unix_ms);
    FIELD(nexmo_statistics, last_error_message);
    STRUCT(nexmo_aside);
    FIELD(nexmo_aside, struct_size);
    FIELD(nexmo_aside, flags);
    FIELD(nexmo_aside, reason);
    FIELD(nexmo_aside, http_status);
    FIELD(nexmo_aside, channel);
    FIELD(nexmo_aside, delivered);
    FIELD(nexmo_aside, message_id);
    FIELD(nexmo_aside, timestamp);
    FIELD(nexmo_aside, message);
    return 0;
}
