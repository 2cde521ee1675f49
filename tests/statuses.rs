//! Triggers every status with a real call, and checks its acceptance and its row in `docs/statuses.md`. Only with the
//! feature `testing` can `ERR_INTERNAL` be triggered.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, unsafe_code)]

mod common;

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::io::Write;
use std::net::TcpListener;
use std::{ptr, thread};

use common::process::{Child, children, wait_for_end, write_line};
use common::service::Service;
use common::{Folder, SOON, wait_until};
use nexmo_conversion::ffi::client::{nexmo_client, nexmo_client_free, nexmo_client_new, nexmo_client_report};
use nexmo_conversion::ffi::conversion::{NEXMO_CHANNEL_SMS, nexmo_conversion_sms};
use nexmo_conversion::ffi::credentials::{nexmo_credentials, nexmo_credentials_init};
use nexmo_conversion::ffi::options::{nexmo_options, nexmo_options_init};
use nexmo_conversion::ffi::reporter::lifecycle::{
    nexmo_reporter, nexmo_reporter_close, nexmo_reporter_flush, nexmo_reporter_free, nexmo_reporter_new,
};
use nexmo_conversion::ffi::reporter::options::{
    NEXMO_DURABILITY_NONE, nexmo_reporter_options, nexmo_reporter_options_init,
};
use nexmo_conversion::ffi::reporter::submit::nexmo_reporter_submit;
use nexmo_conversion::ffi::result::{nexmo_result, nexmo_result_init};
use nexmo_conversion::ffi::status::{nexmo_status_describe, nexmo_status_is_retryable, nexmo_status_name};
use nexmo_sandbox::Behaviour;
use rusqlite::Connection;

children![
    report_without_descriptors_in_a_child,
    report_after_a_raw_clone_in_a_child,
    open_in_a_child,
    #[cfg(feature = "testing")]
    panic_in_a_child,
];

const NO: i32 = 0;
const UNKNOWN: i32 = 1;
const YES: i32 = 2;

/// The status that a call returned, and the acceptance in its result.
type Provoked = (i32, i32);

/// Returns a struct that `init`, one of the `_init` functions, has initialized.
fn initialized<T>(init: unsafe extern "C" fn(*mut T, usize)) -> T {
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: `init` initializes the whole struct, which is valid for every bit pattern.
    unsafe {
        init(value.as_mut_ptr(), size_of::<T>());
        value.assume_init()
    }
}

/// Runs `call`, and returns the status and acceptance in its result.
fn provoked(call: impl FnOnce(*mut nexmo_result) -> i32) -> Provoked {
    let mut result = initialized(nexmo_result_init);
    let status = call(&raw mut result);
    assert_eq!(result.status, status);
    assert_ne!(result.message[0], 0, "status {status} has no message");
    (status, result.acceptance)
}

/// The arguments of a call, which are valid unless a test changes them.
struct Arguments {
    credentials: nexmo_credentials,
    options: nexmo_options,
    reporter_options: nexmo_reporter_options,
    texts: Vec<CString>,
}

impl Arguments {
    fn to(base_url: &str) -> Self {
        let mut arguments = Self {
            credentials: initialized(nexmo_credentials_init),
            options: initialized(nexmo_options_init),
            reporter_options: initialized(nexmo_reporter_options_init),
            texts: Vec::new(),
        };
        arguments.credentials.api_key = arguments.text("abcd1234");
        arguments.credentials.api_secret = arguments.text("s3cret");
        arguments.options.base_url = arguments.text(base_url);
        arguments.reporter_options.durability = NEXMO_DURABILITY_NONE;
        arguments
    }

    fn with_outbox(base_url: &str, folder: &Folder) -> Self {
        let mut arguments = Self::to(base_url);
        arguments.reporter_options.outbox = arguments.text(folder.outbox().to_str().unwrap());
        arguments.reporter_options.durability = 0;
        arguments
    }

    fn text(&mut self, text: &str) -> *const std::ffi::c_char {
        self.texts.push(CString::new(text).unwrap());
        self.texts.last().unwrap().as_ptr()
    }

    fn report(&self) -> Provoked {
        let id = c"00A0B0C0".as_ptr();
        // SAFETY: the structs are initialized, and their texts outlive the call.
        provoked(|result| unsafe { nexmo_conversion_sms(&self.credentials, id, 1, ptr::null(), &self.options, result) })
    }

    fn new_client(&self) -> *mut nexmo_client {
        let mut client = ptr::null_mut();
        // SAFETY: as above.
        let created =
            provoked(|result| unsafe { nexmo_client_new(&self.credentials, &self.options, &mut client, result) });
        assert_eq!(created, (0, NO));
        client
    }

    fn try_new_reporter(&self) -> Result<Reporter, Provoked> {
        let mut reporter = ptr::null_mut();
        // SAFETY: as above.
        let created = provoked(|result| unsafe {
            nexmo_reporter_new(&self.credentials, &self.options, &self.reporter_options, &mut reporter, result)
        });
        if created == (0, NO) { Ok(Reporter(reporter)) } else { Err(created) }
    }

    fn new_reporter(&self) -> Reporter {
        self.try_new_reporter().unwrap()
    }
}

/// Makes a report through a client. `client` may be any value.
fn report_through(client: *mut nexmo_client) -> Provoked {
    // SAFETY: the text outlives the call, and any handle may be passed.
    provoked(|result| unsafe {
        nexmo_client_report(client, NEXMO_CHANNEL_SMS, c"00A0B0C0".as_ptr(), 1, ptr::null(), result)
    })
}

struct Reporter(*mut nexmo_reporter);

impl Reporter {
    fn submit(&self, message_id: &CStr) -> Provoked {
        // SAFETY: the text is alive.
        provoked(|result| unsafe {
            nexmo_reporter_submit(self.0, NEXMO_CHANNEL_SMS, message_id.as_ptr(), 1, ptr::null(), result)
        })
    }

    fn flush(&self, timeout_ms: i32) -> Provoked {
        // SAFETY: the result is the only pointer.
        provoked(|result| unsafe { nexmo_reporter_flush(self.0, timeout_ms, result) })
    }

    fn close(&self) -> Provoked {
        // SAFETY: the result is the only pointer.
        provoked(|result| unsafe { nexmo_reporter_close(self.0, 0, result) })
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        assert_eq!(nexmo_reporter_free(self.0), 0);
    }
}

/// Returns the name, the retryability and the description of each status in `docs/statuses.md`, by number.
fn documented() -> BTreeMap<i32, (String, bool, String)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/statuses.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", number, name, is_retryable, text, ""] = cells[..] else {
            return None;
        };
        Some((number.parse().ok()?, (name.trim_matches('`').to_owned(), is_retryable == "yes", text.to_owned())))
    });
    rows.collect()
}

/// Fails unless the status is the expected one and has this acceptance and retryability.
#[track_caller]
fn assert_provoked(found: Provoked, name: &str, acceptance: i32, is_retryable: bool) {
    let number = *documented().iter().find(|(_, (known, ..))| known == &format!("NEXMO_{name}")).unwrap().0;
    assert_eq!(found, (number, acceptance), "{name}");
    assert_eq!(nexmo_status_is_retryable(number) == 1, is_retryable, "{name}");
}

#[test]
fn the_functions_agree_with_the_table() {
    let documented = documented();
    assert_eq!(documented.len(), 31);
    for (number, (name, is_retryable, text)) in documented {
        // SAFETY: both functions return static text that ends with NUL.
        let said = |text| unsafe { CStr::from_ptr(text) }.to_str().unwrap();
        assert_eq!(said(nexmo_status_name(number)), name);
        assert_eq!(said(nexmo_status_describe(number)), text);
        assert_eq!(nexmo_status_is_retryable(number) == 1, is_retryable);
    }
}

#[test]
fn a_call_with_invalid_arguments() {
    let service = Service::start();
    let arguments = Arguments::to(&service.url);
    let with = |message_id: *const std::ffi::c_char, delivered, credentials: &nexmo_credentials| {
        // SAFETY: the texts are alive or NULL.
        provoked(|result| unsafe {
            nexmo_conversion_sms(credentials, message_id, delivered, ptr::null(), &arguments.options, result)
        })
    };
    let (id, credentials) = (c"id".as_ptr(), arguments.credentials);
    assert_provoked(with(id, 1, &credentials), "OK", YES, false);
    assert_provoked(with(ptr::null(), 1, &credentials), "ERR_NULL_POINTER", NO, false);
    assert_provoked(with(id, 1, &nexmo_credentials { struct_size: 4, ..credentials }), "ERR_STRUCT_SIZE", NO, false);
    assert_provoked(with(id, 1, &nexmo_credentials { flags: 1, ..credentials }), "ERR_UNKNOWN_FLAGS", NO, false);
    assert_provoked(with(id, 2, &credentials), "ERR_INVALID_ARGUMENT", NO, false);
    let client = arguments.new_client();
    assert_eq!(nexmo_client_free(client), 0);
    assert_provoked(report_through(client), "ERR_INVALID_HANDLE", NO, false);
    let reporter = arguments.new_reporter();
    assert_eq!(reporter.close(), (0, NO));
    assert_provoked(reporter.submit(c"id"), "ERR_CLOSED", NO, false);
    assert_eq!(service.count(), 1);
}

/// Starts a server that sends `bytes` on each connection, and reads nothing.
fn server(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.write_all(bytes).unwrap();
            kept.push(stream);
        }
    });
    address
}

/// Returns an address without a listener.
fn closed_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn no_response_from_the_service() {
    assert_provoked(Arguments::to(&format!("http://{}", closed_port())).report(), "ERR_NETWORK", NO, true);
    let silent = format!("http://{}", server(b""));
    let mut arguments = Arguments::to(&silent);
    arguments.options.timeout_ms = 200;
    assert_provoked(arguments.report(), "ERR_TIMEOUT", UNKNOWN, true);
    let plain = format!("https://{}", server(b"HTTP/1.1 200 OK\r\n\r\n"));
    assert_provoked(Arguments::to(&plain).report(), "ERR_TLS", NO, false);
    let garbage = format!("http://{}", server(b"SSH-2.0-OpenSSH_9.2\r\n"));
    assert_provoked(Arguments::to(&garbage).report(), "ERR_PROTOCOL", UNKNOWN, true);
    let mut arguments = Arguments::to("https://localhost");
    arguments.options.proxy = arguments.text(&format!("http://{}", closed_port()));
    assert_provoked(arguments.report(), "ERR_PROXY", NO, true);
}

#[test]
fn a_client_freed_during_a_call() {
    let service = Service::with_behaviour(Behaviour::Slow(SOON));
    let client = Arguments::to(&service.url).new_client().addr();
    let pointer = || ptr::without_provenance_mut(client);
    thread::scope(|scope| {
        let call = scope.spawn(|| report_through(pointer()));
        service.wait_for(1, SOON);
        assert_eq!(nexmo_client_free(pointer()), 0);
        assert_provoked(call.join().unwrap(), "ERR_CANCELLED", UNKNOWN, false);
    });
}

fn report_without_descriptors_in_a_child(task: &[String]) {
    let arguments = Arguments::to(&task[0]);
    let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is a local variable.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
    let (status, acceptance) = arguments.report();
    write_line(&format!("{status} {acceptance}"));
    wait_for_end();
}

/// Creates a process like `fork`, but without running the fork handlers. The new process makes a call and exits with a
/// code that contains the status and the acceptance.
fn report_after_a_raw_clone_in_a_child(task: &[String]) {
    let arguments = Arguments::to(&task[0]);
    // SAFETY: like `fork`, this `clone` copies the memory of a process with one thread.
    let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    if child == 0 {
        let (status, acceptance) = arguments.report();
        // SAFETY: the call only ends the new process.
        unsafe { libc::_exit(status + 100 * acceptance) };
    }
    let mut ended = 0;
    // SAFETY: the output is a local variable.
    assert_eq!(unsafe { libc::waitpid(libc::pid_t::try_from(child).unwrap(), &raw mut ended, 0) } as i64, child);
    assert!(libc::WIFEXITED(ended), "the child was killed: {ended:x}");
    let code = libc::WEXITSTATUS(ended);
    write_line(&format!("{} {}", code % 100, code / 100));
    wait_for_end();
}

/// Returns the status and acceptance that a child process prints.
fn provoked_in_a_child(function: &str, task: &[&str]) -> Provoked {
    let child = Child::start(function, task);
    let said = child.read_line(SOON);
    child.end();
    let (status, acceptance) = said.split_once(' ').unwrap();
    (status.parse().unwrap(), acceptance.parse().unwrap())
}

#[test]
fn a_process_without_descriptors_or_fork_handlers() {
    let service = Service::start();
    for url in [&service.url, "https://service.invalid"] {
        let without = provoked_in_a_child("report_without_descriptors_in_a_child", &[url]);
        assert_provoked(without, "ERR_SYSTEM", NO, true);
    }
    let cloned = provoked_in_a_child("report_after_a_raw_clone_in_a_child", &[&service.url]);
    assert_provoked(cloned, "ERR_FORKED", NO, false);
    assert_eq!(service.count(), 0);
}

#[test]
fn a_response_from_the_service() {
    let service = Service::start();
    let arguments = Arguments::to(&service.url);
    for (http_status, name, acceptance, is_retryable) in [
        (401, "ERR_UNAUTHORIZED", NO, false),
        (402, "ERR_NOT_ENABLED", NO, false),
        (420, "ERR_REJECTED", NO, false),
        (422, "ERR_REJECTED", NO, false),
        (423, "ERR_REJECTED", NO, false),
        (429, "ERR_RATE_LIMITED", NO, true),
        (408, "ERR_UNAVAILABLE", UNKNOWN, true),
        (503, "ERR_UNAVAILABLE", UNKNOWN, true),
        (302, "ERR_REDIRECTED", UNKNOWN, false),
        (404, "ERR_UNEXPECTED_STATUS", UNKNOWN, false),
    ] {
        service.does(Behaviour::Status(http_status));
        assert_provoked(arguments.report(), name, acceptance, is_retryable);
    }
}

#[test]
fn an_outbox_that_cannot_be_used() {
    let (folder, service) = (Folder::new(), Service::start());
    let mut arguments = Arguments::with_outbox(&service.url, &folder);
    let missing = folder.path().join("missing/outbox");
    arguments.reporter_options.outbox = arguments.text(missing.to_str().unwrap());
    assert_provoked(arguments.try_new_reporter().err().unwrap(), "ERR_OUTBOX", NO, false);

    let mut arguments = Arguments::with_outbox(&service.url, &folder);
    drop(arguments.new_reporter());
    arguments.credentials.api_key = arguments.text("another");
    assert_provoked(arguments.try_new_reporter().err().unwrap(), "ERR_OUTBOX_WRONG_ACCOUNT", NO, false);

    let arguments = Arguments::with_outbox(&service.url, &folder);
    let database = Connection::open(folder.outbox()).unwrap();
    database.pragma_update(None, "user_version", 2).unwrap();
    assert_provoked(arguments.try_new_reporter().err().unwrap(), "ERR_OUTBOX_VERSION", NO, false);
    database.pragma_update(None, "user_version", 1).unwrap();

    let reporter = arguments.new_reporter();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_provoked(reporter.submit(c"id"), "ERR_OUTBOX_BUSY", NO, true);
    database.execute_batch("ROLLBACK").unwrap();
    assert_provoked(reporter.submit(c"id"), "OK", UNKNOWN, false);
}

#[test]
fn an_outbox_that_is_corrupt_and_open_elsewhere() {
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
    let child = Child::start("open_in_a_child", &[&service.url, folder.outbox().to_str().unwrap()]);
    child.read_line(SOON);
    // While the child is stopped, it keeps its lock and cannot find the corruption first.
    child.signal(libc::SIGSTOP);
    for suffix in ["", "-wal"] {
        let path = format!("{}{suffix}", folder.outbox().display());
        let mut file = std::fs::File::options().write(true).open(path).unwrap();
        file.write_all(&vec![0xa5; 64 * 1024]).unwrap();
    }
    let arguments = Arguments::with_outbox(&service.url, &folder);
    assert_provoked(arguments.try_new_reporter().err().unwrap(), "ERR_OUTBOX_CORRUPT", NO, true);
    child.signal(libc::SIGCONT);
    child.end();
}

fn open_in_a_child(task: &[String]) {
    let options = common::in_calm_file(std::path::Path::new(&task[1]));
    let reporter = common::reporter(&task[0], &options);
    reporter.submit(&common::sms("id", true)).unwrap();
    write_line("open");
    wait_for_end();
}

#[cfg(feature = "testing")]
fn panic_in_a_child(task: &[String]) {
    let client = Arguments::to(&task[0]).new_client();
    nexmo_conversion::ffi::testing::nexmo_testing_panic();
    let (status, acceptance) = report_through(client);
    assert_provoked(report_through(client), "ERR_INVALID_HANDLE", NO, false);
    write_line(&format!("{status} {acceptance}"));
    wait_for_end();
}

/// Triggers the status that, without the feature `testing`, only a bug in the library can cause.
#[cfg(feature = "testing")]
#[test]
fn a_panic_inside_the_library() {
    let service = Service::start();
    assert_provoked(provoked_in_a_child("panic_in_a_child", &[&service.url]), "ERR_INTERNAL", UNKNOWN, false);
}

#[test]
fn a_full_outbox_and_pending_reports() {
    let service = Service::with_behaviour(Behaviour::Unavailable(None));
    let mut arguments = Arguments::to(&service.url);
    arguments.reporter_options.max_pending = 1;
    let reporter = arguments.new_reporter();
    assert_provoked(reporter.submit(c"id"), "OK", UNKNOWN, false);
    assert_provoked(reporter.submit(c"another"), "ERR_OUTBOX_FULL", NO, true);
    assert_provoked(reporter.flush(0), "ERR_PENDING", NO, false);
    service.does(Behaviour::Status(402));
    let mut last = (0, 0);
    wait_until("suspension", SOON, || {
        last = reporter.flush(1000);
        last.0 == 71
    });
    assert_provoked(last, "ERR_SUSPENDED", NO, false);
}
