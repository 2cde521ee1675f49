//! Changes bytes in the files of an outbox and then uses the outbox. Every call must return, and the counters must add
//! up.
#![no_main]

mod threads;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::{Channel, Conversion, Credentials, Error, MessageId, Options, Reporter, ReporterOptions};

/// The suffixes of the outbox files in which bytes are changed.
const SUFFIXES: [&str; 4] = ["", "-wal", "-shm", ".lock"];

fn open(outbox: &Path) -> Result<Reporter, Error> {
    let credentials = Credentials::query("key", "secret")?;
    let options = Options { base_url: Some("http://127.0.0.1:1"), ..Options::default() };
    Reporter::new(credentials, &options, &ReporterOptions { outbox: Some(outbox), ..ReporterOptions::default() })
}

fn report(number: usize) -> Conversion {
    let message_id = MessageId::new(&format!("message-{number}")).unwrap();
    Conversion { channel: Channel::Sms, message_id, delivered: number.is_multiple_of(2), timestamp: None }
}

/// Returns a temporary directory for this process.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("nexmo-fuzz-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    })
}

/// Returns the contents of the files that make up an outbox with 20 pending reports.
fn template() -> &'static [Vec<u8>; 4] {
    static TEMPLATE: OnceLock<[Vec<u8>; 4]> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let outbox = folder().join("template");
        let reporter = open(&outbox).unwrap();
        (0..20).for_each(|number| reporter.submit(&report(number)).unwrap());
        reporter.close(Some(Duration::ZERO)).unwrap_err();
        SUFFIXES.map(|suffix| fs::read(format!("{}{suffix}", outbox.display())).unwrap())
    })
}

fuzz_target!(|changes: Vec<(u8, u32, u8)>| {
    let mut contents = template().clone();
    for (file, position, bits) in changes {
        let content = &mut contents[usize::from(file) % SUFFIXES.len()];
        let position = usize::try_from(position).unwrap() % content.len();
        content[position] ^= bits;
    }
    let folder = folder().join("changed");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir(&folder).unwrap();
    let outbox = folder.join("outbox");
    for (suffix, content) in SUFFIXES.iter().zip(&contents) {
        let path = format!("{}{suffix}", outbox.display());
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    let threads = threads::count();
    let Ok(reporter) = open(&outbox) else {
        return;
    };
    reporter.submit(&report(100)).ok();
    reporter.flush(Some(Duration::from_millis(1))).ok();
    if let Ok(Some(event)) = reporter.poll(Some(Duration::ZERO)) {
        reporter.acknowledge(event.id).ok();
    }
    if let Ok(found) = reporter.statistics() {
        let left = found.accepted + found.rejected + found.expired + found.replaced + found.dropped + found.damaged;
        let add_up = found.submitted >= left.saturating_add(found.pending) || found.pending == 0;
        assert!(add_up, "the counters do not add up: {found:?}");
    }
    reporter.close(Some(Duration::ZERO)).ok();
    drop(reporter);
    threads::wait_until_at_most(threads);
});
