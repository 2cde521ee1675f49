/*
 * Forks repeatedly while threads submit to one reporter as fast as possible and its worker sends reports. Every child
 * submits through the inherited reporter, which the parent frees while some children still use it. At the end a new
 * process opens the outbox and sends the remaining reports. Every report whose submit returned NEXMO_OK must then have
 * arrived at the sandbox.
 *
 *     nexmo-sandbox -- fork_during_submits ROUNDS            fails if a report is lost, or a child hangs or fails
 *     nexmo-sandbox -- fork_during_submits ROUNDS without    disables the fork handlers (testing library only), and prints the
 *                                                            number of lost reports and of children that hang or fail
 *     nexmo-sandbox -- fork_during_submits servers           runs server processes that inherit a reporter, and kills senders
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reporter_fixture.h"
#include "fixture.h"

enum { THREADS = 4, CHILDREN = 10, REPORTS_A_CHILD = 100, SERVERS = 8, REPORTS_A_SERVER = 400, KILLED = 3, MOST = 1 << 20 };

/* The maximum number of submits per round. It is limited because the sandbox must receive every report. */
enum { MOST_A_ROUND = 4000 };

void nexmo_testing_without_fork_handlers(void);

long checks_passed = 0;
long checks_failed = 0;

/* The memory that all processes share: which reports were stored, and the state of each server. */
struct board {
    atomic_long next;
    atomic_long most;
    atomic_int states[SERVERS];
    atomic_int done[SERVERS];
    atomic_char stored[MOST];
};

static struct board *board;
static nexmo_reporter *reporter;

/* The time limit of a child, which is shorter if many children are expected to hang. */
static unsigned int seconds_a_child = 120;

/* Submits a report with a unique number. If the report was stored, records this in board. */
static nexmo_status submit_next(void)
{
    const long number = board->next++;
    char message_id[32];
    nexmo_status status;
    if (number >= MOST)
        return NEXMO_ERR_INVALID_ARGUMENT;
    snprintf(message_id, sizeof message_id, "fork-%ld", number);
    status = submit(reporter, message_id);
    if (status == NEXMO_OK)
        board->stored[number] = 1;
    return status;
}

static void *submit_flat_out(void *argument)
{
    nexmo_status status = NEXMO_OK;
    (void)argument;
    while (status == NEXMO_OK || status == NEXMO_ERR_OUTBOX_BUSY) {
        if (board->next < board->most)
            status = submit_next();
        else
            status = nexmo_reporter_fd(reporter) < 0 ? NEXMO_ERR_INVALID_HANDLE : (poll(NULL, 0, 1), NEXMO_OK);
    }
    return NULL;
}

/* Submits reports in a child. Every second child first waits until the parent has freed the reporter in the parent.
 * Some children free the reporter; others only exit. */
static void run_child(int number, int gate)
{
    char byte;
    int i, failures = 0;
    alarm(seconds_a_child);
    if (number % 2 == 0 && read(gate, &byte, 1) != 0)
        _exit(2);
    for (i = 0; i < REPORTS_A_CHILD && failures < 5; i++)
        failures += submit_next() != NEXMO_OK;
    if (number % 3 == 0 && nexmo_reporter_free(reporter) != NEXMO_OK)
        _exit(3);
    _exit(failures == 0 ? 0 : 1);
}

/* Waits for children, and counts those that hung or failed. */
static void wait_for(const pid_t *children, int count, long *hung, long *failed)
{
    int i, state;
    for (i = 0; i < count; i++)
        if (waitpid(children[i], &state, 0) != children[i])
            ++*failed;
        else if (WIFSIGNALED(state))
            ++*hung;
        else
            *failed += WEXITSTATUS(state) != 0;
}

static void run_round(struct reporting *reporting, long *hung, long *failed)
{
    pthread_t threads[THREADS];
    pid_t children[CHILDREN];
    int gate[2], i;
    const long begun = board->next;
    board->most = begun + MOST_A_ROUND;
    reporter = begin(reporting);
    CHECK(pipe(gate) == 0, "the pipe was not created");
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, submit_flat_out, NULL);
    for (i = 0; i < CHILDREN; i++) {
        /* Waits for some submits since the last fork, so that threads are probably inside transactions. */
        const long seen = board->next;
        WAIT_UNTIL(board->next > seen + 20 || board->next >= board->most, "the threads do not submit");
        children[i] = fork();
        if (children[i] == 0) {
            close(gate[1]);
            run_child(i, gate[0]);
        }
    }
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
    close(gate[0]);
    close(gate[1]);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    wait_for(children, CHILDREN, hung, failed);
}

/* Opens the outbox in a new process, which sends the remaining reports. Returns whether that succeeds. */
static int drain(const char *program, const char *outbox)
{
    int state;
    const pid_t child = fork();
    if (child == 0) {
        alarm(300);
        execl(program, program, "drain", outbox, (char *)NULL);
        _exit(127);
    }
    return waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

static int drain_here(const char *outbox)
{
    struct reporting reporting = valid_reporting_at(outbox);
    nexmo_statistics statistics;
    reporting.reporter_options.max_in_flight = 16;
    reporter = begin(&reporting);
    CHECK(nexmo_reporter_flush(reporter, 4 * PLENTY_MS, &reporting.result) == NEXMO_OK, "%s", reporting.result.message);
    statistics = statistics_of(reporter);
    CHECK(statistics.pending == 0 && statistics.accepted == statistics.submitted, "%ld reports were submitted, %ld accepted",
          (long)statistics.submitted, (long)statistics.accepted);
    nexmo_reporter_free(reporter);
    return checks_failed == 0 ? 0 : 1;
}

/* Marks each report that the sandbox accepted in arrived, and returns the number of accepted requests. */
static long arrivals(unsigned char *arrived)
{
    static const char key[] = "\"message_id\":\"fork-";
    static char line[8192];
    FILE *log = fopen(getenv("NEXMO_SANDBOX_LOG"), "r");
    long requests = 0;
    while (log != NULL && fgets(line, sizeof line, log) != NULL) {
        const char *found = strstr(line, key);
        const long number = found == NULL ? -1 : atol(found + sizeof key - 1);
        if (number >= 0 && number < MOST && strstr(line, "\"status\":200,") != NULL) {
            arrived[number] = 1;
            requests++;
        }
    }
    if (log != NULL)
        fclose(log);
    return requests;
}

/* Compares the stored reports with those that arrived, and returns the number of lost reports. */
static long compare(const char *what)
{
    static unsigned char arrived[MOST];
    const long requests = arrivals(arrived);
    long stored = 0, lost = 0, number;
    for (number = 0; number < board->next && number < MOST; number++) {
        stored += board->stored[number];
        lost += board->stored[number] && !arrived[number];
    }
    printf("%s: %ld reports stored, %ld requests accepted, %ld reports lost\n", what, stored, requests, lost);
    CHECK(stored > 0, "no report was stored");
    return lost;
}

static void fork_during_submits(const char *program, long rounds, int is_without)
{
    struct reporting reporting = valid_reporting();
    long hung = 0, failed = 0, lost, i;
    if (is_without) {
        nexmo_testing_without_fork_handlers();
        seconds_a_child = 5;
    }
    for (i = 0; i < rounds; i++)
        run_round(&reporting, &hung, &failed);
    CHECK(drain(program, reporting.reporter_options.outbox) || is_without, "a new process did not send the remaining reports");
    printf("%ld forks%s: %ld children hung, %ld failed\n", rounds * CHILDREN, is_without ? " without handlers" : "", hung,
           failed);
    lost = compare("forks");
    CHECK((lost == 0 && hung == 0 && failed == 0) || is_without,
          "%ld reports were lost, %ld children hung, %ld failed", lost, hung, failed);
}

/* Submits reports in a server process, and publishes the state of its reporter until the process is killed. */
static void be_a_server(int number)
{
    int i;
    alarm(seconds_a_child);
    for (i = 0; i < REPORTS_A_SERVER; i++) {
        const nexmo_status status = submit_next();
        if (status != NEXMO_OK && status != NEXMO_ERR_OUTBOX_BUSY)
            _exit(1);
        board->states[number] = statistics_of(reporter).state + 1;
    }
    board->done[number] = 1;
    for (;;) {
        board->states[number] = statistics_of(reporter).state + 1;
        poll(NULL, 0, 5);
    }
}

/* Returns the number of the server that sends, or -1 if none does. */
static int sender(void)
{
    int i;
    for (i = 0; i < SERVERS; i++)
        if (board->states[i] == NEXMO_STATE_RUNNING + 1 && board->done[i] >= 0)
            return i;
    return -1;
}

static int are_all_done(void)
{
    int i, done = 0;
    for (i = 0; i < SERVERS; i++)
        done += board->done[i] != 0;
    return done == SERVERS;
}

/* Kills a server. */
static void kill_server(pid_t server)
{
    int state = 0;
    CHECK(kill(server, SIGKILL) == 0 && waitpid(server, &state, 0) == server, "the process is already gone");
    CHECK(WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL, "the process ended with %d", state);
}

/* Waits until a server sends, and kills it. */
static void kill_the_sender(const pid_t *servers)
{
    int i;
    WAIT_UNTIL((i = sender()) >= 0, "no process is the sender");
    if (i < 0)
        return;
    kill_server(servers[i]);
    board->states[i] = 0;
    board->done[i] = -1;
}

/* Creates a reporter, and then server processes that inherit it. One server sends for all until it is killed. */
static void kill_the_senders_of_a_server(const char *program)
{
    struct reporting reporting = valid_reporting();
    pid_t servers[SERVERS];
    int i;
    reporter = begin(&reporting);
    for (i = 0; i < SERVERS; i++) {
        servers[i] = fork();
        if (servers[i] == 0)
            be_a_server(i);
    }
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
    for (i = 0; i < KILLED; i++)
        kill_the_sender(servers);
    WAIT_UNTIL(are_all_done(), "some servers did not submit all reports");
    WAIT_UNTIL(sender() >= 0, "no process is the sender after the kills");
    for (i = 0; i < SERVERS; i++)
        if (board->done[i] > 0)
            kill_server(servers[i]);
    CHECK(drain(program, reporting.reporter_options.outbox), "a new process did not send the remaining reports");
    CHECK(compare("servers whose sender was killed three times") == 0, "some stored reports did not arrive");
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "drain") == 0)
        return drain_here(argv[2]);
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED) {
        perror("memory");
        return 2;
    }
    if (argc > 1 && strcmp(argv[1], "servers") == 0)
        kill_the_senders_of_a_server(argv[0]);
    else
        fork_during_submits(argv[0], argc > 1 ? atol(argv[1]) : 5, argc > 2 && strcmp(argv[2], "without") == 0);
    remove_outboxes();
    printf("%ld passed, %ld failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
