/* What the tests of reporters begin with: a reporter that is fine, files for outboxes, and waits that have an end. */
#ifndef REPORTER_FIXTURE_H
#define REPORTER_FIXTURE_H

#include <poll.h>

#include "check.h"
#include "nexmo_conversion.h"

/* A reporter, before it is made. */
struct reporting {
    nexmo_credentials credentials;
    nexmo_options options;
    nexmo_reporter_options reporter_options;
    nexmo_result result;
};

/* How long anything may take that comes about without fail: plenty, for a machine may be busy or watched by a checker. */
enum { PLENTY_MS = 60000 };

/* Waits until something has come about. */
#define WAIT_UNTIL(condition, ...)                                                                                               \
    do {                                                                                                                         \
        long left_ms = PLENTY_MS;                                                                                                \
        while (left_ms > 0 && !(condition)) {                                                                                    \
            poll(NULL, 0, 1);                                                                                                    \
            left_ms--;                                                                                                           \
        }                                                                                                                        \
        CHECK(left_ms > 0, __VA_ARGS__);                                                                                         \
    } while (0)

/* One that reports to the sandbox, with an outbox in a new file or in that of another. */
struct reporting fine_reporting(void);
struct reporting fine_reporting_into(const char *outbox);

/* One that reports to a service that takes connections and never answers. */
struct reporting unheard_reporting(void);

/* One whose secret is wrong: its reports stay in the outbox, which belongs to the same account as that of a fine one. */
struct reporting unauthorized_reporting(void);

/* Makes a reporter, which must succeed. */
nexmo_reporter *begin(struct reporting *reporting);

/* Tries to make a reporter, and gives it back at once if there is one. The result says what came of it. */
nexmo_status try_to_begin(struct reporting *reporting);

/* Submits an SMS that was delivered. */
nexmo_status submit(nexmo_reporter *reporter, const char *message_id);

/* Submits "NAME-0" to "NAME-(count - 1)", all of which must be accepted. */
void submit_some(nexmo_reporter *reporter, const char *name, int count);

/* The statistics, whose counts must add up. */
nexmo_statistics statistics_of(nexmo_reporter *reporter);

/* The oldest event, which stays, with NEXMO_EVENT_NONE as its kind if there is none, also in a closed reporter. */
nexmo_event oldest_event(nexmo_reporter *reporter);

/* The same, and acknowledges it. */
nexmo_event take_event(nexmo_reporter *reporter);

/* Whether the reporter's descriptor is readable. */
int is_readable(nexmo_reporter *reporter);

/* How many requests the sandbox took for "NAME-..." or NAME itself, and the last line of its log on one of them. */
long sandbox_took(const char *name, char *line, size_t size);

/* How many connections were made to the service that never answers. */
int unheard_connections(void);

/* A path for a new outbox, in a folder of this run, and that of a file beside it. They stay as they are. */
const char *new_outbox(void);
const char *beside(const char *path, const char *ending);

/* Removes that folder and all that is in it. */
void remove_outboxes(void);

/* Milliseconds of a clock that is never set. */
long now_ms(void);

#endif
