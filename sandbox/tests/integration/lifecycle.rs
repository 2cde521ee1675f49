//! Starting and stopping a sandbox.

use std::time::Duration;

use nexmo_sandbox::{Behaviour, Error, Rule, Sandbox, Settings};

use crate::client::{Client, VALID, post};

#[test]
fn stopping_closes_connections_and_removes_the_folder() {
    let sandbox = Sandbox::start(Settings::default()).unwrap();
    let ca_file = sandbox.ca_file().to_owned();
    let mut client = Client::to(&sandbox.http_url());
    assert_eq!(client.post(VALID).status, 200);
    assert!(ca_file.exists());
    sandbox.stop();
    assert!(!ca_file.exists());
    assert_eq!(client.rest(), 0);
}

#[test]
fn stopping_does_not_wait_for_slow_responses() {
    let rules =
        vec![Rule::for_all(Behaviour::Slow(Duration::from_secs(86_400))), Rule::for_all(Behaviour::Ok).times(1)];
    let sandbox = Sandbox::start(Settings { rules, ..Settings::default() }).unwrap();
    let mut client = Client::to(&sandbox.http_url());
    client.post(VALID);
    client.write(&format!("POST {VALID} HTTP/1.1\r\nhost: sandbox\r\n\r\n"));
    // The request is recorded before its response is delayed.
    while sandbox.request_count() < 2 {
        std::thread::yield_now();
    }
    sandbox.stop();
    assert_eq!(client.rest(), 0);
}

#[test]
fn a_sandbox_runs_within_an_asynchronous_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let sandbox = Sandbox::start(Settings::default()).unwrap();
        assert_eq!(post(&sandbox, VALID).status, 200);
    });
}

#[test]
fn the_error_for_a_port_in_use_contains_the_port() {
    let first = Sandbox::start(Settings::default()).unwrap();
    let port = first.http_url().rsplit(':').next().unwrap().parse().unwrap();
    let again = Sandbox::start(Settings { http_port: port, ..Settings::default() });
    assert!(matches!(again, Err(Error::Listen { port: in_use, .. }) if in_use == port));
}

#[test]
fn a_configured_folder_is_created_and_kept() {
    let outer = tempfile::tempdir().unwrap();
    let directory = outer.path().join("a/b");
    let sandbox = Sandbox::start(Settings { directory: Some(directory.clone()), ..Settings::default() }).unwrap();
    assert_eq!(sandbox.ca_file(), directory.canonicalize().unwrap().join("ca.pem"));
    sandbox.stop();
    let pem = std::fs::read_to_string(directory.join("ca.pem")).unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----") && !pem.contains("PRIVATE"), "{pem}");
}

#[test]
fn the_error_for_a_path_that_cannot_be_written_contains_the_path() {
    let log = Settings { log: Some("/nowhere/at/all".into()), ..Settings::default() };
    let folder = Settings { directory: Some("/dev/null/a".into()), ..Settings::default() };
    for (settings, name) in [(log, "/nowhere/at/all"), (folder, "/dev/null/a")] {
        let error = Sandbox::start(settings).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write {name}: ")), "{error}");
    }
}
