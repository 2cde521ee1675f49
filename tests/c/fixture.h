/* Shared by all tests: the sandbox of this run, and a valid call. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "nexmo_conversion.h"

/* The arguments of a call. */
struct call {
    int is_voice;
    const char *message_id;
    int32_t delivered;
    const char *timestamp;
    nexmo_credentials credentials;
    nexmo_options options;
    nexmo_result result;
};

/* The sandbox's addresses. Ends the harness with a message if one is missing. */
const char *sandbox_http(void);
const char *sandbox_https(void);
const char *sandbox_ca(void);

/* The number of requests that the sandbox has received. It counts a request before it responds. */
long sandbox_requests(void);

/* The last line of the sandbox's log, truncated to fit. */
void sandbox_last_request(char *line, size_t size);

/* A call that the sandbox accepts: SMS, over HTTP, with the secret in the query. */
struct call valid_call(void);

/* Makes the call. */
nexmo_status make(struct call *call);

/* Makes the same report through a new client. The status is that of the function that failed. */
nexmo_status make_by_client(struct call *call);

#endif
