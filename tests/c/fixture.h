/* Helpers for C tests: access to the sandbox of this run, and a valid call. */
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

/* Return the addresses and the certificate authority of the sandbox. Exit with a message if they are not in the
 * environment. */
const char *sandbox_http(void);
const char *sandbox_https(void);
const char *sandbox_ca(void);

/* Returns the number of requests that the sandbox has received. The sandbox logs a request before it responds. */
long sandbox_requests(void);

/* Copies the last line of the sandbox's log, truncated to fit. */
void sandbox_last_request(char *line, size_t size);

/* Returns a call that the sandbox accepts: an SMS report over HTTP with the secret in the query. */
struct call valid_call(void);

/* Makes the call and returns its status. */
nexmo_status make(struct call *call);

/* Makes the same report through a new client. Returns the first status that is not NEXMO_OK, or NEXMO_OK. */
nexmo_status make_by_client(struct call *call);

#endif
