//! Tests names that cannot be resolved, and unreachable addresses.

use nexmo_conversion::Kind;

use crate::case::{Case, case};

/// Names that do not exist (RFC 6761).
const UNKNOWN: [&str; 4] = [
    "nowhere.invalid",
    "xn--nxasmq6b.invalid",
    "a-label-that-is-as-long-as-a-label-may-be-in-a-name-of-the-dns0.invalid",
    "nowhere.invalid.",
];

/// Special-purpose addresses to which no connection can be established, whether or not there is a network.
const OF_MANY: [&str; 3] = ["255.255.255.255", "224.0.0.1", "[ff02::1]"];

pub(crate) fn cases() -> Vec<Case> {
    // The result depends on whether the machine has a name server that responds.
    let unknown = |name: String, base_url: String| {
        case(name).at(&base_url).fails_unsent(Kind::Network).or(Kind::Timeout).no_request()
    };
    let names = UNKNOWN.iter().flat_map(|name| {
        [
            unknown(format!("the name {name}"), format!("https://{name}")),
            unknown(format!("the name {name} without TLS"), format!("http://{name}:8080/prefix")),
        ]
    });
    let addresses = OF_MANY.iter().map(|address| {
        case(format!("the address {address}"))
            .at(&format!("https://{address}"))
            .fails_unsent(Kind::Network)
            .no_request()
    });
    names.chain(addresses).collect()
}
