/*
 * Tests the library as a C program meets it, against the sandbox.
 *
 *     nexmo-sandbox RULES -- harness BAD_INPUTS.tsv STATUSES.md [CALLS]
 *
 * CALLS is the length of the long loop, 10000 unless said otherwise. The Makefile knows the sandbox's rules.
 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "reporting.h"
#include "tests.h"

long checks_passed = 0;
long checks_failed = 0;

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s BAD_INPUTS.tsv STATUSES.md [CALLS]\n", argv[0]);
        return 2;
    }
    remember_signals();
    test_reports();
    test_bad_inputs(argv[1]);
    test_statuses(argv[2]);
    test_structs();
    test_inits();
    test_handles();
    test_reporter();
    test_reporter_options();
    test_reporter_files();
    test_reporter_statuses();
    test_reporter_events();
    test_reporter_outboxes();
    test_reporter_ends();
    test_reporter_process();
    test_flat();
    test_flat_handles();
    test_flat_statistics();
    test_flat_texts();
    test_flat_buffers();
    test_flat_settings();
    remove_outboxes();
    test_process(argc > 3 ? atol(argv[3]) : 10000);
    printf("%ld passed, %ld failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
