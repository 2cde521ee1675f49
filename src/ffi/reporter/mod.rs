//! The third step: a reporter, which keeps reports until the service has them. Each thing that is done with one has a file of
//! its own; here is what all of them use.
#![allow(non_camel_case_types)]

mod close;
mod flush;
mod new;
mod poll;
mod statistics;
pub mod structs;
mod submit;
mod told;

pub use self::close::{nexmo_reporter_close, nexmo_reporter_free};
pub use self::flush::nexmo_reporter_flush;
pub use self::new::{nexmo_reporter, nexmo_reporter_new};
pub use self::poll::{nexmo_reporter_fd, nexmo_reporter_poll};
pub use self::statistics::nexmo_reporter_statistics;
pub use self::submit::{nexmo_reporter_submit_sms, nexmo_reporter_submit_voice};

use super::handle::Table;
use crate::fork;
use crate::guard::guard;
use crate::reporter::Reporter;

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

/// Takes away a reporter that a panic may have broken. It is not dropped, for the same reason; what is in its outbox goes
/// out when another opens that.
fn discard(reporter: *mut nexmo_reporter) {
    if let Ok(reporter) = REPORTERS.remove(reporter) {
        guard(|| reporter.abandon());
        std::mem::forget(reporter);
    }
}
