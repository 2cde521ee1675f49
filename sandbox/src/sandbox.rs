//! A running sandbox.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;
use std::{fs, io};

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Certificates;
use crate::error::Error;
use crate::record::Record;
use crate::rule::Rule;
use crate::server::{Listeners, serve};
use crate::service::Service;
use crate::settings::Settings;

/// A local stand-in for the service. It serves on a background thread until it is dropped.
///
/// All methods can be called on any thread, including the threads of an asynchronous runtime.
///
/// ```
/// use nexmo_sandbox::{Behaviour, Rule, Sandbox, Settings};
///
/// let sandbox = Sandbox::start(Settings::default())?;
/// sandbox.rule(Rule::for_message("00A0B0C0", Behaviour::Throttled(5)));
/// assert!(sandbox.http_url().starts_with("http://127.0.0.1:"));
/// assert_eq!(sandbox.request_count(), 0);
/// # Ok::<(), nexmo_sandbox::Error>(())
/// ```
#[derive(Debug)]
pub struct Sandbox {
    http_port: u16,
    https_port: u16,
    ca_file: PathBuf,
    service: Arc<Service>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    // Removes the folder when dropped.
    _folder: Option<TempDir>,
}

impl Sandbox {
    /// Starts a sandbox and returns when both listeners accept connections.
    ///
    /// # Errors
    ///
    /// Returns an error if the sandbox cannot listen on a port, write a file, or create a certificate or thread.
    pub fn start(settings: Settings) -> Result<Self, Error> {
        let service = Arc::new(Service::new(&settings)?);
        let certificates = Certificates::generate(SystemTime::now())?;
        let (folder, path) = folder(settings.directory)?;
        let ca_file = write(&path, "ca.pem", &certificates.ca_pem)?;
        let (http, http_port) = listen(settings.http_port)?;
        let (https, https_port) = listen(settings.https_port)?;
        let tls = TlsAcceptor::from(certificates.server);
        let (stop, thread) = spawn(http, https, tls, service.clone())?;
        let (stop, thread) = (Some(stop), Some(thread));
        Ok(Self { http_port, https_port, ca_file, service, stop, thread, _folder: folder })
    }

    /// Returns the URL for plain HTTP: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http_port)
    }

    /// Returns the URL for HTTPS: `https://localhost:PORT`.
    ///
    /// The certificate is also valid for `127.0.0.1`, `::1` and `conversion.test`.
    #[must_use]
    pub fn https_url(&self) -> String {
        format!("https://localhost:{}", self.https_port)
    }

    /// Returns the path of the PEM file with the CA that an HTTPS client must trust. Each start creates a new CA.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Returns the records of the requests since the start or the last [`clear`](Self::clear). If [`Settings::keep`] is
    /// false, there are none.
    #[must_use]
    pub fn requests(&self) -> Vec<Record> {
        self.service.records()
    }

    /// Returns the number of requests since the start or the last [`clear`](Self::clear).
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.service.count()
    }

    /// Returns the number of TCP connections accepted since the start or the last [`clear`](Self::clear).
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.service.connections()
    }

    /// Removes the records, and resets the counts of requests and connections to 0. Keeps the rules, and does not reset
    /// the numbers that identify connections.
    pub fn clear(&self) {
        self.service.clear();
    }

    /// Adds a rule for subsequent requests.
    pub fn rule(&self, rule: Rule) {
        self.service.add_rule(rule);
    }

    /// Removes all rules, including those in the settings.
    pub fn clear_rules(&self) {
        self.service.clear_rules();
    }

    /// Closes both listeners and all connections before it returns. Dropping the sandbox has the same effect.
    pub fn stop(self) {}
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Both calls fail only if the thread has panicked.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Creates the folder for `ca.pem` and returns its path. For a temporary folder, also returns a guard that removes it.
fn folder(given: Option<PathBuf>) -> Result<(Option<TempDir>, PathBuf), Error> {
    let Some(path) = given else {
        let created = tempfile::Builder::new().prefix("nexmo-sandbox-").tempdir();
        let folder = created.map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
        let path = folder.path().to_owned();
        return Ok((Some(folder), path));
    };
    // The path is absolute because a command may run in another folder.
    let absolute = fs::create_dir_all(&path).and_then(|()| fs::canonicalize(&path));
    absolute.map(|absolute| (None, absolute)).map_err(|source| Error::File { path, source })
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Error> {
    let path = folder.join(name);
    match fs::write(&path, text) {
        Ok(()) => Ok(path),
        Err(source) => Err(Error::File { path, source }),
    }
}

fn listen(port: u16) -> Result<(TcpListener, u16), Error> {
    let bind = || -> io::Result<_> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    };
    bind().map_err(|source| Error::Listen { port, source })
}

type Running = (oneshot::Sender<()>, JoinHandle<()>);

/// Serves on a new thread. That thread also drops its runtime, because a thread of another runtime must not drop it.
fn spawn(http: TcpListener, https: TcpListener, tls: TlsAcceptor, service: Arc<Service>) -> Result<Running, Error> {
    let (ready, started) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let run = move || match prepare(http, https, tls) {
        Ok((runtime, listeners)) => {
            let _ = ready.send(Ok(()));
            runtime.block_on(serve(listeners, service, stopped));
        }
        Err(error) => drop(ready.send(Err(error))),
    };
    let thread = thread::Builder::new().name("nexmo-sandbox".into()).spawn(run).map_err(Error::Thread)?;
    let ended = |_| Err(io::Error::other("the thread ended"));
    started.recv().unwrap_or_else(ended).map_err(Error::Thread)?;
    Ok((stop, thread))
}

fn prepare(http: TcpListener, https: TcpListener, tls: TlsAcceptor) -> io::Result<(Runtime, Listeners)> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let entered = runtime.enter();
    let http = tokio::net::TcpListener::from_std(http)?;
    let https = tokio::net::TcpListener::from_std(https)?;
    drop(entered);
    Ok((runtime, Listeners { http, https, tls }))
}
