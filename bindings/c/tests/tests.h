/* The parts of the harness, one a file. */
#ifndef TESTS_H
#define TESTS_H

void test_reports(void);                /* reports.c: what arrives, and what comes back */
void test_bad_inputs(const char *path); /* bad_inputs.c: what is refused before anything is sent */
void test_handles(void);                /* handles.c: clients */
void test_structs(void);                /* structs.c: callers and libraries of different age */
void remember_signals(void);            /* process.c: what test_process compares with at the end */
void test_process(long calls);          /* process.c: loops, threads, forks and signals in the host */

#endif
