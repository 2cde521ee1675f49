//! A running sandbox: it is there when `start` returns and gone when it is dropped.

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
use crate::server::{Doors, serve};
use crate::service::Office;
use crate::settings::Settings;

/// A stand-in for the service on this machine. It serves on a thread of its own until it is dropped.
///
/// Every method may be called from any thread, also from within an asynchronous runtime.
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
    office: Arc<Office>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    // Held for its drop alone, which removes the folder that `start` made.
    _folder: Option<TempDir>,
}

impl Sandbox {
    /// Starts a sandbox and returns once both of its listeners take connections.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`]: a port is taken, a file cannot be written, no certificate or thread can be made.
    pub fn start(settings: Settings) -> Result<Self, Error> {
        let office = Arc::new(Office::open(&settings)?);
        let certificates = Certificates::make(SystemTime::now())?;
        let (folder, path) = folder(settings.directory)?;
        let ca_file = write(&path, "ca.pem", &certificates.ca_pem)?;
        let (http, http_port) = listen(settings.http_port)?;
        let (https, https_port) = listen(settings.https_port)?;
        let tls = TlsAcceptor::from(certificates.server);
        let (stop, thread) = spawn(http, https, tls, office.clone())?;
        let (stop, thread) = (Some(stop), Some(thread));
        Ok(Self { http_port, https_port, ca_file, office, stop, thread, _folder: folder })
    }

    /// Where plain HTTP is served: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http_port)
    }

    /// Where HTTPS is served: `https://localhost:PORT`.
    ///
    /// The certificate is also good for `127.0.0.1`, `::1` and `conversion.test`.
    #[must_use]
    pub fn https_url(&self) -> String {
        format!("https://localhost:{}", self.https_port)
    }

    /// The PEM file with the authority that an HTTPS client must trust; a new one at each start.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Every request since the start or the last [`clear`](Self::clear), unless the settings keep none.
    #[must_use]
    pub fn requests(&self) -> Vec<Record> {
        self.office.records()
    }

    /// How many requests there were since the start or the last [`clear`](Self::clear).
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.office.count()
    }

    /// How many TCP connections both listeners took since the start or the last [`clear`](Self::clear).
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.office.connections()
    }

    /// Forgets all requests and connections so far; rules stay, and connections keep their numbers.
    pub fn clear(&self) {
        self.office.clear();
    }

    /// Adds a rule; it is in force for every request judged from now on.
    pub fn rule(&self, rule: Rule) {
        self.office.add_rule(rule);
    }

    /// Takes away all rules, those of the settings too.
    pub fn clear_rules(&self) {
        self.office.clear_rules();
    }

    /// Closes both listeners and every connection, and returns when that is done. Dropping does the same.
    pub fn stop(self) {}
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Neither can fail in a way that matters: a thread that is gone has stopped.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The folder for files, and the guard that removes it if it is a temporary one.
fn folder(given: Option<PathBuf>) -> Result<(Option<TempDir>, PathBuf), Error> {
    let Some(path) = given else {
        let made = tempfile::Builder::new().prefix("nexmo-sandbox-").tempdir();
        let made = made.map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
        let path = made.path().to_owned();
        return Ok((Some(made), path));
    };
    // A command may run in another folder than we do, so it must be given a path that holds everywhere.
    let whole = fs::create_dir_all(&path).and_then(|()| fs::canonicalize(&path));
    whole.map(|whole| (None, whole)).map_err(|source| Error::File { path, source })
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

/// Serves on a new thread. The runtime lives and dies there, where dropping it can disturb no other runtime.
fn spawn(http: TcpListener, https: TcpListener, tls: TlsAcceptor, office: Arc<Office>) -> Result<Running, Error> {
    let (ready, started) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let run = move || match prepare(http, https, tls) {
        Ok((runtime, doors)) => {
            let _ = ready.send(Ok(()));
            runtime.block_on(serve(doors, office, stopped));
        }
        Err(error) => drop(ready.send(Err(error))),
    };
    let thread = thread::Builder::new().name("nexmo-sandbox".into()).spawn(run).map_err(Error::Thread)?;
    let ended = |_| Err(io::Error::other("the thread ended at once"));
    started.recv().unwrap_or_else(ended).map_err(Error::Thread)?;
    Ok((stop, thread))
}

fn prepare(http: TcpListener, https: TcpListener, tls: TlsAcceptor) -> io::Result<(Runtime, Doors)> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let entered = runtime.enter();
    let http = tokio::net::TcpListener::from_std(http)?;
    let https = tokio::net::TcpListener::from_std(https)?;
    drop(entered);
    Ok((runtime, Doors { http, https, tls }))
}
