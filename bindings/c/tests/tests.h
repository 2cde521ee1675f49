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
void test_reporter_statuses(void);      /* reporter_statuses.c: what is said of reports that stay or were not accepted */
void test_reporter_ends(void);          /* reporter_ends.c: descriptor, replacement, flush, free, threads */
void test_reporter_process(void);       /* reporter_process.c: forks, raw clones and signals */
void remember_signals(void);            /* process.c: what test_process compares with at the end */
void test_statuses(const char *path);   /* statuses.c: what each number is called, means, and whether to retry */
void test_inits(void);                  /* inits.c: the _init functions */
void test_reporter_events(void);        /* reporter_events.c: poll and acknowledge */
void test_reporter_outboxes(void);      /* reporter_outboxes.c: names of outboxes, and accounts */
void test_flat(void);                   /* flat.c: reports and events through the flat functions */
void test_flat_handles(void);           /* flat_handles.c: their handles */
void test_flat_statistics(void);        /* flat_statistics.c: statistics and the version */
void test_flat_texts(void);             /* flat_texts.c: text that is passed with its size */
void test_flat_buffers(void);           /* flat_buffers.c: text and numbers that are returned */
void test_flat_settings(void);          /* flat_settings.c: how settings are written, and what is refused */
void test_process(long calls);          /* process.c: loops, threads, forks and signals in the host */

#endif
