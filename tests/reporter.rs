//! The reporter against the sandbox: what is submitted arrives, whatever happens on the way.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nexmo_conversion::{
    Channel, Conversion, Credentials, Durability, Kind, MessageId, Options, Reason, Reporter, ReporterOptions, State,
    WhenFull,
};
use nexmo_sandbox::{Behaviour, Rule, Sandbox, Settings};

/// A folder of its own, which is removed with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("nexmo-reporter-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn outbox(&self) -> PathBuf {
        self.0.join("outbox")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn credentials() -> Credentials {
    Credentials::query("abcd1234", "s3cret").unwrap()
}

fn sms(message_id: &str) -> Conversion {
    Conversion {
        channel: Channel::Sms,
        message_id: MessageId::new(message_id).unwrap(),
        delivered: true,
        timestamp: None,
    }
}

fn reporter(sandbox: &Sandbox, reporter_options: &ReporterOptions<'_>) -> Reporter {
    let options = Options { base_url: Some(&sandbox.http_url()), ..Options::default() };
    Reporter::new(credentials(), &options, reporter_options).unwrap()
}

fn in_file(outbox: &Path) -> ReporterOptions<'_> {
    ReporterOptions { outbox: Some(outbox), ..ReporterOptions::default() }
}

const IN_MEMORY: ReporterOptions<'_> = ReporterOptions {
    outbox: None,
    durability: Durability::None,
    most_reports: None,
    when_full: WhenFull::Refuse,
    age_limit: None,
    connections: None,
    lock_wait: None,
    allow_network_file_system: false,
};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn what_is_submitted_arrives() {
    for durability in [Durability::Process, Durability::Power, Durability::None] {
        let (folder, sandbox) = (Folder::new(), Sandbox::start(Settings::default()).unwrap());
        let outbox = folder.outbox();
        let options = match durability {
            Durability::None => IN_MEMORY,
            _ => ReporterOptions { durability, ..in_file(&outbox) },
        };
        let reporter = reporter(&sandbox, &options);
        for number in 0..100 {
            reporter.submit(&sms(&format!("id-{number}"))).unwrap();
        }
        reporter.flush(SOON).unwrap();
        assert_eq!(sandbox.request_count(), 100, "{durability:?}");
        let statistics = reporter.statistics().unwrap();
        assert_eq!((statistics.accepted, statistics.sent, statistics.pending), (100, 100, 0));
        assert_eq!((statistics.state, statistics.last_error), (State::Running, None));
        reporter.close(SOON).unwrap();
        assert_eq!(reporter.submit(&sms("late")).unwrap_err().kind(), Kind::Closed);
    }
}

#[test]
fn what_is_left_goes_out_at_the_next_start() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    let sandbox = Sandbox::start(Settings::default()).unwrap();
    sandbox.rule(Rule::for_all(Behaviour::Unavailable(None)));
    let first = reporter(&sandbox, &in_file(&outbox));
    for number in 0..10 {
        first.submit(&sms(&format!("id-{number}"))).unwrap();
    }
    assert_eq!(first.close(Duration::ZERO).unwrap_err().kind(), Kind::Pending);
    drop(first);
    sandbox.clear_rules();
    let second = reporter(&sandbox, &in_file(&outbox));
    second.flush(SOON).unwrap();
    let statistics = second.statistics().unwrap();
    assert_eq!((statistics.accepted, statistics.sent), (10, 10));
}

#[test]
fn a_refused_report_is_set_aside_and_handed_out_once() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for options in [in_file(&outbox), IN_MEMORY] {
        let sandbox = Sandbox::start(Settings::default()).unwrap();
        sandbox.rule(Rule::for_message("bad", Behaviour::Status(420)));
        let reporter = reporter(&sandbox, &options);
        reporter.submit(&sms("bad")).unwrap();
        reporter.submit(&sms("good")).unwrap();
        assert_eq!(reporter.flush(SOON).unwrap_err().kind(), Kind::Aside);
        let aside = reporter.poll().unwrap().unwrap();
        assert_eq!((aside.conversion.message_id.as_str(), aside.reason), ("bad", Reason::Refused));
        assert_eq!(aside.http_status, Some(420));
        assert!(aside.conversion.timestamp.is_some(), "the time of submission");
        assert!(reporter.poll().unwrap().is_none());
        reporter.flush(SOON).unwrap();
        let statistics = reporter.statistics().unwrap();
        assert_eq!((statistics.accepted, statistics.sent, statistics.refused), (2, 1, 1));
    }
}
