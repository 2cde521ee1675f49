//! Matches hosts against a `no_proxy` list of names, addresses and networks. Pure.

use std::net::IpAddr;

/// Returns whether an entry of `list` matches `host` and `port`. Commas and white space separate the entries.
///
/// * `*` matches every host.
/// * A name, with or without a leading dot or `*.`, matches that name and its subdomains.
/// * An IP address, with or without brackets, matches that address.
/// * A network, such as `10.0.0.0/8`, matches each of its addresses.
///
/// A name or an address followed by `:port` matches only that port.
pub(super) fn lists(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_matches(['[', ']', '.']).to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty()).any(|entry| {
        let (name, only_port) = split_port(entry);
        let is_port = only_port.is_none_or(|only| only.parse() == Ok(port));
        entry == "*"
            || match address {
                Some(address) => is_network_of(entry, address) || (is_port && address_of(name) == Some(address)),
                None => is_port && is_domain_of(name, &host),
            }
    })
}

/// Splits `name:port`. An IPv6 address can have a port only after brackets.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    match entry.rsplit_once(':') {
        Some((name, port)) if name.ends_with(']') || !name.contains(':') => (name, Some(port)),
        _ => (entry, None),
    }
}

fn address_of(name: &str) -> Option<IpAddr> {
    name.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn is_domain_of(name: &str, host: &str) -> bool {
    let name = name.strip_prefix('*').unwrap_or(name).trim_matches('.').to_ascii_lowercase();
    let before = host.strip_suffix(name.as_str());
    !name.is_empty() && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Returns whether `entry` is a network that contains `address`.
fn is_network_of(entry: &str, address: IpAddr) -> bool {
    let Some((network, length)) = entry.split_once('/') else {
        return false;
    };
    let Ok(length) = length.parse::<u32>() else {
        return false;
    };
    match (address_of(network), address) {
        (Some(IpAddr::V4(network)), IpAddr::V4(address)) if length <= 32 => {
            (network.to_bits() ^ address.to_bits()).checked_shr(32 - length).unwrap_or(0) == 0
        }
        (Some(IpAddr::V6(network)), IpAddr::V6(address)) if length <= 128 => {
            (network.to_bits() ^ address.to_bits()).checked_shr(128 - length).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_name_an_address_or_a_network_with_an_optional_port() {
        for (host, entries) in [
            ("a.b.test", &["*", "test", ".test", "*.test", "b.test.", "A.B.TEST", "a.b.test:443", "*.b.test:443"][..]),
            ("localhost", &["localhost", "x,localhost", "x localhost", "x,\tlocalhost ,y", "localhost:443"]),
            ("127.0.0.1", &["*", "127.0.0.1", "127.0.0.1:443", "127.0.0.0/8", "127.0.0.1/32", "0.0.0.0/0"]),
            ("[::1]", &["::1", "[::1]", "[::1]:443", "0:0:0:0:0:0:0:1", "::/64", "[::]/64", "::1/128"]),
            ("[2001:DB8::1]", &["2001:db8::1", "2001:db8::/32", "2001:0db8:0::0:1"]),
        ] {
            for entry in entries {
                assert!(lists(entry, host, 443), "{entry} must match {host}");
            }
        }
    }

    #[test]
    fn other_entries_do_not_match() {
        for (host, entries) in [
            (
                "a.b.test",
                &["", ",", "c.test", ".a.b.test.x", "est", "b.test:444", "b.test:", "*b.test/8", "x.a.b.test"][..],
            ),
            ("localhost", &["localhost:1", "host", "127.0.0.1", "127.0.0.0/8", "::1"]),
            (
                "127.0.0.1",
                &["0.0.1", ".0.0.1", "1", "127.0.0.1:1", "10.0.0.0/8", "127.0.0.0/33", "127.0.0.0/x", "::/0"],
            ),
            ("[::1]", &["[::1]:1", "::2", ":1", "1", "::/129", "fe80::/10", "0.0.0.0/0"]),
        ] {
            for entry in entries {
                assert!(!lists(entry, host, 443), "{entry} must not match {host}");
            }
        }
    }
}
