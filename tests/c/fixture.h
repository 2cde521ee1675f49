/* What every test begins with: the sandbox of this run, and a call that is fine. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "nexmo_conversion.h"

/* A call, before it is made. */
struct call {
    int is_voice;
    const char *message_id;
    int32_t delivered;
    const char *timestamp;
    nexmo_credentials credentials;
    nexmo_options options;
    nexmo_result result;
};

/* The sandbox's addresses. A missing one ends the harness with a sentence. */
const char *sandbox_http(void);
const char *sandbox_https(void);
const char *sandbox_ca(void);

/* How many requests the sandbox has received so far. It counts a request before it answers. */
long sandbox_requests(void);

/* The last line of the sandbox's log, cut to fit. */
void sandbox_last_request(char *line, size_t size);

/* A call that the sandbox takes: sms, over HTTP, with the secret in the query. */
struct call fine_call(void);

/* Makes the call. */
nexmo_status make(struct call *call);

/* Makes the same report through a new client. The status is that of the function that failed. */
nexmo_status make_by_client(struct call *call);

#endif
