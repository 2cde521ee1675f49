/*
 * nexmo_conversion.h - reports conversions to the Nexmo (Vonage) Conversion API
 *
 * Tells the service whether a one-time code, sent by SMS or phone call, did its job. Three steps, each usable
 * alone:
 *
 * 1. One call         nexmo_conversion_sms, nexmo_conversion_voice
 * 2. A client         nexmo_client_new, nexmo_client_report_sms, nexmo_client_report_voice, nexmo_client_free
 * 3. A reporter       nexmo_reporter_new, nexmo_reporter_submit_sms, nexmo_reporter_submit_voice, nexmo_reporter_poll,
 *                     nexmo_reporter_fd, nexmo_reporter_flush, nexmo_reporter_statistics, nexmo_reporter_close,
 *                     nexmo_reporter_free
 *
 * The first does all; the second says once who reports and how, and can be ended from another thread. Both wait for the
 * answer, and keep nothing of a report that fails. The third takes a report over in microseconds and sends it in the
 * background until the service has it, across crashes, outages and restarts.
 *
 * This file is generated from src/ffi; a test compares them. It is plain C89 with <stdint.h>, and C++98.
 *
 * Rules that hold for every function:
 *
 * Structs     The caller allocates them and begins each with its NEXMO_..._INIT, which stands in a declaration. For memory
 *             that is there already, and in a language without macros, set all bytes to 0, then struct_size to the size of
 *             the struct, and status of a nexmo_result to 2 (NEXMO_ERR_STRUCT): a result that is refused is not written, so
 *             what the call returns counts. Fields follow each other without padding, on 32 and 64 bits. Programs and
 *             libraries of different age can be used together: structs only ever grow at their end, and 0 in a new field means "as before". A struct_size from
 *             that of the first release to 4096 is accepted. In a struct that is read, bytes beyond what the library knows
 *             must be 0; in one that is written, they are set to 0. struct_size itself is never written.
 * Text        UTF-8 in bytes, not wide characters, ended by NUL, at most 4096 bytes. What goes in is borrowed until the call returns; "" is a text and
 *             not the same as NULL. What comes out is written to arrays of the caller, or stays valid until the process
 *             ends.
 * Memory      Nothing is to be freed but handles, each by its own function. A handle is a ticket that is never used twice:
 *             what was freed, or never was a handle, is refused with NEXMO_ERR_HANDLE and does no harm.
 * Threads     Every function may be called from any thread, any number at once, but not from a signal handler. Calls that
 *             run at the same time need a result each. errno is not kept.
 * Processes   After fork, parent and child each go on with all handles, over connections of their own, and with the same
 *             outbox if it is a file. No function may be
 *             called from a fork handler (pthread_atfork).
 * The host    The library never ends the process (memory exhaustion excepted), never writes to standard output or error,
 *             installs no signal handler, raises no SIGPIPE, is changed by no environment variable unless a flag asks for
 *             it, and stays loaded until the process ends: dlclose does nothing.
 */


#ifndef NEXMO_CONVERSION_H
#define NEXMO_CONVERSION_H

/** The version of this header; nexmo_version() tells that of the library. */
#define NEXMO_VERSION "1.0.0"
#define NEXMO_VERSION_MAJOR 1
#define NEXMO_VERSION_MINOR 0
#define NEXMO_VERSION_PATCH 0

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif


/**
 * nexmo_credentials.auth: api_key and api_secret in the query, as the API's page shows.
 */
#define NEXMO_AUTH_QUERY 0

/**
 * nexmo_credentials.auth: the header Authorization: Basic, which keeps the secret out of the URLs that servers log.
 */
#define NEXMO_AUTH_BASIC 1

/**
 * nexmo_credentials.auth: sig, made with signature_secret by signature_method. The secret never leaves the machine.
 */
#define NEXMO_AUTH_SIGNATURE 2

/**
 * nexmo_credentials.signature_method: MD5 of the parameters with the secret appended.
 */
#define NEXMO_SIGNATURE_MD5HASH 1

/**
 * nexmo_credentials.signature_method: HMAC-MD5.
 */
#define NEXMO_SIGNATURE_MD5 2

/**
 * nexmo_credentials.signature_method: HMAC-SHA-1.
 */
#define NEXMO_SIGNATURE_SHA1 3

/**
 * nexmo_credentials.signature_method: HMAC-SHA-256.
 */
#define NEXMO_SIGNATURE_SHA256 4

/**
 * nexmo_credentials.signature_method: HMAC-SHA-512.
 */
#define NEXMO_SIGNATURE_SHA512 5

/**
 * nexmo_options.flags: allows http:// to hosts other than loopback, where anyone on the network can read the
 * credentials.
 */
#define NEXMO_OPTIONS_ALLOW_PLAIN_HTTP 1u

/**
 * nexmo_options.flags: where proxy is NULL, takes it from the environment, by names in lower case: https_proxy
 * (http_proxy for an http:// base_url) or all_proxy, unless no_proxy excepts the host. Nothing is taken in a CGI
 * program.
 */
#define NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT 2u

/**
 * nexmo_options.flags: trusts the roots built into the library rather than the platform's store.
 */
#define NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY 4u

/**
 * nexmo_options.flags: signs the seconds since 1970 of the moment of sending as timestamp, as the service's signing
 * guide describes. The price: the service is not told the time of the event. Without the flag the event's date is
 * signed and told, or the date of the moment of sending if none is given.
 */
#define NEXMO_OPTIONS_SIGN_UNIX_SECONDS 8u

/**
 * nexmo_result.taken: nothing of the report was written on any connection.
 */
#define NEXMO_TAKEN_NO 0

/**
 * nexmo_result.taken: something of the report was written, and no success came back; the status says what did. To
 * report the same value for a message twice is taken to be harmless, so a report that the status tells to repeat may
 * be repeated.
 */
#define NEXMO_TAKEN_PERHAPS 1

/**
 * nexmo_result.taken: the service said that it took the report.
 */
#define NEXMO_TAKEN_YES 2

/**
 * Bytes of nexmo_result.message, its NUL included.
 */
#define NEXMO_MESSAGE_SIZE 256

/**
 * nexmo_reporter_options.durability: an accepted report survives the end of the process, however it comes about.
 */
#define NEXMO_DURABILITY_PROCESS 0

/**
 * nexmo_reporter_options.durability: an accepted report survives the loss of power too. Each submit waits for the
 * disk; those of several threads wait together.
 */
#define NEXMO_DURABILITY_POWER 1

/**
 * nexmo_reporter_options.durability: reports are in memory only. There is no file, and what was not sent when the
 * process ends is lost.
 */
#define NEXMO_DURABILITY_NONE 2

/**
 * nexmo_reporter_options.when_full: the new report is refused with NEXMO_ERR_OUTBOX_FULL.
 */
#define NEXMO_WHEN_FULL_REFUSE 0

/**
 * nexmo_reporter_options.when_full: the oldest report is set aside as NEXMO_ASIDE_DROPPED, and the new one accepted.
 */
#define NEXMO_WHEN_FULL_DROP_OLDEST 1

/**
 * nexmo_reporter_options.flags: allows an outbox on a network file system. Where its locks do not work, reports are
 * sent more than once, or the file is damaged.
 */
#define NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM 1u

/**
 * nexmo_statistics.state: the reporter sends what comes in.
 */
#define NEXMO_STATE_RUNNING 0

/**
 * nexmo_statistics.state: the service, or the way to it, is down. The reporter tries again after growing waits of up
 * to 30 s, or when the service asks for it.
 */
#define NEXMO_STATE_BACKING_OFF 1

/**
 * nexmo_statistics.state: the service takes no reports of the account (401, 402, 3xx or a status that it does not
 * give). The reporter tries one a minute; the reports stay.
 */
#define NEXMO_STATE_PARKED 2

/**
 * nexmo_statistics.state: the reporter is closed.
 */
#define NEXMO_STATE_CLOSED 3

/**
 * nexmo_statistics.state: another process, or another reporter of this one, sends what is in the outbox. This one
 * takes over when that ends.
 */
#define NEXMO_STATE_STANDING_BY 4

/**
 * nexmo_aside.reason: nothing was set aside.
 */
#define NEXMO_ASIDE_NONE 0

/**
 * nexmo_aside.reason: the service refused the report.
 */
#define NEXMO_ASIDE_REFUSED 1

/**
 * nexmo_aside.reason: the report grew older than age_limit_s. It may have been taken, if an attempt was not answered.
 */
#define NEXMO_ASIDE_EXPIRED 2

/**
 * nexmo_aside.reason: the outbox was full, and this was its oldest report.
 */
#define NEXMO_ASIDE_DROPPED 3

/**
 * nexmo_aside.channel: an SMS.
 */
#define NEXMO_CHANNEL_SMS 1

/**
 * nexmo_aside.channel: a phone call.
 */
#define NEXMO_CHANNEL_VOICE 2

/**
 * Bytes of nexmo_aside.message_id, its NUL included.
 */
#define NEXMO_MESSAGE_ID_SIZE 260

/**
 * Bytes of the text that nexmo_timestamp_from_unix writes, its NUL included.
 */
#define NEXMO_TIMESTAMP_SIZE 20

/**
 * A client: who reports, how, and the connections that are kept for it. Made by nexmo_client_new, given back to
 * nexmo_client_free.
 *
 * What a nexmo_client pointer points to is nobody's to read: it is a ticket, a number that is never used twice. A
 * call with one that was freed, or never was one, returns NEXMO_ERR_HANDLE.
 */
typedef struct nexmo_client nexmo_client;

/**
 * A reporter: who reports, how, and where reports wait until the service has them. Made by nexmo_reporter_new, given
 * back to nexmo_reporter_free.
 *
 * What a nexmo_reporter pointer points to is nobody's to read: it is a ticket, a number that is never used twice. A
 * call with one that was freed, or never was one, returns NEXMO_ERR_HANDLE.
 */
typedef struct nexmo_reporter nexmo_reporter;

/**
 * The result of a call: 0 on success, otherwise one of the NEXMO_ERR_ numbers. A number keeps its meaning for ever;
 * later versions may add some, so treat one that you do not know by its nexmo_status_is_retryable.
 */
typedef int32_t nexmo_status;

/**
 * Who reports, and how that is proved. Begin it with NEXMO_CREDENTIALS_INIT.
 *
 * The texts are UTF-8, end with NUL and are borrowed until the call returns. The library wipes its own copies.
 */
typedef struct nexmo_credentials {
    /**
     * sizeof(nexmo_credentials): 40, or 28 where pointers have 4 bytes.
     */
    uint32_t struct_size;
    /**
     * 0; any other is refused.
     */
    uint32_t flags;
    /**
     * Required: the account's key, 1 to 256 bytes. No control characters, no white space at its ends; with
     * NEXMO_AUTH_BASIC no colon.
     */
    const char *api_key;
    /**
     * Required with NEXMO_AUTH_QUERY and NEXMO_AUTH_BASIC, otherwise not read: 1 to 256 bytes, no control characters.
     * White space at its ends counts.
     */
    const char *api_secret;
    /**
     * Required with NEXMO_AUTH_SIGNATURE, otherwise not read: 1 to 256 bytes, no control characters.
     * White space at its ends counts.
     */
    const char *signature_secret;
    /**
     * One of the NEXMO_AUTH_ numbers.
     */
    int32_t auth;
    /**
     * One of the NEXMO_SIGNATURE_ numbers, as the account's settings say; required with NEXMO_AUTH_SIGNATURE.
     * Otherwise one of them or 0, and not used.
     */
    int32_t signature_method;
} nexmo_credentials;

/**
 * How to report. Begin it with NEXMO_OPTIONS_INIT: every field that stays NULL or 0 takes its default. A NULL in
 * place of the struct takes all defaults.
 *
 * The texts are UTF-8, end with NUL and are borrowed until the call returns.
 */
typedef struct nexmo_options {
    /**
     * sizeof(nexmo_options): 72, or 48 where pointers have 4 bytes.
     */
    uint32_t struct_size;
    /**
     * Flags of NEXMO_OPTIONS_ joined by |, or 0.
     */
    uint32_t flags;
    /**
     * https://host[:port][/prefix] of the service; http:// towards loopback only, unless
     * NEXMO_OPTIONS_ALLOW_PLAIN_HTTP is set. Loopback is 127.0.0.0/8, ::1 and localhost. No user information, no
     * query, no fragment; a slash at the end makes no difference. NULL: https://api.nexmo.com.
     */
    const char *base_url;
    /**
     * http://[user:password@]host:port of a proxy that knows CONNECT, or socks5://[user:password@]host:port. The
     * proxy looks up the service's name. User and password are percent-encoded where they hold what a URL cannot. One
     * on another machine is refused with an http:// base_url, unless NEXMO_OPTIONS_ALLOW_PLAIN_HTTP is set; from the
     * environment it is not taken. NULL: none.
     */
    const char *proxy;
    /**
     * Path of a PEM file with the certificates to trust, in place of all others; NEXMO_ERR_ARGUMENT if it cannot be
     * read or holds none. A client reads it once, as it does the two files below; the one-call functions read a file
     * again when its time, size or inode changes. NULL: the platform's store; where no such store is found, the roots
     * built into the library.
     */
    const char *ca_file;
    /**
     * Path of a PEM file with the certificate that the client shows to a server that asks, and those between it and a
     * root. Goes with client_key_file. NULL: none.
     */
    const char *client_cert_file;
    /**
     * Path of a PEM file with the key of that certificate, without a passphrase.
     */
    const char *client_key_file;
    /**
     * Follows "nexmo-conversion/VERSION " in the user-agent header: at most 256 bytes of visible ASCII and spaces.
     * NULL: nothing follows.
     */
    const char *user_agent;
    /**
     * Limit for looking up the host's name and connecting, in milliseconds, 1 to 3600000; it never extends
     * timeout_ms. 0: 5000.
     */
    int32_t connect_timeout_ms;
    /**
     * Limit over everything, looking up the name and reading the answer included, in milliseconds, 1 to 3600000. 0:
     * 10000.
     */
    int32_t timeout_ms;
    /**
     * The most requests to make for one report, 1 to 100. What can succeed later is tried again after a wait: what
     * the service asks for, or else a random one of up to 200 ms, doubled each time. A wait that would pass
     * timeout_ms is not begun. 0: 1.
     */
    int32_t attempts;
    /**
     * The most idle connections to keep for the next calls, 1 to 1024. 0: 32.
     */
    int32_t connections;
} nexmo_options;

/**
 * The result of a call. Begin it with NEXMO_RESULT_INIT; the call fills it on success and on failure.
 *
 * A call that refuses the struct itself with NEXMO_ERR_STRUCT sends nothing and leaves the struct as it was.
 */
typedef struct nexmo_result {
    /**
     * sizeof(nexmo_result): 296. The only field that is read.
     */
    uint32_t struct_size;
    /**
     * Written as 0.
     */
    uint32_t flags;
    /**
     * The same status that the call returns.
     */
    nexmo_status status;
    /**
     * The HTTP status of the answer; 0 if there was no complete head of one.
     */
    int32_t http_status;
    /**
     * How many requests were made, those that found no connection included; 0 if the call was refused.
     */
    int32_t attempts;
    /**
     * Whether the report may have been taken: one of the NEXMO_TAKEN_ numbers.
     */
    int32_t taken;
    /**
     * How long the call took, in microseconds.
     */
    int64_t elapsed_us;
    /**
     * How long to wait before a repeat, in milliseconds: what the service asks for, 0 to 3600000, to which a longer
     * wait is cut, or a wait that would have passed timeout_ms; -1 if there is none.
     */
    int64_t retry_after_ms;
    /**
     * What happened, in one line for a log: UTF-8 without control characters, ended by NUL, cut at a character. Never
     * holds a secret.
     */
    char message[NEXMO_MESSAGE_SIZE];
} nexmo_result;

/**
 * How a reporter keeps reports. Begin it with NEXMO_REPORTER_OPTIONS_INIT: every number that stays 0 takes its
 * default. outbox has none.
 */
typedef struct nexmo_reporter_options {
    /**
     * sizeof(nexmo_reporter_options): 40, or 36 where pointers have 4 bytes.
     */
    uint32_t struct_size;
    /**
     * Flags of NEXMO_REPORTER_OPTIONS_ joined by |, or 0.
     */
    uint32_t flags;
    /**
     * Path of the outbox file, in a folder that exists; the file is made if it is not there, for its owner alone.
     * Beside it stand files of its name with endings of their own, -wal, -shm, .lock and .ballast: they belong to it,
     * and must be moved or removed with it and never while it is open. Any number of processes may share it, all for
     * one account: api_key and base_url are kept in it. Required; NULL with NEXMO_DURABILITY_NONE.
     */
    const char *outbox;
    /**
     * One of the NEXMO_DURABILITY_ numbers.
     */
    int32_t durability;
    /**
     * One of the NEXMO_WHEN_FULL_ numbers: what submit does when most_reports are pending.
     */
    int32_t when_full;
    /**
     * The most reports that may be pending, 1 to 1000000000. 0: 1000000, which take up to some 300 MB.
     */
    int32_t most_reports;
    /**
     * How old a report may grow before it is set aside, in seconds since its submission, 1 to 31536000 (365 days).
     * 0: 86400 (24 hours).
     */
    int32_t age_limit_s;
    /**
     * How many reports may be under way at a time, each on a connection and a thread of its own, 1 to 256. 0: 8.
     */
    int32_t connections;
    /**
     * How long a call waits for others that have the outbox locked, in milliseconds, 1 to 60000. 0: 100.
     */
    int32_t lock_wait_ms;
} nexmo_reporter_options;

/**
 * A report that was set aside, and why. Begin it with NEXMO_ASIDE_INIT.
 */
typedef struct nexmo_aside {
    /**
     * sizeof(nexmo_aside): 560. The only field that is read.
     */
    uint32_t struct_size;
    /**
     * Written as 0.
     */
    uint32_t flags;
    /**
     * One of the NEXMO_ASIDE_ numbers. With NEXMO_ASIDE_NONE all that follows is 0 or "".
     */
    int32_t reason;
    /**
     * The HTTP status that refused the report; 0 if none did.
     */
    int32_t http_status;
    /**
     * One of the NEXMO_CHANNEL_ numbers.
     */
    int32_t channel;
    /**
     * 1 or 0, as it was submitted.
     */
    int32_t delivered;
    /**
     * As it was submitted.
     */
    char message_id[NEXMO_MESSAGE_ID_SIZE];
    /**
     * When the user completed the action, as it was submitted, or the time of the submission.
     */
    char timestamp[NEXMO_TIMESTAMP_SIZE];
    /**
     * What happened, in one line for a log: UTF-8 without control characters, ended by NUL. Never holds a secret.
     */
    char message[NEXMO_MESSAGE_SIZE];
} nexmo_aside;

/**
 * How many reports there were, and what became of them. Begin it with NEXMO_STATISTICS_INIT.
 *
 * The counts belong to the outbox file, over all processes and reporters that ever used it; with
 * NEXMO_DURABILITY_NONE to the reporter. accepted is always the sum of sent, refused, expired, replaced, dropped and
 * pending.
 */
typedef struct nexmo_statistics {
    /**
     * sizeof(nexmo_statistics): 384. The only field that is read.
     */
    uint32_t struct_size;
    /**
     * Written as 0.
     */
    uint32_t flags;
    /**
     * One of the NEXMO_STATE_ numbers: what this reporter does.
     */
    int32_t state;
    /**
     * How many reports are being sent by this reporter at this moment.
     */
    int32_t under_way;
    /**
     * What last went wrong in the background, as a status; 0 if nothing ever did.
     */
    nexmo_status last_error;
    /**
     * The HTTP status of the answer that was the last error; 0 if it was none.
     */
    int32_t last_error_http_status;
    /**
     * Accepted by submit.
     */
    int64_t accepted;
    /**
     * Taken by the service.
     */
    int64_t sent;
    /**
     * Refused by the service.
     */
    int64_t refused;
    /**
     * Grown older than the age limit.
     */
    int64_t expired;
    /**
     * Replaced by a later report for the same message.
     */
    int64_t replaced;
    /**
     * Dropped, because the outbox was full.
     */
    int64_t dropped;
    /**
     * Still to be sent.
     */
    int64_t pending;
    /**
     * Set aside, and waiting to be fetched by nexmo_reporter_poll: at most 10000.
     */
    int64_t aside;
    /**
     * Set aside and forgotten before they were fetched, because there were more.
     */
    int64_t forgotten;
    /**
     * How many outbox files were damaged or removed while this reporter used them, and replaced by new ones. A damaged
     * one is kept beside the outbox under a name with .corrupt in it.
     */
    int64_t outboxes_lost;
    /**
     * How often this reporter could not read or write the outbox in the background.
     */
    int64_t outbox_errors;
    /**
     * How long ago the oldest pending report was accepted, in milliseconds; -1 if none is pending.
     */
    int64_t oldest_pending_ms;
    /**
     * When the last error happened, in milliseconds since 1970; -1 if there was none.
     */
    int64_t last_error_unix_ms;
    /**
     * The last error in one line for a log: UTF-8 without control characters, ended by NUL. Never holds a secret.
     */
    char last_error_message[NEXMO_MESSAGE_SIZE];
} nexmo_statistics;

/**
 * The call did what it is for. Of a report it means that the service took it, of a submitted one that the outbox has
 * it.
 */
#define NEXMO_OK 0

/**
 * A pointer that must point to something is NULL. Nothing was sent. Correct the call; the message names the pointer.
 */
#define NEXMO_ERR_NULL 1

/**
 * A struct has a struct_size that this library cannot use, or holds something in fields that this library does not
 * know. Nothing was sent. Begin the struct with its NEXMO_..._INIT, or load the newer library that the program was
 * built for.
 */
#define NEXMO_ERR_STRUCT 2

/**
 * A flag is set that this library does not know. Nothing was sent. Clear it, or load a newer library.
 */
#define NEXMO_ERR_FLAGS 3

/**
 * A value was refused. Nothing was sent. Correct the call; the message names the value and says what is right.
 */
#define NEXMO_ERR_ARGUMENT 4

/**
 * The handle is NULL, was freed, or never was one. Nothing was sent. Correct the call.
 */
#define NEXMO_ERR_HANDLE 5

/**
 * The handle was freed while the call was under way. The report may have been taken. Repeat it through another
 * handle.
 */
#define NEXMO_ERR_CANCELLED 6

/**
 * The process was made in a way that fork handlers do not see. Nothing was sent. Make processes with fork, or start a
 * program in them.
 */
#define NEXMO_ERR_FORKED 7

/**
 * The host's name could not be looked up, no connection could be made, or it was lost before a complete answer. The
 * report may have been taken if the result's taken says so. Repeat later.
 */
#define NEXMO_ERR_NETWORK 100

/**
 * A time limit ran out. The report may have been taken if the result's taken says so. Repeat later.
 */
#define NEXMO_ERR_TIMEOUT 101

/**
 * The TLS handshake failed, or the server's certificate is not trusted. The report was not taken unless the result's
 * taken says that it may be. Do not repeat before the cause is removed: check base_url, ca_file, the machine's clock,
 * and who answers in the service's place.
 */
#define NEXMO_ERR_TLS 102

/**
 * What came back is not HTTP. The report may have been taken. Repeat later; if it stays so, check base_url.
 */
#define NEXMO_ERR_PROTOCOL 103

/**
 * The proxy could not be reached, refused, or sent no valid answer. The report was not taken unless the result's
 * taken says that it may be. Repeat later; if it stays so, check the proxy's address and its user.
 */
#define NEXMO_ERR_PROXY 104

/**
 * 401: the credentials are wrong. The service refused the report. Repeat it with the right key and secret; a signed
 * report may also be refused because its timestamp is old or the machine's clock is wrong.
 */
#define NEXMO_ERR_UNAUTHORIZED 200

/**
 * 402: conversion is not enabled for the account, or the account's credentials are bad. The service refused the
 * report. Ask the service's support to enable it, and repeat afterwards.
 */
#define NEXMO_ERR_NOT_ENABLED 201

/**
 * 420, 422 or 423: the service refused the report for its parameters. Do not repeat it unchanged.
 */
#define NEXMO_ERR_INVALID_PARAMETERS 202

/**
 * 429: too many reports for now. The service refused the report. Repeat it after the result's retry_after_ms, or
 * later if that is -1.
 */
#define NEXMO_ERR_RATE_LIMITED 203

/**
 * 408 or 5xx: the service cannot answer now. The report may have been taken. Repeat later, after the result's
 * retry_after_ms if it is not -1.
 */
#define NEXMO_ERR_UNAVAILABLE 204

/**
 * 3xx: something wants the report sent elsewhere, which is never done, because the credentials would be sent along.
 * Whether the report was taken is unknown. Do not repeat before the cause is removed: check base_url, and who answers
 * in the service's place.
 */
#define NEXMO_ERR_REDIRECTED 205

/**
 * An HTTP status that the Conversion API does not give. Whether the report was taken is unknown. Do not repeat before
 * the cause is removed: check base_url, and who answers in the service's place.
 */
#define NEXMO_ERR_UNEXPECTED_STATUS 206

/**
 * The outbox cannot be read or written; the message says why. The report does not count as accepted, and is sent all
 * the same if its disk failed at the last moment. Remove the cause, and submit again.
 */
#define NEXMO_ERR_OUTBOX 300

/**
 * The outbox holds as many reports as it may, or its disk is full. The report was not accepted. Submit it again
 * later.
 */
#define NEXMO_ERR_OUTBOX_FULL 301

/**
 * Others held the outbox file for too long. The report was not accepted. Submit it again.
 */
#define NEXMO_ERR_OUTBOX_BUSY 302

/**
 * The outbox file is damaged and still open elsewhere. The report was not accepted. Submit it again once the others
 * have closed the file, which is then set aside.
 */
#define NEXMO_ERR_OUTBOX_CORRUPT 303

/**
 * The outbox file belongs to another account. The report was not accepted. Give each account a file of its own.
 */
#define NEXMO_ERR_OUTBOX_ACCOUNT 304

/**
 * Reports are left in the outbox. They go out when a reporter next opens it. Nothing needs to be repeated.
 */
#define NEXMO_ERR_PENDING 305

/**
 * Reports were set aside because they were refused, grew too old or found no room. Fetch them with the reporter's
 * poll.
 */
#define NEXMO_ERR_ASIDE 306

/**
 * The service refuses the account's reports for now. They stay in the outbox. Correct the account's credentials or
 * settings; nothing needs to be repeated.
 */
#define NEXMO_ERR_PARKED 307

/**
 * The reporter is closed. The report was not accepted. Submit it through another reporter.
 */
#define NEXMO_ERR_CLOSED 308

/**
 * A mistake of this library was caught before it could harm the program. The report may have been taken. Repeat it
 * once, and tell the library's developers what was called.
 */
#define NEXMO_ERR_INTERNAL 900

/**
 * Gives the name of a status, such as "NEXMO_ERR_TIMEOUT", for log files.
 *
 * @param status  Any number.
 * @return The name, or "NEXMO_ERR_UNKNOWN" for a number that this version does not know. Never NULL.
 * @par Ownership: the text belongs to the library and stays for as long as the program runs; do not free it.
 * @par Threads: call from any thread, any number at once.
 * @par Blocking: never.
 * @par Since: 1.0
 *
 * @code
 * printf("%s\n", nexmo_status_name(status));
 * @endcode
 */
const char *nexmo_status_name(nexmo_status status);

/**
 * Says in English what a status means: what happened, whether the report may have been taken, and what to do next.
 *
 * @param status  Any number.
 * @return One to three sentences; for a number that this version does not know, a sentence that says so. Never NULL.
 * @par Ownership: the text belongs to the library and stays for as long as the program runs; do not free it.
 * @par Threads: call from any thread, any number at once.
 * @par Blocking: never.
 * @par Since: 1.0
 *
 * @code
 * fprintf(stderr, "%s\n", nexmo_status_describe(status));
 * @endcode
 */
const char *nexmo_status_describe(nexmo_status status);

/**
 * Tells whether the same call, repeated later without any change, can succeed.
 *
 * @param status  Any number.
 * @return 1 if it can; 0 if something must be corrected first, nothing is left to do, or this version does not know
 * the number. NEXMO_ERR_CANCELLED and NEXMO_ERR_INTERNAL are 0: whether to repeat those is the caller's choice.
 * @par Threads: call from any thread, any number at once.
 * @par Blocking: never.
 * @par Since: 1.0
 *
 * @code
 * if (nexmo_status_is_retryable(status)) { keep_for_later(message_id); }
 * @endcode
 */
int32_t nexmo_status_is_retryable(nexmo_status status);

/**
 * Tells the Conversion API whether one SMS did its job.
 *
 * Makes one request, or more if attempts asks for them, and waits for the answer. Keeps nothing of the report: one
 * that fails here is the caller's to repeat. Keeps the connection for the next call with the same base_url and
 * ca_file and the same whom to trust; one that was closed meanwhile is replaced unseen.
 *
 * @param credentials  Required. Who reports.
 * @param message_id   Required. The message-id that the SMS API gave, or the event_id of the Verify API; 1 to 256
 *                     bytes of UTF-8. No control characters, no white space at its ends.
 * @param delivered    1 if the user completed the action, 0 if not; any other number is refused.
 * @param timestamp    When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss", a date that exists; see
 *                     nexmo_timestamp_from_unix. NULL: the service takes the time of arrival; a signed request
 *                     carries the time of sending.
 * @param options      How to report. NULL: all defaults.
 * @param result       Is filled with what came of it. NULL: the status is enough.
 * @retval NEXMO_OK                      Any 2xx: the service took the report.
 * @retval NEXMO_ERR_NULL                A required pointer is NULL. Nothing was sent. Correct the call.
 * @retval NEXMO_ERR_STRUCT              A struct's size cannot be used. Nothing was sent. Correct the call.
 * @retval NEXMO_ERR_FLAGS               A flag is unknown. Nothing was sent. Correct the call.
 * @retval NEXMO_ERR_ARGUMENT            A value was refused. Nothing was sent. Correct the call.
 * @retval NEXMO_ERR_FORKED              The process was made by a raw clone. Nothing was sent. Make it with fork.
 * @retval NEXMO_ERR_NETWORK             No connection, or it was lost; taken says if the report may be there. Repeat.
 * @retval NEXMO_ERR_TIMEOUT             A limit ran out; taken says if the report may be there. Repeat.
 * @retval NEXMO_ERR_TLS                 The server is not trusted. Remove the cause before a repeat.
 * @retval NEXMO_ERR_PROTOCOL            The answer is not HTTP; the report may be there. Repeat.
 * @retval NEXMO_ERR_PROXY               The proxy cannot be reached, or refuses. Repeat.
 * @retval NEXMO_ERR_UNAUTHORIZED        401: wrong credentials. Correct them before a repeat.
 * @retval NEXMO_ERR_NOT_ENABLED         402: ask the service's support to enable the account before a repeat.
 * @retval NEXMO_ERR_INVALID_PARAMETERS  420, 422, 423: the service refuses this report. Do not repeat it unchanged.
 * @retval NEXMO_ERR_RATE_LIMITED        429: repeat after retry_after_ms.
 * @retval NEXMO_ERR_UNAVAILABLE         408, 5xx: repeat after retry_after_ms, or later if that is -1.
 * @retval NEXMO_ERR_REDIRECTED          3xx: not followed. Remove the cause before a repeat.
 * @retval NEXMO_ERR_UNEXPECTED_STATUS   Any other status. Remove the cause before a repeat.
 * @retval NEXMO_ERR_INTERNAL            A mistake of the library; the report may be there.
 * @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
 * @par Threads: call from any thread, any number at once. Not from a signal handler.
 * @par Blocking: up to timeout_ms, 10 s by default.
 * @par Since: 1.0
 *
 * @code
 * nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
 * nexmo_result result = NEXMO_RESULT_INIT;
 * credentials.api_key = "abcd1234";
 * credentials.api_secret = "s3cret";
 * if (nexmo_conversion_sms(&credentials, "00A0B0C0", 1, NULL, NULL, &result) != NEXMO_OK)
 *     fprintf(stderr, "%s\n", result.message);
 * @endcode
 */
nexmo_status nexmo_conversion_sms(const struct nexmo_credentials *credentials,
                                  const char *message_id,
                                  int32_t delivered,
                                  const char *timestamp,
                                  const struct nexmo_options *options,
                                  struct nexmo_result *result);

/**
 * Tells the Conversion API whether one phone call did its job.
 *
 * All is as with nexmo_conversion_sms, but for the message_id: it is the call-id that the Text-To-Speech API or the
 * Text-To-Speech-Prompt API gave.
 *
 * @param credentials  Required. Who reports.
 * @param message_id   Required. The call-id; 1 to 256 bytes of UTF-8. No control characters, no white space at its
 *                     ends.
 * @param delivered    1 if the user completed the action, 0 if not.
 * @param timestamp    When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss", or NULL.
 * @param options      How to report. NULL: all defaults.
 * @param result       Is filled with what came of it. NULL: the status is enough.
 * @return A status as nexmo_conversion_sms gives it.
 * @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
 * @par Threads: call from any thread, any number at once. Not from a signal handler.
 * @par Blocking: up to timeout_ms, 10 s by default.
 * @par Since: 1.0
 *
 * @code
 * status = nexmo_conversion_voice(&credentials, call_id, 0, "2020-01-01 12:00:00", NULL, &result);
 * @endcode
 */
nexmo_status nexmo_conversion_voice(const struct nexmo_credentials *credentials,
                                    const char *message_id,
                                    int32_t delivered,
                                    const char *timestamp,
                                    const struct nexmo_options *options,
                                    struct nexmo_result *result);

/**
 * Makes a client.
 *
 * Checks credentials and options, and reads the files that the options name, once and for all. Makes no connection
 * yet.
 *
 * @param credentials  Required. Who reports.
 * @param options      How to report. NULL: all defaults.
 * @param client       Required. Receives the client; NULL on failure.
 * @param result       Is filled with what came of it. NULL: the status is enough.
 * @retval NEXMO_OK            The client is made.
 * @retval NEXMO_ERR_NULL      A required pointer is NULL. Correct the call.
 * @retval NEXMO_ERR_STRUCT    A struct's size cannot be used. Correct the call.
 * @retval NEXMO_ERR_FLAGS     A flag is unknown. Correct the call.
 * @retval NEXMO_ERR_ARGUMENT  A value or a file was refused; the message names it. Correct the call.
 * @retval NEXMO_ERR_FORKED    The process was made by a raw clone. Make it with fork.
 * @retval NEXMO_ERR_INTERNAL  A mistake of the library.
 * @par Ownership: credentials and options are copied. The client is the caller's, to be given to nexmo_client_free.
 * @par Threads: call from any thread, any number at once. The client may be used by any thread, by many at once, and
 * on both sides of a fork.
 * @par Blocking: for as long as it takes to read the files.
 * @par Since: 1.0
 *
 * @code
 * nexmo_client *client;
 * if (nexmo_client_new(&credentials, NULL, &client, &result) == NEXMO_OK) {
 *     nexmo_client_report_sms(client, "00A0B0C0", 1, NULL, &result);
 *     nexmo_client_free(client);
 * }
 * @endcode
 */
nexmo_status nexmo_client_new(const struct nexmo_credentials *credentials,
                              const struct nexmo_options *options,
                              struct nexmo_client **client,
                              struct nexmo_result *result);

/**
 * Tells the Conversion API, through a client, whether one SMS did its job.
 *
 * All is as with nexmo_conversion_sms, but credentials, options and connections are the client's.
 *
 * @param client      Required. A client that was not freed.
 * @param message_id  Required. The message-id that the SMS API gave, or the event_id of the Verify API; 1 to 256
 *                    bytes of UTF-8. No control characters, no white space at its ends.
 * @param delivered   1 if the user completed the action, 0 if not; any other number is refused.
 * @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss", or NULL.
 * @param result      Is filled with what came of it. NULL: the status is enough.
 * @retval NEXMO_ERR_HANDLE     The client is NULL, was freed, or never was one. Nothing was sent. Correct the call.
 * @retval NEXMO_ERR_CANCELLED  The client was freed during the call; taken says if the report may be there. Repeat it
 *                              through another client.
 * @return Or a status as nexmo_conversion_sms gives it.
 * @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
 * @par Threads: call from any thread, any number at once, with the same client too. Not from a signal handler.
 * @par Blocking: up to timeout_ms of the client's options, 10 s by default.
 * @par Since: 1.0
 *
 * @code
 * status = nexmo_client_report_sms(client, "00A0B0C0", 1, NULL, &result);
 * @endcode
 */
nexmo_status nexmo_client_report_sms(struct nexmo_client *client,
                                     const char *message_id,
                                     int32_t delivered,
                                     const char *timestamp,
                                     struct nexmo_result *result);

/**
 * Tells the Conversion API, through a client, whether one phone call did its job.
 *
 * All is as with nexmo_client_report_sms, but for the message_id: it is the call-id that the Text-To-Speech API or
 * the Text-To-Speech-Prompt API gave.
 *
 * @param client      Required. A client that was not freed.
 * @param message_id  Required. The call-id; 1 to 256 bytes of UTF-8. No control characters, no white space at its
 *                    ends.
 * @param delivered   1 if the user completed the action, 0 if not; any other number is refused.
 * @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss", or NULL.
 * @param result      Is filled with what came of it. NULL: the status is enough.
 * @return A status as nexmo_client_report_sms gives it.
 * @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
 * @par Threads: call from any thread, any number at once, with the same client too. Not from a signal handler.
 * @par Blocking: up to timeout_ms of the client's options, 10 s by default.
 * @par Since: 1.0
 *
 * @code
 * status = nexmo_client_report_voice(client, call_id, 0, "2020-01-01 12:00:00", &result);
 * @endcode
 */
nexmo_status nexmo_client_report_voice(struct nexmo_client *client,
                                       const char *message_id,
                                       int32_t delivered,
                                       const char *timestamp,
                                       struct nexmo_result *result);

/**
 * Frees a client.
 *
 * Calls that other threads make with it at this moment end with NEXMO_ERR_CANCELLED; this call does not wait for
 * them. The last of them to end releases the memory and closes the connections.
 *
 * @param client  A client, or NULL, which does nothing.
 * @retval NEXMO_OK            The client is freed, or NULL was given.
 * @retval NEXMO_ERR_HANDLE    The client was freed before, or never was one. Correct the call.
 * @retval NEXMO_ERR_FORKED    The process was made by a raw clone. Make it with fork.
 * @retval NEXMO_ERR_INTERNAL  A mistake of the library.
 * @par Ownership: the pointer must not be used afterwards; a call that does returns NEXMO_ERR_HANDLE.
 * @par Threads: call from any thread, while others use the client too. Not from a signal handler.
 * @par Blocking: never.
 * @par Since: 1.0
 *
 * @code
 * nexmo_client_free(client);
 * @endcode
 */
nexmo_status nexmo_client_free(struct nexmo_client *client);

/**
 * Makes a reporter.
 *
 * Opens the outbox, or makes it, and begins to send what is in it, on threads of the library's own. Of the processes
 * and reporters that share an outbox, one sends; when that ends, another takes over. attempts of the options is not
 * used: the reporter repeats as long as it takes.
 *
 * A damaged outbox is given another name, with .corrupt in it, and a new one is made; outboxes_lost of the statistics
 * counts that. A file that never was an outbox is refused and left as it is.
 *
 * @param credentials       Required. Who reports.
 * @param options           How to report. NULL: all defaults.
 * @param reporter_options  Required. Where reports wait, and how.
 * @param reporter          Required. Receives the reporter; NULL on failure.
 * @param result            Is filled with what came of it. NULL: the status is enough.
 * @retval NEXMO_OK                  The reporter is made.
 * @retval NEXMO_ERR_NULL            A required pointer is NULL. Correct the call.
 * @retval NEXMO_ERR_STRUCT          A struct's size cannot be used. Correct the call.
 * @retval NEXMO_ERR_FLAGS           A flag is unknown. Correct the call.
 * @retval NEXMO_ERR_ARGUMENT        A value or a file was refused; the message names it. Correct the call.
 * @retval NEXMO_ERR_OUTBOX          The outbox cannot be made or opened, or is the file of another program.
 * @retval NEXMO_ERR_OUTBOX_FULL     The disk is full. Call again when there is room.
 * @retval NEXMO_ERR_OUTBOX_BUSY     Others held the outbox for longer than lock_wait_ms. Call again.
 * @retval NEXMO_ERR_OUTBOX_CORRUPT  The outbox is damaged, and open elsewhere. Call again when that has ended.
 * @retval NEXMO_ERR_OUTBOX_ACCOUNT  The outbox belongs to another api_key or base_url. Choose another path.
 * @retval NEXMO_ERR_FORKED          The process was made by a raw clone. Make it with fork.
 * @retval NEXMO_ERR_INTERNAL        A mistake of the library.
 * @par Ownership: credentials and options are copied. The reporter is the caller's, to be given to
 * nexmo_reporter_free.
 * @par Threads: call from any thread, any number at once. The reporter may be used by any thread, by many at once, and
 * on both sides of a fork; without a file the child's begins empty.
 * @par Blocking: for as long as it takes to read the files, lock_wait_ms included.
 * @par Since: 1.0
 *
 * @code
 * nexmo_reporter_options reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
 * nexmo_reporter *reporter;
 * reporter_options.outbox = "/var/lib/shop/conversions";
 * if (nexmo_reporter_new(&credentials, NULL, &reporter_options, &reporter, &result) != NEXMO_OK)
 *     fprintf(stderr, "%s\n", result.message);
 * @endcode
 */
nexmo_status nexmo_reporter_new(const struct nexmo_credentials *credentials,
                                const struct nexmo_options *options,
                                const struct nexmo_reporter_options *reporter_options,
                                struct nexmo_reporter **reporter,
                                struct nexmo_result *result);

/**
 * Hands over a report on one SMS, to be sent in the background.
 *
 * On NEXMO_OK the report is as safe as the reporter's durability says, and is sent at once, again and again until the
 * service took it, refused it, or it grew older than age_limit_s. A report for the same message that was not sent yet
 * is replaced; whichever was submitted last is the last that the service hears.
 *
 * @param reporter    Required. A reporter that was not freed.
 * @param message_id  Required. The message-id that the SMS API gave, or the event_id of the Verify API; 1 to 256
 *                    bytes of UTF-8. No control characters, no white space at its ends.
 * @param delivered   1 if the user completed the action, 0 if not; any other number is refused.
 * @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss". NULL: now.
 * @param result      Is filled with what came of it. NULL: the status is enough.
 * @retval NEXMO_OK                  The report is accepted.
 * @retval NEXMO_ERR_NULL            A required pointer is NULL. Correct the call.
 * @retval NEXMO_ERR_STRUCT          The result's size cannot be used. Correct the call.
 * @retval NEXMO_ERR_ARGUMENT        A value was refused; the message names it. Correct the call.
 * @retval NEXMO_ERR_HANDLE          The reporter is NULL, was freed, or never was one. Correct the call.
 * @retval NEXMO_ERR_CLOSED          The reporter is closed. Not accepted: submit to another.
 * @retval NEXMO_ERR_OUTBOX          The outbox cannot be written. Does not count as accepted, and is sent all the same
 *                                   if the disk failed at the last moment: remove the cause, and repeat.
 * @retval NEXMO_ERR_OUTBOX_FULL     most_reports are pending, or the disk is full. Not accepted: repeat later.
 * @retval NEXMO_ERR_OUTBOX_BUSY     Others held the outbox for longer than lock_wait_ms. Not accepted: repeat.
 * @retval NEXMO_ERR_OUTBOX_CORRUPT  The outbox is damaged, and open elsewhere. Not accepted.
 * @retval NEXMO_ERR_OUTBOX_ACCOUNT  The outbox was replaced by that of another account. Not accepted.
 * @retval NEXMO_ERR_FORKED          The process was made by a raw clone. Make it with fork.
 * @retval NEXMO_ERR_INTERNAL        A mistake of the library; the reporter is closed. Repeat with another.
 * @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
 * @par Threads: call from any thread, any number at once, with the same reporter too. Not from a signal handler.
 * @par Blocking: some microseconds; up to lock_wait_ms where others have the outbox locked; with
 * NEXMO_DURABILITY_POWER until the disk has it. A disk that hangs keeps one thread for as long as it does (with
 * NEXMO_DURABILITY_POWER those whose reports went to it together), and the others get NEXMO_ERR_OUTBOX_BUSY. Never
 * for the network.
 * @par Since: 1.0
 *
 * @code
 * status = nexmo_reporter_submit_sms(reporter, "00A0B0C0", 1, NULL, &result);
 * @endcode
 */
nexmo_status nexmo_reporter_submit_sms(struct nexmo_reporter *reporter,
                                       const char *message_id,
                                       int32_t delivered,
                                       const char *timestamp,
                                       struct nexmo_result *result);

/**
 * Hands over a report on one phone call, to be sent in the background.
 *
 * All is as with nexmo_reporter_submit_sms, but for the message_id: it is the call-id that the Text-To-Speech API or
 * the Text-To-Speech-Prompt API gave.
 *
 * @param reporter    Required. A reporter that was not freed.
 * @param message_id  Required. The call-id; 1 to 256 bytes of UTF-8. No control characters, no white space at its
 *                    ends.
 * @param delivered   1 if the user completed the action, 0 if not; any other number is refused.
 * @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss". NULL: now.
 * @param result      Is filled with what came of it. NULL: the status is enough.
 * @return A status as nexmo_reporter_submit_sms gives it.
 * @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
 * @par Threads: call from any thread, any number at once, with the same reporter too. Not from a signal handler.
 * @par Blocking: as nexmo_reporter_submit_sms.
 * @par Since: 1.0
 *
 * @code
 * status = nexmo_reporter_submit_voice(reporter, call_id, 0, "2020-01-01 12:00:00", &result);
 * @endcode
 */
nexmo_status nexmo_reporter_submit_voice(struct nexmo_reporter *reporter,
                                         const char *message_id,
                                         int32_t delivered,
                                         const char *timestamp,
                                         struct nexmo_result *result);

/**
 * Fetches a report that was set aside: refused by the service, grown too old, or dropped from a full outbox.
 *
 * Each is handed out once, over all processes and reporters that share the outbox, the oldest first.
 *
 * @param reporter  Required. A reporter that was not freed; it may be closed.
 * @param aside     Required. Receives the report, or NEXMO_ASIDE_NONE as its reason if there is none.
 * @param result    Is filled with what came of it. NULL: the status is enough.
 * @retval NEXMO_OK                  The report is fetched, or there is none.
 * @retval NEXMO_ERR_NULL            aside is NULL. Correct the call.
 * @retval NEXMO_ERR_STRUCT          A struct's size cannot be used. Correct the call.
 * @retval NEXMO_ERR_HANDLE          The reporter is NULL, was freed, or never was one. Correct the call.
 * @retval NEXMO_ERR_OUTBOX          The outbox cannot be read or written, or is busy, full, damaged or another
 *                                   account's with the status of that name, 301 to 304. Nothing was fetched.
 * @retval NEXMO_ERR_FORKED          The process was made by a raw clone. Make it with fork.
 * @retval NEXMO_ERR_INTERNAL        A mistake of the library.
 * @par Ownership: the arguments are borrowed until the call returns; nothing is there to free.
 * @par Threads: call from any thread, any number at once.
 * @par Blocking: up to lock_wait_ms.
 * @par Since: 1.0
 *
 * @code
 * nexmo_aside aside = NEXMO_ASIDE_INIT;
 * while (nexmo_reporter_poll(reporter, &aside, NULL) == NEXMO_OK && aside.reason != NEXMO_ASIDE_NONE)
 *     fprintf(stderr, "%s: %s\n", aside.message_id, aside.message);
 * @endcode
 */
nexmo_status nexmo_reporter_poll(struct nexmo_reporter *reporter,
                                 struct nexmo_aside *aside,
                                 struct nexmo_result *result);

/**
 * Gives a file descriptor that is readable when nexmo_reporter_poll may have something, for poll, select or epoll.
 *
 * @param reporter  Required. A reporter that was not freed.
 * @return The descriptor, or -1 if the reporter is NULL, was freed, or never was one, or the system has none left.
 * @par Ownership: the descriptor is the reporter's. Do not read, write or close it; stop watching it before
 * nexmo_reporter_free. In a child made by fork it is closed, and another call gives that of the child.
 * @par Threads: call from any thread, any number at once.
 * @par Blocking: never.
 * @par Since: 1.0
 *
 * @code
 * struct pollfd watched = { 0, POLLIN, 0 };
 * watched.fd = nexmo_reporter_fd(reporter);
 * @endcode
 */
int32_t nexmo_reporter_fd(struct nexmo_reporter *reporter);

/**
 * Waits until every report that the outbox accepted before this call has left it.
 *
 * @param reporter    Required. A reporter that was not freed.
 * @param timeout_ms  How long to wait at most, in milliseconds; 0 only looks.
 * @param statistics  Is filled with the counts after the wait, on success and on failure, unless the outbox cannot be
 *                    read. NULL: they are not wanted.
 * @param result      Is filled with what came of it. NULL: the status is enough.
 * @retval NEXMO_OK             None is left, and nothing waits to be fetched by nexmo_reporter_poll.
 * @retval NEXMO_ERR_ASIDE      None is left, and some were set aside: fetch them by nexmo_reporter_poll.
 * @retval NEXMO_ERR_TIMEOUT    Some are left after timeout_ms. They go out later; nothing needs to be repeated.
 * @retval NEXMO_ERR_PARKED     The service takes no reports of the account, which was just tried. They stay.
 * @retval NEXMO_ERR_CANCELLED  The reporter was freed during the call.
 * @retval NEXMO_ERR_ARGUMENT   timeout_ms is negative. Correct the call.
 * @retval NEXMO_ERR_STRUCT     A struct's size cannot be used. Correct the call.
 * @retval NEXMO_ERR_HANDLE     The reporter is NULL, was freed, or never was one. Correct the call.
 * @retval NEXMO_ERR_OUTBOX     The outbox cannot be read, or is busy, full, damaged or another account's with the
 *                              status of that name, 301 to 304.
 * @retval NEXMO_ERR_FORKED     The process was made by a raw clone. Make it with fork.
 * @retval NEXMO_ERR_INTERNAL   A mistake of the library.
 * @par Ownership: the arguments are borrowed until the call returns; nothing is there to free.
 * @par Threads: call from any thread, any number at once.
 * @par Blocking: up to timeout_ms.
 * @par Since: 1.0
 *
 * @code
 * nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
 * status = nexmo_reporter_flush(reporter, 10000, &statistics, &result);
 * @endcode
 */
nexmo_status nexmo_reporter_flush(struct nexmo_reporter *reporter,
                                  int32_t timeout_ms,
                                  struct nexmo_statistics *statistics,
                                  struct nexmo_result *result);

/**
 * Tells how many reports there were, what became of them, and what the reporter does.
 *
 * @param reporter    Required. A reporter that was not freed; it may be closed.
 * @param statistics  Required. Is filled.
 * @param result      Is filled with what came of it. NULL: the status is enough.
 * @retval NEXMO_OK            The statistics are filled.
 * @retval NEXMO_ERR_NULL      statistics is NULL. Correct the call.
 * @retval NEXMO_ERR_STRUCT    A struct's size cannot be used. Correct the call.
 * @retval NEXMO_ERR_HANDLE    The reporter is NULL, was freed, or never was one. Correct the call.
 * @retval NEXMO_ERR_OUTBOX    The outbox cannot be read, or is busy, full, damaged or another account's with the
 *                             status of that name, 301 to 304.
 * @retval NEXMO_ERR_FORKED    The process was made by a raw clone. Make it with fork.
 * @retval NEXMO_ERR_INTERNAL  A mistake of the library.
 * @par Ownership: the arguments are borrowed until the call returns; nothing is there to free.
 * @par Threads: call from any thread, any number at once.
 * @par Blocking: up to lock_wait_ms; the same few reads however many reports there are.
 * @par Since: 1.0
 *
 * @code
 * if (nexmo_reporter_statistics(reporter, &statistics, NULL) == NEXMO_OK)
 *     printf("%lld pending\n", (long long)statistics.pending);
 * @endcode
 */
nexmo_status nexmo_reporter_statistics(struct nexmo_reporter *reporter,
                                       struct nexmo_statistics *statistics,
                                       struct nexmo_result *result);

/**
 * Closes a reporter: it takes no more reports, goes on sending until none is left or the time is over, and then
 * interrupts what is under way.
 *
 * What is left stays in the outbox and goes out when a reporter next opens it; with NEXMO_DURABILITY_NONE it is lost. A
 * program that ends without this call loses nothing that its durability protects.
 *
 * @param reporter    Required. A reporter that was not freed. It can still be polled and asked for its statistics.
 * @param timeout_ms  How long to go on sending, in milliseconds; 0 ends at once.
 * @param statistics  Is filled with the counts at the end, on success and on failure, unless the outbox cannot be
 *                    read. NULL: they are not wanted.
 * @param result      Is filled with what came of it. NULL: the status is enough.
 * @retval NEXMO_OK             Nothing is left.
 * @retval NEXMO_ERR_PENDING    Reports are left in the outbox; the statistics and the message say how many.
 * @retval NEXMO_ERR_CANCELLED  The reporter was freed during the call.
 * @retval NEXMO_ERR_ARGUMENT   timeout_ms is negative. Correct the call.
 * @retval NEXMO_ERR_STRUCT     A struct's size cannot be used. Correct the call.
 * @retval NEXMO_ERR_HANDLE     The reporter is NULL, was freed, or never was one. Correct the call.
 * @retval NEXMO_ERR_OUTBOX     The outbox cannot be read, or is busy, full, damaged or another account's with the
 *                              status of that name, 301 to 304. The reporter is closed all the same.
 * @retval NEXMO_ERR_FORKED     The process was made by a raw clone. Make it with fork.
 * @retval NEXMO_ERR_INTERNAL   A mistake of the library.
 * @par Ownership: the arguments are borrowed until the call returns. The reporter is still to be freed.
 * @par Threads: call from any thread, any number at once.
 * @par Blocking: up to timeout_ms and half a second.
 * @par Since: 1.0
 *
 * @code
 * if (nexmo_reporter_close(reporter, 2000, &statistics, NULL) == NEXMO_ERR_PENDING)
 *     fprintf(stderr, "%lld go out at the next start\n", (long long)statistics.pending);
 * nexmo_reporter_free(reporter);
 * @endcode
 */
nexmo_status nexmo_reporter_close(struct nexmo_reporter *reporter,
                                  int32_t timeout_ms,
                                  struct nexmo_statistics *statistics,
                                  struct nexmo_result *result);

/**
 * Frees a reporter, and closes it if it is not closed, without waiting for anything.
 *
 * Calls that other threads make with it at this moment end with NEXMO_ERR_CANCELLED if they wait for reports. What is
 * left in the outbox goes out when a reporter next opens it; with NEXMO_DURABILITY_NONE it is lost.
 *
 * @param reporter  A reporter, or NULL, which does nothing.
 * @retval NEXMO_OK            The reporter is freed, or NULL was given.
 * @retval NEXMO_ERR_HANDLE    The reporter was freed before, or never was one. Correct the call.
 * @retval NEXMO_ERR_FORKED    The process was made by a raw clone. Make it with fork.
 * @retval NEXMO_ERR_INTERNAL  A mistake of the library.
 * @par Ownership: the pointer must not be used afterwards; a call that does returns NEXMO_ERR_HANDLE.
 * @par Threads: call from any thread, while others use the reporter too. Not from a signal handler.
 * @par Blocking: never.
 * @par Since: 1.0
 *
 * @code
 * nexmo_reporter_free(reporter);
 * @endcode
 */
nexmo_status nexmo_reporter_free(struct nexmo_reporter *reporter);

/**
 * Gives the version of the library that was loaded, such as "1.0.0". NEXMO_VERSION is that of the header.
 *
 * @return The version. Never NULL.
 * @par Ownership: the text belongs to the library and stays for as long as the program runs; do not free it.
 * @par Threads: call from any thread, any number at once.
 * @par Blocking: never.
 * @par Since: 1.0
 *
 * @code
 * printf("built for %s, runs with %s\n", NEXMO_VERSION, nexmo_version());
 * @endcode
 */
const char *nexmo_version(void);

/**
 * Turns seconds since 1970-01-01 00:00:00 UTC, as time() gives them, into the API's text form, "yyyy-MM-dd HH:mm:ss".
 *
 * @param unix_seconds  -62135596800 to 253402300799, which are the years 1 to 9999.
 * @param text          Required. Receives the text and its NUL.
 * @param text_size     Bytes that text has room for: NEXMO_TIMESTAMP_SIZE or more.
 * @retval NEXMO_OK            The text is written.
 * @retval NEXMO_ERR_NULL      text is NULL.
 * @retval NEXMO_ERR_ARGUMENT  The seconds lie outside of the range, or the room does not suffice. text becomes "",
 *                             which no call takes for a timestamp.
 * @retval NEXMO_ERR_INTERNAL  A mistake of the library.
 * @par Ownership: text is borrowed until the call returns.
 * @par Threads: call from any thread, any number at once.
 * @par Blocking: never.
 * @par Since: 1.0
 *
 * @code
 * char now[NEXMO_TIMESTAMP_SIZE];
 * if (nexmo_timestamp_from_unix((int64_t)time(NULL), now, sizeof now) == NEXMO_OK)
 *     status = nexmo_conversion_sms(&credentials, message_id, 1, now, NULL, &result);
 * @endcode
 */
nexmo_status nexmo_timestamp_from_unix(int64_t unix_seconds,
                                       char *text,
                                       size_t text_size);

/** Begins a nexmo_credentials: sets its size; every other field is 0 or NULL. */
#define NEXMO_CREDENTIALS_INIT { sizeof(nexmo_credentials), 0, NULL, NULL, NULL, 0, 0 }

/** Begins a nexmo_options: sets its size; every other field is 0 or NULL, which chooses every default. */
#define NEXMO_OPTIONS_INIT { sizeof(nexmo_options), 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0 }

/** Begins a nexmo_result: sets its size. Until a call fills it, it says NEXMO_ERR_STRUCT, the one status that leaves it as
 *  it was. */
#define NEXMO_RESULT_INIT { sizeof(nexmo_result), 0, NEXMO_ERR_STRUCT, 0, 0, 0, 0, -1, "" }

/** Begins a nexmo_reporter_options: sets its size; every other field is 0 or NULL, which chooses every default. */
#define NEXMO_REPORTER_OPTIONS_INIT { sizeof(nexmo_reporter_options), 0, NULL, 0, 0, 0, 0, 0, 0 }

/** Begins a nexmo_statistics: sets its size. */
#define NEXMO_STATISTICS_INIT { sizeof(nexmo_statistics), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, "" }

/** Begins a nexmo_aside: sets its size. */
#define NEXMO_ASIDE_INIT { sizeof(nexmo_aside), 0, 0, 0, 0, 0, "", "", "" }

#ifdef __cplusplus
}
#endif

#endif /* NEXMO_CONVERSION_H */
