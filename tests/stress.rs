//! Tests threads that create, use and free the same clients and reporters in any order. `make check` also runs this
//! test under ThreadSanitizer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unsafe_code)]

use std::ffi::CString;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::{ptr, thread};

use nexmo_conversion::ffi::client::{nexmo_client, nexmo_client_free, nexmo_client_new, nexmo_client_report};
use nexmo_conversion::ffi::conversion::{NEXMO_CHANNEL_SMS, nexmo_conversion_voice};
use nexmo_conversion::ffi::credentials::nexmo_credentials;
use nexmo_conversion::ffi::options::nexmo_options;
use nexmo_conversion::ffi::reporter::event::{nexmo_event, nexmo_reporter_acknowledge, nexmo_reporter_poll};
use nexmo_conversion::ffi::reporter::lifecycle::{
    nexmo_reporter, nexmo_reporter_close, nexmo_reporter_flush, nexmo_reporter_free, nexmo_reporter_new,
};
use nexmo_conversion::ffi::reporter::options::{NEXMO_DURABILITY_NONE, NEXMO_DURABILITY_POWER, nexmo_reporter_options};
use nexmo_conversion::ffi::reporter::statistics::{nexmo_reporter_statistics, nexmo_statistics};
use nexmo_conversion::ffi::reporter::submit::nexmo_reporter_submit;
use nexmo_conversion::ffi::status::{
    NEXMO_ERR_CANCELLED, NEXMO_ERR_CLOSED, NEXMO_ERR_INVALID_ARGUMENT, NEXMO_ERR_INVALID_HANDLE, NEXMO_ERR_OUTBOX_BUSY,
    NEXMO_ERR_PENDING, NEXMO_OK,
};

const THREADS: u64 = 16;
const STEPS: usize = 300;
const SLOTS: usize = 8;

/// Responds to every request on `stream` with 200 until the peer closes the connection.
fn serve(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    let mut seen = Vec::new();
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..length]);
        while let Some(end) = seen.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            seen.drain(..end + 4);
            if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                return;
            }
        }
    }
}

fn server() -> CString {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(|| serve(stream.unwrap()));
        }
    });
    CString::new(base_url).unwrap()
}

/// A pseudorandom number generator that returns the same numbers in each run.
struct SeededRng(u64);

impl SeededRng {
    fn below(&mut self, limit: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit).unwrap()
    }
}

fn play(
    seed: u64,
    credentials: &nexmo_credentials,
    options: &nexmo_options,
    handles: &[AtomicPtr<nexmo_client>],
) -> usize {
    let mut rng = SeededRng(seed);
    let mut succeeded = 0;
    for _ in 0..STEPS {
        let slot = &handles[rng.below(SLOTS as u64)];
        let client = slot.load(Ordering::Relaxed);
        // SAFETY: the structs are initialized, the texts end with NUL, and any handle may be passed.
        let status = unsafe {
            match rng.below(8) {
                0 => {
                    let mut made = ptr::null_mut();
                    assert_eq!(nexmo_client_new(credentials, options, &mut made, ptr::null_mut()), NEXMO_OK);
                    // Frees the previous client, even if another thread is using it.
                    nexmo_client_free(slot.swap(made, Ordering::Relaxed))
                }
                1 => nexmo_client_free(client),
                2 => nexmo_conversion_voice(credentials, c"id".as_ptr(), 1, ptr::null(), options, ptr::null_mut()),
                _ => nexmo_client_report(client, NEXMO_CHANNEL_SMS, c"id".as_ptr(), 1, ptr::null(), ptr::null_mut()),
            }
        };
        let is_expected = matches!(status, NEXMO_OK | NEXMO_ERR_INVALID_HANDLE | NEXMO_ERR_CANCELLED);
        assert!(is_expected, "the call returned {status}");
        succeeded += usize::from(status == NEXMO_OK);
    }
    succeeded
}

#[test]
fn threads_create_use_and_free_the_same_clients() {
    let base_url = server();
    // SAFETY: the structs consist of integers and pointers, for which all zeroes are valid.
    let (mut credentials, mut options): (nexmo_credentials, nexmo_options) = unsafe { std::mem::zeroed() };
    credentials.struct_size = u32::try_from(size_of::<nexmo_credentials>()).unwrap();
    (credentials.api_key, credentials.api_secret) = (c"key".as_ptr(), c"secret".as_ptr());
    options.struct_size = u32::try_from(size_of::<nexmo_options>()).unwrap();
    options.base_url = base_url.as_ptr();
    // Threads cannot share raw pointers, but they can share an `AtomicPtr`.
    let (credentials, options) = (AtomicPtr::new(&raw mut credentials), AtomicPtr::new(&raw mut options));
    let handles: Vec<AtomicPtr<nexmo_client>> = (0..SLOTS).map(|_| AtomicPtr::default()).collect();
    let succeeded = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 1..=THREADS {
            let (credentials, options, handles, succeeded) = (&credentials, &options, &handles, &succeeded);
            scope.spawn(move || {
                // SAFETY: both structs outlive the scope, and are not modified.
                let (credentials, options) =
                    unsafe { (&*credentials.load(Ordering::Relaxed), &*options.load(Ordering::Relaxed)) };
                succeeded.fetch_add(play(seed, credentials, options, handles), Ordering::Relaxed);
            });
        }
    });
    for slot in &handles {
        nexmo_client_free(slot.load(Ordering::Relaxed));
    }
    assert!(succeeded.load(Ordering::Relaxed) > 1000, "only {succeeded:?} calls succeeded");
}

/// Returns a struct of the C interface with only its size set.
fn sized<T>() -> T {
    // SAFETY: the struct consists of integers and pointers, for which all zeroes are valid, and begins with its size.
    unsafe {
        let mut value: T = std::mem::zeroed();
        (&raw mut value).cast::<u32>().write(u32::try_from(size_of::<T>()).unwrap());
        value
    }
}

/// The arguments for a new reporter.
struct Terms {
    base_url: CString,
    outbox: CString,
}

impl Terms {
    /// Creates a reporter whose outbox is in memory, in a file, or in a file that survives power loss.
    fn new_reporter(&self, durability: i32) -> *mut nexmo_reporter {
        let (mut credentials, mut options): (nexmo_credentials, nexmo_options) = (sized(), sized());
        (credentials.api_key, credentials.api_secret) = (c"key".as_ptr(), c"secret".as_ptr());
        options.base_url = self.base_url.as_ptr();
        let mut reporter_options: nexmo_reporter_options = sized();
        reporter_options.durability = durability;
        reporter_options.busy_timeout_ms = 60_000;
        if durability != NEXMO_DURABILITY_NONE {
            reporter_options.outbox = self.outbox.as_ptr();
        }
        let mut made = ptr::null_mut();
        // SAFETY: the structs are initialized, and the texts end with NUL.
        let status =
            unsafe { nexmo_reporter_new(&credentials, &options, &reporter_options, &mut made, ptr::null_mut()) };
        assert_eq!(status, NEXMO_OK);
        made
    }
}

/// Makes a random call with `reporter`, which may be any handle. Returns whether the call submitted a report.
fn use_reporter(reporter: *mut nexmo_reporter, rng: &mut SeededRng) -> bool {
    let (mut event, mut statistics): (nexmo_event, nexmo_statistics) = (sized(), sized());
    let id = CString::new(format!("id-{}", rng.below(1000))).unwrap();
    let what = rng.below(8);
    // SAFETY: the structs are initialized, and the texts end with NUL.
    let status = unsafe {
        match what {
            0 => match nexmo_reporter_poll(reporter, i32::from(rng.below(2) == 0), &mut event, ptr::null_mut()) {
                NEXMO_OK => nexmo_reporter_acknowledge(reporter, event.id, ptr::null_mut()),
                status => status,
            },
            1 => nexmo_reporter_statistics(reporter, &mut statistics, ptr::null_mut()),
            2 => nexmo_reporter_flush(reporter, 1, ptr::null_mut()),
            3 if rng.below(4) == 0 => nexmo_reporter_close(reporter, 1, ptr::null_mut()),
            _ => nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, id.as_ptr(), 1, ptr::null(), ptr::null_mut()),
        }
    };
    let expected = [
        NEXMO_OK,
        NEXMO_ERR_INVALID_HANDLE,
        NEXMO_ERR_CANCELLED,
        NEXMO_ERR_CLOSED,
        NEXMO_ERR_PENDING,
        NEXMO_ERR_INVALID_ARGUMENT, // Without an event, the id is invalid.
        NEXMO_ERR_OUTBOX_BUSY,
    ];
    assert!(expected.contains(&status), "the call returned {status}");
    what > 3 && status == NEXMO_OK
}

#[test]
fn threads_create_use_and_free_the_same_reporters() {
    let outbox = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stress-{}", std::process::id()));
    let terms = Terms { base_url: server(), outbox: CString::new(outbox.to_str().unwrap()).unwrap() };
    let handles: Vec<AtomicPtr<nexmo_reporter>> = (0..4).map(|_| AtomicPtr::default()).collect();
    let accepted = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 1..=8 {
            let (terms, handles, accepted) = (&terms, &handles, &accepted);
            scope.spawn(move || {
                let mut rng = SeededRng(seed);
                for _ in 0..STEPS {
                    let slot = &handles[rng.below(4)];
                    if rng.below(24) == 0 || slot.load(Ordering::Relaxed).is_null() {
                        let durability = i32::try_from(rng.below(3)).unwrap();
                        assert!((0..=NEXMO_DURABILITY_NONE.max(NEXMO_DURABILITY_POWER)).contains(&durability));
                        nexmo_reporter_free(slot.swap(terms.new_reporter(durability), Ordering::Relaxed));
                    } else if use_reporter(slot.load(Ordering::Relaxed), &mut rng) {
                        accepted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    for slot in &handles {
        nexmo_reporter_free(slot.load(Ordering::Relaxed));
    }
    assert!(accepted.load(Ordering::Relaxed) > 500, "only {accepted:?} reports were submitted");
    for suffix in ["", "-wal", "-shm", ".lock", ".reserve"] {
        std::fs::remove_file(format!("{}{suffix}", outbox.display())).unwrap();
    }
}
