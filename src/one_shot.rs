//! Makes one report without a client. The process keeps idle connections, so that later calls can reuse them.
//!
//! Calls share a connection pool if they have the same base URL, proxy, trusted certificates, client certificate and
//! maximum number of idle connections, and if the certificate files have not changed. The process keeps at most 8
//! pools. One more evicts the least recently used pool.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::auth::credentials::Credentials;
use crate::client;
use crate::client::Environment;
use crate::conversion::Conversion;
use crate::error::Error;
use crate::options::{ClientSettings, Options};
use crate::os::fork::PerProcess;
use crate::outcome::Outcome;
use crate::sync::Mutex;
use crate::transport::{FileVersion, HttpTransport, Resolver, TransportConfig, file_version, unreadable};

/// Reports `conversion` for the account of `credentials` and waits for the response.
///
/// For many reports, use a [`Client`](crate::Client), which checks its options only once. If an option is invalid or
/// a file cannot be used, returns an outcome without attempts.
#[must_use]
pub fn report(credentials: &Credentials, options: &Options<'_>, conversion: &Conversion) -> Outcome {
    let start = Instant::now();
    let checked = options.check().and_then(|settings| report_with(credentials, &settings, conversion, start));
    checked.unwrap_or_else(|error| Outcome { elapsed: start.elapsed(), ..Outcome::unsent(error) })
}

/// Like [`report`], but with options that have already been checked. The timeout counts from `start`. Returns an
/// error if the certificates cannot be read; in that case, no attempt was made.
pub(crate) fn report_with(
    credentials: &Credentials,
    settings: &ClientSettings,
    conversion: &Conversion,
    start: Instant,
) -> Result<Outcome, Error> {
    let transport = POOLS.get_or_make(|| Pools::new(Resolver::of_process())).transport(settings)?;
    Ok(client::report(conversion, credentials, settings, &*transport, &Environment::REAL, start))
}

/// Abandons all pools after a panic, which may have left them in an inconsistent state.
pub(crate) fn discard() {
    POOLS.abandon();
}

/// The maximum number of pools.
const MOST: usize = 8;

/// The pools of this process.
static POOLS: PerProcess<Pools> = PerProcess::new();

struct Pools {
    resolver: Resolver,
    /// The pools, with the most recently used one last.
    pools: Mutex<Vec<Pool>>,
}

struct Pool {
    settings: ClientSettings,
    files: Vec<FileVersion>,
    transport: Arc<HttpTransport>,
}

fn file_versions(settings: &ClientSettings) -> Result<Vec<FileVersion>, Error> {
    let version =
        |(parameter, path): (&str, &Path)| file_version(path).map_err(|error| unreadable(parameter, path, &error));
    settings.files().map(version).collect()
}

impl Pools {
    fn new(resolver: Resolver) -> Self {
        Self { resolver, pools: Mutex::default() }
    }

    fn transport(&self, settings: &ClientSettings) -> Result<Arc<HttpTransport>, Error> {
        let files = file_versions(settings)?;
        if let Some(transport) = find(&mut self.pools.lock(), settings, &files) {
            return Ok(transport);
        }
        // The lock is not held here, because `TransportConfig::new` reads files, which can block.
        let transport = Arc::new(HttpTransport::new(&TransportConfig::new(settings)?, self.resolver.clone()));
        let mut pools = self.pools.lock();
        if let Some(first) = find(&mut pools, settings, &files) {
            return Ok(first);
        }
        if pools.len() >= MOST {
            pools.remove(0);
        }
        pools.push(Pool { settings: settings.clone(), files, transport: Arc::clone(&transport) });
        Ok(transport)
    }
}

/// Returns the transport of the pool for `settings` and marks the pool as the most recently used.
fn find(pools: &mut [Pool], settings: &ClientSettings, files: &[FileVersion]) -> Option<Arc<HttpTransport>> {
    let fits = |pool: &Pool| pool.settings.shares_connections_with(settings) && pool.files == files;
    let position = pools.iter().position(fits)?;
    pools.get_mut(position..)?.rotate_left(1);
    pools.last().map(|pool| Arc::clone(&pool.transport))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::path::PathBuf;

    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::{fs, io};

    use nexmo_sandbox::{Sandbox, Settings as SandboxSettings};

    use super::*;
    use crate::conversion::{Channel, MessageId};
    use crate::error::Kind;
    use crate::transport::Lookup;

    /// A lookup that resolves every name to the loopback address and counts its calls.
    struct Counted(Arc<AtomicUsize>);

    impl Lookup for Counted {
        fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(vec![Ipv4Addr::LOCALHOST.into()])
        }
    }

    fn pools() -> Pools {
        Pools::new(Resolver::new(Counted(Arc::default())))
    }

    fn settings(base_url: &str, ca_file: Option<&Path>) -> ClientSettings {
        let options =
            Options { base_url: Some(base_url), ca_file, built_in_roots_only: ca_file.is_none(), ..Options::default() };
        options.check().unwrap()
    }

    #[test]
    fn a_loop_of_calls_opens_one_connection_and_resolves_the_name_once() {
        const CALLS: u64 = 10_000;
        let lookups = Arc::new(AtomicUsize::new(0));
        let resolver = Resolver::new(Counted(Arc::clone(&lookups)));
        POOLS.get_or_make(|| Pools::new(resolver));
        let sandbox = Sandbox::start(SandboxSettings::default()).unwrap();
        let base_url = sandbox.http_url().replace("127.0.0.1", "conversion.test");
        let credentials = Credentials::query("abcd1234", "s3cret").unwrap();
        let options = Options { base_url: Some(&base_url), allow_plain_http: true, ..Options::default() };
        let conversion = Conversion {
            channel: Channel::Sms,
            message_id: MessageId::new("id").unwrap(),
            delivered: true,
            timestamp: None,
        };
        for _ in 0..CALLS {
            assert_eq!(report(&credentials, &options, &conversion).result, Ok(()));
        }
        assert_eq!((sandbox.request_count(), sandbox.connections()), (CALLS, 1));
        assert_eq!(lookups.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn an_invalid_option_returns_an_outcome_without_an_attempt() {
        let credentials = Credentials::query("abcd1234", "s3cret").unwrap();
        let options = Options { base_url: Some("ftp://host"), ..Options::default() };
        let message_id = MessageId::new("id").unwrap();
        let conversion = Conversion { channel: Channel::Voice, message_id, delivered: true, timestamp: None };
        let outcome = report(&credentials, &options, &conversion);
        assert_eq!((outcome.result.unwrap_err().kind(), outcome.attempts), (Kind::InvalidArgument, 0));
    }

    #[test]
    fn each_distinct_combination_has_a_pool_and_the_least_recently_used_is_evicted() {
        let pools = pools();
        let url = |number: usize| format!("https://host-{number}.test");
        let first = pools.transport(&settings(&url(0), None)).unwrap();
        for number in 1..MOST {
            let other = pools.transport(&settings(&url(number), None)).unwrap();
            assert!(!Arc::ptr_eq(&first, &other));
        }
        assert!(Arc::ptr_eq(&first, &pools.transport(&settings(&url(0), None)).unwrap()));
        // Pool 1 is now the least recently used, and pool 8 replaces it.
        let second = Arc::downgrade(&pools.transport(&settings(&url(2), None)).unwrap());
        pools.transport(&settings(&url(MOST), None)).unwrap();
        assert_eq!(pools.pools.lock().len(), MOST);
        assert!(!pools.pools.lock().iter().any(|pool| pool.settings.base_url.as_str() == url(1)));
        assert!(second.upgrade().is_some());
    }

    #[test]
    fn a_rewritten_ca_file_creates_a_new_pool() {
        let folder = PathBuf::from(env!("OUT_DIR"));
        let path = folder.join("changing-ca.pem");
        fs::copy("tests/data/ca.pem", &path).unwrap();
        let pools = pools();
        let first = pools.transport(&settings("https://host.test", Some(&path))).unwrap();
        assert!(Arc::ptr_eq(&first, &pools.transport(&settings("https://host.test", Some(&path))).unwrap()));
        let pem = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("another line\n{pem}")).unwrap();
        let second = pools.transport(&settings("https://host.test", Some(&path))).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        fs::remove_file(&path).unwrap();
    }
}
