/*
 * nexmo_conversion.h - reports conversions to the Nexmo (Vonage) Conversion API
 *
 * Generated from src/ffi by `make generate`; do not edit.
 *
 * A conversion says whether a one-time code sent by SMS or phone call was effective:
 *
 *     nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
 *     nexmo_result result = NEXMO_RESULT_INIT;
 *     credentials.api_key = "abcd1234";
 *     credentials.api_secret = "s3cret";
 *     if (nexmo_conversion_sms(&credentials, "00A0B0C0", 1, NULL, NULL, &result) != NEXMO_OK)
 *         fprintf(stderr, "%s\n", result.message);
 *
 * There are three ways to report it, and one for languages other than C:
 *
 * 1. One call    nexmo_conversion_sms and nexmo_conversion_voice make one report and wait for the response.
 * 2. A client    nexmo_client_... does the same with credentials and options set once. Its calls can be cancelled.
 * 3. A reporter  nexmo_reporter_... stores a report in an outbox within microseconds and sends it in the background
 *                until the service has accepted it, across crashes, outages and restarts.
 * 4. Flat        nexmo_flat_... offers clients and reporters to languages that cannot use C structs easily. The
 *                comment of nexmo_flat_open describes the text, buffers and arrays of all flat functions.
 *
 * The header is C89 with <stdint.h>, and C++98. The following holds for every function unless its comment says
 * otherwise.
 *
 * Since       1.0.
 * Parameters  A pointer must not be NULL unless the comment says what NULL means. result receives the outcome and may
 *             be NULL. A call rejects a value that its comment calls invalid, or that is outside the stated range, with
 *             NEXMO_ERR_INVALID_ARGUMENT.
 * Statuses    Every call can return NEXMO_OK to NEXMO_ERR_INVALID_HANDLE (0 to 5), NEXMO_ERR_FORKED and
 *             NEXMO_ERR_INTERNAL. After NEXMO_ERR_INTERNAL, the handle may have been freed. In addition,
 *             - a call that reports can return 20 to 59;
 *             - nexmo_client_new can return NEXMO_ERR_SYSTEM;
 *             - nexmo_reporter_new and every call with a reporter can return NEXMO_ERR_SYSTEM and 60 to 65;
 *             - submit and poll can return NEXMO_ERR_CLOSED;
 *             - flush and close can return NEXMO_ERR_PENDING and NEXMO_ERR_SUSPENDED;
 *             - poll, flush and close can return NEXMO_ERR_CANCELLED.
 *             The comment of a status says what happened and what to do. The comment of a function describes a status
 *             only if it has a special meaning there.
 * Ownership   The library borrows arguments until the call returns and copies the data that it keeps. Only handles must
 *             be freed, each with its own function.
 * Blocking    A function blocks only if its comment says so.
 * Threads     Any number of threads may call any function concurrently, even with the same handle. Signal handlers must
 *             not call any function. Each concurrent call needs a separate result struct. 64 KiB of stack is enough
 *             for every call. errno is not preserved. pthread_cancel takes effect after the call (with the default,
 *             deferred type); to end a wait in poll, flush or close, call close or free from another thread.
 * Processes   After fork, parent and child can both use all handles, over separate connections. They share an outbox
 *             that is a file. Fork handlers (pthread_atfork) must not call any function.
 * Text        UTF-8, NUL-terminated, at most 4096 bytes. NULL means that no text is given; "" is an empty string. The
 *             library returns text either in arrays of the caller or as a pointer that is never NULL and stays valid
 *             for the life of the process.
 * Structs     The caller allocates them, and initializes each with its NEXMO_..._INIT macro (in a declaration) or its
 *             _init function (in any memory, such as the heap). The _init function does nothing if the pointer is NULL
 *             or the size is below 8 or above 4096. Structs have no padding and need not be aligned. They grow only at
 *             the end, so programs and libraries of different versions work together. The library accepts a struct_size
 *             from the size in the first release up to 4096 if it is a multiple of 8 (of 4 where pointers have 4
 *             bytes). In a struct that the library reads, bytes beyond those that it knows must be 0; in a struct that
 *             it writes, it sets them to 0. Only the _init functions write struct_size.
 * Numbers     A later version may return a status, acceptance, state, kind or channel that this header does not name.
 *             Classify such a status by nexmo_status_is_retryable and its band; treat any other such number as unknown.
 * Handles     Identifiers, not addresses: never dereference them. A call with a handle that is NULL, was freed or was
 *             never valid returns NEXMO_ERR_INVALID_HANDLE and has no other effect. ..._free also accepts NULL.
 * Time limits In milliseconds. The parameter timeout_ms limits one wait: 0 checks once, -1 means no limit, and a value
 *             below -1 is invalid. The option timeout_ms limits the sending of one report.
 * The host    The library does not end the process, unless memory is exhausted. It writes nothing to standard output or
 *             error, installs no signal handler, raises no SIGPIPE, reads no environment variable unless a flag
 *             requests it, and stays loaded after dlclose. Its threads are named nexmo-worker, nexmo-sender,
 *             nexmo-wal and nexmo-dns and block all signals.
 */
#ifndef NEXMO_CONVERSION_H
#define NEXMO_CONVERSION_H

#include <stddef.h>
#include <stdint.h>

/** The version of this header; nexmo_conversion_version() returns that of the library. */
#define NEXMO_CONVERSION_VERSION "1.0.0"
#define NEXMO_CONVERSION_VERSION_MAJOR 1
#define NEXMO_CONVERSION_VERSION_MINOR 0
#define NEXMO_CONVERSION_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* --- Statuses ----------------------------------------------------------------------------------------------------- */

/** The result of a call: NEXMO_OK or one of the NEXMO_ERR_* constants. No status of this version is negative or
 *  above 99, so that a status can be a program's exit status. If a band is full, later versions may add statuses
 *  that are 1000 higher, so the status modulo 1000 determines the band: 1 to 19, the call was invalid and nothing
 *  was sent; 20 to 39, no valid response was received (acceptance says whether the report may have been accepted);
 *  40 to 59, the service's response is an error; 60 to 79, an error of the outbox or the reporter; 80 to 98, unused;
 *  99, a bug. */
typedef int32_t nexmo_status;

/** Success. The service accepted the report or, after a submit, the outbox stored it. Nothing needs to be done. */
#define NEXMO_OK 0

/** A required pointer is NULL. Nothing was sent. Set the pointer that the message names. */
#define NEXMO_ERR_NULL_POINTER 1
/** A struct has a size that this library does not accept, or a field that this library does not know is not 0.
 *  Nothing was sent. Initialize the struct with its INIT macro or _init function, or load the library that the
 *  program was built for. */
#define NEXMO_ERR_STRUCT_SIZE 2
/** This library does not know one of the flags. Nothing was sent. Clear the flag, or load a later version of the
 *  library. */
#define NEXMO_ERR_UNKNOWN_FLAGS 3
/** An argument, or a file that it names, is invalid. Nothing was sent. Correct the argument or file that the message
 *  names. */
#define NEXMO_ERR_INVALID_ARGUMENT 4
/** The handle is NULL, was freed, or is not a handle for this function. Nothing was sent. Pass a valid handle. */
#define NEXMO_ERR_INVALID_HANDLE 5
/** The reporter is closed and, if the call was a poll, has no more events. A submitted report was not stored. Submit
 *  it to another reporter. */
#define NEXMO_ERR_CLOSED 6
/** The fork handlers did not run when this process was created. Nothing was sent. Create the process with fork, or
 *  execute a new program in it. */
#define NEXMO_ERR_FORKED 7
/** The host name could not be resolved, no connection could be made, or the connection was lost before the head of
 *  the response was complete. acceptance says whether the report may have been accepted. Retry later. */
#define NEXMO_ERR_NETWORK 20
/** A time limit expired. acceptance says whether the report may have been accepted. Retry later. */
#define NEXMO_ERR_TIMEOUT 21
/** The TLS handshake failed, or the server's certificate is not trusted. The report was not accepted unless
 *  acceptance says that it may have been. Before retrying, check base_url, ca_file, the machine's clock, and whether
 *  another server responds in place of the service. */
#define NEXMO_ERR_TLS 22
/** The head of the response is not valid HTTP or exceeds a limit. The report may have been accepted. Retry later; if
 *  the error persists, check base_url. */
#define NEXMO_ERR_PROTOCOL 23
/** The proxy could not be reached, refused the connection, or sent no valid response. The report was not accepted
 *  unless acceptance says that it may have been. Retry later; if the error persists, check the proxy's address and
 *  credentials. */
#define NEXMO_ERR_PROXY 24
/** The handle was freed during the call. Before reporting again, check acceptance: it says whether the report may
 *  have been accepted. */
#define NEXMO_ERR_CANCELLED 25
/** The system has no file descriptor, memory or thread available, or a file cannot be read at the moment. The report
 *  was not accepted unless acceptance says that it may have been. Retry later; if the error persists, remove the
 *  cause that the message states. */
#define NEXMO_ERR_SYSTEM 26
/** 401: the credentials are wrong or, if the report is signed, its timestamp is old or the machine's clock is wrong.
 *  The service did not accept the report. Correct the cause before retrying. */
#define NEXMO_ERR_UNAUTHORIZED 40
/** 402: conversion is not enabled for the account, or the credentials are wrong. The service did not accept the
 *  report. Check the credentials, or ask the service's support team to enable conversions; then retry. */
#define NEXMO_ERR_NOT_ENABLED 41
/** 420, 422 or 423: the service rejected the report because of its parameters. The report was not accepted. Do not
 *  retry it unchanged. */
#define NEXMO_ERR_REJECTED 42
/** 429: too many requests. The service did not accept the report. Retry after retry_after_ms; if that is -1, choose
 *  a delay. */
#define NEXMO_ERR_RATE_LIMITED 43
/** 408 or 5xx: the service is unavailable. The report may have been accepted. Retry after retry_after_ms; if that is
 *  -1, choose a delay. */
#define NEXMO_ERR_UNAVAILABLE 44
/** 3xx: a redirect. The library follows no redirect, because doing so could send the credentials to another server.
 *  The report may have been accepted. Before retrying, check base_url, and whether another server responds in place
 *  of the service. */
#define NEXMO_ERR_REDIRECTED 45
/** Any other HTTP status, which the Conversion API does not document. The report may have been accepted. Before
 *  retrying, check base_url, and whether another server responds in place of the service. */
#define NEXMO_ERR_UNEXPECTED_STATUS 46
/** The outbox cannot be read or written; the message says why. A submitted report was not stored, unless acceptance
 *  is NEXMO_ACCEPTANCE_UNKNOWN: it may then be stored and sent. Remove the cause, then repeat the call. */
#define NEXMO_ERR_OUTBOX 60
/** The outbox or its disk is full. A submitted report was not stored. Retry later. */
#define NEXMO_ERR_OUTBOX_FULL 61
/** Other processes, reporters or threads kept the outbox locked for longer than busy_timeout_ms. A submitted report
 *  was not stored. Retry. */
#define NEXMO_ERR_OUTBOX_BUSY 62
/** The outbox is corrupt and still open elsewhere. A submitted report was not stored. Retry later: the outbox is
 *  replaced once no process has it open. */
#define NEXMO_ERR_OUTBOX_CORRUPT 63
/** The outbox belongs to another account. A submitted report was not stored. Use a separate outbox for each account. */
#define NEXMO_ERR_OUTBOX_WRONG_ACCOUNT 64
/** The outbox was created by a later version of this library. A submitted report was not stored. Load that version,
 *  or use another path. */
#define NEXMO_ERR_OUTBOX_VERSION 65
/** Reports were still pending when the time limit expired or the reporter was closed. They may have been accepted.
 *  With NEXMO_DURABILITY_NONE, a closed reporter has lost them; otherwise they are sent later and need not be
 *  submitted again. */
#define NEXMO_ERR_PENDING 70
/** The reporter is suspended: the service accepts no reports from this account. With NEXMO_DURABILITY_NONE, a closed
 *  reporter has lost its pending reports; otherwise they stay pending and need not be submitted again. Correct the
 *  account, its credentials or base_url. */
#define NEXMO_ERR_SUSPENDED 71
/** An internal error occurred because of a bug in this library. The calling program can continue. Before reporting
 *  again, check acceptance: it says whether the report may have been accepted. File a bug report. */
#define NEXMO_ERR_INTERNAL 99

/** Returns the name of a status, such as "NEXMO_ERR_TIMEOUT", or "NEXMO_ERR_UNKNOWN" for a number that this version
 *  does not know. */
const char *nexmo_status_name(nexmo_status status);

/** Returns the meaning of a status, in two to four English sentences: what happened, whether the report may have
 *  been accepted, and what to do next. */
const char *nexmo_status_describe(nexmo_status status);

/** Returns 1 if the same report can succeed when it is sent or submitted again later without a correction by a user.
 *  Returns 0 otherwise, including for a number that this version does not know. */
int32_t nexmo_status_is_retryable(nexmo_status status);

/* --- Version and time --------------------------------------------------------------------------------------------- */

/** Size of a timestamp in bytes, including the NUL. */
#define NEXMO_TIMESTAMP_SIZE 20

/** Returns the version of the loaded library, such as "1.0.0". NEXMO_CONVERSION_VERSION is the version of the
 *  header. */
const char *nexmo_conversion_version(void);

/**
 * Converts a UNIX time, as returned by time(), to the API's format "yyyy-MM-dd HH:mm:ss" in UTC.
 *
 * @param unix_seconds  Seconds since 1970-01-01 00:00:00 UTC: -62135596800 to 253402300799, the years 1 to 9999.
 * @param text          Receives the text and its NUL; "" on failure.
 * @param text_size     The size of text in bytes: NEXMO_TIMESTAMP_SIZE or more.
 *
 * @code
 * char now[NEXMO_TIMESTAMP_SIZE];
 * if (nexmo_timestamp_from_unix((int64_t)time(NULL), now, sizeof now) == NEXMO_OK)
 *     status = nexmo_conversion_sms(&credentials, message_id, 1, now, NULL, &result);
 * @endcode
 */
nexmo_status nexmo_timestamp_from_unix(int64_t unix_seconds, char *text, size_t text_size);

/* --- Credentials -------------------------------------------------------------------------------------------------- */

/** nexmo_credentials.auth: the query contains api_key and api_secret, as the API's documentation shows. */
#define NEXMO_AUTH_QUERY 0
/** nexmo_credentials.auth: an Authorization: Basic header, which keeps the secret out of URLs that servers log. */
#define NEXMO_AUTH_BASIC 1
/** nexmo_credentials.auth: a signature made with signature_secret. The secret is never sent. */
#define NEXMO_AUTH_SIGNATURE 2

/** nexmo_credentials.signature_method: MD5 of the parameters followed by the secret. */
#define NEXMO_SIGNATURE_MD5_HASH 1
/** nexmo_credentials.signature_method: HMAC-MD5. */
#define NEXMO_SIGNATURE_HMAC_MD5 2
/** nexmo_credentials.signature_method: HMAC-SHA-1. */
#define NEXMO_SIGNATURE_HMAC_SHA1 3
/** nexmo_credentials.signature_method: HMAC-SHA-256. */
#define NEXMO_SIGNATURE_HMAC_SHA256 4
/** nexmo_credentials.signature_method: HMAC-SHA-512. */
#define NEXMO_SIGNATURE_HMAC_SHA512 5

/** The credentials of an account. A client or reporter keeps copies of the secrets and wipes them when it is freed. */
typedef struct nexmo_credentials {
    /** sizeof(nexmo_credentials). */
    uint32_t struct_size;
    /** Must be 0. */
    uint32_t flags;
    /** Required: the account's API key, 1 to 256 bytes, without control characters (including those of bidirectional
     *  text) and without leading or trailing white space; with NEXMO_AUTH_BASIC, also without a colon. */
    const char *api_key;
    /** Required with NEXMO_AUTH_QUERY and NEXMO_AUTH_BASIC, otherwise not read: the API secret, 1 to 256 bytes,
     *  without control characters. */
    const char *api_secret;
    /** Required with NEXMO_AUTH_SIGNATURE, otherwise not read: the signature secret, 1 to 256 bytes, without control
     *  characters. */
    const char *signature_secret;
    /** One of NEXMO_AUTH_*. */
    int32_t auth;
    /** Required with NEXMO_AUTH_SIGNATURE: one of NEXMO_SIGNATURE_*, as configured for the account. Otherwise
     *  unused, but it must be 0 or one of these values. */
    int32_t signature_method;
} nexmo_credentials;

/** Initializes a struct as NEXMO_CREDENTIALS_INIT does. size is sizeof(nexmo_credentials) in the caller. */
void nexmo_credentials_init(nexmo_credentials *credentials, size_t size);

/** Sets struct_size; every other field is 0, NULL or "". */
#define NEXMO_CREDENTIALS_INIT { sizeof(nexmo_credentials), 0, NULL, NULL, NULL, 0, 0 }

/* --- Options ------------------------------------------------------------------------------------------------------ */

/** nexmo_options.flags: allows http:// to hosts other than loopback. Anyone on the network path can then read the
 *  credentials. */
#define NEXMO_OPTIONS_ALLOW_PLAIN_HTTP 1u
/** nexmo_options.flags: if proxy is NULL, uses the proxy from the environment: from https_proxy or HTTPS_PROXY (for
 *  an http:// base_url, from http_proxy, but never from HTTP_PROXY), or else from all_proxy or ALL_PROXY, unless
 *  no_proxy or NO_PROXY excludes the host. The flag is ignored in CGI programs. docs/operations.md describes the
 *  values of these variables. */
#define NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT 2u
/** nexmo_options.flags: trusts the root certificates built into the library instead of the platform's store. */
#define NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY 4u
/** nexmo_options.flags: signs with the UNIX time of sending as the timestamp, as the service's signing guide
 *  describes. The service then does not receive the timestamp of the report. Without the flag, the library signs and
 *  sends the timestamp of the report or, if it has none, the time of sending. */
#define NEXMO_OPTIONS_SIGN_UNIX_SECONDS 8u

/** Options of requests. A NULL pointer to the struct selects all defaults. A field that is NULL or 0 selects its
 *  default. */
typedef struct nexmo_options {
    /** sizeof(nexmo_options). */
    uint32_t struct_size;
    /** A combination of NEXMO_OPTIONS_* flags, or 0. */
    uint32_t flags;
    /** https://host[:port][/prefix] of the service; http:// only to loopback (127.0.0.0/8, ::1, localhost), unless
     *  NEXMO_OPTIONS_ALLOW_PLAIN_HTTP is set. User information, a query and a fragment are invalid. NULL means
     *  https://api.nexmo.com. */
    const char *base_url;
    /** http://[user:password@]host:port of a proxy that supports CONNECT, or socks5://[user:password@]host:port. The
     *  proxy resolves the service's name. User and password are percent-encoded. A remote proxy with an http://
     *  base_url is invalid, unless NEXMO_OPTIONS_ALLOW_PLAIN_HTTP is set. NULL means no proxy. */
    const char *proxy;
    /** Path of a PEM file with the certificates to trust; no others are trusted. The library reads this file, the
     *  platform's store and the two files below again when they change, and uses the new content for later
     *  connections. If the new content cannot be used, clients and reporters keep the previous certificates, and
     *  one-call functions fail. NULL means the platform's store, or the built-in roots if there is none. */
    const char *ca_file;
    /** Path of a PEM file with the client certificate and its intermediates. Requires client_key_file. NULL means no
     *  client certificate. */
    const char *client_cert_file;
    /** Path of a PEM file with the private key of the client certificate, without a passphrase. */
    const char *client_key_file;
    /** Appended to "nexmo-conversion/VERSION " in the user-agent header: at most 256 bytes of visible ASCII and
     *  spaces. */
    const char *user_agent;
    /** Time limit for resolving the host name and connecting, in milliseconds, 1 to 3600000. timeout_ms includes
     *  this time. 0 means 5000. */
    int32_t connect_timeout_ms;
    /** Time limit for the whole call, all attempts included, in milliseconds, 1 to 3600000. 0 means 10000. */
    int32_t timeout_ms;
    /** The maximum number of requests for one report, 1 to 100. After a retryable failure, the library retries after
     *  a random back-off, or after Retry-After if that is longer. The limit of the back-off is 200 ms, and doubles
     *  with each failure up to 30 s. If the delay would exceed timeout_ms, the call returns instead. A reporter
     *  ignores this field and retries until the report expires. 0 means 1. */
    int32_t max_attempts;
    /** The maximum number of idle connections to keep, 1 to 1024. For a reporter, the maximum is max_in_flight if
     *  that is higher. 0 means 32. */
    int32_t max_idle_connections;
} nexmo_options;

/** Initializes a struct as NEXMO_OPTIONS_INIT does. size is sizeof(nexmo_options) in the caller. */
void nexmo_options_init(nexmo_options *options, size_t size);

/** Sets struct_size; every other field is 0, NULL or "". */
#define NEXMO_OPTIONS_INIT { sizeof(nexmo_options), 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0 }

/* --- Results ------------------------------------------------------------------------------------------------------ */

/** nexmo_result.acceptance: no attempt was made, or each attempt wrote nothing of the request or was rejected by a
 *  response (401, 402, 420, 422, 423, 429). */
#define NEXMO_ACCEPTANCE_NO 0
/** nexmo_result.acceptance: at least one attempt wrote a part of the request but was not rejected by one of these
 *  responses (401, 402, 420, 422, 423, 429), and no attempt got a 2xx response. Reporting the same value for a
 *  message twice is harmless, so retry if the status allows it. */
#define NEXMO_ACCEPTANCE_UNKNOWN 1
/** nexmo_result.acceptance: an attempt got a 2xx response. */
#define NEXMO_ACCEPTANCE_YES 2

/** Size of nexmo_result.message in bytes, including the NUL. */
#define NEXMO_MESSAGE_SIZE 256

/** The outcome of a call. Written on success and on failure, except if the struct_size of this struct is invalid:
 *  the call then returns NEXMO_ERR_STRUCT_SIZE, sends nothing and leaves the struct unchanged. */
typedef struct nexmo_result {
    /** sizeof(nexmo_result). The library reads only this field. */
    uint32_t struct_size;
    /** Written as 0. */
    uint32_t flags;
    /** The status that the call returns. */
    nexmo_status status;
    /** The HTTP status of the response to the last attempt; 0 if that attempt got none. */
    int32_t http_status;
    /** The number of requests attempted, including those for which no connection could be made; 0 if there was none. */
    int32_t attempts;
    /** Whether the service accepted the report in any attempt: one of NEXMO_ACCEPTANCE_*. After a submit,
     *  NEXMO_ACCEPTANCE_UNKNOWN if the report is or may be in the outbox. NEXMO_ACCEPTANCE_NO after any other call
     *  that sends nothing. */
    int32_t acceptance;
    /** The duration of the call in microseconds. */
    int64_t elapsed_us;
    /** The suggested delay before retrying, in milliseconds: the service's Retry-After, capped at 3600000, or the
     *  back-off that would have exceeded timeout_ms; -1 if there is none. */
    int64_t retry_after_ms;
    /** What happened, as one line for a log: UTF-8 without control characters, NUL-terminated, truncated at a
     *  character boundary. Never contains a secret. */
    char message[NEXMO_MESSAGE_SIZE];
} nexmo_result;

/** Initializes a struct as NEXMO_RESULT_INIT does. size is sizeof(nexmo_result) in the caller. */
void nexmo_result_init(nexmo_result *result, size_t size);

/** Sets struct_size, status, retry_after_ms; every other field is 0, NULL or "". */
#define NEXMO_RESULT_INIT { sizeof(nexmo_result), 0, NEXMO_ERR_STRUCT_SIZE, 0, 0, 0, 0, -1, "" }

/* --- 1. One call -------------------------------------------------------------------------------------------------- */

/** The channel of a report: an SMS. The message_id is the message-id that the SMS API returned, or the event_id of
 *  the Verify API. */
#define NEXMO_CHANNEL_SMS 1
/** The channel of a report: a phone call. The message_id is the call-id that the Text-To-Speech or
 *  Text-To-Speech-Prompt API returned. */
#define NEXMO_CHANNEL_VOICE 2

/**
 * Reports to the Conversion API whether one SMS was effective. The comment at the top of this header shows a call.
 *
 * Makes one request (more only if max_attempts allows it) and waits for the response. Does not store the report, so
 * the caller must retry a report that fails. Later calls with the same base_url, proxy and TLS settings reuse the
 * connection if it is still open.
 *
 * @param message_id  The id described at NEXMO_CHANNEL_SMS: 1 to 256 bytes, without control characters (including
 *                    those of bidirectional text) and without leading or trailing white space.
 * @param delivered   1 if the user completed the action, otherwise 0.
 * @param timestamp   The time at which the user completed the action, in UTC, as "yyyy-MM-dd HH:mm:ss". If NULL, a
 *                    signed request contains the time of sending; for others, the service uses the time of arrival.
 * @param options     NULL: all defaults.
 * @par Blocking: up to timeout_ms, 10 s by default, which includes all attempts.
 */
nexmo_status nexmo_conversion_sms(const nexmo_credentials *credentials, const char *message_id, int32_t delivered,
                                  const char *timestamp, const nexmo_options *options, nexmo_result *result);

/** Reports to the Conversion API whether one phone call was effective. Works like nexmo_conversion_sms, but
 *  message_id is the id described at NEXMO_CHANNEL_VOICE. */
nexmo_status nexmo_conversion_voice(const nexmo_credentials *credentials, const char *message_id, int32_t delivered,
                                    const char *timestamp, const nexmo_options *options, nexmo_result *result);

/* --- 2. A client -------------------------------------------------------------------------------------------------- */

/** A client: credentials, options and connections. */
typedef struct nexmo_client nexmo_client;

/**
 * Creates a client. Checks the credentials and options and reads the files that the options name, but makes no
 * connection.
 *
 * @param options  NULL: all defaults.
 * @param client   Receives the client; NULL on failure.
 * @par Blocking: while the files are read.
 *
 * @code
 * nexmo_client *client;
 * if (nexmo_client_new(&credentials, NULL, &client, &result) == NEXMO_OK) {
 *     nexmo_client_report(client, NEXMO_CHANNEL_SMS, "00A0B0C0", 1, NULL, &result);
 *     nexmo_client_free(client);
 * }
 * @endcode
 */
nexmo_status nexmo_client_new(const nexmo_credentials *credentials, const nexmo_options *options, nexmo_client **client,
                              nexmo_result *result);

/**
 * Reports to the Conversion API, through a client, whether one message was effective. Works like nexmo_conversion_sms
 * and nexmo_conversion_voice, but with the credentials, options and connections of the client.
 *
 * @param channel  One of NEXMO_CHANNEL_*. It determines which kind of id message_id is.
 * @par Blocking: up to the timeout_ms of the client's options.
 */
nexmo_status nexmo_client_report(nexmo_client *client, int32_t channel, const char *message_id, int32_t delivered,
                                 const char *timestamp, nexmo_result *result);

/** Frees a client. Calls in progress on other threads return NEXMO_ERR_CANCELLED; the last of them to return
 *  releases the memory and closes the connections. */
nexmo_status nexmo_client_free(nexmo_client *client);

/* --- 3. A reporter: options --------------------------------------------------------------------------------------- */

/** nexmo_reporter_options.durability: a submitted report survives the end of the process, including a crash. */
#define NEXMO_DURABILITY_PROCESS 0
/** nexmo_reporter_options.durability: a submitted report also survives power loss. Each submit waits for the disk;
 *  concurrent submits share one write. */
#define NEXMO_DURABILITY_POWER 1
/** nexmo_reporter_options.durability: reports are kept in memory. There is no file, and reports that are still
 *  pending when the process ends are lost. */
#define NEXMO_DURABILITY_NONE 2

/** nexmo_reporter_options.overflow: if max_pending reports are pending, submit fails with NEXMO_ERR_OUTBOX_FULL. */
#define NEXMO_OVERFLOW_FAIL 0
/** nexmo_reporter_options.overflow: if max_pending reports are pending, submit drops the oldest one, which becomes
 *  an event of kind NEXMO_EVENT_DROPPED. */
#define NEXMO_OVERFLOW_DROP_OLDEST 1

/** nexmo_reporter_options.flags: allows an outbox on a network file system, FUSE or a shared folder of a virtual
 *  machine. If file locks do not work there, reports may be sent more than once, or the file may be corrupted. */
#define NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM 1u

/** Options of a reporter. A number that is 0 selects its default. outbox has no default. */
typedef struct nexmo_reporter_options {
    /** sizeof(nexmo_reporter_options). */
    uint32_t struct_size;
    /** A combination of NEXMO_REPORTER_OPTIONS_* flags, or 0. */
    uint32_t flags;
    /** Path of the outbox file, in an existing directory. If the file does not exist, it is created, readable only
     *  by its owner. The outbox also includes the files at this path with -wal, -shm, .lock or .reserve appended:
     *  move or remove all its files together, and never while the outbox is open. Any number of processes may share
     *  an outbox if all use the same account, which is the api_key and base_url that the outbox stores. The path
     *  must not begin with ":", or with a URL scheme, which is two or more letters, digits, "+", "." or "-" followed
     *  by ":"; use ./name:1 for a file named name:1. Must be NULL with NEXMO_DURABILITY_NONE; otherwise required. */
    const char *outbox;
    /** One of NEXMO_DURABILITY_*. */
    int32_t durability;
    /** One of NEXMO_OVERFLOW_*: what submit does when max_pending reports are pending. */
    int32_t overflow;
    /** The maximum number of pending reports, 1 to 1000000000. 0 means 1000000. A million reports need up to about
     *  300 MB. */
    int32_t max_pending;
    /** The age at which a report expires, in seconds since it was submitted, 1 to 31536000 (365 days). 0 means 86400
     *  (24 hours). */
    int32_t max_age_s;
    /** The maximum number of reports in flight at a time, each on a separate connection and thread, 1 to 256. Within
     *  it, the reporter adapts their number to the service: more while a backlog exists and the service accepts
     *  reports, fewer after a 429, a 5xx or a timeout. 0 means 64. */
    int32_t max_in_flight;
    /** The maximum time that a call waits while another process or reporter has the outbox locked, in milliseconds,
     *  1 to 60000. 0 means 1000. */
    int32_t busy_timeout_ms;
} nexmo_reporter_options;

/** Initializes a struct as NEXMO_REPORTER_OPTIONS_INIT does. size is sizeof(nexmo_reporter_options) in the caller. */
void nexmo_reporter_options_init(nexmo_reporter_options *options, size_t size);

/** Sets struct_size; every other field is 0, NULL or "". */
#define NEXMO_REPORTER_OPTIONS_INIT { sizeof(nexmo_reporter_options), 0, NULL, 0, 0, 0, 0, 0, 0 }

/* --- 3. A reporter: new, flush, close, free ----------------------------------------------------------------------- */

/** A reporter: credentials, options, and the outbox that keeps reports until the service accepts them. */
typedef struct nexmo_reporter nexmo_reporter;

/**
 * Creates a reporter. Opens or creates the outbox, and starts threads that send the reports in the outbox.
 *
 * If several reporters, in any processes, share an outbox, only one sends; when it ends or cannot send, another takes
 * over. A corrupt outbox is renamed, with .corrupt in the new name, and replaced; outbox_resets counts the
 * replacements. If the outbox cannot be opened or created, or the file is not an outbox, the call fails with
 * NEXMO_ERR_OUTBOX and leaves the file unchanged. With NEXMO_DURABILITY_NONE, a forked child's reporter starts with
 * an empty outbox.
 *
 * @param options   NULL: all defaults. A reporter uses all options except max_attempts.
 * @param reporter  Receives the reporter; NULL on failure.
 * @par Blocking: while files are read, and up to busy_timeout_ms for the outbox.
 *
 * @code
 * nexmo_reporter_options reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
 * nexmo_reporter *reporter;
 * reporter_options.outbox = "/var/lib/shop/conversions";
 * if (nexmo_reporter_new(&credentials, NULL, &reporter_options, &reporter, &result) == NEXMO_OK) {
 *     nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "00A0B0C0", 1, NULL, &result);
 *     nexmo_reporter_close(reporter, 2000, &result);
 *     nexmo_reporter_free(reporter);
 * }
 * @endcode
 */
nexmo_status nexmo_reporter_new(const nexmo_credentials *credentials, const nexmo_options *options,
                                const nexmo_reporter_options *reporter_options, nexmo_reporter **reporter,
                                nexmo_result *result);

/**
 * Waits until the reports that were submitted to this outbox before the call, by any process, are no longer pending;
 * events and statistics show their outcome. If a back-off would delay the next attempt, sends a probe without waiting,
 * but at most one per second, and none if the service asked for the back-off. Does not wait for reports that are
 * submitted during the call. If reports are still pending, the message gives the number of all pending reports in the
 * outbox.
 *
 * @retval NEXMO_ERR_SUSPENDED  The reporter is suspended, and either a probe did not end the suspension or no probe is
 *                              allowed because the service asked for a wait. The call returns before timeout_ms.
 * @par Blocking: up to timeout_ms, plus busy_timeout_ms for the outbox.
 */
nexmo_status nexmo_reporter_flush(nexmo_reporter *reporter, int32_t timeout_ms, nexmo_result *result);

/**
 * Closes a reporter: stops accepting reports, waits like nexmo_reporter_flush, with the same result, and then cancels
 * requests in flight.
 *
 * Reports that are still pending stay in the outbox, and the next reporter that opens it sends them. With
 * NEXMO_DURABILITY_NONE, they are lost. A program that ends without this call loses no report that the durability of
 * the outbox protects. The reporter is closed unless the call is invalid (a status from 1 to 19). A closed reporter
 * can still be polled, acknowledge events and return statistics, and must be freed. A second call does not wait.
 *
 * @par Blocking: up to timeout_ms plus half a second.
 */
nexmo_status nexmo_reporter_close(nexmo_reporter *reporter, int32_t timeout_ms, nexmo_result *result);

/**
 * Frees a reporter. If it is open, closes it first, without waiting for reports. Other threads that wait in a call
 * with the reporter get NEXMO_ERR_CANCELLED.
 *
 * @par Blocking: up to half a second.
 */
nexmo_status nexmo_reporter_free(nexmo_reporter *reporter);

/* --- 3. A reporter: submit ---------------------------------------------------------------------------------------- */

/**
 * Submits a report to be sent in the background. message_id and delivered are the same as for nexmo_conversion_sms.
 *
 * On NEXMO_OK, the report is stored with the reporter's durability. The reporter sends it in the background and
 * retries until the service accepts or rejects the report or the report expires. It replaces a pending report for the
 * same message, and the service always receives the most recently submitted value last. On any other status, the
 * report is not stored, unless acceptance is NEXMO_ACCEPTANCE_UNKNOWN: the report may then be stored and sent.
 *
 * @param channel    One of NEXMO_CHANNEL_*. It determines which kind of id message_id is.
 * @param timestamp  The same as for nexmo_conversion_sms, but NULL means now.
 * @retval NEXMO_ERR_OUTBOX_WRONG_ACCOUNT  The outbox was replaced by one that belongs to another account.
 * @retval NEXMO_ERR_OUTBOX_VERSION        The outbox was replaced by one that a later version of the library created.
 * @par Blocking: a few microseconds; up to busy_timeout_ms while another reporter or process has the outbox locked;
 * with NEXMO_DURABILITY_POWER, until the report is on disk. A disk that hangs blocks one thread; other threads get
 * NEXMO_ERR_OUTBOX_BUSY, or NEXMO_ERR_OUTBOX with NEXMO_ACCEPTANCE_UNKNOWN if their reports are in the same write. With
 * NEXMO_DURABILITY_POWER, it blocks all threads whose reports are in the same write. Never waits for the network.
 */
nexmo_status nexmo_reporter_submit(nexmo_reporter *reporter, int32_t channel, const char *message_id, int32_t delivered,
                                   const char *timestamp, nexmo_result *result);

/* --- 3. A reporter: events ---------------------------------------------------------------------------------------- */

/** nexmo_event.kind: there is no event. */
#define NEXMO_EVENT_NONE 0
/** nexmo_event.kind: the service rejected the report. */
#define NEXMO_EVENT_REJECTED 1
/** nexmo_event.kind: the report reached the age max_age_s. The service may have accepted it in an earlier attempt. */
#define NEXMO_EVENT_EXPIRED 2
/** nexmo_event.kind: the outbox was full, and this was its oldest report. The service may have accepted it in an
 *  earlier attempt. */
#define NEXMO_EVENT_DROPPED 3

/** Size of nexmo_event.message_id in bytes, including the NUL. */
#define NEXMO_MESSAGE_ID_SIZE 260

/** An event: the outcome of a report that was rejected, expired or dropped. The event stays in the outbox until it
 *  is acknowledged. */
typedef struct nexmo_event {
    /** sizeof(nexmo_event). The library reads only this field. */
    uint32_t struct_size;
    /** Written as 0. */
    uint32_t flags;
    /** The id to pass to nexmo_reporter_acknowledge; 0 with NEXMO_EVENT_NONE. Ids increase within an outbox, are
     *  never reused and are below 2^53. They have no other meaning. */
    int64_t id;
    /** The time at which the event was created, in milliseconds since 1970; 0 with NEXMO_EVENT_NONE. */
    int64_t created_unix_ms;
    /** NEXMO_EVENT_NONE, NEXMO_EVENT_REJECTED, NEXMO_EVENT_EXPIRED or NEXMO_EVENT_DROPPED. With NEXMO_EVENT_NONE,
     *  all fields below are 0 or "". */
    int32_t kind;
    /** The HTTP status of the response that rejected the report; 0 if no response rejected it. */
    int32_t http_status;
    /** One of NEXMO_CHANNEL_*. */
    int32_t channel;
    /** The value submitted: 1 or 0. */
    int32_t delivered;
    /** The message id as submitted. */
    char message_id[NEXMO_MESSAGE_ID_SIZE];
    /** The timestamp as submitted or, if it was NULL, the time of the submission. */
    char timestamp[NEXMO_TIMESTAMP_SIZE];
    /** What happened, as one line for a log, like nexmo_result.message. */
    char message[NEXMO_MESSAGE_SIZE];
} nexmo_event;

/**
 * Waits for an event and returns the oldest one. Calls in every thread and process return the same event until it is
 * acknowledged: use one consumer per outbox, or handle events idempotently. Once the reporter is closed, calls
 * return the remaining events and then NEXMO_ERR_CLOSED.
 *
 * @param event  Receives the event. Its kind is NEXMO_EVENT_NONE when the time limit expires (with NEXMO_OK) or the
 *               call fails.
 * @par Blocking: up to timeout_ms, plus busy_timeout_ms for the outbox. Signals do not end the wait.
 *
 * @code
 * nexmo_event event = NEXMO_EVENT_INIT;
 * while (nexmo_reporter_poll(reporter, -1, &event, &result) == NEXMO_OK) {
 *     fprintf(stderr, "%s: %s\n", event.message_id, event.message);
 *     nexmo_reporter_acknowledge(reporter, event.id, &result);
 * }
 * @endcode
 */
nexmo_status nexmo_reporter_poll(nexmo_reporter *reporter, int32_t timeout_ms, nexmo_event *event,
                                 nexmo_result *result);

/**
 * Removes one event from the outbox. Also succeeds if the event is already gone because another process acknowledged
 * it, because it was discarded, or because its outbox was lost. The reporter may be closed. The outbox keeps at most
 * 10000 events. If there are more, it discards the oldest ones, even if a consumer is handling them, and counts them
 * in events_discarded.
 *
 * @param event_id  nexmo_event.id. An id that no event can have is invalid.
 * @retval NEXMO_ERR_OUTBOX_BUSY  The event stays in the outbox.
 * @par Blocking: up to busy_timeout_ms.
 */
nexmo_status nexmo_reporter_acknowledge(nexmo_reporter *reporter, int64_t event_id, nexmo_result *result);

/**
 * Returns a file descriptor for poll, select or epoll. It is readable while an event is waiting to be acknowledged,
 * and once the reporter is closed.
 *
 * The descriptor may also be readable without an event if another process has just acknowledged the event, so call
 * nexmo_reporter_poll with timeout_ms 0. The descriptor belongs to the reporter: do not read, write or close it, and
 * stop watching it before nexmo_reporter_free.
 *
 * @return The file descriptor, 3 or above; on failure, a negated status: -NEXMO_ERR_INVALID_HANDLE, -NEXMO_ERR_SYSTEM,
 * -NEXMO_ERR_FORKED, -NEXMO_ERR_INTERNAL, or -60 to -65 after a fork.
 * @par Blocking: up to busy_timeout_ms after a fork, otherwise never.
 */
int32_t nexmo_reporter_fd(nexmo_reporter *reporter);

/** Initializes a struct as NEXMO_EVENT_INIT does. size is sizeof(nexmo_event) in the caller. */
void nexmo_event_init(nexmo_event *event, size_t size);

/** Sets struct_size; every other field is 0, NULL or "". */
#define NEXMO_EVENT_INIT { sizeof(nexmo_event), 0, 0, 0, 0, 0, 0, 0, "", "", "" }

/* --- 3. A reporter: statistics ------------------------------------------------------------------------------------ */

/** nexmo_statistics.state: the reporter sends submitted reports. */
#define NEXMO_STATE_RUNNING 0
/** nexmo_statistics.state: the network or the service fails (no response, 408, 429 or 5xx). The reporter sends one
 *  report at a time as a probe, after delays that grow up to 30 s, or after the delay that the service asks for. */
#define NEXMO_STATE_BACKING_OFF 1
/** nexmo_statistics.state: the service accepts no reports from this account (401, 402, 3xx or an unexpected status).
 *  The reporter sends one report a minute as a probe; all other reports stay pending. */
#define NEXMO_STATE_SUSPENDED 2
/** nexmo_statistics.state: the reporter is closed. */
#define NEXMO_STATE_CLOSED 3
/** nexmo_statistics.state: another process, or another reporter in this process, sends the reports in the outbox.
 *  This reporter takes over when the other reporter ends or cannot send. */
#define NEXMO_STATE_STANDBY 4

/**
 * The numbers of reports by outcome, and the state of the reporter.
 *
 * The counts of reports and events cover the whole outbox, including all reporters and processes that have used it;
 * with NEXMO_DURABILITY_NONE, they cover only this reporter. state, in_flight, outbox_resets, outbox_errors and the
 * last error are always those of this reporter. submitted is the sum of accepted, rejected, expired, replaced,
 * dropped, damaged and pending.
 */
typedef struct nexmo_statistics {
    /** sizeof(nexmo_statistics). The library reads only this field. */
    uint32_t struct_size;
    /** Written as 0. */
    uint32_t flags;
    /** The state of this reporter: one of NEXMO_STATE_*. */
    int32_t state;
    /** The number of reports that this reporter is currently sending. */
    int32_t in_flight;
    /** The status of the last error that occurred in the background; 0 if there was none. */
    nexmo_status last_error;
    /** The HTTP status of the response that caused the last error; 0 if no response caused it. */
    int32_t last_error_http_status;
    /** Reports stored by submit. */
    int64_t submitted;
    /** Reports that the service accepted. */
    int64_t accepted;
    /** Reports that the service rejected. */
    int64_t rejected;
    /** Reports that reached the age max_age_s. */
    int64_t expired;
    /** Reports replaced by a later report for the same message. */
    int64_t replaced;
    /** Reports dropped because the outbox was full. */
    int64_t dropped;
    /** Reports whose rows in the outbox were removed because they were damaged, or are missing. */
    int64_t damaged;
    /** Reports still pending, including those in flight. */
    int64_t pending;
    /** Events waiting to be acknowledged: at most 10000. */
    int64_t events;
    /** Events discarded because there were more than 10000, and damaged events. */
    int64_t events_discarded;
    /** The number of times the outbox was found corrupt or removed and was replaced. A corrupt outbox stays next to
     *  the new one, with .corrupt in its name. */
    int64_t outbox_resets;
    /** The number of times the outbox could not be read or written in the background. */
    int64_t outbox_errors;
    /** The time since the oldest pending report was submitted, in milliseconds; -1 if none is pending. */
    int64_t oldest_pending_ms;
    /** The time of the last error, in milliseconds since 1970; -1 if there was none. */
    int64_t last_error_unix_ms;
    /** The last error as one line for a log, like nexmo_result.message. */
    char last_error_message[NEXMO_MESSAGE_SIZE];
} nexmo_statistics;

/**
 * Returns the statistics of the reporter and its outbox. The reporter may be closed.
 *
 * @param statistics  Receives the statistics; on failure, the initial values.
 * @par Blocking: up to busy_timeout_ms. The time does not depend on the number of reports.
 */
nexmo_status nexmo_reporter_statistics(nexmo_reporter *reporter, nexmo_statistics *statistics, nexmo_result *result);

/** Initializes a struct as NEXMO_STATISTICS_INIT does. size is sizeof(nexmo_statistics) in the caller. */
void nexmo_statistics_init(nexmo_statistics *statistics, size_t size);

/** Sets struct_size, oldest_pending_ms, last_error_unix_ms; every other field is 0, NULL or "". */
#define NEXMO_STATISTICS_INIT { sizeof(nexmo_statistics), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, "" }

/* --- 4. Flat: open and close -------------------------------------------------------------------------------------- */

/**
 * Opens a client or a reporter. The settings contain the credentials and options as text.
 *
 * The settings are UTF-8 lines of the form "name = value" that end with LF or CRLF, at most 65536 bytes in all. A
 * leading byte order mark, empty lines, and lines that begin with # are ignored. The names are the fields of
 * nexmo_credentials, nexmo_options and nexmo_reporter_options, except struct_size and flags. Each flag has its own
 * name and is true or false: allow_plain_http, proxy_from_environment, built_in_roots_only, sign_unix_seconds and
 * allow_network_file_system. Where C uses a constant, the value is the constant's name in lower case without its
 * prefix, such as hmac_sha256, power or drop_oldest. Numbers may have leading zeros. A value in double quotes keeps
 * its spaces; \" and \\ are the only escapes. An unknown name, a name that occurs twice, a missing required name, a
 * missing value ("" is the empty string) and control characters are invalid. The message for an invalid setting gives
 * the number of the line, if there is one, and never quotes a value. If the settings contain outbox or
 * durability = none, the handle is a reporter, otherwise a client.
 *
 * In all flat functions, input text has a size in bytes (..._size), and its trailing spaces and NULs are ignored. With
 * a size of -1, the text is NUL-terminated and used unchanged. Text that is NULL or empty counts as not given. An
 * output buffer for text has a size in bytes. If the size is above 0, the text is NUL-terminated and the rest of the
 * buffer is filled with NULs. If the size is below -1, its absolute value is the size of the buffer, and the text is
 * padded with spaces instead of NULs. A size of -1 is invalid. Text that does not fit is truncated at a character
 * boundary. An array receives as many numbers as its count, which must not be negative; elements that this library
 * does not know are 0. An output that is not needed may be NULL or have a size or count of 0. The size or count of a
 * NULL pointer is ignored. Outputs are written on every return. If the call fails, numbers are 0 and text is "",
 * except for details and message. message receives one line that says what happened. Pointers need not be aligned.
 * Handles of the flat functions and of the other functions are not interchangeable.
 *
 * @param settings  The settings. The library wipes its copies of the settings.
 * @param handle    Required. Receives the handle; 0 on failure.
 * @param message   With NEXMO_ERR_OUTBOX and the statuses that begin with NEXMO_ERR_OUTBOX_, it may contain the path
 *                  of the outbox.
 * @par Blocking: like nexmo_client_new or nexmo_reporter_new.
 *
 * @code
 * const char *settings = "api_key = abcd1234\n"
 *                        "api_secret = s3cret\n"
 *                        "outbox = /var/lib/shop/conversions\n";
 * int64_t handle;
 * char message[NEXMO_MESSAGE_SIZE];
 * if (nexmo_flat_open(settings, -1, &handle, message, (int32_t)sizeof message) != NEXMO_OK)
 *     fprintf(stderr, "%s\n", message);
 * @endcode
 */
int32_t nexmo_flat_open(const char *settings, int32_t settings_size, int64_t *handle, char *message,
                        int32_t message_size);

/**
 * Closes and frees a client or a reporter. For a reporter, waits for reports like nexmo_reporter_close and returns the
 * same statuses.
 *
 * The handle is freed unless the call returns NEXMO_ERR_INVALID_ARGUMENT, NEXMO_ERR_INVALID_HANDLE or
 * NEXMO_ERR_FORKED. Other threads that wait in a call with the handle get NEXMO_ERR_CANCELLED or, if the call detects
 * the close before the handle is freed, NEXMO_ERR_PENDING (flush, close) or NEXMO_ERR_CLOSED (poll).
 *
 * @par Blocking: up to timeout_ms plus half a second; never for a client.
 */
int32_t nexmo_flat_close(int64_t handle, int32_t timeout_ms, char *message, int32_t message_size);

/* --- 4. Flat: report, submit, flush ------------------------------------------------------------------------------- */

/** The index of the element that holds nexmo_result.status in the details of nexmo_flat_report and
 *  nexmo_flat_submit. */
#define NEXMO_DETAIL_STATUS 0
/** The index of the element that holds nexmo_result.http_status in the details of nexmo_flat_report and
 *  nexmo_flat_submit. The element is 0 after nexmo_flat_submit. */
#define NEXMO_DETAIL_HTTP_STATUS 1
/** The index of the element that holds nexmo_result.attempts in the details of nexmo_flat_report and
 *  nexmo_flat_submit. The element is 0 after nexmo_flat_submit. */
#define NEXMO_DETAIL_ATTEMPTS 2
/** The index of the element that holds nexmo_result.acceptance in the details of nexmo_flat_report and
 *  nexmo_flat_submit. */
#define NEXMO_DETAIL_ACCEPTANCE 3
/** The index of the element that holds nexmo_result.elapsed_us in the details of nexmo_flat_report and
 *  nexmo_flat_submit. */
#define NEXMO_DETAIL_ELAPSED_US 4
/** The index of the element that holds nexmo_result.retry_after_ms in the details of nexmo_flat_report and
 *  nexmo_flat_submit. The element is -1 after nexmo_flat_submit. */
#define NEXMO_DETAIL_RETRY_AFTER_MS 5
/** The number of elements in the details of nexmo_flat_report and nexmo_flat_submit. Later versions may append
 *  elements. */
#define NEXMO_DETAIL_COUNT 6

/**
 * Reports to the Conversion API whether one message was effective, like nexmo_client_report. The handle must be a
 * client.
 *
 * @param details  Receives the outcome as numbers, at the indices NEXMO_DETAIL_*.
 * @par Blocking: up to the timeout_ms of the settings.
 *
 * @code
 * int64_t details[NEXMO_DETAIL_COUNT];
 * if (nexmo_flat_report(handle, NEXMO_CHANNEL_SMS, "00A0B0C0", -1, 1, NULL, 0, details, NEXMO_DETAIL_COUNT, message,
 *                       (int32_t)sizeof message) != NEXMO_OK)
 *     fprintf(stderr, "%s\n", message);
 * @endcode
 */
int32_t nexmo_flat_report(int64_t handle, int32_t channel, const char *message_id, int32_t message_id_size,
                          int32_t delivered, const char *timestamp, int32_t timestamp_size, int64_t *details,
                          int32_t details_count, char *message, int32_t message_size);

/**
 * Submits a report, like nexmo_reporter_submit. The handle must be a reporter.
 *
 * @param details  Receives the outcome as numbers, at the indices NEXMO_DETAIL_*.
 * @par Blocking: like nexmo_reporter_submit.
 */
int32_t nexmo_flat_submit(int64_t handle, int32_t channel, const char *message_id, int32_t message_id_size,
                          int32_t delivered, const char *timestamp, int32_t timestamp_size, int64_t *details,
                          int32_t details_count, char *message, int32_t message_size);

/**
 * Waits until the reports that were submitted before the call are no longer pending, like nexmo_reporter_flush. The
 * handle must be a reporter.
 *
 * @par Blocking: like nexmo_reporter_flush.
 */
int32_t nexmo_flat_flush(int64_t handle, int32_t timeout_ms, char *message, int32_t message_size);

/* --- 4. Flat: events ---------------------------------------------------------------------------------------------- */

/** The index of nexmo_event.id in the event array of nexmo_flat_poll. */
#define NEXMO_EVENT_FIELD_ID 0
/** The index of nexmo_event.kind in the event array of nexmo_flat_poll. */
#define NEXMO_EVENT_FIELD_KIND 1
/** The index of nexmo_event.channel in the event array of nexmo_flat_poll. */
#define NEXMO_EVENT_FIELD_CHANNEL 2
/** The index of nexmo_event.delivered in the event array of nexmo_flat_poll. */
#define NEXMO_EVENT_FIELD_DELIVERED 3
/** The index of nexmo_event.http_status in the event array of nexmo_flat_poll. */
#define NEXMO_EVENT_FIELD_HTTP_STATUS 4
/** The number of elements in the event array of nexmo_flat_poll. Later versions may append elements. */
#define NEXMO_EVENT_FIELD_COUNT 5

/**
 * Waits for an event and returns the oldest one, like nexmo_reporter_poll. The handle must be a reporter.
 *
 * @param event       Receives the event as numbers, at the indices NEXMO_EVENT_FIELD_*.
 * @param message_id  Receives the message id as submitted. It is never truncated: a size that is too small is invalid,
 *                    and the event is kept. NEXMO_MESSAGE_ID_SIZE is enough for every id.
 * @param timestamp   Receives the timestamp as submitted or, if none was given, the time of the submission.
 *                    NEXMO_TIMESTAMP_SIZE is enough for every timestamp.
 * @param message     Receives nexmo_event.message if there is an event.
 * @par Blocking: like nexmo_reporter_poll.
 *
 * @code
 * int64_t event[NEXMO_EVENT_FIELD_COUNT];
 * char message_id[NEXMO_MESSAGE_ID_SIZE];
 * if (nexmo_flat_poll(handle, 0, event, NEXMO_EVENT_FIELD_COUNT, message_id, (int32_t)sizeof message_id, NULL, 0,
 *                     message, (int32_t)sizeof message) == NEXMO_OK &&
 *     event[NEXMO_EVENT_FIELD_KIND] != NEXMO_EVENT_NONE) {
 *     fprintf(stderr, "%s: %s\n", message_id, message);
 *     nexmo_flat_acknowledge(handle, event[NEXMO_EVENT_FIELD_ID], NULL, 0);
 * }
 * @endcode
 */
int32_t nexmo_flat_poll(int64_t handle, int32_t timeout_ms, int64_t *event, int32_t event_count, char *message_id,
                        int32_t message_id_size, char *timestamp, int32_t timestamp_size, char *message,
                        int32_t message_size);

/**
 * Removes an event from the outbox, like nexmo_reporter_acknowledge. The handle must be a reporter.
 *
 * @param event_id  The element at index NEXMO_EVENT_FIELD_ID of the event array.
 * @par Blocking: like nexmo_reporter_acknowledge.
 */
int32_t nexmo_flat_acknowledge(int64_t handle, int64_t event_id, char *message, int32_t message_size);

/* --- 4. Flat: information ----------------------------------------------------------------------------------------- */

/**
 * Returns one of the statistics that nexmo_reporter_statistics returns. The handle must be a reporter. Each call takes
 * a new snapshot, so the numbers from two calls may not be consistent.
 *
 * @param name   A field of nexmo_statistics, such as "pending", except struct_size and flags.
 * @param value  Receives the number; 0 for last_error_message.
 * @param text   Receives the number as text; for state and last_error, the name of the constant; for
 *               last_error_message, the message.
 * @par Blocking: like nexmo_reporter_statistics.
 *
 * @code
 * int64_t pending;
 * if (nexmo_flat_statistic(handle, "pending", -1, &pending, NULL, 0) == NEXMO_OK)
 *     printf("%ld pending\n", (long)pending);
 * @endcode
 */
int32_t nexmo_flat_statistic(int64_t handle, const char *name, int32_t name_size, int64_t *value, char *text,
                             int32_t text_size);

/** Returns the name of a status, like nexmo_status_name, and its meaning, like nexmo_status_describe. A text_size of
 *  512 is enough for every status. */
int32_t nexmo_flat_status(int32_t status, char *name, int32_t name_size, char *text, int32_t text_size);

/** Returns the version of the loaded library, like nexmo_conversion_version. */
int32_t nexmo_flat_version(char *text, int32_t text_size);

#ifdef __cplusplus
}
#endif

#endif /* NEXMO_CONVERSION_H */
