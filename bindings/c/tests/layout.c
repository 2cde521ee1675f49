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
    return 0;
}
