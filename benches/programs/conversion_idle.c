/*
 * Provides idle processes for idle.py. Creates a client or a reporter and sends COUNT reports with it. If CONCURRENCY
 * is greater than 1, forks that many workers, each of which sends one report. Prints the process ids and then, like
 * the workers, waits for the end of standard input. Extra arguments: client, or reporter OUTBOX.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "nexmo_conversion.h"

static nexmo_client *client;
static nexmo_reporter *reporter;

static void create(const struct arguments *given)
{
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    nexmo_options options = NEXMO_OPTIONS_INIT;
    nexmo_reporter_options outbox = NEXMO_REPORTER_OPTIONS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    nexmo_status status;

    credentials.api_key = API_KEY;
    credentials.api_secret = API_SECRET;
    options.base_url = given->url;
    options.ca_file = given->ca_file;
    outbox.outbox = given->extra[1];
    outbox.busy_timeout_ms = 10000;
    if (strcmp(given->extra[0], "client") == 0)
        status = nexmo_client_new(&credentials, &options, &client, &result);
    else
        status = nexmo_reporter_new(&credentials, &options, &outbox, &reporter, &result);
    if (status != NEXMO_OK)
        die(result.message);
}

static void send_report(size_t number)
{
    nexmo_result result = NEXMO_RESULT_INIT;
    char id[MESSAGE_ID_SIZE];
    nexmo_status status;

    message_id(number, id);
    if (client != NULL)
        status = nexmo_client_report(client, NEXMO_CHANNEL_SMS, id, 1, TIMESTAMP, &result);
    else
        status = nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, id, 1, TIMESTAMP, &result);
    if (status != NEXMO_OK)
        die(result.message);
}

static void wait_for_end(void)
{
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
}

int main(int argc, char **argv)
{
    struct arguments given = arguments(argc, argv);
    if (given.extra[0] == NULL)
        die("usage: ... client|reporter [OUTBOX]");
    create(&given);
    for (size_t i = 0; i < given.count; i++)
        send_report(i);
    for (size_t i = 0; given.concurrency > 1 && i < given.concurrency; i++) {
        pid_t child = fork();
        if (child < 0)
            die("cannot fork");
        if (child == 0) {
            send_report(SIZE_MAX / 2 + i);
            wait_for_end();
            _exit(0);
        }
        printf("%d ", (int)child);
    }
    printf("%d\n", (int)getpid());
    fflush(stdout);
    wait_for_end();
    while (wait(NULL) > 0)
        ;
    return 0;
}
