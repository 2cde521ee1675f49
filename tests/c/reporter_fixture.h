/* Shared by the tests of reporters: a valid reporter, files for outboxes, and bounded waits. */
#ifndef REPORTER_FIXTURE_H
#define REPORTER_FIXTURE_H

#include <poll.h>

#include "check.h"
#include "nexmo_conversion.h"

/* The arguments for a new reporter. */
struct reporting {
    nexmo_credentials credentials;
    nexmo_options options;
    nexmo_reporter_options reporter_options;
    nexmo_result result;
};

/* Longer than any working operation takes, on a busy machine or under a checker. */
enum { PLENTY_MS = 60000 };

/* Waits for a condition. */
#define WAIT_UNTIL(condition, ...)                                                                                               \
    do {                                                                                                                         \
        long left_ms = PLENTY_MS;                                                                                                \
        while (left_ms > 0 && !(condition)) {                                                                                    \
            poll(NULL, 0, 1);                                                                                                    \
            left_ms--;                                                                                                           \
        }                                                                                                                        \
        CHECK(left_ms > 0, __VA_ARGS__);                                                                                         \
    } while (0)

/* One that reports to the sandbox, with an outbox in a new file or at a given path. */
struct reporting valid_reporting(void);
struct reporting valid_reporting_at(const char *outbox);

/* One that reports to a service that accepts connections and never responds. */
struct reporting unanswered_reporting(void);

/* One with a wrong secret: its reports stay in the outbox, which belongs to the same account as that of a valid one. */
struct reporting unauthorized_reporting(void);

/* Creates a reporter. Must succeed. */
nexmo_reporter *begin(struct reporting *reporting);

/* Tries to create a reporter, and frees it at once. The result is that of the creation. */
nexmo_status try_new_reporter(struct reporting *reporting);

/* Submits an SMS that was delivered. */
nexmo_status submit(nexmo_reporter *reporter, const char *message_id);

/* Submits "NAME-0" to "NAME-(count - 1)". Each must succeed. */
void submit_some(nexmo_reporter *reporter, const char *name, int count);

/* Returns the statistics, and checks that the counts add up. */
nexmo_statistics statistics_of(nexmo_reporter *reporter);

/* The oldest event, without acknowledging it; of kind NEXMO_EVENT_NONE if there is none, also in a closed reporter. */
nexmo_event oldest_event(nexmo_reporter *reporter);

/* The same, and acknowledges it. */
nexmo_event consume_event(nexmo_reporter *reporter);

/* Whether the reporter's descriptor is readable. */
int is_readable(nexmo_reporter *reporter);

/* The number of accepted requests for "NAME-..." or NAME itself, and the log line of the last one. */
long sandbox_accepted(const char *name, char *line, size_t size);

/* The number of connections to the service that never responds. */
int unanswered_connections(void);

/* A path for a new outbox in this run's folder, and that of a companion file. The strings stay valid. */
const char *new_outbox(void);
const char *beside(const char *path, const char *ending);

/* Removes that folder with its contents. */
void remove_outboxes(void);

/* Milliseconds of the monotonic clock. */
long now_ms(void);

#endif
