/*
 * For make gate-proof: an artificial slowdown of all paths that needs no change to the library. Preloaded, it makes each
 * allocation take SLOW_MALLOC rounds of a loop longer.
 */
#include <stddef.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);

static long rounds;

__attribute__((constructor)) static void read_rounds(void)
{
    const char *given = getenv("SLOW_MALLOC");
    rounds = given == NULL ? 0 : strtol(given, NULL, 10);
}

void *malloc(size_t size)
{
    for (long round = 0; round < rounds; round++)
        __asm__ volatile("");
    return __libc_malloc(size);
}
