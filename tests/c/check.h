/* Counts checks. A failed check prints its location and its message, and the program continues. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

extern long checks_passed;
extern long checks_failed;

#define CHECK(condition, ...)                                                                                                    \
    do {                                                                                                                         \
        if (condition) {                                                                                                         \
            checks_passed++;                                                                                                     \
        } else {                                                                                                                 \
            checks_failed++;                                                                                                     \
            fprintf(stderr, "%s:%d: %s\n    ", __FILE__, __LINE__, #condition);                                                  \
            fprintf(stderr, __VA_ARGS__);                                                                                        \
            fputc('\n', stderr);                                                                                                 \
        }                                                                                                                        \
    } while (0)

/* Returns whether text begins with beginning. */
static inline int begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

#endif
