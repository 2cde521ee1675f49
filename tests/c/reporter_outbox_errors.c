/* Tests that a reporter rejects files that it cannot use, with NEXMO_ERR_OUTBOX, _OUTBOX_BUSY, _OUTBOX_CORRUPT or
 * _OUTBOX_WRONG_ACCOUNT. */
#define _GNU_SOURCE
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reporter_fixture.h"

/* The bytes of the -shm file that SQLite locks, according to its WAL documentation: one while it writes, and one while
 * it has the file open. */
enum { WRITE_LOCK = 120, OPEN_LOCK = 128 };

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, "%s cannot be written", path);
}

/* Checks that opening an outbox at this path returns NEXMO_ERR_OUTBOX with a message. */
static void check_cannot_be_used(const char *path)
{
    struct reporting reporting = valid_reporting_at(path);
    CHECK(try_new_reporter(&reporting) == NEXMO_ERR_OUTBOX, "%s: %s", path, reporting.result.message);
    CHECK(reporting.result.message[0] != '\0' && reporting.result.status == NEXMO_ERR_OUTBOX,
          "%s: the result has no message", path);
}

static void unusable_paths_are_rejected(void)
{
    const char *folder = new_outbox(), *link = new_outbox(), *target = new_outbox();
    check_cannot_be_used(beside(new_outbox(), "/is/not/there"));
    check_cannot_be_used("/proc/version");
    CHECK(mkdir(folder, 0700) == 0, "the folder was not created");
    check_cannot_be_used(folder);
    write_file(target, "", 0);
    CHECK(symlink(target, link) == 0, "the link was not created");
    check_cannot_be_used(link);
}

/* Writes an empty database of one page, with a user_version that no outbox has. */
static void write_database_of_another_program(const char *path)
{
    unsigned char bytes[512] = "SQLite format 3";
    bytes[16] = 2;                               /* pages of 512 bytes */
    bytes[18] = bytes[19] = 1;                   /* no write-ahead log */
    bytes[21] = 64, bytes[22] = bytes[23] = 32;  /* as in every database */
    bytes[27] = bytes[31] = bytes[95] = 1;       /* one page */
    bytes[43] = 1, bytes[47] = 4, bytes[59] = 1; /* a schema, in UTF-8 */
    bytes[63] = 7;                               /* a version of another program */
    bytes[100] = 13, bytes[105] = 2;             /* a table without rows */
    write_file(path, bytes, sizeof bytes);
}

static void a_file_of_another_program_is_unchanged(void)
{
    static const char text[] =
        "These are the notes of a user, long enough that the file could be mistaken for a database. Keep.";
    const char *notes = new_outbox(), *database = new_outbox();
    char found[sizeof text] = "";
    FILE *file;
    write_file(notes, text, sizeof text);
    check_cannot_be_used(notes);
    file = fopen(notes, "r");
    CHECK(file != NULL && fread(found, 1, sizeof found, file) == sizeof text && memcmp(found, text, sizeof text) == 0, "%s",
          found);
    if (file != NULL)
        fclose(file);
    write_database_of_another_program(database);
    check_cannot_be_used(database);
}

static void an_outbox_belongs_to_one_account(void)
{
    struct reporting reporting = valid_reporting();
    nexmo_reporter *reporter = begin(&reporting), *same;
    struct reporting other = reporting;
    other.credentials.api_key = "another1";
    CHECK(try_new_reporter(&other) == NEXMO_ERR_OUTBOX_WRONG_ACCOUNT, "%s", other.result.message);
    CHECK(strstr(other.result.message, "abcd1234") != NULL, "%s", other.result.message);
    other = reporting;
    other.options.base_url = "https://conversion.test";
    CHECK(try_new_reporter(&other) == NEXMO_ERR_OUTBOX_WRONG_ACCOUNT, "%s", other.result.message);
    same = begin(&reporting);
    CHECK(nexmo_reporter_free(same) == NEXMO_OK && nexmo_reporter_free(reporter) == NEXMO_OK, "a handle was not freed");
    CHECK(try_new_reporter(&other) == NEXMO_ERR_OUTBOX_WRONG_ACCOUNT,
          "the outbox accepted another account: %s", other.result.message);
}

static void no_secret_is_in_an_outbox(void)
{
    static char bytes[1 << 20];
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    const char *const files[] = {reporting.reporter_options.outbox, beside(reporting.reporter_options.outbox, "-wal")};
    size_t i, size;
    submit_some(reporter, "secret", 3);
    for (i = 0; i < 2; i++) {
        FILE *file = fopen(files[i], "r");
        size = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
        CHECK(size > 0, "%s cannot be read", files[i]);
        CHECK(memmem(bytes, size, "s3cret", 6) == NULL && memmem(bytes, size, "sign4ture", 9) == NULL, "a secret is in %s",
              files[i]);
        /* The file stays open, because closing it would release locks that the process, rather than the open file
         * description, holds on it. */
    }
    nexmo_reporter_free(reporter);
}

static int lock(int file, short kind, off_t offset)
{
    struct flock lock = {0};
    lock.l_type = kind;
    lock.l_whence = SEEK_SET;
    lock.l_start = offset;
    lock.l_len = 1;
    return fcntl(file, F_SETLKW, &lock) == 0;
}

/* Starts a process that holds the write lock until it is killed. */
static pid_t hold_write_lock(const char *index)
{
    int ready[2], file;
    char byte;
    pid_t child;
    CHECK(pipe(ready) == 0, "the pipe was not created");
    child = fork();
    if (child == 0) {
        alarm(PLENTY_MS / 1000);
        file = open(index, O_RDWR | O_CLOEXEC);
        if (!lock(file, F_RDLCK, OPEN_LOCK) || !lock(file, F_WRLCK, WRITE_LOCK) || write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1, "the lock was not acquired");
    close(ready[0]);
    return child;
}

static void a_call_waits_no_longer_than_busy_timeout_ms(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter;
    pid_t holder;
    long took;
    nexmo_event event;
    reporting.reporter_options.busy_timeout_ms = 300;
    reporting.reporter_options.max_pending = 2;
    reporting.reporter_options.overflow = NEXMO_OVERFLOW_DROP_OLDEST;
    reporter = begin(&reporting);
    submit_some(reporter, "busy", 3);
    event = oldest_event(reporter);
    holder = hold_write_lock(beside(reporting.reporter_options.outbox, "-shm"));
    took = now_ms();
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "busy-3", 1, NULL, &reporting.result) == NEXMO_ERR_OUTBOX_BUSY, "%s",
          reporting.result.message);
    took = now_ms() - took;
    CHECK(took >= 300 && took < 5000, "the call waited for %ld ms", took);
    CHECK(strstr(reporting.result.message, "busy_timeout_ms") != NULL, "%s", reporting.result.message);
    CHECK(nexmo_reporter_acknowledge(reporter, event.id, &reporting.result) == NEXMO_ERR_OUTBOX_BUSY, "%s",
          reporting.result.message);
    CHECK(try_new_reporter(&reporting) == NEXMO_ERR_OUTBOX_BUSY, "%s", reporting.result.message);
    CHECK(kill(holder, SIGKILL) == 0 && waitpid(holder, NULL, 0) == holder, "the holder of the lock was not killed");
    CHECK(oldest_event(reporter).id == event.id, "the event is gone");
    CHECK(submit(reporter, "busy-3") == NEXMO_OK, "the outbox is still busy");
    CHECK(statistics_of(reporter).submitted == 4, "%ld reports were submitted", (long)statistics_of(reporter).submitted);
    nexmo_reporter_free(reporter);
}

/* Overwrites a file with garbage and returns its descriptor. The descriptor stays open, because closing it would
 * release locks that the process, rather than the open file description, holds on the file. */
static int damage(const char *path)
{
    static const char garbage[4096] = {0x5a, 0x11, 0x77};
    const int file = open(path, O_RDWR | O_CLOEXEC);
    struct stat found;
    off_t offset;
    CHECK(file >= 0 && fstat(file, &found) == 0, "%s cannot be opened", path);
    for (offset = 0; offset < found.st_size; offset += (off_t)sizeof garbage)
        CHECK(pwrite(file, garbage, sizeof garbage, offset) == (ssize_t)sizeof garbage, "the file was not overwritten");
    return file;
}

static void a_corrupt_outbox_is_replaced_once_it_is_closed(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter;
    const char *path = reporting.reporter_options.outbox;
    int files[2];
    reporting.reporter_options.busy_timeout_ms = 300;
    reporter = begin(&reporting);
    submit_some(reporter, "damaged", 3);
    files[0] = damage(path);
    files[1] = damage(beside(path, "-wal"));
    CHECK(try_new_reporter(&reporting) == NEXMO_ERR_OUTBOX_CORRUPT, "%s", reporting.result.message);
    CHECK(strstr(reporting.result.message, path) != NULL, "%s", reporting.result.message);
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
    /* The worker of the freed reporter closes the file a little later. */
    WAIT_UNTIL(try_new_reporter(&reporting) == NEXMO_OK, "%s", reporting.result.message);
    close(files[0]);
    close(files[1]);
    reporter = begin(&reporting);
    CHECK(statistics_of(reporter).submitted == 0 && submit(reporter, "new") == NEXMO_OK, "the outbox is not new");
    nexmo_reporter_free(reporter);
}

static void a_corrupt_outbox_is_counted_and_kept(void)
{
    char command[256];
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter;
    const char *path = reporting.reporter_options.outbox;
    const long failed_before = checks_failed;
    int file, state;
    pid_t child;
    /* Creates the outbox in a separate process, so that no thread that still has the files open restores them from the
     * WAL. */
    fflush(NULL);
    child = fork();
    if (child == 0) {
        alarm(PLENTY_MS / 1000);
        submit_some(begin(&reporting), "cut", 3);
        /* After an ordinary exit, valgrind would report the memory of the parent's threads as lost. */
        if (checks_failed == failed_before)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    CHECK(waitpid(child, &state, 0) == child && WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL, "the child ended with %d",
          state);
    file = damage(path);
    CHECK(unlink(beside(path, "-wal")) == 0, "the WAL was not removed");
    reporter = begin(&reporting);
    close(file);
    CHECK(statistics_of(reporter).outbox_resets == 1, "there were %ld resets", (long)statistics_of(reporter).outbox_resets);
    snprintf(command, sizeof command, "test $(ls -d %s.corrupt-* 2> /dev/null | wc -l) -ge 1", path);
    CHECK(system(command) == 0, "the corrupt file was not kept");
    nexmo_reporter_free(reporter);
}

static void a_removed_outbox_is_created_again(void)
{
    struct reporting reporting = unanswered_reporting();
    nexmo_reporter *reporter = begin(&reporting);
    submit_some(reporter, "removed", 3);
    CHECK(unlink(reporting.reporter_options.outbox) == 0, "the file was not removed");
    CHECK(unlink(beside(reporting.reporter_options.outbox, "-wal")) == 0, "the file was not removed");
    CHECK(unlink(beside(reporting.reporter_options.outbox, "-shm")) == 0, "the file was not removed");
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "again", 1, NULL, &reporting.result) == NEXMO_OK, "%s",
          reporting.result.message);
    CHECK(statistics_of(reporter).outbox_resets == 1 && statistics_of(reporter).submitted == 1,
          "there were %ld resets and %ld submitted reports",
          (long)statistics_of(reporter).outbox_resets, (long)statistics_of(reporter).submitted);
    nexmo_reporter_free(reporter);
}

static void an_outbox_replaced_by_the_outbox_of_another_account_is_rejected(void)
{
    struct reporting reporting = unanswered_reporting(), other = unanswered_reporting();
    const char *path = reporting.reporter_options.outbox;
    nexmo_reporter *reporter, *another;
    nexmo_event event = NEXMO_EVENT_INIT;
    other.credentials.api_key = "another1";
    another = begin(&other);
    nexmo_reporter_free(another);
    reporter = begin(&reporting);
    CHECK(unlink(path) == 0 && unlink(beside(path, "-shm")) == 0, "the file was not removed");
    CHECK(rename(beside(other.reporter_options.outbox, "-wal"), beside(path, "-wal")) == 0, "the file was not moved");
    CHECK(rename(other.reporter_options.outbox, path) == 0, "the file was not moved");
    CHECK(nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "id", 1, NULL, &reporting.result) == NEXMO_ERR_OUTBOX_WRONG_ACCOUNT,
          "%s", reporting.result.message);
    CHECK(nexmo_reporter_poll(reporter, 0, &event, &reporting.result) == NEXMO_ERR_OUTBOX_WRONG_ACCOUNT, "%s",
          reporting.result.message);
    CHECK(nexmo_reporter_flush(reporter, 0, &reporting.result) == NEXMO_ERR_OUTBOX_WRONG_ACCOUNT, "%s", reporting.result.message);
    CHECK(nexmo_reporter_free(reporter) == NEXMO_OK, "the reporter was not freed");
}

void test_reporter_outbox_errors(void)
{
    unusable_paths_are_rejected();
    a_file_of_another_program_is_unchanged();
    an_outbox_belongs_to_one_account();
    no_secret_is_in_an_outbox();
    a_call_waits_no_longer_than_busy_timeout_ms();
    a_corrupt_outbox_is_replaced_once_it_is_closed();
    a_corrupt_outbox_is_counted_and_kept();
    a_removed_outbox_is_created_again();
    an_outbox_replaced_by_the_outbox_of_another_account_is_rejected();
}
