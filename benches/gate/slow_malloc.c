/*
 * For make gate-proof: preloaded, it slows every path without a change to the library, by SLOW_MALLOC iterations of a loop
 * in each allocation.
 */
#include <stddef.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);

static long iterations;

__attribute__((constructor)) static void read_iterations(void)
{
    const char *value = getenv("SLOW_MALLOC");
    iterations = value == NULL ? 0 : strtol(value, NULL, 10);
}

void *malloc(size_t size)
{
    for (long i = 0; i < iterations; i++)
        __asm__ volatile("");
    return __libc_malloc(size);
}
