/*
 * Records the changes that a process makes to the files in one folder, in the order in which the kernel makes them.
 * This library is loaded with LD_PRELOAD.
 *
 *   NEXMO_RECORD          the file to which the records are appended; if it is not set, nothing is recorded
 *   NEXMO_RECORD_FOLDER   the folder whose files are recorded
 *   NEXMO_RECORD_SLOW_US  the additional duration of each flush in microseconds, to simulate a slow disk
 *   NEXMO_RECORD_FAIL     which flush of the write-ahead log fails, counted from 1
 *
 * A lock is held while a change is made and recorded, so no other change can come in between. The start and the end of
 * a flush are recorded separately, because the flush covers only the changes that were recorded before its start.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct note {
    uint32_t kind;
    uint32_t name_length;
    uint64_t inode;
    uint64_t at;
    uint64_t length;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int notes = -1;
static char folder[PATH_MAX];
static long slow_us;
static long failing;
static uint64_t flushes;
static long flushes_of_log;

static void put(const void *bytes, size_t length) {
    const char *next = bytes;
    while (length > 0) {
        long written = syscall(SYS_write, notes, next, length);
        if (written < 0) {
            if (errno == EINTR) continue;
            abort();
        }
        next += written;
        length -= (size_t)written;
    }
}

static void note(uint32_t kind, const char *name, uint64_t inode, uint64_t at, const void *bytes, uint64_t length) {
    struct note head = {kind, (uint32_t)strlen(name), inode, at, length};
    int error = errno;
    put(&head, sizeof head);
    put(name, head.name_length);
    if (bytes) put(bytes, length);
    errno = error;
}

/* Returns the part of the path below the folder: empty for the folder itself, NULL for a path outside the folder or if
 * nothing is recorded. */
static const char *within(const char *path) {
    size_t length = strlen(folder);
    if (notes < 0 || strncmp(path, folder, length) != 0) return NULL;
    if (path[length] == '\0') return path + length;
    return path[length] == '/' ? path + length + 1 : NULL;
}

static const char *name_of(int fd, char path[PATH_MAX]) {
    char link[64];
    if (notes < 0) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return NULL;
    path[length] = '\0';
    return within(path);
}

static uint64_t inode_of(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 ? (uint64_t)found.st_ino : 0;
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
typedef ssize_t (*write_t)(int, const void *, size_t);
typedef ssize_t (*pwrite_t)(int, const void *, size_t, off64_t);
typedef int (*truncate_t)(int, off64_t);
typedef int (*flush_t)(int);
typedef int (*rename_t)(const char *, const char *);
typedef int (*unlink_t)(const char *);
typedef int (*open_t)(const char *, int, ...);

static struct {
    write_t write;
    pwrite_t pwrite;
    truncate_t truncate;
    flush_t fsync;
    flush_t fdatasync;
    rename_t rename;
    unlink_t unlink;
    open_t open;
} real;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("NEXMO_RECORD");
    real.write = REAL("write", write_t);
    real.pwrite = REAL("pwrite64", pwrite_t);
    real.truncate = REAL("ftruncate64", truncate_t);
    real.fsync = REAL("fsync", flush_t);
    real.fdatasync = REAL("fdatasync", flush_t);
    real.rename = REAL("rename", rename_t);
    real.unlink = REAL("unlink", unlink_t);
    real.open = REAL("open64", open_t);
    if (!path) return;
    if (getenv("NEXMO_RECORD_SLOW_US")) slow_us = atol(getenv("NEXMO_RECORD_SLOW_US"));
    if (getenv("NEXMO_RECORD_FAIL")) failing = atol(getenv("NEXMO_RECORD_FAIL"));
    if (!realpath(getenv("NEXMO_RECORD_FOLDER"), folder)) abort();
    notes = real.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (notes < 0) abort();
}

ssize_t write(int fd, const void *bytes, size_t length) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name) return real.write(fd, bytes, length);
    pthread_mutex_lock(&lock);
    ssize_t written = real.write(fd, bytes, length);
    if (written > 0) {
        off64_t end = lseek64(fd, 0, SEEK_CUR);
        note('W', name, inode_of(fd), (uint64_t)(end - written), bytes, (uint64_t)written);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name) return real.pwrite(fd, bytes, length, at);
    pthread_mutex_lock(&lock);
    ssize_t written = real.pwrite(fd, bytes, length, at);
    if (written > 0) note('W', name, inode_of(fd), (uint64_t)at, bytes, (uint64_t)written);
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }

int ftruncate64(int fd, off64_t length) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name) return real.truncate(fd, length);
    pthread_mutex_lock(&lock);
    int result = real.truncate(fd, length);
    if (result == 0) note('T', name, inode_of(fd), (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int is_log(const char *name) {
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, "-wal") == 0;
}

static int flush(int fd, flush_t really) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name) return really(fd);
    uint64_t inode = inode_of(fd);
    pthread_mutex_lock(&lock);
    uint64_t number = ++flushes;
    int fails = is_log(name) && ++flushes_of_log == failing;
    note('B', name, inode, number, NULL, 0);
    pthread_mutex_unlock(&lock);
    int result = really(fd);
    if (slow_us > 0) {
        struct timespec rest = {slow_us / 1000000, slow_us % 1000000 * 1000};
        nanosleep(&rest, NULL);
    }
    pthread_mutex_lock(&lock);
    note(fails || result != 0 ? 'F' : 'E', name, inode, number, NULL, 0);
    pthread_mutex_unlock(&lock);
    if (fails) {
        errno = EIO;
        return -1;
    }
    return result;
}

int fsync(int fd) { return flush(fd, real.fsync); }

int fdatasync(int fd) { return flush(fd, real.fdatasync); }

int rename(const char *from, const char *to) {
    const char *before = within(from), *after = within(to);
    if (!before || !after) return real.rename(from, to);
    pthread_mutex_lock(&lock);
    int result = real.rename(from, to);
    if (result == 0) note('R', before, 0, 0, after, strlen(after));
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path) {
    const char *name = within(path);
    if (!name) return real.unlink(path);
    pthread_mutex_lock(&lock);
    int result = real.unlink(path);
    if (result == 0) note('U', name, 0, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

static int open_any(const char *path, int flags, mode_t mode) {
    const char *name = flags & O_CREAT ? within(path) : NULL;
    if (!name) return real.open(path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat found;
    int is_new = lstat(path, &found) != 0;
    int fd = real.open(path, flags, mode);
    if (fd >= 0 && is_new) note('C', name, inode_of(fd), 0, NULL, 0);
    if (fd >= 0 && !is_new && flags & O_TRUNC) note('T', name, inode_of(fd), 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return fd;
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_any(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_any(path, flags | O_LARGEFILE, mode);
}
