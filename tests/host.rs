//! Tests the library in host processes that have a file size limit, closed standard descriptors, no permission to start
//! threads, or the same process id as their parent. Each test runs child processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(unsafe_code)]

mod common;

use std::mem::MaybeUninit;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, ptr};

use nexmo_conversion::ffi::status::{NEXMO_ERR_FORKED, NEXMO_OK};
use nexmo_conversion::ffi::version::nexmo_timestamp_from_unix;
use nexmo_conversion::{Client, Kind, Options, State, Statistics};
use nexmo_sandbox::Behaviour;

use crate::common::process::{Child, children, command, wait_for_resume, write_line};
use crate::common::service::{Service, duplicates};
use crate::common::{Folder, SOON, credentials, in_calm_file, reporter, sms, statistics, wait_until};

children![
    submit_up_to_a_file_size_limit,
    report_without_standard_descriptors,
    submit_without_threads,
    clone_in_a_pid_namespace
];

/// The file size limit in bytes.
const FILE_SIZE: libc::rlim_t = 400 * 1024;

#[test]
fn a_file_size_limit_counts_as_a_full_disk() {
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
    let child = Child::start("submit_up_to_a_file_size_limit", &[folder.outbox().to_str().unwrap(), &service.url]);
    let accepted: usize = child.read_line(SOON).parse().unwrap();
    service.recover();
    service.forget();
    let mut child = child;
    child.resume();
    assert_eq!(child.read_line(SOON), "sent");
    let arrived = service.arrived();
    assert_eq!((arrived.len(), duplicates(&arrived)), (accepted + 1, 0));
    child.end();
}

fn submit_up_to_a_file_size_limit(arguments: &[String]) {
    set_limit(libc::RLIMIT_FSIZE, FILE_SIZE);
    // SAFETY: the call replaces no handler.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_DFL) };
    let reporter = reporter(&arguments[1], &in_calm_file(Path::new(&arguments[0])));
    let failed = (0_u64..1_000_000).find_map(|number| {
        let error = reporter.submit(&sms(&format!("size-{number}"), true)).err()?;
        Some((number, error))
    });
    let (accepted, error) = failed.expect("no submit reached the file size limit");
    assert_eq!(error.kind(), Kind::OutboxFull, "{error}");
    assert!(!is_pending_or_blocked(libc::SIGXFSZ));
    write_line(&accepted.to_string());
    wait_for_resume();
    reporter.flush(Some(SOON)).unwrap();
    reporter.submit(&sms("after", true)).unwrap();
    reporter.flush(Some(SOON)).unwrap();
    assert_eq!(statistics(&reporter).accepted, accepted + 1);
    write_line("sent");
    common::process::wait_for_end();
}

fn is_pending_or_blocked(signal: libc::c_int) -> bool {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is a local variable, which `sigpending` and `pthread_sigmask` initialize before it is read.
    unsafe {
        assert_eq!(libc::sigpending(set.as_mut_ptr()), 0);
        let is_pending = libc::sigismember(set.as_ptr(), signal) == 1;
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), set.as_mut_ptr()), 0);
        is_pending || libc::sigismember(set.as_ptr(), signal) == 1
    }
}

/// Sets this process's soft limit on a resource, which can be raised again later.
fn set_limit(resource: libc::__rlimit_resource_t, value: libc::rlim_t) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct outlives both calls.
    unsafe {
        assert_eq!(libc::getrlimit(resource, &raw mut limit), 0);
        limit.rlim_cur = value.min(limit.rlim_max);
        assert_eq!(libc::setrlimit(resource, &raw const limit), 0);
    }
}

#[test]
fn closed_standard_descriptors_are_not_used() {
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = folder.outbox();
    for closed in ["0", "1", "2", "012"] {
        let arguments = [closed, outbox.to_str().unwrap(), &service.url];
        let status = command("report_without_standard_descriptors", &arguments).status().unwrap();
        assert!(status.success(), "the child without descriptors {closed} failed: {status}");
    }
}

fn report_without_standard_descriptors(arguments: &[String]) {
    let closed: Vec<i32> = arguments[0].bytes().map(|digit| i32::from(digit - b'0')).collect();
    for descriptor in &closed {
        // SAFETY: no Rust value owns a standard descriptor.
        unsafe { libc::close(*descriptor) };
    }
    // A new descriptor of the library may briefly have one of these numbers, until the library moves the descriptor.
    let check = || {
        for descriptor in &closed {
            let path = format!("/proc/self/fd/{descriptor}");
            let deadline = Instant::now() + SOON;
            while let Ok(file) = fs::read_link(&path) {
                if Instant::now() > deadline {
                    fs::write(format!("{}.used", arguments[1]), format!("{path}: {file:?}")).unwrap();
                    panic!("{path} is in use: {file:?}");
                }
            }
        }
    };
    let options = Options { base_url: Some(&arguments[2]), ..Options::default() };
    let client = Client::new(credentials(), &options).unwrap();
    client.report(&sms("client", true)).result.unwrap();
    check();
    let reporter = reporter(&arguments[2], &in_calm_file(Path::new(&arguments[1])));
    check();
    reporter.submit(&sms("reporter", true)).unwrap();
    check();
    reporter.flush(Some(SOON)).unwrap();
    assert!(reporter.fd().unwrap() > 2);
    check();
    reporter.close(None).unwrap();
    check();
}

#[test]
fn state_and_last_error_show_that_no_thread_can_be_started() {
    let (folder, service) = (Folder::new(), Service::start());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    for started in ["none", "worker"] {
        let outbox = folder.path().join(started);
        Child::start("submit_without_threads", &[outbox.to_str().unwrap(), &service.url, started]).end();
    }
}

/// Submits a report while the limit on threads is 0. The limit applies only to unprivileged processes.
fn submit_without_threads(arguments: &[String]) {
    // SAFETY: the call has no pointer argument. It may fail if the process is already unprivileged.
    unsafe { libc::setuid(65_534) };
    let options = in_calm_file(Path::new(&arguments[0]));
    let limit = |value| set_limit(libc::RLIMIT_NPROC, value);
    let reporter = if arguments[2] == "worker" {
        let reporter = reporter(&arguments[1], &options);
        limit(0);
        reporter
    } else {
        limit(0);
        reporter(&arguments[1], &options)
    };
    reporter.submit(&sms("id", true)).unwrap();
    let is_known =
        |counted: &Statistics| counted.last_error.as_ref().is_some_and(|last| last.error.kind() == Kind::System);
    wait_until("the state", SOON, || {
        let counted = statistics(&reporter);
        is_known(&counted) && counted.state == State::BackingOff
    });
    assert_eq!(reporter.flush(Some(Duration::from_millis(300))).unwrap_err().kind(), Kind::Pending);
    let counted = statistics(&reporter);
    let message = counted.last_error.unwrap().error.message().to_owned();
    assert!(message.contains("no thread can be created"), "{message}");
    limit(libc::RLIM_INFINITY);
    reporter.flush(Some(SOON)).unwrap();
    let counted = statistics(&reporter);
    assert_eq!((counted.accepted, counted.state), (1, State::Running));
}

#[test]
fn a_child_of_a_raw_clone_with_the_same_process_id_is_recognized() {
    let status = command("clone_in_a_pid_namespace", &[]).status().unwrap();
    assert!(status.success(), "{status}");
}

/// The first process of a PID namespace creates the first process of a nested one, so both have process id 1.
fn clone_in_a_pid_namespace(_: &[String]) {
    // SAFETY: the call has no pointer argument.
    if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
        println!("skipped: this process may not create a PID namespace");
        return;
    }
    // SAFETY: the process has one thread.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let is_well = std::process::id() == 1 && is_usable() == NEXMO_OK && {
            let flags = libc::c_long::from(libc::CLONE_NEWPID | libc::SIGCHLD);
            // SAFETY: like `fork`, this `clone` copies the memory of a process with one thread.
            let grandchild = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
            if grandchild == 0 {
                let is_well = std::process::id() == 1 && is_usable() == NEXMO_ERR_FORKED;
                // SAFETY: `_exit` runs no exit handlers of the parent.
                unsafe { libc::_exit(i32::from(!is_well)) };
            }
            has_succeeded(libc::pid_t::try_from(grandchild).unwrap())
        };
        // SAFETY: as above.
        unsafe { libc::_exit(i32::from(!is_well)) };
    }
    assert!(has_succeeded(child));
}

/// Returns the status of a call.
fn is_usable() -> i32 {
    let mut text = [0; 20];
    // SAFETY: the size is that of the text.
    unsafe { nexmo_timestamp_from_unix(0, text.as_mut_ptr(), text.len()) }
}

fn has_succeeded(child: libc::pid_t) -> bool {
    let mut status = -1;
    // SAFETY: the status outlives the call.
    unsafe { libc::waitpid(child, &raw mut status, 0) == child && status == 0 }
}
