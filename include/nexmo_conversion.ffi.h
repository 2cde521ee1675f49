/* Generated from src/ffi by `make generate`; do not edit. */
/* The declarations of nexmo_conversion.h without a preprocessor, for PHP FFI, LuaJIT and Python cffi. */
/* Use this file only with the library version that it came with: some parsers look up every function at load time. */

typedef int32_t nexmo_status;

enum {
    NEXMO_OK = 0,
    NEXMO_ERR_NULL_POINTER = 1,
    NEXMO_ERR_STRUCT_SIZE = 2,
    NEXMO_ERR_UNKNOWN_FLAGS = 3,
    NEXMO_ERR_INVALID_ARGUMENT = 4,
    NEXMO_ERR_INVALID_HANDLE = 5,
    NEXMO_ERR_CLOSED = 6,
    NEXMO_ERR_FORKED = 7,
    NEXMO_ERR_NETWORK = 20,
    NEXMO_ERR_TIMEOUT = 21,
    NEXMO_ERR_TLS = 22,
    NEXMO_ERR_PROTOCOL = 23,
    NEXMO_ERR_PROXY = 24,
    NEXMO_ERR_CANCELLED = 25,
    NEXMO_ERR_SYSTEM = 26,
    NEXMO_ERR_UNAUTHORIZED = 40,
    NEXMO_ERR_NOT_ENABLED = 41,
    NEXMO_ERR_REJECTED = 42,
    NEXMO_ERR_RATE_LIMITED = 43,
    NEXMO_ERR_UNAVAILABLE = 44,
    NEXMO_ERR_REDIRECTED = 45,
    NEXMO_ERR_UNEXPECTED_STATUS = 46,
    NEXMO_ERR_OUTBOX = 60,
    NEXMO_ERR_OUTBOX_FULL = 61,
    NEXMO_ERR_OUTBOX_BUSY = 62,
    NEXMO_ERR_OUTBOX_CORRUPT = 63,
    NEXMO_ERR_OUTBOX_WRONG_ACCOUNT = 64,
    NEXMO_ERR_OUTBOX_VERSION = 65,
    NEXMO_ERR_PENDING = 70,
    NEXMO_ERR_SUSPENDED = 71,
    NEXMO_ERR_INTERNAL = 99
};

const char *nexmo_status_name(nexmo_status status);
const char *nexmo_status_describe(nexmo_status status);
int32_t nexmo_status_is_retryable(nexmo_status status);

enum {
    NEXMO_TIMESTAMP_SIZE = 20
};

const char *nexmo_conversion_version(void);
nexmo_status nexmo_timestamp_from_unix(int64_t unix_seconds, char *text, size_t text_size);

enum {
    NEXMO_AUTH_QUERY = 0,
    NEXMO_AUTH_BASIC = 1,
    NEXMO_AUTH_SIGNATURE = 2,
    NEXMO_SIGNATURE_MD5_HASH = 1,
    NEXMO_SIGNATURE_HMAC_MD5 = 2,
    NEXMO_SIGNATURE_HMAC_SHA1 = 3,
    NEXMO_SIGNATURE_HMAC_SHA256 = 4,
    NEXMO_SIGNATURE_HMAC_SHA512 = 5
};

typedef struct nexmo_credentials {
    uint32_t struct_size;
    uint32_t flags;
    const char *api_key;
    const char *api_secret;
    const char *signature_secret;
    int32_t auth;
    int32_t signature_method;
} nexmo_credentials;

void nexmo_credentials_init(nexmo_credentials *credentials, size_t size);

enum {
    NEXMO_OPTIONS_ALLOW_PLAIN_HTTP = 1,
    NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT = 2,
    NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY = 4,
    NEXMO_OPTIONS_SIGN_UNIX_SECONDS = 8
};

typedef struct nexmo_options {
    uint32_t struct_size;
    uint32_t flags;
    const char *base_url;
    const char *proxy;
    const char *ca_file;
    const char *client_cert_file;
    const char *client_key_file;
    const char *user_agent;
    int32_t connect_timeout_ms;
    int32_t timeout_ms;
    int32_t max_attempts;
    int32_t max_idle_connections;
} nexmo_options;

void nexmo_options_init(nexmo_options *options, size_t size);

enum {
    NEXMO_ACCEPTANCE_NO = 0,
    NEXMO_ACCEPTANCE_UNKNOWN = 1,
    NEXMO_ACCEPTANCE_YES = 2,
    NEXMO_MESSAGE_SIZE = 256
};

typedef struct nexmo_result {
    uint32_t struct_size;
    uint32_t flags;
    nexmo_status status;
    int32_t http_status;
    int32_t attempts;
    int32_t acceptance;
    int64_t elapsed_us;
    int64_t retry_after_ms;
    char message[256];
} nexmo_result;

void nexmo_result_init(nexmo_result *result, size_t size);

enum {
    NEXMO_CHANNEL_SMS = 1,
    NEXMO_CHANNEL_VOICE = 2
};

nexmo_status nexmo_conversion_sms(const nexmo_credentials *credentials, const char *message_id, int32_t delivered, const char *timestamp, const nexmo_options *options, nexmo_result *result);
nexmo_status nexmo_conversion_voice(const nexmo_credentials *credentials, const char *message_id, int32_t delivered, const char *timestamp, const nexmo_options *options, nexmo_result *result);

typedef struct nexmo_client nexmo_client;

nexmo_status nexmo_client_new(const nexmo_credentials *credentials, const nexmo_options *options, nexmo_client **client, nexmo_result *result);
nexmo_status nexmo_client_report(nexmo_client *client, int32_t channel, const char *message_id, int32_t delivered, const char *timestamp, nexmo_result *result);
nexmo_status nexmo_client_free(nexmo_client *client);

enum {
    NEXMO_DURABILITY_PROCESS = 0,
    NEXMO_DURABILITY_POWER = 1,
    NEXMO_DURABILITY_NONE = 2,
    NEXMO_OVERFLOW_FAIL = 0,
    NEXMO_OVERFLOW_DROP_OLDEST = 1,
    NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM = 1
};

typedef struct nexmo_reporter_options {
    uint32_t struct_size;
    uint32_t flags;
    const char *outbox;
    int32_t durability;
    int32_t overflow;
    int32_t max_pending;
    int32_t max_age_s;
    int32_t max_in_flight;
    int32_t busy_timeout_ms;
} nexmo_reporter_options;

void nexmo_reporter_options_init(nexmo_reporter_options *options, size_t size);

typedef struct nexmo_reporter nexmo_reporter;

nexmo_status nexmo_reporter_new(const nexmo_credentials *credentials, const nexmo_options *options, const nexmo_reporter_options *reporter_options, nexmo_reporter **reporter, nexmo_result *result);
nexmo_status nexmo_reporter_flush(nexmo_reporter *reporter, int32_t timeout_ms, nexmo_result *result);
nexmo_status nexmo_reporter_close(nexmo_reporter *reporter, int32_t timeout_ms, nexmo_result *result);
nexmo_status nexmo_reporter_free(nexmo_reporter *reporter);

nexmo_status nexmo_reporter_submit(nexmo_reporter *reporter, int32_t channel, const char *message_id, int32_t delivered, const char *timestamp, nexmo_result *result);

enum {
    NEXMO_EVENT_NONE = 0,
    NEXMO_EVENT_REJECTED = 1,
    NEXMO_EVENT_EXPIRED = 2,
    NEXMO_EVENT_DROPPED = 3,
    NEXMO_MESSAGE_ID_SIZE = 260
};

typedef struct nexmo_event {
    uint32_t struct_size;
    uint32_t flags;
    int64_t id;
    int64_t created_unix_ms;
    int32_t kind;
    int32_t http_status;
    int32_t channel;
    int32_t delivered;
    char message_id[260];
    char timestamp[20];
    char message[256];
} nexmo_event;

nexmo_status nexmo_reporter_poll(nexmo_reporter *reporter, int32_t timeout_ms, nexmo_event *event, nexmo_result *result);
nexmo_status nexmo_reporter_acknowledge(nexmo_reporter *reporter, int64_t event_id, nexmo_result *result);
int32_t nexmo_reporter_fd(nexmo_reporter *reporter);
void nexmo_event_init(nexmo_event *event, size_t size);

enum {
    NEXMO_STATE_RUNNING = 0,
    NEXMO_STATE_BACKING_OFF = 1,
    NEXMO_STATE_SUSPENDED = 2,
    NEXMO_STATE_CLOSED = 3,
    NEXMO_STATE_STANDBY = 4
};

typedef struct nexmo_statistics {
    uint32_t struct_size;
    uint32_t flags;
    int32_t state;
    int32_t in_flight;
    nexmo_status last_error;
    int32_t last_error_http_status;
    int64_t submitted;
    int64_t accepted;
    int64_t rejected;
    int64_t expired;
    int64_t replaced;
    int64_t dropped;
    int64_t damaged;
    int64_t pending;
    int64_t events;
    int64_t events_discarded;
    int64_t outbox_resets;
    int64_t outbox_errors;
    int64_t oldest_pending_ms;
    int64_t last_error_unix_ms;
    char last_error_message[256];
} nexmo_statistics;

nexmo_status nexmo_reporter_statistics(nexmo_reporter *reporter, nexmo_statistics *statistics, nexmo_result *result);
void nexmo_statistics_init(nexmo_statistics *statistics, size_t size);

int32_t nexmo_flat_open(const char *settings, int32_t settings_size, int64_t *handle, char *message, int32_t message_size);
int32_t nexmo_flat_close(int64_t handle, int32_t timeout_ms, char *message, int32_t message_size);

enum {
    NEXMO_DETAIL_STATUS = 0,
    NEXMO_DETAIL_HTTP_STATUS = 1,
    NEXMO_DETAIL_ATTEMPTS = 2,
    NEXMO_DETAIL_ACCEPTANCE = 3,
    NEXMO_DETAIL_ELAPSED_US = 4,
    NEXMO_DETAIL_RETRY_AFTER_MS = 5,
    NEXMO_DETAIL_COUNT = 6
};

int32_t nexmo_flat_report(int64_t handle, int32_t channel, const char *message_id, int32_t message_id_size, int32_t delivered, const char *timestamp, int32_t timestamp_size, int64_t *details, int32_t details_count, char *message, int32_t message_size);
int32_t nexmo_flat_submit(int64_t handle, int32_t channel, const char *message_id, int32_t message_id_size, int32_t delivered, const char *timestamp, int32_t timestamp_size, int64_t *details, int32_t details_count, char *message, int32_t message_size);
int32_t nexmo_flat_flush(int64_t handle, int32_t timeout_ms, char *message, int32_t message_size);

enum {
    NEXMO_EVENT_FIELD_ID = 0,
    NEXMO_EVENT_FIELD_KIND = 1,
    NEXMO_EVENT_FIELD_CHANNEL = 2,
    NEXMO_EVENT_FIELD_DELIVERED = 3,
    NEXMO_EVENT_FIELD_HTTP_STATUS = 4,
    NEXMO_EVENT_FIELD_COUNT = 5
};

int32_t nexmo_flat_poll(int64_t handle, int32_t timeout_ms, int64_t *event, int32_t event_count, char *message_id, int32_t message_id_size, char *timestamp, int32_t timestamp_size, char *message, int32_t message_size);
int32_t nexmo_flat_acknowledge(int64_t handle, int64_t event_id, char *message, int32_t message_size);

int32_t nexmo_flat_statistic(int64_t handle, const char *name, int32_t name_size, int64_t *value, char *text, int32_t text_size);
int32_t nexmo_flat_status(int32_t status, char *name, int32_t name_size, char *text, int32_t text_size);
int32_t nexmo_flat_version(char *text, int32_t text_size);
