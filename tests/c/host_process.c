/* Tests the library inside a host process: long loops, threads, forks and signals. */
#define _GNU_SOURCE
#include "harness.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "fixture.h"

enum { THREADS = 8, CALLS_A_THREAD = 25, CHILDREN = 4, CALLS_A_CHILD = 5 };

/* The maximum growth of memory in a long loop, in KiB, which detects a leak of 32 bytes per call. In a shorter
 * loop, such a leak would be too small to detect, and the growth could come from a checker such as valgrind. */
enum { MOST_GROWTH = 256, LONG_LOOP = 10000 };

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1)
        CHECK(0, "/proc/self/statm cannot be read");
    if (file != NULL)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Returns the number that the sandbox gave to the connection of the last request. */
static long last_connection(void)
{
    char line[8192];
    const char *found;
    sandbox_last_request(line, sizeof line);
    found = strstr(line, "\"connection\":");
    return found == NULL ? -1 : atol(found + strlen("\"connection\":"));
}

static void call_repeatedly(long calls)
{
    long i;
    for (i = 0; i < calls; i++) {
        struct call call = valid_call();
        if (make(&call) != NEXMO_OK) {
            CHECK(0, "call %ld: %s", i, call.result.message);
            return;
        }
    }
}

static void a_loop_keeps_its_connection_and_its_memory(long calls)
{
    long connection, memory, requests;
    call_repeatedly(calls / 10 + 1);
    connection = last_connection();
    memory = resident_kib();
    requests = sandbox_requests();
    call_repeatedly(calls);
    memory = resident_kib() - memory;
    printf("%ld calls: memory grew by %ld KiB\n", calls, memory);
    CHECK(sandbox_requests() - requests == calls, "the sandbox received %ld requests", sandbox_requests() - requests);
    CHECK(connection > 0 && last_connection() == connection, "connection %ld became %ld", connection, last_connection());
    CHECK(memory <= MOST_GROWTH || calls < LONG_LOOP, "memory grew by %ld KiB", memory);
}

static void *report_in_a_thread(void *failures)
{
    int i;
    for (i = 0; i < CALLS_A_THREAD; i++) {
        struct call call = valid_call();
        call.options.base_url = sandbox_https();
        call.options.ca_file = sandbox_ca();
        if (make(&call) != NEXMO_OK)
            ++*(int *)failures;
    }
    return NULL;
}

static void threads_report_concurrently(void)
{
    const long requests_before = sandbox_requests();
    pthread_t threads[THREADS];
    int failures[THREADS] = {0};
    int i;
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, report_in_a_thread, &failures[i]) == 0, "the thread was not created");
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(failures[i] == 0, "%d calls of a thread failed", failures[i]);
    }
    CHECK(sandbox_requests() - requests_before == THREADS * CALLS_A_THREAD,
          "the sandbox received %ld requests", sandbox_requests() - requests_before);
}

/* Children and parent report concurrently. On a shared connection their requests would mix. */
static void forked_children_use_separate_connections(void)
{
    const long requests_before = sandbox_requests();
    pid_t children[CHILDREN];
    int i, state;
    call_repeatedly(1);
    for (i = 0; i < CHILDREN; i++) {
        fflush(NULL);
        children[i] = fork();
        if (children[i] == 0) {
            const long failed_before = checks_failed;
            call_repeatedly(CALLS_A_CHILD);
            _exit(checks_failed == failed_before ? 0 : 1);
        }
    }
    call_repeatedly(CALLS_A_CHILD);
    for (i = 0; i < CHILDREN; i++) {
        CHECK(waitpid(children[i], &state, 0) == children[i], "waiting for the child failed");
        CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 0, "child %d ended with %d", i, state);
    }
    CHECK(sandbox_requests() - requests_before == 1 + (CHILDREN + 1) * CALLS_A_CHILD, "the sandbox received %ld requests",
          sandbox_requests() - requests_before);
}

/* The signal handlers of the host before the first call of the library. */
static struct sigaction handlers[32];

void remember_signals(void)
{
    int number;
    for (number = 1; number < 32; number++)
        sigaction(number, NULL, &handlers[number]);
}

static void no_signal_handler_is_changed(void)
{
    struct sigaction now;
    int number;
    for (number = 1; number < 32; number++) {
        sigaction(number, NULL, &now);
        CHECK(now.sa_handler == handlers[number].sa_handler, "the handler of signal %d was replaced", number);
    }
}

static volatile sig_atomic_t interruptions;

static void count_interruption(int number)
{
    (void)number;
    interruptions++;
}

/* A timer often interrupts system calls, and SIGPIPE has its default action, which ends the process. */
static void signals_change_nothing(void)
{
    const struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    struct sigaction count = {0}, pipe_before, pipe_default = {0};
    count.sa_handler = count_interruption;
    pipe_default.sa_handler = SIG_DFL;
    sigaction(SIGPIPE, &pipe_default, &pipe_before);
    sigaction(SIGALRM, &count, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    call_repeatedly(200);
    setitimer(ITIMER_REAL, &never, NULL);
    /* A pending SIGALRM would end the process if it were not ignored. */
    signal(SIGALRM, SIG_IGN);
    sigaction(SIGPIPE, &pipe_before, NULL);
    CHECK(interruptions > 10, "only %d signals interrupted the calls", (int)interruptions);
}

void test_host_process(long calls)
{
    a_loop_keeps_its_connection_and_its_memory(calls);
    threads_report_concurrently();
    forked_children_use_separate_connections();
    no_signal_handler_is_changed();
    signals_change_nothing();
}
