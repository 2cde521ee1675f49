/* Makes the calls that tests/data/bad_inputs.tsv describes. Each must fail without sending a request. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fixture.h"

/* The maximum length of a text in a row. */
#define LONGEST 8192

/* The memory for the texts of a row, to which a call points. */
struct texts {
    char text[16][LONGEST + 1];
    size_t used;
};

static int hexadecimal(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Writes value to out with its escapes replaced, and returns the length. */
static size_t unescape(const char *value, char *out)
{
    size_t length = 0;
    for (; *value != '\0'; value++) {
        char c = *value;
        if (c == '\\') {
            c = *++value;
            if (c == 'x') {
                c = (char)(hexadecimal(value[1]) * 16 + hexadecimal(value[2]));
                value += 2;
            } else if (c != '\\') {
                c = c == 'n' ? '\n' : c == 'r' ? '\r' : '\t';
            }
        }
        out[length++] = c;
    }
    return length;
}

/* Returns NULL if value is NULL, T repeated N times if it is N*T, and T if it is any other text T. T may contain
 * escapes. */
static const char *text_of(const char *value, struct texts *texts)
{
    char *end, *out = texts->text[texts->used++];
    long i, times = strtol(value, &end, 10);
    char once[LONGEST];
    size_t length;
    if (strcmp(value, "NULL") == 0)
        return NULL;
    if (end == value || *end != '*') {
        times = 1;
        end = (char *)value - 1;
    }
    length = unescape(end + 1, once);
    for (i = 0; i < times; i++)
        memcpy(out + (size_t)i * length, once, length);
    out[(size_t)times * length] = '\0';
    return out;
}

static int set_text(struct call *call, const char *field, const char *value, struct texts *texts)
{
    const struct {
        const char *name;
        const char **target;
    } fields[] = {
        {"message_id", &call->message_id},
        {"timestamp", &call->timestamp},
        {"credentials.api_key", &call->credentials.api_key},
        {"credentials.api_secret", &call->credentials.api_secret},
        {"credentials.signature_secret", &call->credentials.signature_secret},
        {"options.base_url", &call->options.base_url},
        {"options.proxy", &call->options.proxy},
        {"options.ca_file", &call->options.ca_file},
        {"options.client_cert_file", &call->options.client_cert_file},
        {"options.client_key_file", &call->options.client_key_file},
        {"options.user_agent", &call->options.user_agent},
    };
    size_t i;
    for (i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(field, fields[i].name) == 0) {
            *fields[i].target = text_of(value, texts);
            return 1;
        }
    return 0;
}

static int set_number(struct call *call, const char *field, const char *value)
{
    const struct {
        const char *name;
        void *target;
    } fields[] = {
        {"delivered", &call->delivered},
        {"credentials.flags", &call->credentials.flags},
        {"credentials.auth", &call->credentials.auth},
        {"credentials.signature_method", &call->credentials.signature_method},
        {"options.flags", &call->options.flags},
        {"options.connect_timeout_ms", &call->options.connect_timeout_ms},
        {"options.timeout_ms", &call->options.timeout_ms},
        {"options.max_attempts", &call->options.max_attempts},
        {"options.max_idle_connections", &call->options.max_idle_connections},
    };
    const uint32_t bits = (uint32_t)strtoll(value, NULL, 10);
    size_t i;
    for (i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(field, fields[i].name) == 0) {
            memcpy(fields[i].target, &bits, sizeof bits);
            return 1;
        }
    return 0;
}

/* Sets a field of the call from a cell of the form FIELD=VALUE. */
static void set(struct call *call, char *cell, struct texts *texts)
{
    char *value = strchr(cell, '=');
    if (value == NULL) {
        CHECK(0, "the cell %s contains no =", cell);
        return;
    }
    *value++ = '\0';
    if (strcmp(cell, "channel") == 0)
        call->is_voice = strcmp(value, "voice") == 0;
    else
        CHECK(set_text(call, cell, value, texts) || set_number(call, cell, value), "the call has no field %s", cell);
}

static void check_failure(struct call *call, nexmo_status (*make_it)(struct call *), const char *name, const char *beginning,
                          const char *call_text)
{
    static const nexmo_result fresh = NEXMO_RESULT_INIT;
    nexmo_status got;
    call->result = fresh;
    got = make_it(call);
    CHECK(strcmp(nexmo_status_name(got), name) == 0, "%s: got %s", call_text, nexmo_status_name(got));
    CHECK(call->result.status == got, "%s: the result has status %d", call_text, (int)call->result.status);
    CHECK(begins_with(call->result.message, beginning), "%s: the message is %s", call_text, call->result.message);
    CHECK(call->result.attempts == 0 && call->result.acceptance == NEXMO_ACCEPTANCE_NO,
          "%s: a request was sent or the report may have been accepted", call_text);
}

/* Makes the call that a row describes, once without and once with a client. Splits the row with strtok. */
static void run(char *row)
{
    static struct texts texts;
    struct call call = valid_call();
    char call_text[512], name[64] = "NEXMO_ERR_";
    char *status = strtok(row, "\t"), *beginning = strtok(NULL, "\t"), *cell;
    snprintf(call_text, sizeof call_text, "%s %s", status, beginning);
    strncat(name, status, sizeof name - strlen(name) - 1);
    texts.used = 0;
    while ((cell = strtok(NULL, "\t")) != NULL) {
        snprintf(call_text + strlen(call_text), sizeof call_text - strlen(call_text), " %.200s", cell);
        set(&call, cell, &texts);
    }
    check_failure(&call, make, name, beginning, call_text);
    check_failure(&call, make_by_client, name, beginning, call_text);
}

void test_bad_inputs(const char *path)
{
    static char row[16384];
    const long requests_before = sandbox_requests();
    long rows = 0;
    FILE *table = fopen(path, "r");
    if (table == NULL) {
        CHECK(0, "%s cannot be read", path);
        return;
    }
    while (fgets(row, sizeof row, table) != NULL) {
        row[strcspn(row, "\n")] = '\0';
        if (row[0] != '#' && row[0] != '\0') {
            run(row);
            rows++;
        }
    }
    fclose(table);
    CHECK(rows >= 80, "the table has only %ld rows", rows);
    CHECK(sandbox_requests() == requests_before, "the sandbox received %ld requests", sandbox_requests() - requests_before);
}
