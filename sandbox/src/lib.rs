//! A stand-in for the Nexmo (Vonage) Conversion API, on this machine, over HTTP and HTTPS.
//!
//! It judges requests as the service's documents say and answers with the documented statuses and bodies, so that a
//! client can be tried without an account. It shares no code with the `nexmo-conversion` library: what one of them got
//! wrong, the other does not take for right.
//!
//! Start at [`Sandbox`]. The map, from the outside in:
//!
//! * `sandbox`, `settings`, `error`: a running sandbox, what is chosen before, what can go wrong;
//! * `server`: connections and HTTP; `certificates`: the authority and what it signs;
//! * `service`: receives a request, has it judged, puts it on record;
//! * `validator`: the verdict, out of `authentication` (with `account` and `signature`), `rule` (with `behaviour` and
//!   `random_faults`) and `parameters` (with `timestamp`); `violation` is what they find, `response` what goes back;
//! * `request` and `query`: what came in; `record`, `redact`, `request_log` and `observer`: what is kept of it, and where.

mod account;
mod authentication;
mod behaviour;
mod certificates;
mod error;
mod observer;
mod parameters;
mod query;
mod random_faults;
mod record;
mod redact;
mod request;
mod request_log;
mod response;
mod rule;
mod sandbox;
mod server;
mod service;
mod settings;
mod signature;
mod timestamp;
mod validator;
mod violation;

pub use account::Account;
pub use authentication::Authentication;
pub use behaviour::Behaviour;
pub use error::Error;
pub use observer::Listener;
pub use random_faults::Moods;
pub use record::Record;
pub use request::{Channel, Scheme};
pub use rule::{Rule, Scope};
pub use sandbox::Sandbox;
pub use settings::Settings;
pub use signature::SignatureMethod;
