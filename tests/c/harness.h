/* The test groups of the harness, one per file. */
#ifndef HARNESS_H
#define HARNESS_H

void test_reports(void);                /* requests at the service, and results */
void test_bad_inputs(const char *path); /* invalid arguments */
void test_statuses(const char *path);   /* names, texts and retryability of statuses */
void test_struct_sizes(void);           /* callers that are older or newer than the library */
void test_struct_init(void);            /* the _init functions */
void test_client_handles(void);         /* clients: handles, threads, free during calls */
void test_reporter_basics(void);        /* reporters: delivery, handles, struct sizes */
void test_reporter_options(void);       /* each option by its effect */
void test_reporter_outbox_errors(void); /* outboxes: unusable, locked, corrupt, of another account */
void test_reporter_outbox_names(void);  /* names of outboxes, and equal accounts */
void test_reporter_statuses(void);      /* NEXMO_ERR_PENDING, _CLOSED, _SUSPENDED */
void test_reporter_events(void);        /* poll and acknowledge */
void test_reporter_lifecycle(void);     /* descriptor, replacement, flush, free, threads */
void test_reporter_host_process(void);  /* forks, raw clones and signals */
void test_flat_reports(void);           /* reports and events through the flat functions */
void test_flat_handles(void);           /* handles of the flat functions */
void test_flat_statistics(void);        /* statistics and the version */
void test_flat_input(void);             /* text that is passed with its size */
void test_flat_output(void);            /* text and numbers that are returned */
void test_flat_settings(void);          /* settings: syntax, effect, errors */
void remember_signals(void);            /* saves the handlers for test_host_process */
void test_host_process(long calls);     /* long loops, threads, forks and signals */

#endif
