//! The third step: a reporter, which keeps reports until the service has them.
#![allow(non_camel_case_types)]

pub mod structs;
mod told;

use std::ffi::c_char;
use std::ptr;

use self::structs::{nexmo_aside, nexmo_reporter_options, nexmo_statistics};
use super::handle::Table;
use super::status::{NEXMO_ERR_INTERNAL, NEXMO_ERR_NULL, NEXMO_OK, nexmo_status};
use super::structs::{nexmo_credentials, nexmo_options, nexmo_result};
use super::tell::{if_sound, tell_done};
use super::{Refusal, arguments, sized};
use crate::conversion::Channel;
use crate::fork;
use crate::guard::guard;
use crate::reporter::Reporter;

/// A reporter: who reports, how, and where reports wait until the service has them. Made by nexmo_reporter_new, given
/// back to nexmo_reporter_free.
///
/// What a nexmo_reporter pointer points to is nobody's to read: it is a ticket, a number that is never used twice. A
/// call with one that was freed, or never was one, returns NEXMO_ERR_HANDLE.
pub struct nexmo_reporter {
    _ticket: (),
}

static REPORTERS: Table<Reporter> = Table::new();

/// Has forks hold the table's lock from the moment on that the library is loaded.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    extern "C" fn hold() {
        fork::hold_during_forks(|| Box::new(REPORTERS.lock()));
    }
    hold
};

/// Makes a reporter.
///
/// Opens the outbox, or makes it, and begins to send what is in it, on threads of the library's own. Of the processes
/// and reporters that share an outbox, one sends; when that ends, another takes over. attempts of the options is not
/// used: the reporter repeats as long as it takes.
///
/// A damaged outbox is given another name, with .corrupt in it, and a new one is made; outboxes_lost of the statistics
/// counts that. A file that never was an outbox is refused and left as it is.
///
/// @param credentials       Required. Who reports.
/// @param options           How to report. NULL: all defaults.
/// @param reporter_options  Required. Where reports wait, and how.
/// @param reporter          Required. Receives the reporter; NULL on failure.
/// @param result            Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK                  The reporter is made.
/// @retval NEXMO_ERR_NULL            A required pointer is NULL. Correct the call.
/// @retval NEXMO_ERR_STRUCT          A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_FLAGS           A flag is unknown. Correct the call.
/// @retval NEXMO_ERR_ARGUMENT        A value or a file was refused; the message names it. Correct the call.
/// @retval NEXMO_ERR_OUTBOX          The outbox cannot be made or opened, or is the file of another program.
/// @retval NEXMO_ERR_OUTBOX_FULL     The disk is full. Call again when there is room.
/// @retval NEXMO_ERR_OUTBOX_BUSY     Others held the outbox for longer than lock_wait_ms. Call again.
/// @retval NEXMO_ERR_OUTBOX_CORRUPT  The outbox is damaged, and open elsewhere. Call again when that has ended.
/// @retval NEXMO_ERR_OUTBOX_ACCOUNT  The outbox belongs to another api_key or base_url. Choose another path.
/// @retval NEXMO_ERR_FORKED          The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL        A mistake of the library.
/// @par Ownership: credentials and options are copied. The reporter is the caller's, to be given to
/// nexmo_reporter_free.
/// @par Threads: call from any thread, any number at once. The reporter may be used by any thread, by many at once, and
/// on both sides of a fork; without a file the child's begins empty.
/// @par Blocking: for as long as it takes to read the files, lock_wait_ms included.
/// @par Since: 1.0
///
/// @code
/// nexmo_reporter_options reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
/// nexmo_reporter *reporter;
/// reporter_options.outbox = "/var/lib/shop/conversions";
/// if (nexmo_reporter_new(&credentials, NULL, &reporter_options, &reporter, &result) != NEXMO_OK)
///     fprintf(stderr, "%s\n", result.message);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_new(
    credentials: *const nexmo_credentials,
    options: *const nexmo_options,
    reporter_options: *const nexmo_reporter_options,
    reporter: *mut *mut nexmo_reporter,
    result: *mut nexmo_result,
) -> nexmo_status {
    if !reporter.is_null() {
        // SAFETY: the header's promise; whatever is refused below leaves NULL behind.
        unsafe { reporter.write_unaligned(ptr::null_mut()) };
    }
    // SAFETY: the header's promises for each parameter.
    unsafe { tell_done(result, || make(credentials, options, reporter_options, reporter), || {}) }
}

/// # Safety
///
/// Each pointer is NULL or points to what the header asks for.
unsafe fn make(
    credentials: *const nexmo_credentials,
    options: *const nexmo_options,
    reporter_options: *const nexmo_reporter_options,
    reporter: *mut *mut nexmo_reporter,
) -> Result<(), Refusal> {
    if reporter.is_null() {
        return Err(Refusal::new(NEXMO_ERR_NULL, "reporter is NULL: give a place for the handle"));
    }
    // SAFETY: the caller's promise.
    let (credentials, settings, plan) = unsafe {
        (
            arguments::credentials(credentials)?,
            arguments::options(options)?,
            arguments::reporter_options(reporter_options)?,
        )
    };
    let ticket = REPORTERS.insert(Reporter::with_settings(credentials, settings, plan)?)?;
    // SAFETY: the caller's promise.
    unsafe { reporter.write_unaligned(ticket) };
    Ok(())
}

/// Hands over a report on one SMS, to be sent in the background.
///
/// On NEXMO_OK the report is as safe as the reporter's durability says, and is sent at once, again and again until the
/// service took it, refused it, or it grew older than age_limit_s. A report for the same message that was not sent yet
/// is replaced; whichever was submitted last is the last that the service hears.
///
/// @param reporter    Required. A reporter that was not freed.
/// @param message_id  Required. The message-id that the SMS API gave, or the event_id of the Verify API; 1 to 256
///                    bytes of UTF-8. No control characters, no white space at its ends.
/// @param delivered   1 if the user completed the action, 0 if not; any other number is refused.
/// @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss". NULL: now.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK                  The report is accepted.
/// @retval NEXMO_ERR_NULL            A required pointer is NULL. Correct the call.
/// @retval NEXMO_ERR_STRUCT          The result's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_ARGUMENT        A value was refused; the message names it. Correct the call.
/// @retval NEXMO_ERR_HANDLE          The reporter is NULL, was freed, or never was one. Correct the call.
/// @retval NEXMO_ERR_CLOSED          The reporter is closed. Not accepted: submit to another.
/// @retval NEXMO_ERR_OUTBOX          The outbox cannot be written. Does not count as accepted, and is sent all the same
///                                   if the disk failed at the last moment: remove the cause, and repeat.
/// @retval NEXMO_ERR_OUTBOX_FULL     most_reports are pending, or the disk is full. Not accepted: repeat later.
/// @retval NEXMO_ERR_OUTBOX_BUSY     Others held the outbox for longer than lock_wait_ms. Not accepted: repeat.
/// @retval NEXMO_ERR_OUTBOX_CORRUPT  The outbox is damaged, and open elsewhere. Not accepted.
/// @retval NEXMO_ERR_OUTBOX_ACCOUNT  The outbox was replaced by that of another account. Not accepted.
/// @retval NEXMO_ERR_FORKED          The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL        A mistake of the library; the reporter is closed. Repeat with another.
/// @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once, with the same reporter too. Not from a signal handler.
/// @par Blocking: some microseconds; up to lock_wait_ms where others have the outbox locked; with
/// NEXMO_DURABILITY_POWER until the disk has it. A disk that hangs keeps one thread for as long as it does (with
/// NEXMO_DURABILITY_POWER those whose reports went to it together), and the others get NEXMO_ERR_OUTBOX_BUSY. Never
/// for the network.
/// @par Since: 1.0
///
/// @code
/// status = nexmo_reporter_submit_sms(reporter, "00A0B0C0", 1, NULL, &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_submit_sms(
    reporter: *mut nexmo_reporter,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header's promises for each parameter.
    unsafe { submit(Channel::Sms, reporter, message_id, delivered, timestamp, result) }
}

/// Hands over a report on one phone call, to be sent in the background.
///
/// All is as with nexmo_reporter_submit_sms, but for the message_id: it is the call-id that the Text-To-Speech API or
/// the Text-To-Speech-Prompt API gave.
///
/// @param reporter    Required. A reporter that was not freed.
/// @param message_id  Required. The call-id; 1 to 256 bytes of UTF-8. No control characters, no white space at its
///                    ends.
/// @param delivered   1 if the user completed the action, 0 if not; any other number is refused.
/// @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss". NULL: now.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @return A status as nexmo_reporter_submit_sms gives it.
/// @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once, with the same reporter too. Not from a signal handler.
/// @par Blocking: as nexmo_reporter_submit_sms.
/// @par Since: 1.0
///
/// @code
/// status = nexmo_reporter_submit_voice(reporter, call_id, 0, "2020-01-01 12:00:00", &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_submit_voice(
    reporter: *mut nexmo_reporter,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: as above.
    unsafe { submit(Channel::Voice, reporter, message_id, delivered, timestamp, result) }
}

/// # Safety
///
/// Each pointer is NULL or points to what the header asks for; `reporter` may be anything.
unsafe fn submit(
    channel: Channel,
    reporter: *mut nexmo_reporter,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        let reporter = REPORTERS.get(reporter)?;
        // SAFETY: the caller's promise.
        let conversion = unsafe { arguments::conversion(channel, message_id, delivered, timestamp) }?;
        #[cfg(feature = "testing")]
        super::testing::panic_if_asked();
        Ok(reporter.submit(&conversion)?)
    };
    // SAFETY: the caller's promise.
    unsafe { tell_done(result, work, || discard(reporter)) }
}

/// Takes away a reporter that a panic may have broken. It is not dropped, for the same reason; what is in its outbox goes
/// out when another opens that.
fn discard(reporter: *mut nexmo_reporter) {
    if let Ok(reporter) = REPORTERS.remove(reporter) {
        guard(|| reporter.abandon());
        std::mem::forget(reporter);
    }
}

/// Fetches a report that was set aside: refused by the service, grown too old, or dropped from a full outbox.
///
/// Each is handed out once, over all processes and reporters that share the outbox, the oldest first.
///
/// @param reporter  Required. A reporter that was not freed; it may be closed.
/// @param aside     Required. Receives the report, or NEXMO_ASIDE_NONE as its reason if there is none.
/// @param result    Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK                  The report is fetched, or there is none.
/// @retval NEXMO_ERR_NULL            aside is NULL. Correct the call.
/// @retval NEXMO_ERR_STRUCT          A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_HANDLE          The reporter is NULL, was freed, or never was one. Correct the call.
/// @retval NEXMO_ERR_OUTBOX          The outbox cannot be read or written, or is busy, full, damaged or another
///                                   account's with the status of that name, 301 to 304. Nothing was fetched.
/// @retval NEXMO_ERR_FORKED          The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL        A mistake of the library.
/// @par Ownership: the arguments are borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: up to lock_wait_ms.
/// @par Since: 1.0
///
/// @code
/// nexmo_aside aside = NEXMO_ASIDE_INIT;
/// while (nexmo_reporter_poll(reporter, &aside, NULL) == NEXMO_OK && aside.reason != NEXMO_ASIDE_NONE)
///     fprintf(stderr, "%s: %s\n", aside.message_id, aside.message);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_poll(
    reporter: *mut nexmo_reporter,
    aside: *mut nexmo_aside,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        // SAFETY: the header's promise.
        unsafe { check_required(aside) }?;
        let fetched = REPORTERS.get(reporter)?.poll()?;
        // SAFETY: the header's promise; the struct was just found to be writable.
        unsafe { sized::write(aside, &told::aside(fetched.as_ref())) };
        Ok(())
    };
    // SAFETY: the header's promise.
    unsafe { tell_done(result, work, || discard(reporter)) }
}

/// Gives a file descriptor that is readable when nexmo_reporter_poll may have something, for poll, select or epoll.
///
/// @param reporter  Required. A reporter that was not freed.
/// @return The descriptor, or -1 if the reporter is NULL, was freed, or never was one, or the system has none left.
/// @par Ownership: the descriptor is the reporter's. Do not read, write or close it; stop watching it before
/// nexmo_reporter_free. In a child made by fork it is closed, and another call gives that of the child.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: never.
/// @par Since: 1.0
///
/// @code
/// struct pollfd watched = { 0, POLLIN, 0 };
/// watched.fd = nexmo_reporter_fd(reporter);
/// @endcode
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_reporter_fd(reporter: *mut nexmo_reporter) -> i32 {
    let fd = || -> Result<i32, Refusal> { if_sound().and_then(|()| Ok(REPORTERS.get(reporter)?.fd()?)) };
    guard(fd).and_then(Result::ok).unwrap_or(-1)
}

/// Waits until every report that the outbox accepted before this call has left it.
///
/// @param reporter    Required. A reporter that was not freed.
/// @param timeout_ms  How long to wait at most, in milliseconds; 0 only looks.
/// @param statistics  Is filled with the counts after the wait, on success and on failure, unless the outbox cannot be
///                    read. NULL: they are not wanted.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK             None is left, and nothing waits to be fetched by nexmo_reporter_poll.
/// @retval NEXMO_ERR_ASIDE      None is left, and some were set aside: fetch them by nexmo_reporter_poll.
/// @retval NEXMO_ERR_TIMEOUT    Some are left after timeout_ms. They go out later; nothing needs to be repeated.
/// @retval NEXMO_ERR_PARKED     The service takes no reports of the account, which was just tried. They stay.
/// @retval NEXMO_ERR_CANCELLED  The reporter was freed during the call.
/// @retval NEXMO_ERR_ARGUMENT   timeout_ms is negative. Correct the call.
/// @retval NEXMO_ERR_STRUCT     A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_HANDLE     The reporter is NULL, was freed, or never was one. Correct the call.
/// @retval NEXMO_ERR_OUTBOX     The outbox cannot be read, or is busy, full, damaged or another account's with the
///                              status of that name, 301 to 304.
/// @retval NEXMO_ERR_FORKED     The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL   A mistake of the library.
/// @par Ownership: the arguments are borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: up to timeout_ms.
/// @par Since: 1.0
///
/// @code
/// nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
/// status = nexmo_reporter_flush(reporter, 10000, &statistics, &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_flush(
    reporter: *mut nexmo_reporter,
    timeout_ms: i32,
    statistics: *mut nexmo_statistics,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        // SAFETY: the header's promise.
        unsafe { sized::check_writable(statistics) }?;
        let (reporter, timeout) = (REPORTERS.get(reporter)?, arguments::wait(timeout_ms)?);
        let flushed = reporter.flush(timeout);
        // SAFETY: the header's promise; the struct was just found to be writable.
        unsafe { tell_statistics(&reporter, statistics) };
        Ok(flushed?)
    };
    // SAFETY: the header's promise.
    unsafe { tell_done(result, work, || discard(reporter)) }
}

/// Tells how many reports there were, what became of them, and what the reporter does.
///
/// @param reporter    Required. A reporter that was not freed; it may be closed.
/// @param statistics  Required. Is filled.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK            The statistics are filled.
/// @retval NEXMO_ERR_NULL      statistics is NULL. Correct the call.
/// @retval NEXMO_ERR_STRUCT    A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_HANDLE    The reporter is NULL, was freed, or never was one. Correct the call.
/// @retval NEXMO_ERR_OUTBOX    The outbox cannot be read, or is busy, full, damaged or another account's with the
///                             status of that name, 301 to 304.
/// @retval NEXMO_ERR_FORKED    The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL  A mistake of the library.
/// @par Ownership: the arguments are borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: up to lock_wait_ms; the same few reads however many reports there are.
/// @par Since: 1.0
///
/// @code
/// if (nexmo_reporter_statistics(reporter, &statistics, NULL) == NEXMO_OK)
///     printf("%lld pending\n", (long long)statistics.pending);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_statistics(
    reporter: *mut nexmo_reporter,
    statistics: *mut nexmo_statistics,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        // SAFETY: the header's promise.
        unsafe { check_required(statistics) }?;
        let counted = REPORTERS.get(reporter)?.statistics()?;
        // SAFETY: the header's promise; the struct was just found to be writable.
        unsafe { sized::write(statistics, &told::statistics(&counted)) };
        Ok(())
    };
    // SAFETY: the header's promise.
    unsafe { tell_done(result, work, || discard(reporter)) }
}

/// Closes a reporter: it takes no more reports, goes on sending until none is left or the time is over, and then
/// interrupts what is under way.
///
/// What is left stays in the outbox and goes out when a reporter next opens it; with NEXMO_DURABILITY_NONE it is lost. A
/// program that ends without this call loses nothing that its durability protects.
///
/// @param reporter    Required. A reporter that was not freed. It can still be polled and asked for its statistics.
/// @param timeout_ms  How long to go on sending, in milliseconds; 0 ends at once.
/// @param statistics  Is filled with the counts at the end, on success and on failure, unless the outbox cannot be
///                    read. NULL: they are not wanted.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK             Nothing is left.
/// @retval NEXMO_ERR_PENDING    Reports are left in the outbox; the statistics and the message say how many.
/// @retval NEXMO_ERR_CANCELLED  The reporter was freed during the call.
/// @retval NEXMO_ERR_ARGUMENT   timeout_ms is negative. Correct the call.
/// @retval NEXMO_ERR_STRUCT     A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_HANDLE     The reporter is NULL, was freed, or never was one. Correct the call.
/// @retval NEXMO_ERR_OUTBOX     The outbox cannot be read, or is busy, full, damaged or another account's with the
///                              status of that name, 301 to 304. The reporter is closed all the same.
/// @retval NEXMO_ERR_FORKED     The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL   A mistake of the library.
/// @par Ownership: the arguments are borrowed until the call returns. The reporter is still to be freed.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: up to timeout_ms and half a second.
/// @par Since: 1.0
///
/// @code
/// if (nexmo_reporter_close(reporter, 2000, &statistics, NULL) == NEXMO_ERR_PENDING)
///     fprintf(stderr, "%lld go out at the next start\n", (long long)statistics.pending);
/// nexmo_reporter_free(reporter);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_close(
    reporter: *mut nexmo_reporter,
    timeout_ms: i32,
    statistics: *mut nexmo_statistics,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        // SAFETY: the header's promise.
        unsafe { sized::check_writable(statistics) }?;
        let (reporter, timeout) = (REPORTERS.get(reporter)?, arguments::wait(timeout_ms)?);
        let closed = reporter.close(timeout);
        // SAFETY: the header's promise; the struct was just found to be writable.
        unsafe { tell_statistics(&reporter, statistics) };
        Ok(closed?)
    };
    // SAFETY: the header's promise.
    unsafe { tell_done(result, work, || discard(reporter)) }
}

/// Frees a reporter, and closes it if it is not closed, without waiting for anything.
///
/// Calls that other threads make with it at this moment end with NEXMO_ERR_CANCELLED if they wait for reports. What is
/// left in the outbox goes out when a reporter next opens it; with NEXMO_DURABILITY_NONE it is lost.
///
/// @param reporter  A reporter, or NULL, which does nothing.
/// @retval NEXMO_OK            The reporter is freed, or NULL was given.
/// @retval NEXMO_ERR_HANDLE    The reporter was freed before, or never was one. Correct the call.
/// @retval NEXMO_ERR_FORKED    The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL  A mistake of the library.
/// @par Ownership: the pointer must not be used afterwards; a call that does returns NEXMO_ERR_HANDLE.
/// @par Threads: call from any thread, while others use the reporter too. Not from a signal handler.
/// @par Blocking: never.
/// @par Since: 1.0
///
/// @code
/// nexmo_reporter_free(reporter);
/// @endcode
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_reporter_free(reporter: *mut nexmo_reporter) -> nexmo_status {
    if reporter.is_null() {
        return NEXMO_OK;
    }
    match guard(|| if_sound().and_then(|()| REPORTERS.remove(reporter)).map(|reporter| reporter.abandon())) {
        Some(Ok(())) => NEXMO_OK,
        Some(Err(refusal)) => refusal.status,
        None => NEXMO_ERR_INTERNAL,
    }
}

/// Whether a struct that is to be filled is there and can be.
///
/// # Safety
///
/// As [`sized::check_writable`].
unsafe fn check_required<T: sized::Sized>(pointer: *const T) -> Result<(), Refusal> {
    if pointer.is_null() {
        return Err(Refusal::new(NEXMO_ERR_NULL, format!("{} is NULL: give a struct", T::NAME)));
    }
    // SAFETY: the caller's promise.
    unsafe { sized::check_writable(pointer) }
}

/// Fills `statistics`, if they are wanted and the outbox can be read; otherwise they stay as they are.
///
/// # Safety
///
/// As [`sized::write`].
unsafe fn tell_statistics(reporter: &Reporter, statistics: *mut nexmo_statistics) {
    if let (false, Ok(counted)) = (statistics.is_null(), reporter.statistics()) {
        // SAFETY: the caller's promise.
        unsafe { sized::write(statistics, &told::statistics(&counted)) };
    }
}
