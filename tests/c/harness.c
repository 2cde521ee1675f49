/*
 * Tests the library from C, against the sandbox.
 *
 *     nexmo-sandbox RULES -- harness BAD_INPUTS.tsv STATUSES.md [CALLS]
 *
 * CALLS is the number of calls in the long loop; the default is 10000. The Makefile defines RULES.
 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "reporter_fixture.h"
#include "harness.h"

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
    test_struct_sizes();
    test_struct_init();
    test_client_handles();
    test_reporter_basics();
    test_reporter_options();
    test_reporter_outbox_errors();
    test_reporter_statuses();
    test_reporter_events();
    test_reporter_outbox_names();
    test_reporter_lifecycle();
    test_reporter_host_process();
    test_flat_reports();
    test_flat_handles();
    test_flat_statistics();
    test_flat_input();
    test_flat_output();
    test_flat_settings();
    remove_outboxes();
    test_host_process(argc > 3 ? atol(argv[3]) : 10000);
    printf("%ld passed, %ld failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
