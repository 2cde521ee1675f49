/*
 * Tests the example reporter_server: users log in, and the server is stopped by SIGTERM and started again.
 *
 *     nexmo-sandbox RULES -- reporter_server_test REPORTER_SERVER
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reporter_fixture.h"
#include "fixture.h"

enum { USERS = 50 };

long checks_passed = 0;
long checks_failed = 0;

/* A running server, its port, and the pipe of its log. */
struct server {
    pid_t process;
    int port;
    FILE *log;
};

/* Starts the server, with credentials and base URL in its environment. */
static struct server start(const char *program, const char *outbox, const char *secret)
{
    struct server server = {0, 0, NULL};
    int output[2], log[2];
    FILE *port_output;
    CHECK(pipe(output) == 0 && pipe(log) == 0, "the pipe was not created");
    server.process = fork();
    if (server.process == 0) {
        alarm(2 * PLENTY_MS / 1000);
        dup2(output[1], 1);
        dup2(log[1], 2);
        setenv("NEXMO_API_KEY", "abcd1234", 1);
        setenv("NEXMO_API_SECRET", secret, 1);
        setenv("NEXMO_BASE_URL", sandbox_http(), 1);
        execl(program, program, outbox, (char *)NULL);
        _exit(127);
    }
    close(output[1]);
    close(log[1]);
    port_output = fdopen(output[0], "r");
    server.log = fdopen(log[0], "r");
    CHECK(fscanf(port_output, "%d", &server.port) == 1, "the server printed no port");
    fclose(port_output);
    return server;
}

/* Sends a line to the server and reads the reply. */
static void ask(const struct server *server, const char *line, char *reply, size_t size)
{
    struct sockaddr_in address = {0};
    const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t length = -1;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)server->port);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) == 0 && write(connection, line, strlen(line)) > 0)
        length = read(connection, reply, size - 1);
    reply[length > 0 ? length : 0] = '\0';
    close(connection);
}

/* Stops the server by SIGTERM, and checks that its log contains each of two texts once. */
static void stop(struct server *server, const char *first, const char *second)
{
    char line[1024];
    int state, has_first = 0, has_second = 0;
    CHECK(kill(server->process, SIGTERM) == 0, "the process is already gone");
    while (fgets(line, sizeof line, server->log) != NULL) {
        has_first += strstr(line, first) != NULL;
        has_second += strstr(line, second) != NULL;
    }
    fclose(server->log);
    CHECK(waitpid(server->process, &state, 0) == server->process && WIFEXITED(state) && WEXITSTATUS(state) == 0,
          "the process ended with %d", state);
    CHECK(has_first == 1 && has_second == 1, "the log has \"%s\" %d times, \"%s\" %d times", first, has_first, second,
          has_second);
}

static void users_log_in_while_reports_are_sent(const char *program)
{
    struct server server = start(program, new_outbox(), "s3cret");
    char line[64], reply[64];
    int i;
    for (i = 0; i < USERS; i++) {
        snprintf(line, sizeof line, "login-%d %s\n", i, i % 2 == 0 ? "1234" : "4321");
        ask(&server, line, reply, sizeof reply);
        CHECK(strcmp(reply, i % 2 == 0 ? "welcome\n" : "wrong code\n") == 0, "%s", reply);
    }
    ask(&server, "nonsense\n", reply, sizeof reply);
    CHECK(strcmp(reply, "expected: MESSAGE_ID CODE\n") == 0, "%s", reply);
    ask(&server, "invalid 1234\n", reply, sizeof reply); /* the service rejects this report */
    CHECK(strcmp(reply, "welcome\n") == 0, "%s", reply);
    WAIT_UNTIL(sandbox_accepted("login", NULL, 0) == USERS, "%ld reports arrived", sandbox_accepted("login", NULL, 0));
    stop(&server, "not accepted: invalid: ", "51 reports submitted, 50 accepted, 0 pending");
}

/* With a wrong secret, logins work and no report is lost: all reports are sent after a start with the right secret. */
static void pending_reports_are_sent_at_the_next_start(const char *program)
{
    const char *outbox = new_outbox();
    struct server server = start(program, outbox, "not the secret");
    char reply[64];
    ask(&server, "later-1 1234\n", reply, sizeof reply);
    ask(&server, "later-2 4321\n", reply, sizeof reply);
    CHECK(strcmp(reply, "wrong code\n") == 0, "%s", reply);
    stop(&server, "2 pending in the outbox", "2 reports submitted, 0 accepted, 2 pending");
    server = start(program, outbox, "s3cret");
    WAIT_UNTIL(sandbox_accepted("later", NULL, 0) == 2, "%ld reports arrived", sandbox_accepted("later", NULL, 0));
    stop(&server, "2 reports submitted, 2 accepted, 0 pending", "0 pending");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s REPORTER_SERVER\n", argv[0]);
        return 2;
    }
    users_log_in_while_reports_are_sent(argv[1]);
    pending_reports_are_sent_at_the_next_start(argv[1]);
    remove_outboxes();
    printf("%ld passed, %ld failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
