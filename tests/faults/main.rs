//! Every fault that a server, a proxy or a network can have, and what the library makes of it.
//!
//! ```text
//! tables -> row -> suite -> site -> server -> script
//!                                          -> tls
//! ```
//!
//! A row of a table says what a server does, byte by byte, and what a caller may then see: class, status, whether the
//! report may have been taken, how many requests were made, and in the rows about time when the call must end. What a row
//! says holds whether client or server is faster. `NEXMO_FAULTS=words` runs only the rows whose names contain these words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod attempts;
mod authority;
mod bodies;
mod bomb;
mod client_certificates;
mod connections;
mod framing;
mod heads;
mod memory;
mod names;
mod notes;
mod odd_statuses;
mod proxies;
mod redirects;
mod row;
mod script;
mod server;
mod site;
mod socks;
mod stage;
mod statuses;
mod suite;
mod tickets;
mod tls;
mod tls_kept;
mod tls_rows;
mod waits;

use row::Row;

fn tables() -> Vec<Row> {
    [
        statuses::rows(),
        odd_statuses::rows(),
        waits::rows(),
        redirects::rows(),
        heads::rows(),
        framing::rows(),
        bodies::rows(),
        connections::rows(),
        tls_rows::rows(),
        tls_kept::rows(),
        tickets::rows(),
        client_certificates::rows(),
        names::rows(),
        proxies::rows(),
        socks::rows(),
        attempts::rows(),
    ]
    .concat()
}

#[test]
fn every_fault_has_its_class_and_ends_in_time() {
    suite::alone(|| suite::run(tables()));
}
