//! Reads certificates again when their files change, so that new connections use rotated certificates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::certificates::{CertificateFiles, Certificates, Versions};
use crate::error::{Error, Kind};
use crate::sync::Mutex;

/// The minimum time between two checks of the files.
const INTERVAL: Duration = Duration::from_secs(1);

/// Certificates, and the files from which they are read.
#[derive(Debug)]
pub(super) struct CertificateWatch {
    files: CertificateFiles,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    certificates: Arc<Certificates>,
    /// The versions of the files when they were last read without a temporary failure, even if they could not be used.
    versions: Versions,
    checked: Option<Instant>,
    /// Why the files could not be used when they were last read; None if they are in use.
    problem: Option<Error>,
}

impl CertificateWatch {
    /// Watches `files`, from which `certificates` were read.
    pub(super) fn new(files: CertificateFiles, certificates: Arc<Certificates>) -> Self {
        let versions = certificates.versions.clone();
        Self { files, state: Mutex::new(State { certificates, versions, checked: None, problem: None }) }
    }

    /// Returns the certificates to use at `now`. Checks at most once a second whether the files have changed, and if
    /// so, reads them again. If they cannot be used, the previous certificates stay in use.
    pub(super) fn current(&self, now: Instant) -> Arc<Certificates> {
        let known = {
            let mut state = self.state.lock();
            let is_checked = state.checked.is_some_and(|at| now.saturating_duration_since(at) < INTERVAL);
            if is_checked || state.versions.is_empty() {
                return Arc::clone(&state.certificates);
            }
            state.checked = Some(now);
            state.versions.clone()
        };
        // The lock is not held here, because examining and reading files can block.
        let versions = self.files.versions();
        let read = (versions != known).then(|| self.files.read());
        let mut state = self.state.lock();
        match read {
            None => {}
            Some(Ok(certificates)) => {
                state.versions.clone_from(&certificates.versions);
                state.certificates = Arc::new(certificates);
                state.problem = None;
            }
            Some(Err(error)) => {
                // After a temporary failure, the next check reads the files again.
                if error.kind() != Kind::System {
                    state.versions = versions;
                }
                state.problem = Some(error);
            }
        }
        Arc::clone(&state.certificates)
    }

    /// Returns why the files could not be used when they were last read, or None if they are in use.
    pub(super) fn problem(&self) -> Option<Error> {
        self.state.lock().problem.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::options::Options;

    struct Fixture {
        path: PathBuf,
        watch: CertificateWatch,
        now: Instant,
    }

    impl Fixture {
        fn new(name: &str) -> Self {
            let path = Path::new(env!("OUT_DIR")).join(name);
            fs::copy("tests/data/ca.pem", &path).unwrap();
            let options = Options { base_url: Some("https://host.test"), ca_file: Some(&path), ..Options::default() };
            let files = CertificateFiles::of(&options.check().unwrap());
            let certificates = Arc::new(files.read().unwrap());
            Self { watch: CertificateWatch::new(files, certificates), path, now: Instant::now() }
        }

        /// Advances the clock by the interval and returns the certificates.
        fn next(&mut self) -> Arc<Certificates> {
            self.now += INTERVAL;
            self.watch.current(self.now)
        }

        fn problem(&self) -> Option<String> {
            self.watch.problem().map(|error| error.message().to_owned())
        }
    }

    #[test]
    fn a_changed_file_is_read_at_the_next_check_and_an_unchanged_one_is_not() {
        let mut fixture = Fixture::new("watched-change.pem");
        let first = fixture.next();
        assert!(Arc::ptr_eq(&first, &fixture.next()));
        let pem = fs::read_to_string(&fixture.path).unwrap();
        let written = fixture.path.with_extension("new");
        fs::write(&written, &pem).unwrap();
        fs::rename(written, &fixture.path).unwrap();
        assert!(
            Arc::ptr_eq(&first, &fixture.watch.current(fixture.now)),
            "the file must not be read again within a second"
        );
        let second = fixture.next();
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&second, &fixture.next()));
        fs::remove_file(&fixture.path).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_used_leaves_the_previous_certificates_in_use() {
        let mut fixture = Fixture::new("watched-damage.pem");
        let (first, pem) = (fixture.next(), fs::read_to_string(&fixture.path).unwrap());
        fs::write(&fixture.path, "half a certifi").unwrap();
        assert!(Arc::ptr_eq(&first, &fixture.next()));
        assert!(fixture.problem().unwrap().contains("contains no usable certificate"));
        fs::remove_file(&fixture.path).unwrap();
        assert!(Arc::ptr_eq(&first, &fixture.next()));
        assert!(fixture.problem().unwrap().contains("cannot be read"));
        fs::write(&fixture.path, pem).unwrap();
        assert!(!Arc::ptr_eq(&first, &fixture.next()));
        assert_eq!(fixture.problem(), None);
        fs::remove_file(&fixture.path).unwrap();
    }
}
