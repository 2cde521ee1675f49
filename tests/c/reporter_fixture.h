/* Helpers for the tests of reporters: a valid reporter, files for outboxes, and bounded waits. */
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

/* A time limit that an operation exceeds only if it fails, even on a busy machine or under a checker. */
enum { PLENTY_MS = 60000 };

/* Waits until a condition holds. Fails with a message if it does not hold within about PLENTY_MS. */
#define WAIT_UNTIL(condition, ...)                                                                                               \
    do {                                                                                                                         \
        long left_ms = PLENTY_MS;                                                                                                \
        while (left_ms > 0 && !(condition)) {                                                                                    \
            poll(NULL, 0, 1);                                                                                                    \
            left_ms--;                                                                                                           \
        }                                                                                                                        \
        CHECK(left_ms > 0, __VA_ARGS__);                                                                                         \
    } while (0)

/* Return arguments for a reporter that sends to the sandbox, with an outbox in a new file or at a given path. */
struct reporting valid_reporting(void);
struct reporting valid_reporting_at(const char *outbox);

/* Returns arguments for a reporter that sends to a service that accepts connections but never responds. */
struct reporting unanswered_reporting(void);

/* Returns arguments for a reporter with a wrong secret. Its reports stay in the outbox, and a reporter of
 * valid_reporting_at can send them. */
struct reporting unauthorized_reporting(void);

/* Creates a reporter. The call must succeed. */
nexmo_reporter *begin(struct reporting *reporting);

/* Tries to create a reporter and frees it immediately. Returns the status of the creation. */
nexmo_status try_new_reporter(struct reporting *reporting);

/* Submits a report for a delivered SMS. */
nexmo_status submit(nexmo_reporter *reporter, const char *message_id);

/* Submits reports with the message ids "NAME-0" to "NAME-(count - 1)". Each submit must succeed. */
void submit_some(nexmo_reporter *reporter, const char *name, int count);

/* Returns the statistics, and checks that the counts add up. */
nexmo_statistics statistics_of(nexmo_reporter *reporter);

/* Returns the oldest event without acknowledging it. If there is no event, returns one of the kind NEXMO_EVENT_NONE,
 * even for a closed reporter. */
nexmo_event oldest_event(nexmo_reporter *reporter);

/* Returns the oldest event and acknowledges it. */
nexmo_event consume_event(nexmo_reporter *reporter);

/* Returns whether the reporter's descriptor is readable. */
int is_readable(nexmo_reporter *reporter);

/* Returns the number of accepted requests with the message id NAME or "NAME-...", and copies the log line of the last
 * one to line. */
long sandbox_accepted(const char *name, char *line, size_t size);

/* Returns the number of connections to the service that never responds. */
int unanswered_connections(void);

/* Return the path of a new outbox in this run's folder, and the path of a companion file. The strings stay valid. */
const char *new_outbox(void);
const char *beside(const char *path, const char *ending);

/* Removes the folder of this run with its contents. */
void remove_outboxes(void);

/* Returns the time of the monotonic clock in milliseconds. */
long now_ms(void);

#endif
