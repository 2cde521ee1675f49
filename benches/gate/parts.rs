//! Runs the internal code whose instructions the gate counts:
//!
//! ```text
//! parts responses COUNT         parses COUNT responses that accept a report and COUNT that reject one
//! parts batches OUTBOX COUNT    claims and completes COUNT batches
//! parts fill OUTBOX COUNT       submits reports for COUNT batches; `batches` runs this in a separate process so that
//!                               it starts with an empty page cache
//! ```
#![allow(clippy::unwrap_used, clippy::panic)]

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::{env, iter};

use nexmo_conversion::fuzzing::verdict;
use nexmo_conversion::testing::{self, Stub};
use nexmo_conversion::{Channel, Conversion, Durability, Error, MessageId, Reporter, ReporterOptions, Timestamp};

/// The number of reports that are claimed and completed at a time.
const BATCH: usize = 32;

const ACCEPTED: &[u8] = b"HTTP/1.1 200 OK\r\ndate: Fri, 02 Jan 2026 03:04:05 GMT\r\ncontent-type: text/plain\r\n\
    content-length: 2\r\n\r\nOK";

const REJECTED: &[u8] = b"HTTP/1.1 402 Payment Required\r\ndate: Fri, 02 Jan 2026 03:04:05 GMT\r\n\
    content-type: application/json\r\ncontent-length: 184\r\n\r\n\
    {\"type\":\"https://developer.nexmo.com/api-errors\",\"title\":\"Bad account credentials\",\
    \"detail\":\"The account is not enabled for conversions.\",\"instance\":\"797a8f199c45014ab7b08bfe9cc1c12c\"}";

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["responses", count] => responses(count.parse().unwrap()),
        ["batches", outbox, count] => batches(outbox, count),
        ["fill", outbox, count] => fill(Path::new(outbox), BATCH * count.parse::<usize>().unwrap()),
        _ => panic!("usage: see the top of parts.rs"),
    }
}

/// Starts the count: callgrind discards the instructions that it counted before this call.
#[inline(never)]
fn begin_counting() {
    black_box(());
}

fn responses(count: usize) {
    accepted_response().unwrap();
    let error = rejected_response().unwrap_err();
    assert!(error.message().ends_with("conversions."), "{error}");
    begin_counting();
    for _ in 0..count {
        accepted_response().unwrap();
        rejected_response().unwrap_err();
    }
}

#[inline(never)]
fn accepted_response() -> Result<(), Error> {
    verdict(black_box(ACCEPTED), "s3cret").unwrap()
}

#[inline(never)]
fn rejected_response() -> Result<(), Error> {
    verdict(black_box(REJECTED), "s3cret").unwrap()
}

fn batches(outbox: &str, count: &str) {
    let filled = Command::new(env::current_exe().unwrap()).args(["fill", outbox, count]).status().unwrap();
    assert!(filled.success());
    begin_counting();
    let (reports, _) = testing::drain(Path::new(outbox), BATCH).unwrap();
    assert_eq!(reports, BATCH * count.parse::<usize>().unwrap());
}

/// Submits `reports` reports to a reporter whose service is down.
fn fill(outbox: &Path, reports: usize) {
    let stub = Arc::new(Stub::new(Duration::ZERO));
    stub.set_down(true);
    let options = ReporterOptions {
        outbox: Some(outbox),
        durability: Durability::Process,
        busy_timeout: Some(Duration::from_secs(10)),
        ..Default::default()
    };
    let reporter = Reporter::to_stub(&stub, &options).unwrap();
    let numbers = iter::successors(Some(0_u64), |number| Some(number.wrapping_add(0x9e37_79b9_7f4a_7c15)));
    for number in numbers.take(reports) {
        let message_id = MessageId::new(&format!("{number:016X}")).unwrap();
        let timestamp = Some(Timestamp::from_unix_seconds(1_767_323_045).unwrap());
        reporter.submit(&Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp }).unwrap();
    }
}
