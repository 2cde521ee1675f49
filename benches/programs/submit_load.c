/*
 * Submits reports from many threads, and writes the latency of each submit in microseconds, as native 32-bit floats, to
 * standard output. With a rate, each submit is due at a fixed time and its latency is counted from then, so that it
 * includes any delay by earlier submits of the thread (an open workload). Without a rate, each thread submits as fast
 * as it can. A thread ends after SECONDS or after its share of MOST_REPORTS, whichever is first.
 *
 *     submit_load OUTBOX DURABILITY THREADS RATE SECONDS START [URL]
 *
 * RATE is the number of submits per second of this process, or 0 for no rate. START is the time at which to begin, in
 * nanoseconds of CLOCK_MONOTONIC, so that several processes can begin at once. URL is the service; without it, reports
 * are submitted but cannot be sent. If OUTBOX is "-", nothing is submitted: the threads contend for a fair lock, and
 * DURABILITY is the time in nanoseconds for which each holds it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "nexmo_conversion.h"

enum { MOST_THREADS = 256, MOST_REPORTS = 2000000, SECOND = 1000000000 };

struct thread {
    pthread_t id;
    size_t index;
    float *times;
    size_t count, capacity;
};

/* A lock that threads acquire in the order in which they ask for it. */
struct fair_lock {
    pthread_mutex_t mutex;
    pthread_cond_t granted[MOST_THREADS];
    uint64_t next, serving;
};

static struct fair_lock fair_lock = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static nexmo_reporter *reporter;
static size_t threads;
static double rate, duration;
static int64_t start, hold;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}

static void sleep_until(int64_t due)
{
    const struct timespec until = {.tv_sec = due / SECOND, .tv_nsec = due % SECOND};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static void hold_lock(void)
{
    uint64_t number;
    pthread_mutex_lock(&fair_lock.mutex);
    number = fair_lock.next++;
    while (fair_lock.serving != number)
        pthread_cond_wait(&fair_lock.granted[number % MOST_THREADS], &fair_lock.mutex);
    pthread_mutex_unlock(&fair_lock.mutex);
    for (const int64_t end = now() + hold; now() < end;)
        ;
    pthread_mutex_lock(&fair_lock.mutex);
    fair_lock.serving++;
    pthread_cond_signal(&fair_lock.granted[fair_lock.serving % MOST_THREADS]);
    pthread_mutex_unlock(&fair_lock.mutex);
}

static void submit(const struct thread *thread)
{
    nexmo_result result = NEXMO_RESULT_INIT;
    char id[MESSAGE_ID_SIZE];
    message_id(((size_t)getpid() << 40) + (thread->index << 32) + thread->count, id);
    if (nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, id, 1, TIMESTAMP, &result) != NEXMO_OK)
        die(result.message);
}

static void *run(void *context)
{
    struct thread *thread = context;
    const int64_t end = start + (int64_t)(duration * SECOND);
    const double interval = rate > 0 ? (double)threads / rate * SECOND : 0;
    const double offset = interval * (double)thread->index / (double)threads;
    sleep_until(start);
    for (;;) {
        int64_t due = rate > 0 ? start + (int64_t)(offset + interval * (double)thread->count) : now();
        if (due >= end || now() >= end || thread->count >= MOST_REPORTS / threads)
            return NULL;
        if (rate > 0)
            sleep_until(due);
        if (reporter != NULL)
            submit(thread);
        else
            hold_lock();
        if (thread->count == thread->capacity) {
            thread->capacity = thread->capacity * 2 + 1024;
            thread->times = realloc(thread->times, thread->capacity * sizeof(float));
            if (thread->times == NULL)
                die("out of memory");
        }
        thread->times[thread->count++] = (float)((double)(now() - due) / 1000);
    }
}

static void open_reporter(const char *outbox, const char *durability, const char *url)
{
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    nexmo_options options = NEXMO_OPTIONS_INIT;
    nexmo_reporter_options settings = NEXMO_REPORTER_OPTIONS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    credentials.api_key = API_KEY;
    credentials.api_secret = API_SECRET;
    options.base_url = url == NULL ? "http://127.0.0.1:9" : url;
    settings.outbox = strcmp(durability, "none") == 0 ? NULL : outbox;
    settings.durability = settings.outbox == NULL                ? NEXMO_DURABILITY_NONE
                          : strcmp(durability, "power") == 0 ? NEXMO_DURABILITY_POWER
                                                             : NEXMO_DURABILITY_PROCESS;
    settings.max_pending = 10000000;
    settings.busy_timeout_ms = 10000;
    if (nexmo_reporter_new(&credentials, &options, &settings, &reporter, &result) != NEXMO_OK)
        die(result.message);
}

int main(int argc, char **argv)
{
    static struct thread all[MOST_THREADS];
    size_t i;
    if (argc < 7)
        die("usage: submit_load OUTBOX DURABILITY THREADS RATE SECONDS START [URL]");
    threads = strtoull(argv[3], NULL, 10);
    rate = strtod(argv[4], NULL);
    duration = strtod(argv[5], NULL);
    start = strtoll(argv[6], NULL, 10);
    if (threads < 1 || threads > MOST_THREADS)
        die("THREADS must be between 1 and 256");
    for (i = 0; i < MOST_THREADS; i++)
        pthread_cond_init(&fair_lock.granted[i], NULL);
    if (strcmp(argv[1], "-") == 0)
        hold = strtoll(argv[2], NULL, 10);
    else
        open_reporter(argv[1], argv[2], argv[7]);
    for (i = 0; i < threads; i++) {
        all[i].index = i;
        if (pthread_create(&all[i].id, NULL, run, &all[i]) != 0)
            die("cannot create a thread");
    }
    for (i = 0; i < threads; i++)
        pthread_join(all[i].id, NULL);
    for (i = 0; i < threads; i++)
        fwrite(all[i].times, sizeof(float), all[i].count, stdout);
    if (reporter != NULL)
        nexmo_reporter_free(reporter);
    return 0;
}
