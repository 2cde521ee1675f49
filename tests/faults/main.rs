//! Every fault of a server, a proxy or a network, and its effect on a call.
//!
//! ```text
//! tables -> row -> suite -> site -> server -> script
//!                                          -> tls
//! ```
//!
//! A row of a table specifies what a server does, byte by byte, and what the caller sees: class, status, whether the
//! report may have been accepted, how many requests were made, and, in rows about time, when the call must end. A row
//! holds whether the client or the server is faster. `NEXMO_FAULTS=words` runs only the rows whose names contain
//! these words.
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
