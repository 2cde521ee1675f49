/*
 * Runs a program repeatedly and measures the time from before its start until its exit.
 *
 *     launch TIMES PROGRAM ARGUMENTS...
 *
 * Prints a line of JSON, as the other programs do, with the totals `wall_s` and `cpu_s` of all runs and the median wall
 * time of a run, `median_s`. Discards the program's standard output.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Runs the program once and adds its CPU time to `cpu_s`; returns whether it succeeded. */
static int start(char **command, const posix_spawn_file_actions_t *actions, double *cpu_s)
{
    struct rusage usage;
    pid_t child;
    int status;
    if (posix_spawnp(&child, command[0], actions, NULL, command, environ) != 0 || wait4(child, &status, 0, &usage) != child)
        return 0;
    *cpu_s += seconds(usage.ru_utime) + seconds(usage.ru_stime);
    return status == 0;
}

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

int main(int argc, char **argv)
{
    int times = argc < 3 ? 0 : atoi(argv[1]), failures = 0;
    double *took = calloc((size_t)times + 1, sizeof *took), all = 0, cpu_s = 0;
    posix_spawn_file_actions_t actions;

    if (times < 1)
        return 2;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    for (int i = 0; i < times; i++) {
        double before = wall();
        failures += !start(argv + 2, &actions, &cpu_s);
        took[i] = wall() - before;
        all += took[i];
    }
    qsort(took, (size_t)times, sizeof *took, compare);
    printf("{\"done\": %d, \"failures\": %d, \"wall_s\": %.6f, \"cpu_s\": %.6f, \"median_s\": %.6f}\n", times, failures, all,
           cpu_s, took[times / 2]);
    return failures == 0 ? 0 : 1;
}
