//! The structs of the reporter: how it keeps reports, how many there were, and one that was set aside.
#![allow(non_camel_case_types)]

use std::ffi::c_char;
use std::mem::{offset_of, size_of};

use crate::ffi::info::NEXMO_TIMESTAMP_SIZE;
use crate::ffi::sized::Sized;
use crate::ffi::status::nexmo_status;
use crate::ffi::structs::NEXMO_MESSAGE_SIZE;

/// nexmo_reporter_options.durability: an accepted report survives the end of the process, however it comes about.
pub const NEXMO_DURABILITY_PROCESS: i32 = 0;
/// nexmo_reporter_options.durability: an accepted report survives the loss of power too. Each submit waits for the
/// disk; those of several threads wait together.
pub const NEXMO_DURABILITY_POWER: i32 = 1;
/// nexmo_reporter_options.durability: reports are in memory only. There is no file, and what was not sent when the
/// process ends is lost.
pub const NEXMO_DURABILITY_NONE: i32 = 2;

/// nexmo_reporter_options.when_full: the new report is refused with NEXMO_ERR_OUTBOX_FULL.
pub const NEXMO_WHEN_FULL_REFUSE: i32 = 0;
/// nexmo_reporter_options.when_full: the oldest report is set aside as NEXMO_ASIDE_DROPPED, and the new one accepted.
pub const NEXMO_WHEN_FULL_DROP_OLDEST: i32 = 1;

/// nexmo_reporter_options.flags: allows an outbox on a network file system. Where its locks do not work, reports are
/// sent more than once, or the file is damaged.
pub const NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM: u32 = 1;

/// nexmo_statistics.state: the reporter sends what comes in.
pub const NEXMO_STATE_RUNNING: i32 = 0;
/// nexmo_statistics.state: the service, or the way to it, is down. The reporter tries again after growing waits of up
/// to 30 s, or when the service asks for it.
pub const NEXMO_STATE_BACKING_OFF: i32 = 1;
/// nexmo_statistics.state: the service takes no reports of the account (401, 402, 3xx or a status that it does not
/// give). The reporter tries one a minute; the reports stay.
pub const NEXMO_STATE_PARKED: i32 = 2;
/// nexmo_statistics.state: the reporter is closed.
pub const NEXMO_STATE_CLOSED: i32 = 3;
/// nexmo_statistics.state: another process, or another reporter of this one, sends what is in the outbox. This one
/// takes over when that ends.
pub const NEXMO_STATE_STANDING_BY: i32 = 4;

/// nexmo_aside.reason: nothing was set aside.
pub const NEXMO_ASIDE_NONE: i32 = 0;
/// nexmo_aside.reason: the service refused the report.
pub const NEXMO_ASIDE_REFUSED: i32 = 1;
/// nexmo_aside.reason: the report grew older than age_limit_s. It may have been taken, if an attempt was not answered.
pub const NEXMO_ASIDE_EXPIRED: i32 = 2;
/// nexmo_aside.reason: the outbox was full, and this was its oldest report.
pub const NEXMO_ASIDE_DROPPED: i32 = 3;

/// nexmo_aside.channel: an SMS.
pub const NEXMO_CHANNEL_SMS: i32 = 1;
/// nexmo_aside.channel: a phone call.
pub const NEXMO_CHANNEL_VOICE: i32 = 2;

/// Bytes of nexmo_aside.message_id, its NUL included.
pub const NEXMO_MESSAGE_ID_SIZE: usize = 260;

/// How a reporter keeps reports. Begin it with NEXMO_REPORTER_OPTIONS_INIT: every number that stays 0 takes its
/// default. outbox has none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_reporter_options {
    /// sizeof(nexmo_reporter_options): 40, or 36 where pointers have 4 bytes.
    pub struct_size: u32,
    /// Flags of NEXMO_REPORTER_OPTIONS_ joined by |, or 0.
    pub flags: u32,
    /// Path of the outbox file, in a folder that exists; the file is made if it is not there, for its owner alone.
    /// Beside it stand files of its name with endings of their own, -wal, -shm, .lock and .ballast: they belong to it,
    /// and must be moved or removed with it and never while it is open. Any number of processes may share it, all for
    /// one account: api_key and base_url are kept in it. Required; NULL with NEXMO_DURABILITY_NONE.
    pub outbox: *const c_char,
    /// One of the NEXMO_DURABILITY_ numbers.
    pub durability: i32,
    /// One of the NEXMO_WHEN_FULL_ numbers: what submit does when most_reports are pending.
    pub when_full: i32,
    /// The most reports that may be pending, 1 to 1000000000. 0: 1000000, which take up to some 300 MB.
    pub most_reports: i32,
    /// How old a report may grow before it is set aside, in seconds since its submission, 1 to 31536000 (365 days).
    /// 0: 86400 (24 hours).
    pub age_limit_s: i32,
    /// How many reports may be under way at a time, each on a connection and a thread of its own, 1 to 256. 0: 8.
    pub connections: i32,
    /// How long a call waits for others that have the outbox locked, in milliseconds, 1 to 60000. 0: 100.
    pub lock_wait_ms: i32,
}

/// How many reports there were, and what became of them. Begin it with NEXMO_STATISTICS_INIT.
///
/// The counts belong to the outbox file, over all processes and reporters that ever used it; with
/// NEXMO_DURABILITY_NONE to the reporter. accepted is always the sum of sent, refused, expired, replaced, dropped and
/// pending.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_statistics {
    /// sizeof(nexmo_statistics): 384. The only field that is read.
    pub struct_size: u32,
    /// Written as 0.
    pub flags: u32,
    /// One of the NEXMO_STATE_ numbers: what this reporter does.
    pub state: i32,
    /// How many reports are being sent by this reporter at this moment.
    pub under_way: i32,
    /// What last went wrong in the background, as a status; 0 if nothing ever did.
    pub last_error: nexmo_status,
    /// The HTTP status of the answer that was the last error; 0 if it was none.
    pub last_error_http_status: i32,
    /// Accepted by submit.
    pub accepted: i64,
    /// Taken by the service.
    pub sent: i64,
    /// Refused by the service.
    pub refused: i64,
    /// Grown older than the age limit.
    pub expired: i64,
    /// Replaced by a later report for the same message.
    pub replaced: i64,
    /// Dropped, because the outbox was full.
    pub dropped: i64,
    /// Still to be sent.
    pub pending: i64,
    /// Set aside, and waiting to be fetched by nexmo_reporter_poll: at most 10000.
    pub aside: i64,
    /// Set aside and forgotten before they were fetched, because there were more.
    pub forgotten: i64,
    /// How many outbox files were damaged or removed while this reporter used them, and replaced by new ones. A damaged
    /// one is kept beside the outbox under a name with .corrupt in it.
    pub outboxes_lost: i64,
    /// How often this reporter could not read or write the outbox in the background.
    pub outbox_errors: i64,
    /// How long ago the oldest pending report was accepted, in milliseconds; -1 if none is pending.
    pub oldest_pending_ms: i64,
    /// When the last error happened, in milliseconds since 1970; -1 if there was none.
    pub last_error_unix_ms: i64,
    /// The last error in one line for a log: UTF-8 without control characters, ended by NUL. Never holds a secret.
    pub last_error_message: [c_char; NEXMO_MESSAGE_SIZE],
}

/// A report that was set aside, and why. Begin it with NEXMO_ASIDE_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_aside {
    /// sizeof(nexmo_aside): 560. The only field that is read.
    pub struct_size: u32,
    /// Written as 0.
    pub flags: u32,
    /// One of the NEXMO_ASIDE_ numbers. With NEXMO_ASIDE_NONE all that follows is 0 or "".
    pub reason: i32,
    /// The HTTP status that refused the report; 0 if none did.
    pub http_status: i32,
    /// One of the NEXMO_CHANNEL_ numbers.
    pub channel: i32,
    /// 1 or 0, as it was submitted.
    pub delivered: i32,
    /// As it was submitted.
    pub message_id: [c_char; NEXMO_MESSAGE_ID_SIZE],
    /// When the user completed the action, as it was submitted, or the time of the submission.
    pub timestamp: [c_char; NEXMO_TIMESTAMP_SIZE],
    /// What happened, in one line for a log: UTF-8 without control characters, ended by NUL. Never holds a secret.
    pub message: [c_char; NEXMO_MESSAGE_SIZE],
}

const OPTIONS_FIRST: usize = 2 * 4 + size_of::<*const c_char>() + 6 * 4;
const STATISTICS_FIRST: usize = 6 * 4 + 13 * 8 + NEXMO_MESSAGE_SIZE;
const ASIDE_FIRST: usize = 6 * 4 + NEXMO_MESSAGE_ID_SIZE + NEXMO_TIMESTAMP_SIZE + NEXMO_MESSAGE_SIZE;

// The sum of the fields is the size of the struct: there is no padding, inside or at the end.
const _: () = assert!(size_of::<nexmo_reporter_options>() == OPTIONS_FIRST);
const _: () = assert!(size_of::<nexmo_statistics>() == STATISTICS_FIRST);
const _: () = assert!(size_of::<nexmo_aside>() == ASIDE_FIRST);
const _: () = assert!(offset_of!(nexmo_statistics, accepted) % 8 == 0);

// SAFETY: all fields are integers and pointers, for which every bit pattern, all zeroes included, is a value.
unsafe impl Sized for nexmo_reporter_options {
    const NAME: &'static str = "reporter_options";
    const FIRST_SIZE: usize = OPTIONS_FIRST;
    const KNOWN_FLAGS: u32 = NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM;
}

// SAFETY: as above.
unsafe impl Sized for nexmo_statistics {
    const NAME: &'static str = "statistics";
    const FIRST_SIZE: usize = STATISTICS_FIRST;
    const KNOWN_FLAGS: u32 = 0;
}

// SAFETY: as above.
unsafe impl Sized for nexmo_aside {
    const NAME: &'static str = "aside";
    const FIRST_SIZE: usize = ASIDE_FIRST;
    const KNOWN_FLAGS: u32 = 0;
}
