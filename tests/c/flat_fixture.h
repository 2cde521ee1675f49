/* Helpers for the tests of the flat functions. */
#ifndef FLAT_FIXTURE_H
#define FLAT_FIXTURE_H

#include <stdint.h>
#include <string.h>

#include "nexmo_conversion.h"

/* Opens a client for the sandbox with additional settings. The call must succeed. */
int64_t open_flat_client(const char *settings);

/* Opens a reporter with an outbox in a new file. The first function uses the sandbox, the second a service that never
 * responds. */
int64_t open_flat_reporter(const char *settings);
int64_t open_unanswered_flat_reporter(const char *settings);

/* Tries to open a handle with NUL-terminated settings, and closes it on success. Returns the status of nexmo_flat_open
 * and copies its message to message. */
nexmo_status try_to_open_flat(const char *settings, char message[NEXMO_MESSAGE_SIZE]);

/* Submits a report for a delivered SMS. The call must succeed. */
void submit_flat(int64_t handle, const char *message_id);

/* Returns the value of a statistic, which must exist. */
int64_t flat_statistic(int64_t handle, const char *name);

/* Closes a handle, and returns the status. */
nexmo_status close_flat(int64_t handle, int32_t timeout_ms);

/* Returns whether the details are those of a call that sent nothing. */
int are_of_nothing(const int64_t *details, nexmo_status status);

/* Returns size bytes at the end of accessible memory, so that an access beyond them ends the process. */
char *guarded(size_t size);

/* Copies bytes to such memory and returns the copy. */
char *guarded_copy(const void *bytes, size_t size);

#endif
