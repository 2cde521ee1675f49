#include "common.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double wall_at_start, cpu_at_start;

static double wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Returns the user and system CPU time of this process in seconds. */
static double cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/* Returns the peak resident memory in KiB. The peak that getrusage returns includes the parent's memory at the fork. */
static long peak(void)
{
    char line[128];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return kib;
}

struct arguments arguments(int argc, char **argv)
{
    struct arguments given = {0};
    if (argc < 6)
        die("usage: PROGRAM URL CA_FILE|- COUNT CONCURRENCY WARM_UP [EXTRA...]");
    given.url = argv[1];
    given.ca_file = strcmp(argv[2], "-") == 0 ? NULL : argv[2];
    given.count = strtoull(argv[3], NULL, 10);
    given.concurrency = strtoull(argv[4], NULL, 10);
    given.warm_up = strtoull(argv[5], NULL, 10);
    given.extra = argv + 6;
    return given;
}

void message_id(size_t number, char id[MESSAGE_ID_SIZE])
{
    snprintf(id, MESSAGE_ID_SIZE, "%016llX", (unsigned long long)((number + 1) * 0x9E3779B97F4A7C15u));
}

void begin(void)
{
    cpu_at_start = cpu();
    wall_at_start = wall();
}

int end(size_t done, size_t failures)
{
    double wall_s = wall() - wall_at_start, cpu_s = cpu() - cpu_at_start;
    printf("{\"done\": %zu, \"failures\": %zu, \"wall_s\": %.6f, \"cpu_s\": %.6f, \"peak_kib\": %ld}\n", done, failures,
           wall_s, cpu_s, peak());
    return failures == 0 ? 0 : 1;
}

/* Work shared by threads. Each thread fetches the next number until none is left. */
struct job {
    work *work;
    void *context;
    size_t last;
    atomic_size_t next, threads, failures;
};

static void *run_job(void *argument)
{
    struct job *job = argument;
    size_t thread = atomic_fetch_add(&job->threads, 1), number;
    while ((number = atomic_fetch_add(&job->next, 1)) < job->last)
        if (!job->work(job->context, thread, number))
            atomic_fetch_add(&job->failures, 1);
    return NULL;
}

/* Starts a thread with a small stack, as a program with a thousand threads would. */
static void start(pthread_t *thread, struct job *job)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    if (pthread_create(thread, &attributes, run_job, job) != 0)
        die("cannot create a thread");
    pthread_attr_destroy(&attributes);
}

size_t on_threads(size_t threads, size_t first, size_t count, work *work, void *context)
{
    struct job job = {.work = work, .context = context, .last = first + count, .next = first};
    pthread_t *others = calloc(threads, sizeof *others);
    if (threads == 1)
        run_job(&job);
    for (size_t i = 0; threads > 1 && i < threads; i++)
        start(&others[i], &job);
    for (size_t i = 0; threads > 1 && i < threads; i++)
        pthread_join(others[i], NULL);
    free(others);
    return job.failures;
}

int measure(const struct arguments *given, work *work, void *context)
{
    size_t failures = on_threads(given->concurrency, 0, given->warm_up, work, context);
    begin();
    failures += on_threads(given->concurrency, given->warm_up, given->count, work, context);
    return end(given->count, failures);
}

void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(2);
}
