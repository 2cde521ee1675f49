/*
 * A library that make gate-proof preloads to slow down every path without changing the library under test. Each call of
 * malloc first runs a loop with SLOW_MALLOC iterations.
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
