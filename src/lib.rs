//! Reports to the Nexmo (Vonage) Conversion API whether a one-time code sent by SMS or phone call was effective. The
//! library is designed for C and for languages that can call C; Rust programs can also use it.
//!
//! The core does not depend on the C interface, which is in [`ffi`]. `docs/architecture.md` describes the modules and
//! their dependencies.
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
mod one_shot;
mod options;
mod os;
mod outcome;
mod panic;
mod reporter;
mod request;
mod response;
mod sanitize;
mod secret;
mod settings;
mod sync;
mod text;
mod timestamp;
mod transport;
#[cfg(test)]
mod wire;

pub use auth::Authentication;
pub use auth::credentials::Credentials;
pub use auth::signature::Method as SignatureMethod;
pub use client::Client;
pub use conversion::{Channel, Conversion, MessageId};
pub use error::{Error, Kind};
pub use one_shot::report;
pub use options::Options;
pub use outcome::{Acceptance, Outcome};
#[cfg(feature = "testing")]
pub use reporter::testing;
pub use reporter::{Durability, Event, EventKind, LastError, Overflow, Reporter, ReporterOptions, State, Statistics};
pub use secret::Secret;
pub use timestamp::Timestamp;
