/* Shared by the tests of the flat functions. */
#ifndef FLAT_FIXTURE_H
#define FLAT_FIXTURE_H

#include <stdint.h>
#include <string.h>

#include "nexmo_conversion.h"

/* Opens a client that the sandbox accepts, with additional settings. Must succeed. */
int64_t open_flat_client(const char *settings);

/* The same for a reporter with an outbox in a new file and without a network: its reports stay pending. */
int64_t open_flat_reporter(const char *settings);
int64_t open_unanswered_flat_reporter(const char *settings);

/* Tries to open "settings", NUL-terminated, and closes what was opened. The message is that of the open. */
nexmo_status try_to_open_flat(const char *settings, char message[NEXMO_MESSAGE_SIZE]);

/* Submits an SMS that was delivered, which must succeed. */
void submit_flat(int64_t handle, const char *message_id);

/* The number of a statistic, which must exist. */
int64_t flat_statistic(int64_t handle, const char *name);

/* Closes a handle, and returns the status. */
nexmo_status close_flat(int64_t handle, int32_t timeout_ms);

/* Whether the details are those of a call that sent nothing. */
int are_of_nothing(const int64_t *details, nexmo_status status);

/* A number of bytes at the end of accessible memory: access beyond them ends the process. */
char *guarded(size_t size);

/* A copy of bytes at the end of that memory. */
char *guarded_copy(const void *bytes, size_t size);

#endif
