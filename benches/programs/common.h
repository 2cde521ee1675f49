/* What every program of the benchmarks shares: arguments, message ids, clocks, threads, and the line it prints at its end. */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stddef.h>

#define API_KEY "abcd1234"
#define API_SECRET "s3cret"
#define TIMESTAMP "2026-01-01 12:00:00"
#define USER_AGENT "nexmo-conversion/1.0.0"

/* The target of each request, with room for the URL before it and the message id in it. */
#define TARGET "/conversions/sms?api_key=" API_KEY "&api_secret=" API_SECRET \
    "&delivered=true&message-id=%s&timestamp=2026-01-01%%2012%%3A00%%3A00"
#define URL_SIZE 512
#define MESSAGE_ID_SIZE 17

/* PROGRAM URL CA_FILE COUNT CONCURRENCY WARM_UP [MORE...]; "-" as CA_FILE is the platform's store. */
struct arguments {
    const char *url;
    const char *ca_file; /* NULL: the platform's store. */
    size_t count;
    size_t concurrency;
    size_t warm_up; /* Requests that are made before the clock starts. */
    char **more;
};

struct arguments arguments(int argc, char **argv);

/* An id like those of the service: 16 hexadecimal digits without an order, another for each number. */
void message_id(size_t number, char id[MESSAGE_ID_SIZE]);

/* Starts the clocks. */
void begin(void);

/* Stops them, prints one line of JSON, and gives the status that the program ends with. */
int end(size_t done, size_t failures);

/* Does one piece of work on a thread; tells whether it succeeded. */
typedef bool work(void *context, size_t thread, size_t number);

/* Does the numbers from `first` on, `count` of them, on `threads` threads; tells how many failed. One thread is the caller's. */
size_t on_threads(size_t threads, size_t first, size_t count, work *work, void *context);

/* Warms up, measures and ends: the whole life of a program that makes its requests by `work`. */
int measure(const struct arguments *arguments, work *work, void *context);

_Noreturn void die(const char *what);

#endif
