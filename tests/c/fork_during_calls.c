/*
 * Forks repeatedly while threads are inside calls. Every child reports through the inherited client and without a
 * client. The threads of the parent do the same until all children have ended.
 *
 *     nexmo-sandbox -- fork_during_calls CHILDREN             fails if a child hangs or cannot report
 *     nexmo-sandbox -- fork_during_calls CHILDREN without     disables the fork handlers (testing library only), and prints
 *                                                             the number of children that hang or fail
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "fixture.h"

enum { THREADS = 8, AT_ONCE = 20 };

/* The time limit of a child. It suffices on a busy machine. If many children are expected to hang, it is shorter. */
static unsigned int seconds_a_child = 60;

void nexmo_testing_without_fork_handlers(void);

long checks_passed = 0;
long checks_failed = 0;

static nexmo_client *client;
static atomic_int is_over;
static atomic_long reports;

static int report_both_ways(void)
{
    struct call call = valid_call();
    const nexmo_status by_client = nexmo_client_report(client, NEXMO_CHANNEL_SMS, "fork", 1, NULL, NULL);
    const nexmo_status by_call = make(&call);
    return by_client == NEXMO_OK && by_call == NEXMO_OK;
}

static void *report_until_over(void *failures)
{
    while (!is_over) {
        if (!report_both_ways())
            ++*(long *)failures;
        reports++;
    }
    return NULL;
}

/* Reports in a child. SIGALRM ends a child that hangs. */
static void run_child(void)
{
    alarm(seconds_a_child);
    _exit(report_both_ways() && report_both_ways() ? 0 : 1);
}

/* Starts count children concurrently, and counts those that hung or failed. */
static void fork_some(int count, long *hung, long *failed)
{
    pid_t children[AT_ONCE];
    int i, state;
    for (i = 0; i < count; i++) {
        children[i] = fork();
        if (children[i] == 0)
            run_child();
    }
    for (i = 0; i < count; i++)
        if (waitpid(children[i], &state, 0) != children[i])
            ++*failed;
        else if (WIFSIGNALED(state))
            ++*hung;
        else
            *failed += WEXITSTATUS(state) != 0;
}

int main(int argc, char **argv)
{
    const long children = argc > 1 ? atol(argv[1]) : 1000;
    const int is_without = argc > 2 && strcmp(argv[2], "without") == 0;
    struct call call = valid_call();
    pthread_t threads[THREADS];
    long failures[THREADS] = {0}, made, hung = 0, failed = 0;
    int i;

    if (is_without) {
        nexmo_testing_without_fork_handlers();
        seconds_a_child = 5;
    }
    CHECK(nexmo_client_new(&call.credentials, &call.options, &client, &call.result) == NEXMO_OK, "%s", call.result.message);
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, report_until_over, &failures[i]);
    for (made = 0; made < children; made += AT_ONCE)
        fork_some((int)(children - made < AT_ONCE ? children - made : AT_ONCE), &hung, &failed);
    is_over = 1;
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(failures[i] == 0 || is_without, "thread %d of the parent failed %ld times", i, failures[i]);
    }
    CHECK(report_both_ways() || is_without, "the parent can no longer report");
    printf("%ld forks%s: %ld children hung, %ld failed; the parent made %ld reports meanwhile\n", children,
           is_without ? " without handlers" : "", hung, failed, reports * 2);
    CHECK((hung == 0 && failed == 0) || is_without, "%ld children hung, %ld failed", hung, failed);
    CHECK(nexmo_client_free(client) == NEXMO_OK, "the client was not freed");
    printf("%ld passed, %ld failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
