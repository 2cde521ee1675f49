//! Reports conversions to the Nexmo (Vonage) Conversion API: whether a one-time code, sent by SMS or phone call, did its
//! job. Made to be called from C and every language that can call C; usable from Rust as it is.
//!
//! The rooms, and who may look into which:
//!
//! ```text
//! ffi -> reporter -> client -> transport -> request -> signature
//!        -> outbox          -> retry     -> answer  -> quote
//!        options   -> base_url, proxy_url     credentials   conversion   outcome   error   fork   guard   clock   sys
//! ```
//!
//! The core is written as if C did not exist; [`ffi`] is its door. Only `transport` names the HTTP library, only
//! `reporter::sqlite` the database, and only `ffi`, `fork`, `sys` and the outbox's `log_file` say `unsafe`.
//!
//! A Rust program that lets its logger print at level `TRACE` has the HTTP library print whole URLs. With
//! [`Credentials::basic`] no secret is in them.
//!
//! ```no_run
//! use nexmo_conversion::{Channel, Client, Conversion, Credentials, MessageId, Options};
//!
//! let client = Client::new(Credentials::query("abcd1234", "s3cret")?, &Options::default())?;
//! let message_id = MessageId::new("00A0B0C0")?;
//! let conversion = Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None };
//! client.report(&conversion).result?;
//! # Ok::<(), nexmo_conversion::Error>(())
//! ```

mod auth;
mod backoff;
mod client;
mod clock;
mod conversion;
mod error;
pub mod ffi;
#[cfg(any(fuzzing, feature = "testing"))]
pub mod fuzzing;
mod options;
mod os;
mod outcome;
mod panic;
mod reporter;
mod request;
mod response;
mod sanitize;
mod settings;
mod transport;
#[cfg(test)]
mod wire;

pub use auth::credentials::{Authentication, Credentials, Secret};
pub use auth::signature::Method as SignatureMethod;
pub use client::Client;
pub use conversion::{Channel, Conversion, MessageId, Timestamp};
pub use error::{Error, Kind};
pub use options::Options;
pub use outcome::{Acceptance, Outcome};
#[cfg(feature = "testing")]
pub use reporter::testing;
pub use reporter::{Durability, Event, EventKind, LastError, Overflow, Reporter, ReporterOptions, State, Statistics};
