//! From what a reporter tells to the structs that C sees.

use std::ffi::c_char;
use std::time::{Duration, SystemTime};

use super::structs::{
    NEXMO_ASIDE_DROPPED, NEXMO_ASIDE_EXPIRED, NEXMO_ASIDE_NONE, NEXMO_ASIDE_REFUSED, NEXMO_CHANNEL_SMS,
    NEXMO_CHANNEL_VOICE, NEXMO_MESSAGE_ID_SIZE, NEXMO_STATE_BACKING_OFF, NEXMO_STATE_CLOSED, NEXMO_STATE_PARKED,
    NEXMO_STATE_RUNNING, NEXMO_STATE_STANDING_BY, nexmo_aside, nexmo_statistics,
};
use crate::conversion::Channel;
use crate::ffi::info::NEXMO_TIMESTAMP_SIZE;
use crate::ffi::status::{self, NEXMO_OK};
use crate::ffi::structs::NEXMO_MESSAGE_SIZE;
use crate::ffi::text;
use crate::reporter::{Aside, Reason, State, Statistics};

pub(super) fn statistics(counted: &Statistics) -> nexmo_statistics {
    let last = counted.last_error.as_ref();
    nexmo_statistics {
        struct_size: 0,
        flags: 0,
        state: state(counted.state),
        under_way: i32::try_from(counted.under_way).unwrap_or(i32::MAX),
        last_error: last.map_or(NEXMO_OK, |last| status::of(last.error.kind())),
        last_error_http_status: last.and_then(|last| last.http_status).map_or(0, i32::from),
        accepted: number(counted.accepted),
        sent: number(counted.sent),
        refused: number(counted.refused),
        expired: number(counted.expired),
        replaced: number(counted.replaced),
        dropped: number(counted.dropped),
        pending: number(counted.pending),
        aside: number(counted.aside),
        forgotten: number(counted.forgotten),
        outboxes_lost: number(counted.outboxes_lost),
        outbox_errors: number(counted.outbox_errors),
        oldest_pending_ms: counted.oldest_pending.map_or(-1, milliseconds),
        last_error_unix_ms: last.map_or(-1, |last| unix_milliseconds(last.at)),
        last_error_message: written::<NEXMO_MESSAGE_SIZE>(last.map_or("", |last| last.error.message())),
    }
}

fn state(state: State) -> i32 {
    match state {
        State::Running => NEXMO_STATE_RUNNING,
        State::BackingOff => NEXMO_STATE_BACKING_OFF,
        State::Parked => NEXMO_STATE_PARKED,
        State::Closed => NEXMO_STATE_CLOSED,
        State::StandingBy => NEXMO_STATE_STANDING_BY,
    }
}

pub(super) fn aside(fetched: Option<&Aside>) -> nexmo_aside {
    let conversion = fetched.map(|aside| &aside.conversion);
    let timestamp = conversion.and_then(|conversion| conversion.timestamp).map(|timestamp| timestamp.to_string());
    nexmo_aside {
        struct_size: 0,
        flags: 0,
        reason: fetched.map_or(NEXMO_ASIDE_NONE, |aside| reason(aside.reason)),
        http_status: fetched.and_then(|aside| aside.http_status).map_or(0, i32::from),
        channel: conversion.map_or(0, |conversion| channel(conversion.channel)),
        delivered: conversion.map_or(0, |conversion| i32::from(conversion.delivered)),
        message_id: written::<NEXMO_MESSAGE_ID_SIZE>(conversion.map_or("", |report| report.message_id.as_str())),
        timestamp: written::<NEXMO_TIMESTAMP_SIZE>(timestamp.as_deref().unwrap_or_default()),
        message: written::<NEXMO_MESSAGE_SIZE>(fetched.map_or("", |aside| &aside.message)),
    }
}

fn reason(reason: Reason) -> i32 {
    match reason {
        Reason::Refused => NEXMO_ASIDE_REFUSED,
        Reason::Expired => NEXMO_ASIDE_EXPIRED,
        Reason::Dropped => NEXMO_ASIDE_DROPPED,
    }
}

fn channel(channel: Channel) -> i32 {
    match channel {
        Channel::Sms => NEXMO_CHANNEL_SMS,
        Channel::Voice => NEXMO_CHANNEL_VOICE,
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn unix_milliseconds(time: SystemTime) -> i64 {
    milliseconds(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

fn written<const SIZE: usize>(told: &str) -> [c_char; SIZE] {
    let mut array = [0; SIZE];
    text::write(&mut array, told);
    array
}
