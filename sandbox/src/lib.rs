//! A local stand-in for the Nexmo (Vonage) Conversion API, over HTTP and HTTPS.
//!
//! It validates requests against the service's documentation and returns the documented statuses and bodies, so a
//! client can be tested without an account. It shares no code with the `nexmo-conversion` library, because a bug in
//! shared code would remain undetected.
//!
//! The entry point is [`Sandbox`]. The modules are, from the outermost to the innermost:
//!
//! * `sandbox`, `settings`, `error`: a running sandbox, its settings, and the reasons why it cannot start;
//! * `server`: connections and HTTP; `certificates`: the CA and the server's certificate;
//! * `service`: validates requests with the `validator` and records them;
//! * `validator`: decides the response, using `authentication` (with `account` and `signature`), `rule` (with
//!   `behaviour` and `random_faults`) and `parameters` (with `timestamp`); `violation`: what is wrong with a request;
//! * `request`, `query` and `response`: received requests and sent responses;
//! * `record`, `redact`, `request_log` and `observer`: the records of requests, and the destinations of the records.

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
