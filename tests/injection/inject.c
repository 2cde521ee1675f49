/*
 * A preloaded library that counts the calls that libnexmo_conversion.so makes to libc, most of them system calls, and
 * makes some of them fail. The name of a call and the stack frames within the library identify a call site, so a site
 * is the same in each run. Calls that libc makes internally are not intercepted.
 *
 *     INJECT_RECORD=FILE     receives the name of the call, the hash, the call count and the stack of each call site
 *     INJECT_SITE=HASH       the call site that fails
 *     INJECT_OCCURRENCE=N    which call at this site fails, counted from 1
 *     INJECT_FAULT=FAULT     an error number (for getaddrinfo an EAI number), "short" for half of the bytes, or "hang"
 *     INJECT_REPEAT=1        all later calls of the same name fail too, at any site
 *     INJECT_HANG_MS=N       how long a call hangs before it is made
 *     INJECT_NOTE=FILE       receives the name of the thread in which the fault occurred
 *     INJECT_STORE=FILE      the file that replaces the platform's certificate store
 *
 * The name conversion.test resolves to 127.0.0.1. The calls of a thread that has called inject_exclude_thread are not
 * counted and do not fail.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <linux/futex.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define LIBRARY "libnexmo_conversion.so"

enum { MAX_DEPTH = 96, MAX_SITES = 1 << 14, SHORT = -1, NONE = 0 };

struct site {
    uint64_t hash;
    const char *call;
    unsigned long count;
    int depth;
    uintptr_t frames[MAX_DEPTH];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct site sites[MAX_SITES];
static size_t site_count;
static uintptr_t first_address, last_address;
static const char *failing_call;
static __thread int is_excluded;

/* The values of the environment variables. */
static uint64_t failing_site;
static unsigned long failing_occurrence;
static const char *fault, *record, *note, *store;
static long hang_ms;
static int repeats;

void inject_exclude_thread(void)
{
    is_excluded = 1;
}

static int find_library(struct dl_phdr_info *info, size_t size, void *unused)
{
    ElfW(Half) i;
    (void)size, (void)unused;
    if (!strstr(info->dlpi_name, LIBRARY))
        return 0;
    for (i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD)
            continue;
        if (!first_address)
            first_address = info->dlpi_addr;
        last_address = info->dlpi_addr + part->p_vaddr + part->p_memsz;
    }
    return 1;
}

static const char *text_of(const char *name)
{
    const char *text = getenv(name);
    return text && *text ? text : NULL;
}

static unsigned long number_of(const char *name, int base)
{
    const char *text = text_of(name);
    return text ? strtoul(text, NULL, base) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    void *frames[2];
    record = text_of("INJECT_RECORD");
    note = text_of("INJECT_NOTE");
    store = text_of("INJECT_STORE");
    fault = text_of("INJECT_FAULT");
    failing_site = number_of("INJECT_SITE", 16);
    failing_occurrence = number_of("INJECT_OCCURRENCE", 10);
    hang_ms = (long)number_of("INJECT_HANG_MS", 10);
    repeats = number_of("INJECT_REPEAT", 10) != 0;
    dl_iterate_phdr(find_library, NULL);
    /* The first call of backtrace loads a library, which must not happen during an intercepted call. */
    backtrace(frames, 2);
}

__attribute__((destructor)) void inject_write_record(void)
{
    FILE *file = record ? fopen(record, "w") : NULL;
    size_t i;
    int frame;
    if (!file)
        return;
    pthread_mutex_lock(&lock);
    for (i = 0; i < MAX_SITES; i++) {
        if (!sites[i].count)
            continue;
        fprintf(file, "%s\t%016" PRIx64 "\t%lu\t", sites[i].call, sites[i].hash, sites[i].count);
        for (frame = 0; frame < sites[i].depth; frame++)
            fprintf(file, "%s%" PRIxPTR, frame ? " " : "", sites[i].frames[frame]);
        fputc('\n', file);
    }
    pthread_mutex_unlock(&lock);
    fclose(file);
}

static int is_of_library(const void *address)
{
    return (uintptr_t)address >= first_address && (uintptr_t)address < last_address;
}

static uint64_t add(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *byte = bytes;
    while (count--)
        hash = (hash ^ *byte++) * 0x100000001b3u;
    return hash;
}

/* Counts a call and returns the entry of its call site. */
static struct site *reach(const char *call)
{
    void *stack[MAX_DEPTH];
    uintptr_t frames[MAX_DEPTH];
    const int size = backtrace(stack, MAX_DEPTH);
    uint64_t hash = add(0xcbf29ce484222325u, call, strlen(call));
    int i, depth = 0;
    struct site *site;
    size_t at;
    for (i = 0; i < size; i++)
        if (is_of_library(stack[i]))
            frames[depth++] = (uintptr_t)stack[i] - first_address;
    hash = add(hash, frames, (size_t)depth * sizeof *frames);
    for (at = (size_t)hash % MAX_SITES; sites[at].count && sites[at].hash != hash;)
        at = (at + 1) % MAX_SITES;
    site = &sites[at];
    if (!site->count++) {
        if (++site_count == MAX_SITES)
            abort();
        site->hash = hash;
        site->call = call;
        site->depth = depth;
        memcpy(site->frames, frames, (size_t)depth * sizeof *frames);
    }
    return site;
}

static void write_note(void)
{
    char name[32] = "";
    const int file = note ? (int)syscall(SYS_openat, AT_FDCWD, note, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (file < 0)
        return;
    pthread_getname_np(pthread_self(), name, sizeof name);
    strcat(name, "\n");
    syscall(SYS_write, file, name, strlen(name));
    syscall(SYS_close, file);
}

/* Returns the error with which this call must fail, SHORT if it must process half of its bytes, or NONE. Returns NONE
 * after a delay if the call must hang. */
static int fault_of(const char *call, const void *caller)
{
    const int before = errno;
    int fails;
    if (is_excluded || !first_address || !is_of_library(caller))
        return NONE;
    pthread_mutex_lock(&lock);
    if (failing_call) {
        fails = repeats && strcmp(call, failing_call) == 0;
    } else {
        const struct site *site = reach(call);
        fails = failing_site && site->hash == failing_site && site->count == failing_occurrence;
        if (fails) {
            failing_call = call;
            write_note();
        }
    }
    pthread_mutex_unlock(&lock);
    errno = before;
    if (!fails || !fault)
        return NONE;
    if (strcmp(fault, "short") == 0)
        return SHORT;
    if (strcmp(fault, "hang") == 0) {
        const struct timespec time = { hang_ms / 1000, hang_ms % 1000 * 1000000 };
        syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
        errno = before;
        return NONE;
    }
    return atoi(fault);
}

#define REAL(name)                                                                                                               \
    static __typeof__(name) *real;                                                                                               \
    if (!real)                                                                                                                   \
        *(void **)&real = dlsym(RTLD_NEXT, #name)

#define FAIL_IF_INJECTED(call, failed)                                                                                           \
    do {                                                                                                                         \
        const int error = fault_of(call, __builtin_return_address(0));                                                          \
        if (error > 0) {                                                                                                         \
            errno = error;                                                                                                       \
            return failed;                                                                                                       \
        }                                                                                                                        \
    } while (0)

/* Like FAIL_IF_INJECTED, but for a call that can also process half of its bytes. */
#define FAIL_OR_HALVE(call, count)                                                                                               \
    do {                                                                                                                         \
        const int error = fault_of(call, __builtin_return_address(0));                                                          \
        if (error > 0) {                                                                                                         \
            errno = error;                                                                                                       \
            return -1;                                                                                                           \
        }                                                                                                                        \
        if (error == SHORT && count > 1)                                                                                         \
            count /= 2;                                                                                                          \
    } while (0)

/* --- Files --- */

/* Returns this path, or its replacement if the path is a location of the platform's certificate store. */
static const char *redirected(const char *path, const void *caller)
{
    if (!store || !path || !is_of_library(caller))
        return path;
    if (strcmp(path, "/etc/ssl/certs/ca-certificates.crt") == 0)
        return store;
    if (strncmp(path, "/etc/ssl/", 9) == 0 || strncmp(path, "/etc/pki/", 9) == 0 ||
        strncmp(path, "/usr/local/share/certs/", 23) == 0)
        return "/nonexistent";
    return path;
}

#define DEFINE_OPEN(name)                                                                                                        \
    int name(const char *path, int flags, ...)                                                                                   \
    {                                                                                                                            \
        va_list arguments;                                                                                                       \
        mode_t mode;                                                                                                             \
        REAL(name);                                                                                                              \
        va_start(arguments, flags);                                                                                              \
        mode = va_arg(arguments, mode_t);                                                                                        \
        va_end(arguments);                                                                                                       \
        FAIL_IF_INJECTED("open", -1);                                                                                            \
        return real(redirected(path, __builtin_return_address(0)), flags, mode);                                                 \
    }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

int close(int file)
{
    int result;
    REAL(close);
    result = real(file);
    /* close releases the descriptor even if it fails. */
    FAIL_IF_INJECTED("close", -1);
    return result;
}

ssize_t read(int file, void *bytes, size_t count)
{
    REAL(read);
    FAIL_OR_HALVE("read", count);
    return real(file, bytes, count);
}

ssize_t pread64(int file, void *bytes, size_t count, off64_t offset)
{
    REAL(pread64);
    FAIL_OR_HALVE("pread", count);
    return real(file, bytes, count, offset);
}

ssize_t write(int file, const void *bytes, size_t count)
{
    REAL(write);
    FAIL_OR_HALVE("write", count);
    return real(file, bytes, count);
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
    REAL(writev);
    FAIL_OR_HALVE("write", count);
    return real(file, parts, count);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset)
{
    REAL(pwrite64);
    FAIL_OR_HALVE("pwrite", count);
    return real(file, bytes, count, offset);
}

int fsync(int file)
{
    REAL(fsync);
    FAIL_IF_INJECTED("fsync", -1);
    return real(file);
}

int sync_file_range(int file, off64_t offset, off64_t count, unsigned flags)
{
    REAL(sync_file_range);
    FAIL_IF_INJECTED("fsync", -1);
    return real(file, offset, count, flags);
}

int fdatasync(int file)
{
    REAL(fdatasync);
    FAIL_IF_INJECTED("fsync", -1);
    return real(file);
}

int ftruncate64(int file, off64_t size)
{
    REAL(ftruncate64);
    FAIL_IF_INJECTED("ftruncate", -1);
    return real(file, size);
}

void *mmap64(void *address, size_t size, int protection, int flags, int file, off64_t offset)
{
    REAL(mmap64);
    FAIL_IF_INJECTED("mmap", MAP_FAILED);
    return real(address, size, protection, flags, file, offset);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    REAL(mmap);
    FAIL_IF_INJECTED("mmap", MAP_FAILED);
    return real(address, size, protection, flags, file, offset);
}

/* Returns the name of an fcntl operation. Operations that fail with different errors have different names. */
static const char *name_of_fcntl(int command, const void *argument)
{
    switch (command) {
    case F_DUPFD_CLOEXEC:
        return "dup";
    case F_SETLK:
    case F_OFD_SETLK:
        return ((const struct flock *)argument)->l_type == F_UNLCK ? "unlock" : "lock";
    case F_GETLK:
    case F_OFD_GETLK:
        return "lock";
    default:
        return "fcntl";
    }
}

#define DEFINE_FCNTL(name)                                                                                                       \
    int name(int file, int command, ...)                                                                                         \
    {                                                                                                                            \
        va_list arguments;                                                                                                       \
        void *argument;                                                                                                          \
        REAL(name);                                                                                                              \
        va_start(arguments, command);                                                                                            \
        argument = va_arg(arguments, void *);                                                                                    \
        va_end(arguments);                                                                                                       \
        FAIL_IF_INJECTED(name_of_fcntl(command, argument), -1);                                                                  \
        return real(file, command, argument);                                                                                    \
    }
DEFINE_FCNTL(fcntl)
DEFINE_FCNTL(fcntl64)

int fstat64(int file, struct stat64 *status)
{
    REAL(fstat64);
    FAIL_IF_INJECTED("stat", -1);
    return real(file, status);
}

int stat64(const char *path, struct stat64 *status)
{
    REAL(stat64);
    FAIL_IF_INJECTED("stat", -1);
    return real(redirected(path, __builtin_return_address(0)), status);
}

int lstat64(const char *path, struct stat64 *status)
{
    REAL(lstat64);
    FAIL_IF_INJECTED("stat", -1);
    return real(path, status);
}

int statx(int folder, const char *path, int flags, unsigned int mask, struct statx *status)
{
    REAL(statx);
    FAIL_IF_INJECTED("stat", -1);
    return real(folder, redirected(path, __builtin_return_address(0)), flags, mask, status);
}

int statfs64(const char *path, struct statfs64 *status)
{
    REAL(statfs64);
    FAIL_IF_INJECTED("statfs", -1);
    return real(path, status);
}

int access(const char *path, int mode)
{
    REAL(access);
    FAIL_IF_INJECTED("access", -1);
    return real(path, mode);
}

int fchmod(int file, mode_t mode)
{
    REAL(fchmod);
    FAIL_IF_INJECTED("fchmod", -1);
    return real(file, mode);
}

int unlink(const char *path)
{
    REAL(unlink);
    FAIL_IF_INJECTED("unlink", -1);
    return real(path);
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    FAIL_IF_INJECTED("rename", -1);
    return real(from, to);
}

ssize_t readlink(const char *path, char *bytes, size_t count)
{
    REAL(readlink);
    FAIL_IF_INJECTED("readlink", -1);
    return real(path, bytes, count);
}

/* --- Network --- */

int socket(int domain, int type, int protocol)
{
    REAL(socket);
    FAIL_IF_INJECTED("socket", -1);
    return real(domain, type, protocol);
}

int connect(int socket, const struct sockaddr *address, socklen_t size)
{
    REAL(connect);
    FAIL_IF_INJECTED("connect", -1);
    return real(socket, address, size);
}

ssize_t send(int socket, const void *bytes, size_t count, int flags)
{
    REAL(send);
    FAIL_OR_HALVE("send", count);
    return real(socket, bytes, count, flags);
}

ssize_t recv(int socket, void *bytes, size_t count, int flags)
{
    REAL(recv);
    FAIL_OR_HALVE("recv", count);
    return real(socket, bytes, count, flags);
}

int setsockopt(int socket, int level, int name, const void *value, socklen_t size)
{
    REAL(setsockopt);
    FAIL_IF_INJECTED("setsockopt", -1);
    return real(socket, level, name, value, size);
}

int getsockopt(int socket, int level, int name, void *value, socklen_t *size)
{
    REAL(getsockopt);
    FAIL_IF_INJECTED("getsockopt", -1);
    return real(socket, level, name, value, size);
}

int shutdown(int socket, int direction)
{
    REAL(shutdown);
    FAIL_IF_INJECTED("shutdown", -1);
    return real(socket, direction);
}

int poll(struct pollfd *files, nfds_t count, int timeout)
{
    REAL(poll);
    FAIL_IF_INJECTED("poll", -1);
    return real(files, count, timeout);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int error;
    REAL(getaddrinfo);
    error = fault_of("getaddrinfo", __builtin_return_address(0));
    if (error > 0) {
        errno = EMFILE;
        return -error;
    }
    if (host && strcmp(host, "conversion.test") == 0)
        host = "127.0.0.1";
    return real(host, service, hints, found);
}

/* --- Other calls --- */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *argument)
{
    int error;
    REAL(pthread_create);
    error = fault_of("pthread_create", __builtin_return_address(0));
    return error > 0 ? error : real(thread, attributes, work, argument);
}

int eventfd(unsigned int value, int flags)
{
    REAL(eventfd);
    FAIL_IF_INJECTED("eventfd", -1);
    return real(value, flags);
}

int inotify_init1(int flags)
{
    REAL(inotify_init1);
    FAIL_IF_INJECTED("inotify_init", -1);
    return real(flags);
}

int inotify_add_watch(int file, const char *path, uint32_t mask)
{
    REAL(inotify_add_watch);
    FAIL_IF_INJECTED("inotify_add_watch", -1);
    return real(file, path, mask);
}

ssize_t getrandom(void *bytes, size_t count, unsigned int flags)
{
    REAL(getrandom);
    FAIL_IF_INJECTED("getrandom", -1);
    return real(bytes, count, flags);
}

long syscall(long number, ...)
{
    va_list arguments;
    long given[6];
    size_t i;
    REAL(syscall);
    va_start(arguments, number);
    for (i = 0; i < sizeof given / sizeof *given; i++)
        given[i] = va_arg(arguments, long);
    va_end(arguments);
    switch (number) {
    case SYS_fcntl:
        FAIL_IF_INJECTED(name_of_fcntl((int)given[1], (const void *)given[2]), -1);
        break;
    case SYS_futex:
        /* A wakeup of a valid futex never fails. */
        if ((given[1] & FUTEX_CMD_MASK) == FUTEX_WAIT || (given[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET)
            FAIL_IF_INJECTED("futex", -1);
        break;
    case SYS_statx:
        FAIL_IF_INJECTED("stat", -1);
        break;
    case SYS_getrandom:
        FAIL_IF_INJECTED("getrandom", -1);
        break;
    default:
        break;
    }
    return real(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}
