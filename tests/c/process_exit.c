/*
 * Ends processes in several ways while their reporter sends, mostly without close or free. No process may hang or
 * print anything, and the next start must send the pending reports.
 *
 *     nexmo-sandbox RULES -- process_exit LIBRARY
 *
 * LIBRARY is the path of the library. This program also loads it by dlopen and unloads it while a reporter is open.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reporter_fixture.h"
#include "fixture.h"

enum { REPORTS = 300, THREADS = 4 };

/* The time limit within which a process must exit. */
enum { LONGEST_END_MS = 10000 };

long checks_passed = 0;
long checks_failed = 0;

/* The ways to exit. */
static const char *const ways[] = {"return", "exit",   "_exit",  "exit-in-a-thread", "exit-under-submits",
                                   "kill",   "closed", "dlclose"};

/* The functions that an exiting process calls, which are linked or loaded at run time. */
static nexmo_status (*new_reporter)(const nexmo_credentials *, const nexmo_options *, const nexmo_reporter_options *,
                                    nexmo_reporter **, nexmo_result *) = nexmo_reporter_new;
static nexmo_status (*submit_report)(nexmo_reporter *, int32_t, const char *, int32_t, const char *,
                                     nexmo_result *) = nexmo_reporter_submit;
static nexmo_reporter *reporter;

static void *submit_without_end(void *name)
{
    char message_id[64];
    int i;
    for (i = 0;; i++) {
        snprintf(message_id, sizeof message_id, "%s-more-%d", (const char *)name, i % 1000);
        submit_report(reporter, NEXMO_CHANNEL_SMS, message_id, 1, NULL, NULL);
    }
    return NULL;
}

static void *exit_from_here(void *unused)
{
    (void)unused;
    exit(0);
}

static void in_threads(void *(*work)(void *), const char *way, int count)
{
    pthread_t thread;
    while (count-- > 0)
        pthread_create(&thread, NULL, work, (void *)way);
}

/* Loads the library and resolves its functions, like a program that is not linked with it. */
static void *load(const char *library)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    void *const made = handle == NULL ? NULL : dlsym(handle, "nexmo_reporter_new");
    void *const submitted = handle == NULL ? NULL : dlsym(handle, "nexmo_reporter_submit");
    if (made == NULL || submitted == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    memcpy(&new_reporter, &made, sizeof made);
    memcpy(&submit_report, &submitted, sizeof submitted);
    return handle;
}

/* Creates the reporter and submits reports. Returns 0 on success. */
static int begin_to_send(const char *way, const char *outbox)
{
    struct reporting reporting = valid_reporting_at(outbox);
    char message_id[64];
    int i;
    if (new_reporter(&reporting.credentials, &reporting.options, &reporting.reporter_options, &reporter, NULL) != NEXMO_OK)
        return 3;
    for (i = 0; i < REPORTS; i++) {
        snprintf(message_id, sizeof message_id, "%s-%d", way, i);
        if (submit_report(reporter, NEXMO_CHANNEL_SMS, message_id, 1, NULL, NULL) != NEXMO_OK)
            return 4;
    }
    return 0;
}

/* Ends the process in this way, or returns if main should return. */
static void end_by(const char *way)
{
    if (strcmp(way, "exit") == 0)
        exit(0);
    if (strcmp(way, "_exit") == 0)
        _exit(0);
    if (strcmp(way, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(way, "closed") == 0)
        nexmo_reporter_close(reporter, 0, NULL);
    if (strcmp(way, "exit-under-submits") == 0)
        in_threads(submit_without_end, way, THREADS);
    if (strcmp(way, "exit-in-a-thread") == 0) {
        in_threads(exit_from_here, way, 1);
        for (;;)
            pause();
    }
}

/* Unloads the library as many times as it was loaded, while its threads run code that must stay mapped. Returns whether
 * the calls of dlclose succeeded. */
static int unload(void *handle, const char *library)
{
    const int is_unloaded = dlclose(handle) == 0 && dlclose(dlopen(library, RTLD_NOW)) == 0;
    poll(NULL, 0, 20);
    return is_unloaded;
}

/* Exits while reports are being sent, or returns the value that main must return. */
static int send_and_end(const char *way, const char *outbox, const char *library)
{
    void *handle = strcmp(way, "dlclose") == 0 ? load(library) : NULL;
    int failure;
    alarm(PLENTY_MS / 1000);
    failure = begin_to_send(way, outbox);
    if (failure == 0)
        end_by(way);
    return failure == 0 && handle != NULL && !unload(handle, library) ? 5 : failure;
}

/* Runs a process that ends in this way, with its output in a pipe, and measures the time until it exits. */
static void run(const char *program, const char *way, const char *outbox, const char *library)
{
    char output[256];
    int ends[2], state = -1;
    ssize_t size;
    long took = now_ms();
    pid_t child;
    CHECK(pipe(ends) == 0, "the pipe was not created");
    child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        execl(program, program, way, outbox, library, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    size = read(ends[0], output, sizeof output - 1);
    output[size > 0 ? size : 0] = '\0';
    close(ends[0]);
    CHECK(waitpid(child, &state, 0) == child, "waiting for the child failed");
    took = now_ms() - took;
    CHECK(size == 0, "%s: the process printed %s", way, output);
    if (strcmp(way, "kill") == 0)
        CHECK(WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL, "%s: the process ended with %d", way, state);
    else
        CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 0, "%s: the process ended with %d", way, state);
    CHECK(took < LONGEST_END_MS, "%s: the exit took %ld ms", way, took);
}

static void pending_reports_are_sent_at_the_next_start(const char *way, const char *outbox)
{
    struct reporting reporting = valid_reporting_at(outbox);
    nexmo_statistics statistics;
    long left;
    reporter = begin(&reporting);
    left = (long)statistics_of(reporter).pending;
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &reporting.result) == NEXMO_OK, "%s: %s", way, reporting.result.message);
    statistics = statistics_of(reporter);
    CHECK(statistics.submitted >= REPORTS && statistics.accepted + statistics.replaced == statistics.submitted,
          "%s: %ld reports were submitted, %ld accepted", way, (long)statistics.submitted, (long)statistics.accepted);
    CHECK(sandbox_accepted(way, NULL, 0) >= REPORTS, "%s: %ld reports arrived", way, sandbox_accepted(way, NULL, 0));
    printf("%s: %ld of %ld reports were left\n", way, left, (long)statistics.submitted);
    nexmo_reporter_free(reporter);
}

int main(int argc, char **argv)
{
    size_t i;
    if (argc == 4)
        return send_and_end(argv[1], argv[2], argv[3]);
    if (argc != 2) {
        fprintf(stderr, "usage: %s LIBRARY\n", argv[0]);
        return 2;
    }
    for (i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const char *outbox = new_outbox();
        run(argv[0], ways[i], outbox, argv[1]);
        pending_reports_are_sent_at_the_next_start(ways[i], outbox);
    }
    remove_outboxes();
    printf("%ld passed, %ld failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
