//! A local stand-in for the Nexmo (Vonage) Conversion API, over HTTP and HTTPS.
//!
//! It validates requests by the service's documents and returns the documented statuses and bodies, so that a client can
//! be tested without an account. It shares no code with the `nexmo-conversion` library, so that the same bug cannot be
//! in both.
//!
//! Start at [`Sandbox`]. The modules, from the outside in:
//!
//! * `sandbox`, `settings`, `error`: a running sandbox, its settings, and why it does not start;
//! * `server`: connections and HTTP; `certificates`: the CA and the server's certificate;
//! * `service`: has a request validated and records it;
//! * `validator`: decides the response, using `authentication` (with `account` and `signature`), `rule` (with
//!   `behaviour` and `random_faults`) and `parameters` (with `timestamp`), which return a `violation`;
//! * `request`, `query` and `response`: what is received and sent;
//! * `record`, `redact`, `request_log` and `observer`: what is recorded of a request, and where it goes.

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
pub use observer::Observer;
pub use random_faults::RandomFaults;
pub use record::Record;
pub use request::{Channel, Scheme};
pub use rule::{Rule, Scope};
pub use sandbox::Sandbox;
pub use settings::Settings;
pub use signature::SignatureMethod;
