/* Helpers for the tests of the flat functions. */
#define _GNU_SOURCE
#include "flat_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "reporter_fixture.h"
#include "fixture.h"

enum { GUARDED = 128 * 1024 };

static int64_t open_flat(const char *beginning, const char *settings)
{
    char text[2048], message[NEXMO_MESSAGE_SIZE];
    int64_t handle = -1;
    snprintf(text, sizeof text, "api_key = abcd1234\napi_secret = s3cret\n%s%s", beginning, settings);
    CHECK(nexmo_flat_open(text, -1, &handle, message, sizeof message) == NEXMO_OK, "%s", message);
    CHECK(handle >= 65536, "the handle is %lld", (long long)handle);
    return handle;
}

int64_t open_flat_client(const char *settings)
{
    char beginning[512];
    snprintf(beginning, sizeof beginning, "base_url = %s\n", sandbox_http());
    return open_flat(beginning, settings);
}

static int64_t open_flat_reporter_to(const char *base_url, const char *settings)
{
    char beginning[512];
    snprintf(beginning, sizeof beginning, "base_url = %s\noutbox = %s\nbusy_timeout_ms = 10000\n", base_url, new_outbox());
    return open_flat(beginning, settings);
}

int64_t open_flat_reporter(const char *settings)
{
    return open_flat_reporter_to(sandbox_http(), settings);
}

int64_t open_unanswered_flat_reporter(const char *settings)
{
    return open_flat_reporter_to(unanswered_reporting().options.base_url, settings);
}

nexmo_status try_to_open_flat(const char *settings, char message[NEXMO_MESSAGE_SIZE])
{
    int64_t handle = -1;
    const nexmo_status status = nexmo_flat_open(settings, -1, &handle, message, NEXMO_MESSAGE_SIZE);
    CHECK((status == NEXMO_OK) == (handle != 0), "a failed open must set the handle to 0: %s", message);
    if (status == NEXMO_OK)
        CHECK(close_flat(handle, 0) == NEXMO_OK, "the handle was not closed");
    return status;
}

void submit_flat(int64_t handle, const char *message_id)
{
    char message[NEXMO_MESSAGE_SIZE];
    CHECK(nexmo_flat_submit(handle, NEXMO_CHANNEL_SMS, message_id, -1, 1, NULL, 0, NULL, 0, message, sizeof message) == NEXMO_OK,
          "%s", message);
}

int64_t flat_statistic(int64_t handle, const char *name)
{
    int64_t value = -99;
    CHECK(nexmo_flat_statistic(handle, name, -1, &value, NULL, 0) == NEXMO_OK, "the statistic %s was not returned", name);
    return value;
}

nexmo_status close_flat(int64_t handle, int32_t timeout_ms)
{
    return nexmo_flat_close(handle, timeout_ms, NULL, 0);
}

int are_of_nothing(const int64_t *details, nexmo_status status)
{
    return details[NEXMO_DETAIL_STATUS] == status && details[NEXMO_DETAIL_HTTP_STATUS] == 0 &&
           details[NEXMO_DETAIL_ATTEMPTS] == 0 && details[NEXMO_DETAIL_ACCEPTANCE] == NEXMO_ACCEPTANCE_NO &&
           details[NEXMO_DETAIL_RETRY_AFTER_MS] == -1;
}

char *guarded(size_t size)
{
    static char *end = NULL;
    if (end == NULL) {
        char *memory = mmap(NULL, 2 * GUARDED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED || mprotect(memory + GUARDED, GUARDED, PROT_NONE) != 0) {
            perror("mapping memory");
            exit(2);
        }
        end = memory + GUARDED;
    }
    return end - size;
}

char *guarded_copy(const void *bytes, size_t size)
{
    return memcpy(guarded(size), bytes, size);
}
