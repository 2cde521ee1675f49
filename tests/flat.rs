//! Tests the flat functions by calling them as a language without structs would.
#![allow(unsafe_code, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::undocumented_unsafe_blocks)]

mod common;

use std::ffi::c_char;
use std::{ptr, thread};

use common::Folder;
use common::service::Service;
use nexmo_conversion::ffi::flat::event::*;
use nexmo_conversion::ffi::flat::information::*;
use nexmo_conversion::ffi::flat::lifecycle::*;
use nexmo_conversion::ffi::flat::report::*;
use nexmo_conversion::ffi::reporter::event::NEXMO_EVENT_REJECTED;
use nexmo_conversion::ffi::result::{NEXMO_ACCEPTANCE_NO, NEXMO_ACCEPTANCE_UNKNOWN, NEXMO_ACCEPTANCE_YES};
use nexmo_conversion::ffi::status::*;
use nexmo_sandbox::Behaviour;

const SMS: i32 = 1;

/// The status, the numbers and the text that a call returned.
type CallResult<const COUNT: usize> = (i32, [i64; COUNT], String);

fn size(text: &[u8]) -> i32 {
    i32::try_from(text.len()).unwrap()
}

/// Returns the text in a buffer that is padded with spaces.
fn padded(buffer: &[u8]) -> String {
    assert!(!buffer.contains(&0));
    str::from_utf8(buffer).unwrap().trim_end_matches(' ').to_owned()
}

fn open(settings: &str) -> (i32, i64, String) {
    let (mut handle, mut message) = (7, [b'?'; 300]);
    let text = settings.as_bytes();
    let status = unsafe {
        nexmo_flat_open(text.as_ptr().cast(), size(text), &raw mut handle, message.as_mut_ptr().cast(), -300)
    };
    (status, handle, padded(&message))
}

fn settings(service: &Service, more: &str) -> String {
    format!("api_key = abcd1234\r\napi_secret = s3cret\r\nbase_url = {}\r\n{more}          ", service.url)
}

fn opened(settings: &str) -> i64 {
    let (status, handle, message) = open(settings);
    assert_eq!((status, message.as_str()), (NEXMO_OK, "ok"));
    assert!(handle >= 65_536);
    handle
}

type Report =
    unsafe extern "C" fn(i64, i32, *const c_char, i32, i32, *const c_char, i32, *mut i64, i32, *mut c_char, i32) -> i32;

fn call_report(function: Report, handle: i64, message_id: &str, timestamp: &str) -> CallResult<7> {
    let (mut details, mut message) = ([9; 7], [b'?'; 300]);
    let (id, time) = (message_id.as_bytes(), timestamp.as_bytes());
    let status = unsafe {
        function(
            handle,
            SMS,
            id.as_ptr().cast(),
            size(id),
            1,
            time.as_ptr().cast(),
            size(time),
            details.as_mut_ptr(),
            7,
            message.as_mut_ptr().cast(),
            -300,
        )
    };
    assert_eq!(details[NEXMO_DETAIL_STATUS], i64::from(status));
    assert_eq!(details[NEXMO_DETAIL_COUNT], 0);
    (status, details, padded(&message))
}

fn submit(handle: i64, message_id: &str) -> CallResult<7> {
    call_report(nexmo_flat_submit, handle, message_id, "2020-01-01 12:00:00   ")
}

fn poll(handle: i64, timeout_ms: i32, id_size: i32) -> (i32, [i64; 6], [String; 3]) {
    let (mut event, mut id, mut timestamp, mut message) = ([9; 6], [b'?'; 300], [b'?'; 300], [b'?'; 300]);
    let status = unsafe {
        nexmo_flat_poll(
            handle,
            timeout_ms,
            event.as_mut_ptr(),
            6,
            id.as_mut_ptr().cast(),
            id_size,
            timestamp.as_mut_ptr().cast(),
            -300,
            message.as_mut_ptr().cast(),
            -300,
        )
    };
    let id = padded(&id[..usize::try_from(id_size.unsigned_abs()).unwrap()]);
    (status, event, [id, padded(&timestamp), padded(&message)])
}

fn close(handle: i64, timeout_ms: i32) -> (i32, String) {
    let mut message = [b'?'; 300];
    let status = unsafe { nexmo_flat_close(handle, timeout_ms, message.as_mut_ptr().cast(), -300) };
    (status, padded(&message))
}

fn flush(handle: i64, timeout_ms: i32) -> i32 {
    unsafe { nexmo_flat_flush(handle, timeout_ms, ptr::null_mut(), 0) }
}

fn acknowledge(handle: i64, id: i64) -> i32 {
    unsafe { nexmo_flat_acknowledge(handle, id, ptr::null_mut(), 0) }
}

fn statistic(handle: i64, name: &str) -> (i32, i64, String) {
    let (mut value, mut text) = (9, [b'?'; 300]);
    let name = name.as_bytes();
    let status = unsafe {
        nexmo_flat_statistic(handle, name.as_ptr().cast(), size(name), &raw mut value, text.as_mut_ptr().cast(), -300)
    };
    (status, value, padded(&text))
}

#[test]
fn a_client_reports_a_padded_message_id() {
    let service = Service::start();
    let client = opened(&settings(&service, "timeout_ms = 0000005000"));
    let (status, details, message) = call_report(nexmo_flat_report, client, "00A0B0C0            ", "      ");
    assert_eq!((status, message.as_str()), (NEXMO_OK, "report accepted"));
    assert_eq!(details[1..4], [200, 1, i64::from(NEXMO_ACCEPTANCE_YES)]);
    assert!(details[NEXMO_DETAIL_ELAPSED_US] > 0 && details[NEXMO_DETAIL_RETRY_AFTER_MS] == -1);
    assert_eq!(service.received()[0].message_id, "00A0B0C0");

    service.does(Behaviour::Throttled(2));
    let (status, details, _) = call_report(nexmo_flat_report, client, "id", "2020-01-01 12:00:00");
    assert_eq!(status, NEXMO_ERR_RATE_LIMITED);
    assert_eq!(details[1..4], [429, 1, i64::from(NEXMO_ACCEPTANCE_NO)]);
    assert_eq!(details[NEXMO_DETAIL_RETRY_AFTER_MS], 2000);
    assert_eq!(close(client, 0).0, NEXMO_OK);
    assert_eq!(close(client, 0).0, NEXMO_ERR_INVALID_HANDLE);
}

#[test]
fn every_output_is_written_even_if_the_input_is_invalid() {
    let service = Service::start();
    let client = opened(&settings(&service, ""));
    for (handle, id, time, expected, expected_message) in [
        (client, "", "", NEXMO_ERR_INVALID_ARGUMENT, "message_id is empty"),
        (client, "  \0 ", "", NEXMO_ERR_INVALID_ARGUMENT, "message_id is empty"),
        (client, "a\0b", "", NEXMO_ERR_INVALID_ARGUMENT, "message_id contains a NUL before its end"),
        (client, " a", "", NEXMO_ERR_INVALID_ARGUMENT, "message_id has leading or trailing white space"),
        (client, "a", "2020-01-01T12:00:00", NEXMO_ERR_INVALID_ARGUMENT, "timestamp is not a valid date"),
        (0, "a", "", NEXMO_ERR_INVALID_HANDLE, "the handle is NULL"),
        (-1, "a", "", NEXMO_ERR_INVALID_HANDLE, "the handle is NULL"),
        (client + 1_000_000, "a", "", NEXMO_ERR_INVALID_HANDLE, "the handle is NULL"),
        (i64::MAX, "a", "", NEXMO_ERR_INVALID_HANDLE, "the handle is NULL"),
    ] {
        let (status, details, message) = call_report(nexmo_flat_report, handle, id, time);
        assert_eq!(status, expected, "{id:?}");
        assert!(message.starts_with(expected_message), "{message}");
        assert_eq!(details[1..4], [0, 0, i64::from(NEXMO_ACCEPTANCE_NO)]);
    }
    let id = c"id".as_ptr();
    let (mut details, mut message) = ([9; 6], [b'?'; 8]);
    let mut report = |channel, id, id_size, delivered, count, message_size| unsafe {
        let (details, message) = (details.as_mut_ptr(), message.as_mut_ptr().cast());
        nexmo_flat_report(
            client,
            channel,
            id,
            id_size,
            delivered,
            ptr::null(),
            -9,
            details,
            count,
            message,
            message_size,
        )
    };
    assert_eq!(report(SMS, ptr::null(), -1, 1, 6, 8), NEXMO_ERR_NULL_POINTER);
    assert_eq!(report(SMS, id, -2, 1, 6, 8), NEXMO_ERR_INVALID_ARGUMENT);
    assert_eq!(report(0, id, -1, 1, 6, 8), NEXMO_ERR_INVALID_ARGUMENT);
    assert_eq!(report(SMS, id, -1, 2, 6, 8), NEXMO_ERR_INVALID_ARGUMENT);
    assert_eq!(report(SMS, id, -1, 1, -1, 8), NEXMO_ERR_INVALID_ARGUMENT);
    assert_eq!(report(SMS, id, -1, 1, 6, -1), NEXMO_ERR_INVALID_ARGUMENT);
    assert_eq!(service.count(), 0);
    assert_eq!(report(SMS, id, -1, 1, 6, 8), NEXMO_OK);
    assert_eq!((&message, details[0]), (b"report \0", 0));
    assert_eq!(service.count(), 1);
    close(client, 0);
}

#[test]
fn an_output_may_overlap_an_input() {
    let service = Service::start();
    let client = opened(&settings(&service, ""));
    let mut buffer = *b"00A0B0C0                ";
    let (text, count) = (buffer.as_mut_ptr(), size(&buffer));
    let status = unsafe {
        nexmo_flat_report(
            client,
            SMS,
            text.cast(),
            count,
            0,
            ptr::null(),
            0,
            text.add(1).cast(),
            1,
            text.cast(),
            -count,
        )
    };
    assert_eq!(status, NEXMO_OK);
    assert_eq!(service.received()[0].message_id, "00A0B0C0");
    close(client, 0);
}

#[test]
fn a_reporter_submits_and_flushes() {
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = format!("outbox = \"{}\"", folder.outbox().display());
    let reporter = opened(&settings(&service, &outbox));
    let (status, details, message) = submit(reporter, "00A0B0C0     ");
    assert_eq!((status, message.as_str()), (NEXMO_OK, "report stored"));
    assert_eq!(details[1..4], [0, 0, i64::from(NEXMO_ACCEPTANCE_UNKNOWN)]);
    assert_eq!(details[NEXMO_DETAIL_RETRY_AFTER_MS], -1);
    assert_eq!(flush(reporter, 60_000), NEXMO_OK);
    assert_eq!(flush(reporter, -2), NEXMO_ERR_INVALID_ARGUMENT);
    assert_eq!(service.received()[0].message_id, "00A0B0C0");
    assert_eq!(statistic(reporter, "accepted        "), (NEXMO_OK, 1, "1".to_owned()));
    assert_eq!(close(reporter, -2).0, NEXMO_ERR_INVALID_ARGUMENT);
    assert_eq!(close(reporter, 0), (NEXMO_OK, "ok".to_owned()));
    assert_eq!(submit(reporter, "id").0, NEXMO_ERR_INVALID_HANDLE);
}

#[test]
fn a_rejected_report_becomes_an_event_that_stays_until_it_is_acknowledged() {
    let service = Service::with_behaviour(Behaviour::Status(420));
    let reporter = opened(&settings(&service, "durability = none"));
    let none = ["", "", "ok"].map(str::to_owned);
    assert_eq!(poll(reporter, 0, -300), (NEXMO_OK, [0; 6], none));
    submit(reporter, "00A0B0C0");
    let (status, event, texts) = poll(reporter, 60_000, -300);
    assert_eq!(status, NEXMO_OK);
    assert_eq!(event[1..], [i64::from(NEXMO_EVENT_REJECTED), 1, 1, 420, 0]);
    assert_eq!(texts[..2], ["00A0B0C0", "2020-01-01 12:00:00"]);
    assert!(!texts[2].is_empty() && texts[2] != "ok");

    let (status, nothing, texts_of_failure) = poll(reporter, 0, -7);
    assert_eq!((status, nothing), (NEXMO_ERR_INVALID_ARGUMENT, [0; 6]));
    assert_eq!(texts_of_failure, ["", "", "message_id has 7 bytes; 8 are needed"]);
    assert_eq!(poll(reporter, 0, -1).0, NEXMO_ERR_INVALID_ARGUMENT);
    assert_eq!(poll(reporter, -2, -300).0, NEXMO_ERR_INVALID_ARGUMENT);
    assert_eq!(poll(reporter, 0, -8), (NEXMO_OK, event, texts));

    assert_eq!(statistic(reporter, "events").1, 1);
    for id in [0, -1, 7, i64::MAX] {
        assert_eq!(acknowledge(reporter, id), NEXMO_ERR_INVALID_ARGUMENT);
    }
    assert_eq!(acknowledge(reporter, event[NEXMO_EVENT_FIELD_ID]), NEXMO_OK);
    assert_eq!(acknowledge(reporter, event[NEXMO_EVENT_FIELD_ID]), NEXMO_OK);
    assert_eq!(poll(reporter, 0, -300).1, [0; 6]);
    close(reporter, 0);
}

#[test]
fn a_handle_of_the_other_kind_is_invalid_and_the_message_names_the_right_function() {
    let service = Service::start();
    let (client, reporter) = (opened(&settings(&service, "")), opened(&settings(&service, "durability = none")));
    let (status, _, message) = call_report(nexmo_flat_report, reporter, "id", "");
    assert!(status == NEXMO_ERR_INVALID_HANDLE && message.contains("nexmo_flat_submit"), "{message}");
    let (status, _, message) = submit(client, "id");
    assert!(status == NEXMO_ERR_INVALID_HANDLE && message.contains("nexmo_flat_report"), "{message}");
    let (status, _, [_, _, message]) = poll(client, 0, -300);
    assert!(status == NEXMO_ERR_INVALID_HANDLE && message.contains("nexmo_flat_report"), "{message}");
    assert_eq!(flush(client, 0), NEXMO_ERR_INVALID_HANDLE);
    assert_eq!(acknowledge(client, 1), NEXMO_ERR_INVALID_HANDLE);
    assert_eq!(statistic(client, "pending"), (NEXMO_ERR_INVALID_HANDLE, 0, String::new()));
    assert_eq!((close(client, 0).0, close(reporter, 0).0), (NEXMO_OK, NEXMO_OK));
}

#[test]
fn a_second_close_ends_a_waiting_close() {
    let service = Service::with_behaviour(Behaviour::Unavailable(None));
    let reporter = opened(&settings(&service, "durability = none"));
    assert_eq!(submit(reporter, "id").0, NEXMO_OK);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| close(reporter, -1).0);
        // A submit fails once the waiting close has started.
        common::wait_until("the first close", common::SOON, || submit(reporter, "id").0 == NEXMO_ERR_CLOSED);
        // Either close may free the handle first, which cancels the other.
        let statuses = [close(reporter, 0).0, waiting.join().unwrap()];
        assert!(
            statuses.iter().all(|status| [NEXMO_ERR_PENDING, NEXMO_ERR_CANCELLED].contains(status)),
            "{statuses:?}"
        );
    });
    assert_eq!(close(reporter, 0).0, NEXMO_ERR_INVALID_HANDLE);
}

#[test]
fn close_frees_the_handle_even_if_reports_are_pending() {
    let service = Service::with_behaviour(Behaviour::Unavailable(None));
    let reporter = opened(&settings(&service, "durability = none"));
    submit(reporter, "id");
    let waiting = thread::spawn(move || poll(reporter, -1, -300).0);
    let (status, message) = close(reporter, 0);
    assert_eq!(status, NEXMO_ERR_PENDING);
    assert!(message.starts_with("1 pending in the outbox; they are lost"), "{message}");
    assert_eq!(close(reporter, 0).0, NEXMO_ERR_INVALID_HANDLE);
    // The poll may have started before or after the close.
    let status = waiting.join().unwrap();
    assert!([NEXMO_ERR_CANCELLED, NEXMO_ERR_CLOSED, NEXMO_ERR_INVALID_HANDLE].contains(&status), "{status}");
}

#[test]
fn a_statistic_has_the_name_of_its_field() {
    let service = Service::start();
    let reporter = opened(&settings(&service, "durability = none"));
    let text = |text: &str| text.to_owned();
    assert_eq!(statistic(reporter, "state"), (NEXMO_OK, 0, text("NEXMO_STATE_RUNNING")));
    assert_eq!(statistic(reporter, "last_error"), (NEXMO_OK, 0, text("NEXMO_OK")));
    assert_eq!(statistic(reporter, "oldest_pending_ms"), (NEXMO_OK, -1, text("-1")));
    assert_eq!(statistic(reporter, "in_flight"), (NEXMO_OK, 0, text("0")));
    assert_eq!(statistic(reporter, "last_error_message"), (NEXMO_OK, 0, text("")));
    for name in ["", "  ", "struct_size", "flags", "Pending", "pending_", "last_error_message[256]"] {
        assert_eq!(statistic(reporter, name), (NEXMO_ERR_INVALID_ARGUMENT, 0, text("")), "{name:?}");
    }
    service.does(Behaviour::Status(401));
    submit(reporter, "id");
    assert_eq!(flush(reporter, 60_000), NEXMO_ERR_SUSPENDED);
    assert_eq!(statistic(reporter, "state"), (NEXMO_OK, 2, text("NEXMO_STATE_SUSPENDED")));
    assert_eq!(statistic(reporter, "last_error"), (NEXMO_OK, 40, text("NEXMO_ERR_UNAUTHORIZED")));
    assert_eq!(statistic(reporter, "last_error_http_status"), (NEXMO_OK, 401, text("401")));
    assert!(!statistic(reporter, "last_error_message").2.is_empty());
    assert!(close(reporter, 0).1.contains("they are lost"));
}

#[test]
fn invalid_settings_open_nothing() {
    let service = Service::start();
    for (text, expected_message) in [
        ("", "settings is empty"),
        ("   \0", "settings is empty"),
        ("api_key = k", "api_secret is missing"),
        ("api_key = k\nCANARY = 1", "line 2: the name is unknown"),
        ("api_key = k\0\napi_secret = s", "settings contains a NUL before its end"),
        ("api_key = k\napi_secret = s\nca_file = /CANARY", "line 3: ca_file cannot be read: No such file"),
        ("api_key = k\napi_secret = s\noutbox = https://CANARY", "line 3: outbox looks like a URL"),
    ] {
        let (status, handle, message) = open(text);
        assert_eq!((status, handle), (NEXMO_ERR_INVALID_ARGUMENT, 0), "{text:?}");
        assert!(message.starts_with(expected_message) && !message.contains("CANARY"), "{message}");
    }
    let (status, handle, _) = open(&settings(&service, "outbox = /no/such/folder/outbox"));
    assert_eq!((status, handle), (NEXMO_ERR_OUTBOX, 0));
    let text = c"api_key = k".as_ptr();
    let mut handle = 7;
    let mut open = |text, size, has_output| unsafe {
        let output = if has_output { &raw mut handle } else { ptr::null_mut() };
        nexmo_flat_open(text, size, output, ptr::null_mut(), 0)
    };
    assert_eq!(open(ptr::null(), 0, true), NEXMO_ERR_NULL_POINTER);
    assert_eq!(open(text, -1, false), NEXMO_ERR_NULL_POINTER);
    assert_eq!(open(text, -2, true), NEXMO_ERR_INVALID_ARGUMENT);
    assert_eq!(handle, 0);
}

#[test]
fn settings_may_be_nul_terminated_and_large() {
    let text = format!("#{}\napi_key = k\napi_secret = s\n\0", "x".repeat(60_000));
    let mut buffer = [0_u8; 9];
    // No pointer needs to be aligned.
    let handle = buffer.as_mut_ptr().wrapping_add(1).cast::<i64>();
    assert_eq!(unsafe { nexmo_flat_open(text.as_ptr().cast(), -1, handle, ptr::null_mut(), 0) }, NEXMO_OK);
    assert_eq!(close(i64::from_ne_bytes(buffer[1..].try_into().unwrap()), 0).0, NEXMO_OK);
}

#[test]
fn a_status_and_the_version_are_returned_as_text() {
    let (mut name, mut text) = ([b'?'; 32], [b'?'; 512]);
    let mut status = |number, name_size, text_size| unsafe {
        let status =
            nexmo_flat_status(number, name.as_mut_ptr().cast(), name_size, text.as_mut_ptr().cast(), text_size);
        (status, padded(&name), padded(&text))
    };
    let (code, name_21, text_21) = status(NEXMO_ERR_TIMEOUT, -32, -512);
    assert_eq!((code, name_21.as_str()), (NEXMO_OK, "NEXMO_ERR_TIMEOUT"));
    assert!(text_21.starts_with("A time limit expired.") && text_21.ends_with('.'));
    assert_eq!(status(-7, -32, -512).1, "NEXMO_ERR_UNKNOWN");
    assert_eq!(status(0, -1, -512), (NEXMO_ERR_INVALID_ARGUMENT, "NEXMO_ERR_UNKNOWN".to_owned(), String::new()));
    let mut version = [b'?'; 16];
    assert_eq!(unsafe { nexmo_flat_version(version.as_mut_ptr().cast(), -16) }, NEXMO_OK);
    assert_eq!(padded(&version), env!("CARGO_PKG_VERSION"));
    assert_eq!(unsafe { nexmo_flat_version(version.as_mut_ptr().cast(), -1) }, NEXMO_ERR_INVALID_ARGUMENT);
}
