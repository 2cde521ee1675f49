/*
 * A login server that reports a conversion while it handles each login. Copy the parts that you need.
 *
 *     reporter_server OUTBOX
 *
 * The server listens on 127.0.0.1 and prints its port. A client sends one line per connection and receives a reply:
 *
 *     MESSAGE_ID CODE        a user has entered CODE for the SMS with this message-id
 *
 * The reply is "welcome" if the code is 1234, and otherwise "wrong code". Reports are sent in the background, so a slow
 * or unavailable service does not delay logins. SIGTERM stops the server; unsent reports stay in OUTBOX
 * until the next start.
 *
 * Set NEXMO_API_KEY and NEXMO_API_SECRET in the environment. To use the sandbox, also set NEXMO_BASE_URL to its URL.
 *
 * Build, in this folder:
 *     cc -I ../../include reporter_server.c -L ../../build/lib -Wl,-rpath,"$PWD/../../build/lib" -lnexmo_conversion -o reporter_server
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nexmo_conversion.h"

/* The SIGTERM handler only writes to this pipe, because a signal handler must not call the library. The main loop polls
 * the pipe. */
static int ending[2];

static void end(int signal_number)
{
    const ssize_t written = write(ending[1], "", 1);
    (void)signal_number;
    (void)written;
}

/* Creates the reporter when the server starts. The reporter also sends the reports that an earlier run left in the
 * outbox. */
static nexmo_reporter *start_reporting(const char *outbox)
{
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    nexmo_options options = NEXMO_OPTIONS_INIT;
    nexmo_reporter_options reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;
    nexmo_reporter *reporter;

    credentials.api_key = getenv("NEXMO_API_KEY");
    credentials.api_secret = getenv("NEXMO_API_SECRET");
    options.base_url = getenv("NEXMO_BASE_URL");
    reporter_options.outbox = outbox;
    if (nexmo_reporter_new(&credentials, &options, &reporter_options, &reporter, &result) != NEXMO_OK)
        fprintf(stderr, "the reporter was not created: %s\n", result.message);
    return reporter;
}

/* Checks the code that a user entered, and submits the report before the reply. The submit takes microseconds and does
 * not wait for the network. If the submit fails, for example because the disk is full, the user can still log in. */
static const char *log_in(nexmo_reporter *reporter, const char *message_id, const char *code)
{
    const int is_right = strcmp(code, "1234") == 0;
    nexmo_result result = NEXMO_RESULT_INIT;

    if (nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, message_id, is_right, NULL, &result) != NEXMO_OK)
        fprintf(stderr, "not reported: %s: %s\n", message_id, result.message);
    return is_right ? "welcome\n" : "wrong code\n";
}

/* Handles one connection. */
static void serve(int listener, nexmo_reporter *reporter)
{
    char line[512], message_id[257], code[17];
    const char *reply = "expected: MESSAGE_ID CODE\n";
    const int connection = accept(listener, NULL, NULL);
    const ssize_t size = connection == -1 ? -1 : read(connection, line, sizeof line - 1);

    if (connection == -1)
        return;
    line[size > 0 ? size : 0] = '\0';
    if (sscanf(line, "%256s %16s", message_id, code) == 2)
        reply = log_in(reporter, message_id, code);
    /* Without MSG_NOSIGNAL, SIGPIPE would kill the server if the client has already disconnected. */
    if (send(connection, reply, strlen(reply), MSG_NOSIGNAL) == -1)
        perror("send");
    close(connection);
}

/* Logs and acknowledges the events: reports that were rejected, expired or dropped. An event stays in the outbox until
 * it is acknowledged, so a crash before the acknowledgment loses no event. */
static void log_events(nexmo_reporter *reporter)
{
    nexmo_event event = NEXMO_EVENT_INIT;

    while (nexmo_reporter_poll(reporter, 0, &event, NULL) == NEXMO_OK && event.kind != NEXMO_EVENT_NONE) {
        fprintf(stderr, "not accepted: %s: %s\n", event.message_id, event.message);
        if (nexmo_reporter_acknowledge(reporter, event.id, NULL) != NEXMO_OK)
            return; /* The outbox is busy. The descriptor stays readable. */
    }
}

/* Returns a socket that listens on a free port of 127.0.0.1, or -1 on failure. Stores the port in *port. */
static int listen_on_loopback(int *port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (const struct sockaddr *)&address, size) == -1 || listen(listener, 16) == -1 ||
        getsockname(listener, (struct sockaddr *)&address, &size) == -1)
        return -1;
    *port = ntohs(address.sin_port);
    return listener;
}

/* Serves until SIGTERM. Polls the pipe, the listener and the reporter's descriptor together. */
static void serve_until_the_end(int listener, nexmo_reporter *reporter)
{
    struct pollfd watched[3];
    int i;

    watched[0].fd = ending[0];
    watched[1].fd = listener;
    watched[2].fd = nexmo_reporter_fd(reporter);
    for (i = 0; i < 3; i++)
        watched[i].events = POLLIN;
    for (;;) {
        if (poll(watched, 3, -1) == -1)
            continue; /* A signal interrupted the poll; the pipe is now readable. */
        if (watched[0].revents != 0)
            return;
        if (watched[1].revents != 0)
            serve(listener, reporter);
        if (watched[2].revents != 0)
            log_events(reporter);
    }
}

/* Waits up to two seconds for the pending reports to be sent. Unsent reports stay in the outbox, so none is lost. */
static void stop_reporting(nexmo_reporter *reporter)
{
    nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
    nexmo_result result = NEXMO_RESULT_INIT;

    if (nexmo_reporter_close(reporter, 2000, &result) != NEXMO_OK)
        fprintf(stderr, "%s\n", result.message);
    log_events(reporter);
    if (nexmo_reporter_statistics(reporter, &statistics, NULL) == NEXMO_OK)
        fprintf(stderr, "%ld reports submitted, %ld accepted, %ld pending\n", (long)statistics.submitted, (long)statistics.accepted,
                (long)statistics.pending);
    nexmo_reporter_free(reporter);
}

int main(int argc, char **argv)
{
    struct sigaction action;
    nexmo_reporter *reporter;
    int port, listener;

    if (argc != 2) {
        fprintf(stderr, "usage: %s OUTBOX\n", argv[0]);
        return 2;
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = end;
    listener = listen_on_loopback(&port);
    if (pipe(ending) == -1 || sigaction(SIGTERM, &action, NULL) == -1 || listener == -1) {
        perror("starting the server");
        return 1;
    }
    reporter = start_reporting(argv[1]);
    if (reporter == NULL)
        return 1;
    printf("%d\n", port);
    fflush(stdout);
    serve_until_the_end(listener, reporter);
    stop_reporting(reporter);
    return 0;
}
