/* Tests reporters in a host process: forks, raw clones and signals. */
#define _GNU_SOURCE
#include "harness.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flat_fixture.h"
#include "reporter_fixture.h"

/* Ends a child by executing another program. Leak checkers would otherwise report the memory of the parent's threads,
 * which do not exist in the child. */
static void end_child(int is_well)
{
    execl("/bin/sh", "sh", "-c", is_well ? "exit 0" : "exit 1", (char *)NULL);
    _exit(1);
}

/* Uses the inherited reporter in a child. */
static void run_child(nexmo_reporter *reporter)
{
    const long failed_before = checks_failed;
    alarm(PLENTY_MS / 1000);
    submit_some(reporter, "child", 10);
    CHECK(nexmo_reporter_fd(reporter) >= 3, "the reporter has no descriptor");
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, NULL) == NEXMO_OK, "the reports were not sent");
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
    end_child(checks_failed == failed_before);
}

static void a_reporter_works_in_parent_and_child(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    int state;
    pid_t child;
    submit_some(reporter, "before", 10);
    fflush(NULL);
    child = fork();
    if (child == 0)
        run_child(reporter);
    submit_some(reporter, "parent", 10);
    CHECK(waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0, "the child ended with %d", state);
    CHECK(nexmo_reporter_flush(reporter, PLENTY_MS, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    CHECK(statistics_of(reporter).submitted == 30 && statistics_of(reporter).accepted == 30, "%ld reports were sent",
          (long)statistics_of(reporter).accepted);
    CHECK(sandbox_accepted("child", NULL, 0) >= 10 && sandbox_accepted("parent", NULL, 0) >= 10, "some reports did not arrive");
    nexmo_reporter_free(reporter);
}

/* Makes all calls in a child of a raw clone, which runs no fork handlers. Returns whether every call returned
 * NEXMO_ERR_FORKED. */
static int is_forked_everywhere(nexmo_reporter *reporter, struct reporting *reporting)
{
    nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
    nexmo_event event = NEXMO_EVENT_INIT;
    nexmo_reporter *none;
    return submit(reporter, "clone") == NEXMO_ERR_FORKED && nexmo_reporter_poll(reporter, 0, &event, NULL) == NEXMO_ERR_FORKED &&
           nexmo_reporter_flush(reporter, 0, NULL) == NEXMO_ERR_FORKED && nexmo_reporter_fd(reporter) == -NEXMO_ERR_FORKED &&
           nexmo_reporter_acknowledge(reporter, INT64_C(1) << 50, NULL) == NEXMO_ERR_FORKED &&
           nexmo_reporter_statistics(reporter, &statistics, NULL) == NEXMO_ERR_FORKED &&
           nexmo_reporter_close(reporter, 0, NULL) == NEXMO_ERR_FORKED && nexmo_reporter_free(reporter) == NEXMO_ERR_FORKED &&
           nexmo_reporter_new(&reporting->credentials, NULL, &reporting->reporter_options, &none, NULL) == NEXMO_ERR_FORKED;
}

/* Does the same with the flat functions, which must still write their outputs. */
static int is_forked_in_flat_functions(int64_t handle)
{
    int64_t event[NEXMO_EVENT_FIELD_COUNT] = {1, 1, 1, 1, 1}, opened = 1;
    char message[NEXMO_MESSAGE_SIZE] = "";
    return nexmo_flat_submit(handle, NEXMO_CHANNEL_SMS, "clone", -1, 1, NULL, 0, NULL, 0, NULL, 0) == NEXMO_ERR_FORKED &&
           nexmo_flat_poll(handle, 0, event, NEXMO_EVENT_FIELD_COUNT, NULL, 0, NULL, 0, message, sizeof message) ==
               NEXMO_ERR_FORKED &&
           event[NEXMO_EVENT_FIELD_KIND] == NEXMO_EVENT_NONE && message[0] != '\0' &&
           nexmo_flat_flush(handle, 0, NULL, 0) == NEXMO_ERR_FORKED &&
           nexmo_flat_acknowledge(handle, INT64_C(1) << 50, NULL, 0) == NEXMO_ERR_FORKED &&
           nexmo_flat_statistic(handle, "pending", -1, NULL, NULL, 0) == NEXMO_ERR_FORKED &&
           nexmo_flat_close(handle, 0, NULL, 0) == NEXMO_ERR_FORKED &&
           nexmo_flat_open("api_key = k\napi_secret = s", -1, &opened, NULL, 0) == NEXMO_ERR_FORKED && opened == 0;
}

static void a_child_of_a_raw_clone_gets_err_forked(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    const int64_t handle = open_flat_reporter("");
    int state;
    pid_t child;
    fflush(NULL);
    child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        alarm(PLENTY_MS / 1000);
        end_child(is_forked_everywhere(reporter, &reporting) && is_forked_in_flat_functions(handle));
    }
    CHECK(waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0, "the child ended with %d", state);
    CHECK(submit(reporter, "not-cloned") == NEXMO_OK && nexmo_reporter_flush(reporter, PLENTY_MS, NULL) == NEXMO_OK,
          "the child affected the reporter");
    CHECK(close_flat(handle, 0) == NEXMO_OK, "the child closed the handle of the parent");
    nexmo_reporter_free(reporter);
}

/* The host blocks its signals in its only thread, so they stay pending unless a thread of the library receives them. */
static void library_threads_receive_no_signal(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPROF, SIGALRM};
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    sigset_t all, before, waiting;
    size_t i;
    submit_some(reporter, "signals", 3);
    WAIT_UNTIL(statistics_of(reporter).in_flight > 0, "no report is in flight");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        void (*handler)(int) = signal(numbers[i], SIG_DFL);
        kill(getpid(), numbers[i]);
        sigpending(&waiting);
        CHECK(sigismember(&waiting, numbers[i]) == 1, "signal %d was delivered", numbers[i]);
        signal(numbers[i], SIG_IGN); /* discards it */
        signal(numbers[i], handler);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    nexmo_reporter_free(reporter);
}

void test_reporter_host_process(void)
{
    a_reporter_works_in_parent_and_child();
    a_child_of_a_raw_clone_gets_err_forked();
    library_threads_receive_no_signal();
}
