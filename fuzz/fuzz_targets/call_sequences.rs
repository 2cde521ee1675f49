//! Makes any sequence of flat calls with any handles and sizes, for a client, a reporter in memory and a reporter with
//! a file. A child that is forked between two calls uses the same handles.
#![no_main]

mod threads;

use std::ffi::c_char;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{fs, process, ptr, thread};

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::ffi::flat::event::{nexmo_flat_acknowledge, nexmo_flat_poll};
use nexmo_conversion::ffi::flat::information::{nexmo_flat_statistic, nexmo_flat_status, nexmo_flat_version};
use nexmo_conversion::ffi::flat::lifecycle::{nexmo_flat_close, nexmo_flat_open};
use nexmo_conversion::ffi::flat::report::{nexmo_flat_flush, nexmo_flat_report, nexmo_flat_submit};
use nexmo_conversion::ffi::status::*;

/// The time limit of a forked child.
const CHILD_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the path of the outbox. The folder that contains it is not removed when the fuzzer exits.
fn outbox() -> &'static PathBuf {
    static OUTBOX: OnceLock<PathBuf> = OnceLock::new();
    OUTBOX.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("nexmo-fuzz-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder.join("outbox")
    })
}

fn open(kind: &str) -> i64 {
    // No server listens on this port.
    let settings = format!("api_key = k\napi_secret = s\nbase_url = http://127.0.0.1:1\nmax_attempts = 1\n{kind}");
    let (mut handle, size) = (0, i32::try_from(settings.len()).unwrap());
    // SAFETY: `size` is the size of the settings, and NULL is a valid message buffer.
    let status = unsafe { nexmo_flat_open(settings.as_ptr().cast(), size, &mut handle, ptr::null_mut(), 0) };
    assert_eq!(status, NEXMO_OK);
    handle
}

/// Submits a report with each handle in a forked child. Fails if the child hangs, crashes or gets an unexpected status.
fn submit_in_child(handles: &[i64]) {
    // SAFETY: the child makes only calls that are allowed after a fork, and exits without returning.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let is_expected = handles.iter().all(|handle| {
            let (id, message) = (c"forked".as_ptr(), ptr::null_mut());
            // SAFETY: the id ends with NUL, and NULL is a valid message buffer.
            let status =
                unsafe { nexmo_flat_submit(*handle, 1, id, -1, 1, ptr::null(), 0, ptr::null_mut(), 0, message, 0) };
            [NEXMO_OK, NEXMO_ERR_INVALID_HANDLE, NEXMO_ERR_OUTBOX_BUSY].contains(&status)
        });
        // SAFETY: the call ends the child without running destructors.
        unsafe { libc::_exit(i32::from(!is_expected)) };
    }
    let (mut state, deadline) = (0, Instant::now() + CHILD_TIMEOUT);
    // SAFETY: the state is a local variable.
    while unsafe { libc::waitpid(child, &mut state, libc::WNOHANG) } == 0 {
        assert!(Instant::now() < deadline, "the child hangs");
        thread::sleep(Duration::from_micros(200));
    }
    assert_eq!(state, 0, "the child failed");
}

/// Returns a text and the size to pass with it: its length, -1 if it ends with NUL, or an invalid size below -1.
fn text_in(bytes: &[u8], size: u8) -> (Box<[u8]>, i32) {
    match size % 8 {
        0 => (bytes.iter().copied().filter(|byte| *byte != 0).chain([0]).collect(), -1),
        1 => (Box::default(), -i32::from(size) - 2),
        _ => (bytes.into(), i32::try_from(bytes.len()).unwrap()),
    }
}

/// Returns a buffer and the size to pass with it. If the size is negative, its absolute value is the buffer's size.
fn text_out(size: i8) -> (Box<[u8]>, i32) {
    (vec![1; usize::from(size.unsigned_abs())].into(), i32::from(size))
}

fuzz_target!(|calls: Vec<(u8, u8, i64, &[u8], i8)>| {
    let threads = threads::count();
    let handles = [open(""), open("durability = none"), open(&format!("outbox = {}", outbox().display()))];
    let mut has_forked = false;
    for (function, which, number, bytes, size) in calls {
        if function == u8::MAX && !has_forked {
            submit_in_child(&handles);
            has_forked = true;
        }
        let handle = match which % 8 {
            0..=5 => handles[usize::from(which % 3)],
            6 => number,
            _ => 0,
        };
        let (input, input_size) = text_in(bytes, which / 8);
        let (mut message, message_size) = text_out(size);
        let (mut other, other_size) = text_out(size.wrapping_mul(3));
        let (mut numbers, count) =
            (vec![1_i64; usize::from(which % 8)], i32::from(which % 8) - i32::from(size == 7) * 9);
        let (input, message) = (input.as_ptr().cast::<c_char>(), message.as_mut_ptr().cast::<c_char>());
        let (other, numbers) = (other.as_mut_ptr().cast::<c_char>(), numbers.as_mut_ptr());
        let (flag, limit) = (i32::from(which) % 4 - 1, [0, 0, 1, -2][usize::from(which % 4)]);
        // SAFETY: each buffer and text has the size (or its absolute value) that is passed with it, or the size is
        // invalid, or the size is -1 and the text ends with NUL. NULL is a valid buffer.
        let status = unsafe {
            match function % 9 {
                0 => nexmo_flat_report(
                    handle,
                    flag,
                    input,
                    input_size,
                    1,
                    ptr::null(),
                    0,
                    numbers,
                    count,
                    message,
                    message_size,
                ),
                1 => nexmo_flat_submit(
                    handle,
                    1,
                    input,
                    input_size,
                    flag,
                    ptr::null(),
                    0,
                    numbers,
                    count,
                    message,
                    message_size,
                ),
                2 => nexmo_flat_submit(
                    handle,
                    flag,
                    input,
                    input_size,
                    1,
                    input,
                    input_size,
                    numbers,
                    count,
                    message,
                    message_size,
                ),
                3 => nexmo_flat_poll(
                    handle,
                    limit,
                    numbers,
                    count,
                    other,
                    other_size,
                    ptr::null_mut(),
                    0,
                    message,
                    message_size,
                ),
                4 => nexmo_flat_acknowledge(handle, number, message, message_size),
                5 => nexmo_flat_flush(handle, limit, message, message_size),
                6 => nexmo_flat_statistic(handle, input, input_size, ptr::null_mut(), other, other_size),
                7 if which % 16 == 0 => nexmo_flat_close(handle, limit, message, message_size),
                7 => nexmo_flat_status(flag, other, other_size, message, message_size),
                _ => nexmo_flat_version(message, message_size),
            }
        };
        let allowed = [
            NEXMO_OK,
            NEXMO_ERR_NULL_POINTER,
            NEXMO_ERR_INVALID_ARGUMENT,
            NEXMO_ERR_INVALID_HANDLE,
            NEXMO_ERR_NETWORK,
            NEXMO_ERR_OUTBOX_FULL,
            NEXMO_ERR_OUTBOX_BUSY,
            NEXMO_ERR_PENDING,
        ];
        assert!(allowed.contains(&status), "unexpected status {status}");
    }
    for handle in handles {
        // SAFETY: NULL is a valid message buffer.
        unsafe { nexmo_flat_close(handle, 0, ptr::null_mut(), 0) };
    }
    threads::wait_until_at_most(threads);
});
