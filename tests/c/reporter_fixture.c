#define _GNU_SOURCE
#include "reporter_fixture.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

enum { MOST_PATHS = 512 };

static char folder[] = "/tmp/nexmo-outboxes-XXXXXX";
static int has_folder = 0;

/* Returns a buffer for a path. The buffers outlive the structs that borrow them. */
static char *new_path(void)
{
    static char paths[MOST_PATHS][128];
    static int used = 0;
    if (used == MOST_PATHS) {
        fprintf(stderr, "the tests use more than %d paths\n", MOST_PATHS);
        exit(2);
    }
    return paths[used++];
}

const char *new_outbox(void)
{
    static int number = 0;
    char *path = new_path();
    if (!has_folder && mkdtemp(folder) == NULL) {
        perror(folder);
        exit(2);
    }
    has_folder = 1;
    snprintf(path, sizeof(char[128]), "%s/outbox-%d", folder, number++);
    return path;
}

const char *beside(const char *path, const char *ending)
{
    char *other = new_path();
    snprintf(other, sizeof(char[128]), "%s%s", path, ending);
    return other;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *ftw)
{
    (void)found;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void remove_outboxes(void)
{
    const long deadline = now_ms() + 10000;
    int result = 0;
    /* The thread of a freed reporter may still create a file of its outbox while the folder is being removed. */
    while (has_folder && (result = nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS)) != 0 && now_ms() < deadline)
        poll(NULL, 0, 10);
    CHECK(result == 0, "%s was not removed", folder);
}

long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Returns a listening socket, on which connections are established but get no response, and stores its URL in url. */
static int silent_service(const char **url)
{
    static int listener = -1;
    static char address[64];
    struct sockaddr_in local = {0};
    socklen_t size = sizeof local;
    if (listener == -1) {
        local.sin_family = AF_INET;
        local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (bind(listener, (struct sockaddr *)&local, size) != 0 || listen(listener, 1024) != 0 ||
            getsockname(listener, (struct sockaddr *)&local, &size) != 0) {
            perror("opening a listening socket");
            exit(2);
        }
        snprintf(address, sizeof address, "http://127.0.0.1:%d", ntohs(local.sin_port));
    }
    if (url != NULL)
        *url = address;
    return listener;
}

int unanswered_connections(void)
{
    /* The connections stay open, because a reporter would replace closed ones. */
    static int count = 0;
    while (accept(silent_service(NULL), NULL, NULL) >= 0)
        count++;
    return count;
}

struct reporting valid_reporting(void)
{
    return valid_reporting_at(new_outbox());
}

struct reporting valid_reporting_at(const char *outbox)
{
    static const nexmo_reporter_options reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
    const struct call call = valid_call();
    struct reporting reporting;
    reporting.credentials = call.credentials;
    reporting.options = call.options;
    reporting.result = call.result;
    reporting.reporter_options = reporter_options;
    reporting.reporter_options.outbox = outbox;
    /* The default is for programs that must not wait. It is too short under a checker on a busy machine. */
    reporting.reporter_options.busy_timeout_ms = 10000;
    return reporting;
}

struct reporting unanswered_reporting(void)
{
    struct reporting reporting = valid_reporting();
    silent_service(&reporting.options.base_url);
    return reporting;
}

struct reporting unauthorized_reporting(void)
{
    struct reporting reporting = valid_reporting();
    reporting.credentials.api_secret = "not the secret";
    return reporting;
}

nexmo_reporter *begin(struct reporting *reporting)
{
    nexmo_reporter *reporter = NULL;
    const nexmo_status status = nexmo_reporter_new(&reporting->credentials, &reporting->options, &reporting->reporter_options,
                                                   &reporter, &reporting->result);
    CHECK(status == NEXMO_OK && reporter != NULL, "%s", reporting->result.message);
    return reporter;
}

nexmo_status try_new_reporter(struct reporting *reporting)
{
    nexmo_reporter *reporter = (nexmo_reporter *)(void *)reporting;
    const nexmo_status status = nexmo_reporter_new(&reporting->credentials, &reporting->options, &reporting->reporter_options,
                                                   &reporter, &reporting->result);
    CHECK((status == NEXMO_OK) == (reporter != NULL),
          "a failed creation must set the reporter to NULL: %s", reporting->result.message);
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
    return status;
}

nexmo_status submit(nexmo_reporter *reporter, const char *message_id)
{
    return nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, message_id, 1, NULL, NULL);
}

void submit_some(nexmo_reporter *reporter, const char *name, int count)
{
    nexmo_result result = NEXMO_RESULT_INIT;
    char message_id[64];
    int i;
    for (i = 0; i < count; i++) {
        snprintf(message_id, sizeof message_id, "%s-%d", name, i);
        nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, message_id, 1, NULL, &result);
        CHECK(result.status == NEXMO_OK, "%s: %s", message_id, result.message);
    }
}

nexmo_statistics statistics_of(nexmo_reporter *reporter)
{
    nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    CHECK(nexmo_reporter_statistics(reporter, &statistics, &result) == NEXMO_OK, "%s", result.message);
    CHECK(statistics.submitted == statistics.accepted + statistics.rejected + statistics.expired + statistics.replaced +
                                      statistics.dropped + statistics.damaged + statistics.pending,
          "%ld reports were submitted, %ld accepted, %ld are pending", (long)statistics.submitted, (long)statistics.accepted,
          (long)statistics.pending);
    CHECK((statistics.oldest_pending_ms == -1) == (statistics.pending == 0), "%ld reports are pending, the oldest for %ld ms",
          (long)statistics.pending, (long)statistics.oldest_pending_ms);
    return statistics;
}

nexmo_event oldest_event(nexmo_reporter *reporter)
{
    nexmo_event event = NEXMO_EVENT_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    nexmo_status status;
    event.kind = -1;
    status = nexmo_reporter_poll(reporter, 0, &event, &result);
    CHECK(status == NEXMO_OK || (status == NEXMO_ERR_CLOSED && event.kind == NEXMO_EVENT_NONE), "%s", result.message);
    CHECK((event.kind == NEXMO_EVENT_NONE) == (event.id == 0),
          "an event of kind %d has the id %ld", (int)event.kind, (long)event.id);
    return event;
}

nexmo_event consume_event(nexmo_reporter *reporter)
{
    const nexmo_event event = oldest_event(reporter);
    nexmo_result result = NEXMO_RESULT_INIT;
    if (event.kind != NEXMO_EVENT_NONE)
        CHECK(nexmo_reporter_acknowledge(reporter, event.id, &result) == NEXMO_OK, "%s", result.message);
    return event;
}

int is_readable(nexmo_reporter *reporter)
{
    struct pollfd watched = {0, POLLIN, 0};
    watched.fd = nexmo_reporter_fd(reporter);
    return poll(&watched, 1, 0) == 1 && (watched.revents & POLLIN) != 0;
}

/* Returns whether the request in this line has the message id NAME or "NAME-..." and was accepted. */
static int is_accepted(const char *line, const char *name)
{
    const char *found = strstr(line, "\"message_id\":\"");
    if (found == NULL || strstr(line, "\"status\":200,") == NULL)
        return 0;
    found += strlen("\"message_id\":\"");
    return begins_with(found, name) && strchr("-\"", found[strlen(name)]) != NULL;
}

long sandbox_accepted(const char *name, char *line, size_t size)
{
    static char next[8192];
    FILE *log = fopen(getenv("NEXMO_SANDBOX_LOG"), "r");
    long count = 0;
    while (log != NULL && fgets(next, sizeof next, log) != NULL)
        if (is_accepted(next, name)) {
            count++;
            snprintf(line, size, "%s", next);
        }
    if (log != NULL)
        fclose(log);
    return count;
}
