//! Names that cannot be looked up, and addresses that nobody can reach.

use nexmo_conversion::Kind;

use crate::row::{Row, row};

/// Names that no name server knows (RFC 6761).
const UNKNOWN: [&str; 4] = [
    "nowhere.invalid",
    "xn--nxasmq6b.invalid",
    "a-label-that-is-as-long-as-a-label-may-be-in-a-name-of-the-dns0.invalid",
    "nowhere.invalid.",
];

/// Addresses of many machines, to none of which a connection can be made, with a network or without.
const OF_MANY: [&str; 3] = ["255.255.255.255", "224.0.0.1", "[ff02::1]"];

pub(crate) fn rows() -> Vec<Row> {
    // Whether a name server says no, or nothing, is for the machine to decide.
    let unknown = |name: String, base_url: String| {
        row(name).at(&base_url).fails_unsent(Kind::Network).or(Kind::Timeout).no_request()
    };
    let names = UNKNOWN.iter().flat_map(|name| {
        [
            unknown(format!("the name {name}"), format!("https://{name}")),
            unknown(format!("the name {name} without TLS"), format!("http://{name}:8080/prefix")),
        ]
    });
    let addresses = OF_MANY.iter().map(|address| {
        row(format!("the address {address}")).at(&format!("https://{address}")).fails_unsent(Kind::Network).no_request()
    });
    names.chain(addresses).collect()
}
