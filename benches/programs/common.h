/* The parts that all benchmark programs share: arguments, message ids, clocks, threads, and the line of output. */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stddef.h>

#define API_KEY "abcd1234"
#define API_SECRET "s3cret"
#define TIMESTAMP "2026-01-01 12:00:00"
#define USER_AGENT "nexmo-conversion/1.0.0"

/* The request target, as a format string whose argument is the message id. */
#define TARGET "/conversions/sms?api_key=" API_KEY "&api_secret=" API_SECRET \
    "&delivered=true&message-id=%s&timestamp=2026-01-01%%2012%%3A00%%3A00"
#define URL_SIZE 512
#define MESSAGE_ID_SIZE 17

/* The arguments: PROGRAM URL CA_FILE COUNT CONCURRENCY WARM_UP [EXTRA...]. CA_FILE "-" means the system's store. */
struct arguments {
    const char *url;
    const char *ca_file; /* NULL means the system's certificate store. */
    size_t count;
    size_t concurrency;
    size_t warm_up; /* Requests before the clocks start. */
    char **extra;
};

struct arguments arguments(int argc, char **argv);

/* Writes an id like the service's: 16 hexadecimal digits, unique for each number and in no particular order. */
void message_id(size_t number, char id[MESSAGE_ID_SIZE]);

/* Starts the clocks. */
void begin(void);

/*
 * Stops the clocks and prints a line of JSON with `done`, `failures`, `wall_s`, `cpu_s` and `peak_kib`. Returns the
 * exit status, which is 0 if there are no failures.
 */
int end(size_t done, size_t failures);

/* Does the work for `number` on a thread; returns whether it succeeded. */
typedef bool work(void *context, size_t thread, size_t number);

/*
 * Runs `work` for `count` numbers, starting with `first`, on `threads` threads, or on the caller's thread if `threads`
 * is 1. Returns the number of failures.
 */
size_t on_threads(size_t threads, size_t first, size_t count, work *work, void *context);

/* Runs `work` for the warm-up, then for the measured requests. Prints the figures and returns the exit status. */
int measure(const struct arguments *arguments, work *work, void *context);

_Noreturn void die(const char *what);

#endif
