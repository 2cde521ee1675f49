//! The offsets of each struct's fields, and assertions that the compiler agrees and inserts no padding.
//!
//! Generated from src/ffi by `make generate`; do not edit.

use std::mem::{offset_of, size_of};

/// One field of a struct.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) offset: usize,
    pub(crate) size: usize,
}

/// A struct of the C interface and the offsets of its fields.
pub(crate) trait Layout: Copy + 'static {
    const TYPE: &'static str;
    const FIELDS: &'static [Field];
}

const fn field(name: &'static str, offset: usize, size: usize) -> Field {
    Field { name, offset, size }
}

/// Returns `wide` where pointers have 8 bytes, and `narrow` where they have 4.
const fn expected(wide: usize, narrow: usize) -> usize {
    if cfg!(target_pointer_width = "64") { wide } else { narrow }
}

impl Layout for super::credentials::nexmo_credentials {
    const TYPE: &'static str = "nexmo_credentials";
    const FIELDS: &'static [Field] = &[
        field("struct_size", offset_of!(Self, struct_size), expected(4, 4)),
        field("flags", offset_of!(Self, flags), expected(4, 4)),
        field("api_key", offset_of!(Self, api_key), expected(8, 4)),
        field("api_secret", offset_of!(Self, api_secret), expected(8, 4)),
        field("signature_secret", offset_of!(Self, signature_secret), expected(8, 4)),
        field("auth", offset_of!(Self, auth), expected(4, 4)),
        field("signature_method", offset_of!(Self, signature_method), expected(4, 4)),
    ];
}

const _: () = {
    use super::credentials::nexmo_credentials;
    assert!(size_of::<nexmo_credentials>() == expected(40, 28), "nexmo_credentials has padding");
    assert!(offset_of!(nexmo_credentials, struct_size) == expected(0, 0));
    assert!(offset_of!(nexmo_credentials, flags) == expected(4, 4));
    assert!(offset_of!(nexmo_credentials, api_key) == expected(8, 8));
    assert!(offset_of!(nexmo_credentials, api_secret) == expected(16, 12));
    assert!(offset_of!(nexmo_credentials, signature_secret) == expected(24, 16));
    assert!(offset_of!(nexmo_credentials, auth) == expected(32, 20));
    assert!(offset_of!(nexmo_credentials, signature_method) == expected(36, 24));
};

impl Layout for super::options::nexmo_options {
    const TYPE: &'static str = "nexmo_options";
    const FIELDS: &'static [Field] = &[
        field("struct_size", offset_of!(Self, struct_size), expected(4, 4)),
        field("flags", offset_of!(Self, flags), expected(4, 4)),
        field("base_url", offset_of!(Self, base_url), expected(8, 4)),
        field("proxy", offset_of!(Self, proxy), expected(8, 4)),
        field("ca_file", offset_of!(Self, ca_file), expected(8, 4)),
        field("client_cert_file", offset_of!(Self, client_cert_file), expected(8, 4)),
        field("client_key_file", offset_of!(Self, client_key_file), expected(8, 4)),
        field("user_agent", offset_of!(Self, user_agent), expected(8, 4)),
        field("connect_timeout_ms", offset_of!(Self, connect_timeout_ms), expected(4, 4)),
        field("timeout_ms", offset_of!(Self, timeout_ms), expected(4, 4)),
        field("max_attempts", offset_of!(Self, max_attempts), expected(4, 4)),
        field("max_idle_connections", offset_of!(Self, max_idle_connections), expected(4, 4)),
    ];
}

const _: () = {
    use super::options::nexmo_options;
    assert!(size_of::<nexmo_options>() == expected(72, 48), "nexmo_options has padding");
    assert!(offset_of!(nexmo_options, struct_size) == expected(0, 0));
    assert!(offset_of!(nexmo_options, flags) == expected(4, 4));
    assert!(offset_of!(nexmo_options, base_url) == expected(8, 8));
    assert!(offset_of!(nexmo_options, proxy) == expected(16, 12));
    assert!(offset_of!(nexmo_options, ca_file) == expected(24, 16));
    assert!(offset_of!(nexmo_options, client_cert_file) == expected(32, 20));
    assert!(offset_of!(nexmo_options, client_key_file) == expected(40, 24));
    assert!(offset_of!(nexmo_options, user_agent) == expected(48, 28));
    assert!(offset_of!(nexmo_options, connect_timeout_ms) == expected(56, 32));
    assert!(offset_of!(nexmo_options, timeout_ms) == expected(60, 36));
    assert!(offset_of!(nexmo_options, max_attempts) == expected(64, 40));
    assert!(offset_of!(nexmo_options, max_idle_connections) == expected(68, 44));
};

impl Layout for super::result::nexmo_result {
    const TYPE: &'static str = "nexmo_result";
    const FIELDS: &'static [Field] = &[
        field("struct_size", offset_of!(Self, struct_size), expected(4, 4)),
        field("flags", offset_of!(Self, flags), expected(4, 4)),
        field("status", offset_of!(Self, status), expected(4, 4)),
        field("http_status", offset_of!(Self, http_status), expected(4, 4)),
        field("attempts", offset_of!(Self, attempts), expected(4, 4)),
        field("acceptance", offset_of!(Self, acceptance), expected(4, 4)),
        field("elapsed_us", offset_of!(Self, elapsed_us), expected(8, 8)),
        field("retry_after_ms", offset_of!(Self, retry_after_ms), expected(8, 8)),
        field("message", offset_of!(Self, message), expected(256, 256)),
    ];
}

const _: () = {
    use super::result::nexmo_result;
    assert!(size_of::<nexmo_result>() == expected(296, 296), "nexmo_result has padding");
    assert!(offset_of!(nexmo_result, struct_size) == expected(0, 0));
    assert!(offset_of!(nexmo_result, flags) == expected(4, 4));
    assert!(offset_of!(nexmo_result, status) == expected(8, 8));
    assert!(offset_of!(nexmo_result, http_status) == expected(12, 12));
    assert!(offset_of!(nexmo_result, attempts) == expected(16, 16));
    assert!(offset_of!(nexmo_result, acceptance) == expected(20, 20));
    assert!(offset_of!(nexmo_result, elapsed_us) == expected(24, 24));
    assert!(offset_of!(nexmo_result, retry_after_ms) == expected(32, 32));
    assert!(offset_of!(nexmo_result, message) == expected(40, 40));
};

impl Layout for super::reporter::options::nexmo_reporter_options {
    const TYPE: &'static str = "nexmo_reporter_options";
    const FIELDS: &'static [Field] = &[
        field("struct_size", offset_of!(Self, struct_size), expected(4, 4)),
        field("flags", offset_of!(Self, flags), expected(4, 4)),
        field("outbox", offset_of!(Self, outbox), expected(8, 4)),
        field("durability", offset_of!(Self, durability), expected(4, 4)),
        field("overflow", offset_of!(Self, overflow), expected(4, 4)),
        field("max_pending", offset_of!(Self, max_pending), expected(4, 4)),
        field("max_age_s", offset_of!(Self, max_age_s), expected(4, 4)),
        field("max_in_flight", offset_of!(Self, max_in_flight), expected(4, 4)),
        field("busy_timeout_ms", offset_of!(Self, busy_timeout_ms), expected(4, 4)),
    ];
}

const _: () = {
    use super::reporter::options::nexmo_reporter_options;
    assert!(size_of::<nexmo_reporter_options>() == expected(40, 36), "nexmo_reporter_options has padding");
    assert!(offset_of!(nexmo_reporter_options, struct_size) == expected(0, 0));
    assert!(offset_of!(nexmo_reporter_options, flags) == expected(4, 4));
    assert!(offset_of!(nexmo_reporter_options, outbox) == expected(8, 8));
    assert!(offset_of!(nexmo_reporter_options, durability) == expected(16, 12));
    assert!(offset_of!(nexmo_reporter_options, overflow) == expected(20, 16));
    assert!(offset_of!(nexmo_reporter_options, max_pending) == expected(24, 20));
    assert!(offset_of!(nexmo_reporter_options, max_age_s) == expected(28, 24));
    assert!(offset_of!(nexmo_reporter_options, max_in_flight) == expected(32, 28));
    assert!(offset_of!(nexmo_reporter_options, busy_timeout_ms) == expected(36, 32));
};

impl Layout for super::reporter::event::nexmo_event {
    const TYPE: &'static str = "nexmo_event";
    const FIELDS: &'static [Field] = &[
        field("struct_size", offset_of!(Self, struct_size), expected(4, 4)),
        field("flags", offset_of!(Self, flags), expected(4, 4)),
        field("id", offset_of!(Self, id), expected(8, 8)),
        field("created_unix_ms", offset_of!(Self, created_unix_ms), expected(8, 8)),
        field("kind", offset_of!(Self, kind), expected(4, 4)),
        field("http_status", offset_of!(Self, http_status), expected(4, 4)),
        field("channel", offset_of!(Self, channel), expected(4, 4)),
        field("delivered", offset_of!(Self, delivered), expected(4, 4)),
        field("message_id", offset_of!(Self, message_id), expected(260, 260)),
        field("timestamp", offset_of!(Self, timestamp), expected(20, 20)),
        field("message", offset_of!(Self, message), expected(256, 256)),
    ];
}

const _: () = {
    use super::reporter::event::nexmo_event;
    assert!(size_of::<nexmo_event>() == expected(576, 576), "nexmo_event has padding");
    assert!(offset_of!(nexmo_event, struct_size) == expected(0, 0));
    assert!(offset_of!(nexmo_event, flags) == expected(4, 4));
    assert!(offset_of!(nexmo_event, id) == expected(8, 8));
    assert!(offset_of!(nexmo_event, created_unix_ms) == expected(16, 16));
    assert!(offset_of!(nexmo_event, kind) == expected(24, 24));
    assert!(offset_of!(nexmo_event, http_status) == expected(28, 28));
    assert!(offset_of!(nexmo_event, channel) == expected(32, 32));
    assert!(offset_of!(nexmo_event, delivered) == expected(36, 36));
    assert!(offset_of!(nexmo_event, message_id) == expected(40, 40));
    assert!(offset_of!(nexmo_event, timestamp) == expected(300, 300));
    assert!(offset_of!(nexmo_event, message) == expected(320, 320));
};

impl Layout for super::reporter::statistics::nexmo_statistics {
    const TYPE: &'static str = "nexmo_statistics";
    const FIELDS: &'static [Field] = &[
        field("struct_size", offset_of!(Self, struct_size), expected(4, 4)),
        field("flags", offset_of!(Self, flags), expected(4, 4)),
        field("state", offset_of!(Self, state), expected(4, 4)),
        field("in_flight", offset_of!(Self, in_flight), expected(4, 4)),
        field("last_error", offset_of!(Self, last_error), expected(4, 4)),
        field("last_error_http_status", offset_of!(Self, last_error_http_status), expected(4, 4)),
        field("submitted", offset_of!(Self, submitted), expected(8, 8)),
        field("accepted", offset_of!(Self, accepted), expected(8, 8)),
        field("rejected", offset_of!(Self, rejected), expected(8, 8)),
        field("expired", offset_of!(Self, expired), expected(8, 8)),
        field("replaced", offset_of!(Self, replaced), expected(8, 8)),
        field("dropped", offset_of!(Self, dropped), expected(8, 8)),
        field("damaged", offset_of!(Self, damaged), expected(8, 8)),
        field("pending", offset_of!(Self, pending), expected(8, 8)),
        field("events", offset_of!(Self, events), expected(8, 8)),
        field("events_discarded", offset_of!(Self, events_discarded), expected(8, 8)),
        field("outbox_resets", offset_of!(Self, outbox_resets), expected(8, 8)),
        field("outbox_errors", offset_of!(Self, outbox_errors), expected(8, 8)),
        field("oldest_pending_ms", offset_of!(Self, oldest_pending_ms), expected(8, 8)),
        field("last_error_unix_ms", offset_of!(Self, last_error_unix_ms), expected(8, 8)),
        field("last_error_message", offset_of!(Self, last_error_message), expected(256, 256)),
    ];
}

const _: () = {
    use super::reporter::statistics::nexmo_statistics;
    assert!(size_of::<nexmo_statistics>() == expected(392, 392), "nexmo_statistics has padding");
    assert!(offset_of!(nexmo_statistics, struct_size) == expected(0, 0));
    assert!(offset_of!(nexmo_statistics, flags) == expected(4, 4));
    assert!(offset_of!(nexmo_statistics, state) == expected(8, 8));
    assert!(offset_of!(nexmo_statistics, in_flight) == expected(12, 12));
    assert!(offset_of!(nexmo_statistics, last_error) == expected(16, 16));
    assert!(offset_of!(nexmo_statistics, last_error_http_status) == expected(20, 20));
    assert!(offset_of!(nexmo_statistics, submitted) == expected(24, 24));
    assert!(offset_of!(nexmo_statistics, accepted) == expected(32, 32));
    assert!(offset_of!(nexmo_statistics, rejected) == expected(40, 40));
    assert!(offset_of!(nexmo_statistics, expired) == expected(48, 48));
    assert!(offset_of!(nexmo_statistics, replaced) == expected(56, 56));
    assert!(offset_of!(nexmo_statistics, dropped) == expected(64, 64));
    assert!(offset_of!(nexmo_statistics, damaged) == expected(72, 72));
    assert!(offset_of!(nexmo_statistics, pending) == expected(80, 80));
    assert!(offset_of!(nexmo_statistics, events) == expected(88, 88));
    assert!(offset_of!(nexmo_statistics, events_discarded) == expected(96, 96));
    assert!(offset_of!(nexmo_statistics, outbox_resets) == expected(104, 104));
    assert!(offset_of!(nexmo_statistics, outbox_errors) == expected(112, 112));
    assert!(offset_of!(nexmo_statistics, oldest_pending_ms) == expected(120, 120));
    assert!(offset_of!(nexmo_statistics, last_error_unix_ms) == expected(128, 128));
    assert!(offset_of!(nexmo_statistics, last_error_message) == expected(136, 136));
};
