/* Tests that the header compiles without another header before it, and when it is included twice. The Makefile compiles
 * this file as C89 and later and as C++98 and later, with many warnings. */
#include "nexmo_conversion.h"
#include "nexmo_conversion.h"

nexmo_credentials header_credentials = NEXMO_CREDENTIALS_INIT;
nexmo_options header_options = NEXMO_OPTIONS_INIT;
nexmo_result header_result = NEXMO_RESULT_INIT;
nexmo_reporter_options header_reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
nexmo_statistics header_statistics = NEXMO_STATISTICS_INIT;
nexmo_event header_event = NEXMO_EVENT_INIT;

/* Checks that no struct has padding, inside or at its end, whatever the size of a pointer. An array of negative size
 * would not compile. */
typedef char header_credentials_size[sizeof(nexmo_credentials) == 4 * 4 + 3 * sizeof(char *) ? 1 : -1];
typedef char header_options_size[sizeof(nexmo_options) == 6 * 4 + 6 * sizeof(char *) ? 1 : -1];
typedef char header_result_size[sizeof(nexmo_result) == 6 * 4 + 2 * 8 + 256 ? 1 : -1];
typedef char header_reporter_options_size[sizeof(nexmo_reporter_options) == 8 * 4 + sizeof(char *) ? 1 : -1];
typedef char header_statistics_size[sizeof(nexmo_statistics) == 6 * 4 + 14 * 8 + 256 ? 1 : -1];
typedef char header_event_size[sizeof(nexmo_event) == 6 * 4 + 2 * 8 + 260 + 20 + 256 ? 1 : -1];

nexmo_status header_call(void);

nexmo_status header_call(void)
{
    header_options.flags = NEXMO_OPTIONS_ALLOW_PLAIN_HTTP | NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY;
    header_options.flags &= ~NEXMO_OPTIONS_ALLOW_PLAIN_HTTP;
    return nexmo_conversion_sms(&header_credentials, "id", 1, NULL, &header_options, &header_result);
}
