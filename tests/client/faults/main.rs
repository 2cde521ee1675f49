//! Tests how faults of a server, a proxy or a network affect a call.
//!
//! An arrow points to a module that is used; `tables` stands for the modules that define cases.
//!
//! ```text
//! tables, runner -> case -> script -> tls
//! runner -> endpoints -> server -> connection -> script, tls
//! ```
//!
//! A case specifies what a server does, byte by byte, and the expected outcome: class, status, whether the service may
//! have accepted the report, the number of requests, and, in cases about time, the time limit. A case must pass whether
//! the client or the server is faster. `NEXMO_FAULTS=words` runs only the cases whose names contain `words`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod attempts;
mod authority;
mod case;
mod client_certificates;
mod connection;
mod dns;
mod endpoints;
mod framing;
mod gzip_bomb;
mod lost_connections;
mod memory;
mod observations;
mod odd_statuses;
mod proxies;
mod redirects;
mod response_bodies;
mod response_heads;
mod retry_after;
mod runner;
mod script;
mod server;
mod session_tickets;
mod socks;
mod statuses;
mod tls;
mod tls_handshakes;
mod tls_keepalive;

use case::Case;

fn tables() -> Vec<Case> {
    [
        statuses::cases(),
        odd_statuses::cases(),
        retry_after::cases(),
        redirects::cases(),
        response_heads::cases(),
        framing::cases(),
        response_bodies::cases(),
        lost_connections::cases(),
        tls_handshakes::cases(),
        tls_keepalive::cases(),
        session_tickets::cases(),
        client_certificates::cases(),
        dns::cases(),
        proxies::cases(),
        socks::cases(),
        attempts::cases(),
    ]
    .concat()
}

#[test]
fn every_fault_has_its_class_and_ends_in_time() {
    runner::alone(|| runner::run(tables()));
}
