/* The parts of the harness, one a file. */
#ifndef TESTS_H
#define TESTS_H

void test_reports(void);                /* reports.c: what arrives, and what comes back */
void test_bad_inputs(const char *path); /* bad_inputs.c: what is refused before anything is sent */
void test_handles(void);                /* handles.c: clients */
void test_structs(void);                /* structs.c: callers and libraries of different age */
void test_reporter(void);               /* reporter.c: reporters, as handles.c and structs.c have it for clients */
void test_reporter_options(void);       /* reporter_options.c: each option by its effect */
void test_reporter_files(void);         /* reporter_files.c: files that cannot be used, are locked, damaged or another's */
void test_reporter_statuses(void);      /* reporter_statuses.c: what is said of reports that stay or were set aside */
void test_reporter_ends(void);          /* reporter_ends.c: descriptor, replacement, flush, free, threads */
void test_reporter_process(void);       /* reporter_process.c: forks, raw clones and signals */
void remember_signals(void);            /* process.c: what test_process compares with at the end */
void test_process(long calls);          /* process.c: loops, threads, forks and signals in the host */

#endif
