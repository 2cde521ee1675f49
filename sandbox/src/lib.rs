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
//! * `office`: receives a request, has it judged, puts it on record;
//! * `judge`: the verdict, out of `authentication` (with `account` and `signature`), `rule` (with `behaviour` and
//!   `moods`) and `parameters` (with `timestamp`); `fault` is what they find, `answer` what goes back;
//! * `request` and `query`: what came in; `record`, `mask`, `journal` and `listener`: what is kept of it, and where.

mod account;
mod answer;
mod authentication;
mod behaviour;
mod certificates;
mod error;
mod fault;
mod journal;
mod judge;
mod listener;
mod mask;
mod moods;
mod office;
mod parameters;
mod query;
mod record;
mod request;
mod rule;
mod sandbox;
mod server;
mod settings;
mod signature;
mod timestamp;

pub use account::Account;
pub use authentication::Authentication;
pub use behaviour::Behaviour;
pub use error::Error;
pub use listener::Listener;
pub use moods::Moods;
pub use record::Record;
pub use request::{Channel, Scheme};
pub use rule::{Rule, Scope};
pub use sandbox::Sandbox;
pub use settings::Settings;
pub use signature::SignatureMethod;
