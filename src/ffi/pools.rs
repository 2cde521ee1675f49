//! The connections of the one-call functions, kept for the process: a plain loop over such calls keeps its connection
//! alive.
//!
//! There is one pool for each distinct set of base URL and trust, at most 8 of them; the one that was idle longest goes.
//! Time limits and user agent belong to the call.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use crate::base_url::BaseUrl;
use crate::error::Error;
use crate::options::{Settings, Trust};
use crate::sys;
use crate::transport::{HttpTransport, Resolver};

/// The most pools that are kept.
const MOST: usize = 8;

/// The pools of this process; NULL until the first call, and again after a fork or a panic.
static CURRENT: AtomicPtr<Pools> = AtomicPtr::new(ptr::null_mut());

/// The pools forgotten last, which lead to those forgotten before. Only leak checkers follow them.
static FORGOTTEN: AtomicPtr<Pools> = AtomicPtr::new(ptr::null_mut());

#[derive(Default)]
struct Pools {
    forgotten_before: AtomicPtr<Pools>,
    resolver: Resolver,
    /// The one used last stands last.
    pools: Mutex<Vec<Pool>>,
}

struct Pool {
    key: Key,
    transport: Arc<HttpTransport>,
}

/// What makes a pool distinct.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    base_url: BaseUrl,
    trust: Trust,
    ca_file: Option<Stamp>,
}

/// What changes when a file is written anew or replaced: device, inode, size, and time in seconds and nanoseconds.
type Stamp = (u64, u64, u64, i64, i64);

/// The connections to use with `settings`.
pub(crate) fn transport(settings: &Settings) -> Result<Arc<HttpTransport>, Error> {
    let key =
        Key { base_url: settings.base_url.clone(), trust: settings.trust.clone(), ca_file: stamp(&settings.trust)? };
    current().transport(key)
}

/// Forgets all pools, so that what a panic may have broken is not met again. They are not dropped, for the same reason.
pub(crate) fn discard() {
    let current = CURRENT.swap(ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: a pointer that was once in `CURRENT` came from a box and is never freed.
    if let Some(pools) = unsafe { current.as_ref() } {
        pools.forgotten_before.store(FORGOTTEN.swap(current, Ordering::AcqRel), Ordering::Release);
    }
}

/// A child made by fork must not touch its parent's pools: a lock may be held for ever, and a connection shared by two
/// processes mixes their bytes.
extern "C" fn forget_in_child() {
    discard();
}

fn current() -> &'static Pools {
    static FORK_IS_WATCHED: Once = Once::new();
    FORK_IS_WATCHED.call_once(|| sys::after_fork_in_child(forget_in_child));
    let existing = CURRENT.load(Ordering::Acquire);
    let pools = if existing.is_null() { install(Box::default()) } else { existing };
    // SAFETY: a pointer that was once in `CURRENT` came from a box and is never freed.
    unsafe { &*pools }
}

/// Makes `pools` the current ones, unless another thread was first.
fn install(pools: Box<Pools>) -> *mut Pools {
    let own = Box::into_raw(pools);
    match CURRENT.compare_exchange(ptr::null_mut(), own, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => own,
        Err(first) => {
            // SAFETY: `own` came from a box and was shown to nobody.
            drop(unsafe { Box::from_raw(own) });
            first
        }
    }
}

impl Pools {
    fn transport(&self, key: Key) -> Result<Arc<HttpTransport>, Error> {
        if let Some(transport) = find(&mut self.lock(), &key) {
            return Ok(transport);
        }
        // The lock is free meanwhile: files are read here.
        let transport = Arc::new(HttpTransport::new(&key.trust, self.resolver.clone())?);
        let mut pools = self.lock();
        if let Some(first) = find(&mut pools, &key) {
            return Ok(first);
        }
        if pools.len() >= MOST {
            pools.remove(0);
        }
        pools.push(Pool { key, transport: Arc::clone(&transport) });
        Ok(transport)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Pool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pool of `key`, which becomes the one used last.
fn find(pools: &mut [Pool], key: &Key) -> Option<Arc<HttpTransport>> {
    let position = pools.iter().position(|pool| pool.key == *key)?;
    pools.get_mut(position..)?.rotate_left(1);
    pools.last().map(|pool| Arc::clone(&pool.transport))
}

fn stamp(trust: &Trust) -> Result<Option<Stamp>, Error> {
    let Trust::File(path) = trust else {
        return Ok(None);
    };
    let data = fs::metadata(path)
        .map_err(|error| Error::argument("ca_file", format!("{} cannot be read: {error}", path.display())))?;
    Ok(Some((data.dev(), data.ino(), data.size(), data.mtime(), data.mtime_nsec())))
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::io;
    use std::net::{IpAddr, Ipv4Addr};
    use std::path::PathBuf;
    use std::sync::atomic::AtomicUsize;

    use nexmo_sandbox::{Sandbox, Settings as SandboxSettings};

    use super::*;
    use crate::ffi::conversion::nexmo_conversion_sms;
    use crate::ffi::status::NEXMO_OK;
    use crate::ffi::structs::{NEXMO_OPTIONS_ALLOW_PLAIN_HTTP, nexmo_credentials, nexmo_options};
    use crate::transport::Lookup;

    /// Says that every name is this machine, and counts how often it was asked.
    struct Counted(Arc<AtomicUsize>);

    impl Lookup for Counted {
        fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(vec![Ipv4Addr::LOCALHOST.into()])
        }
    }

    fn pools() -> Pools {
        Pools { resolver: Resolver::new(Counted(Arc::default())), ..Pools::default() }
    }

    fn key(base_url: &str, trust: Trust) -> Key {
        Key { base_url: BaseUrl::parse(base_url, false).unwrap(), ca_file: stamp(&trust).unwrap(), trust }
    }

    #[test]
    fn a_loop_of_calls_opens_one_connection_and_looks_the_name_up_once() {
        const CALLS: u64 = 10_000;
        let lookups = Arc::new(AtomicUsize::new(0));
        let resolver = Resolver::new(Counted(Arc::clone(&lookups)));
        install(Box::new(Pools { resolver, ..Pools::default() }));
        let sandbox = Sandbox::start(SandboxSettings::default()).unwrap();
        let base_url = CString::new(sandbox.http_url().replace("127.0.0.1", "conversion.test")).unwrap();
        // SAFETY: integers and pointers, for which all zeroes are a value.
        let (mut credentials, mut options): (nexmo_credentials, nexmo_options) = unsafe { std::mem::zeroed() };
        credentials.struct_size = u32::try_from(size_of::<nexmo_credentials>()).unwrap();
        credentials.api_key = c"abcd1234".as_ptr();
        credentials.api_secret = c"s3cret".as_ptr();
        options.struct_size = u32::try_from(size_of::<nexmo_options>()).unwrap();
        options.flags = NEXMO_OPTIONS_ALLOW_PLAIN_HTTP;
        options.base_url = base_url.as_ptr();
        for _ in 0..CALLS {
            // SAFETY: the structs are whole, the texts end with NUL, and NULL may be passed for the rest.
            let status = unsafe {
                nexmo_conversion_sms(&credentials, c"id".as_ptr(), 1, ptr::null(), &options, ptr::null_mut())
            };
            assert_eq!(status, NEXMO_OK);
        }
        assert_eq!((sandbox.request_count(), sandbox.connections()), (CALLS, 1));
        assert_eq!(lookups.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn each_distinct_set_has_a_pool_and_the_idlest_goes() {
        let pools = pools();
        let url = |number: usize| format!("https://host-{number}.test");
        let first = pools.transport(key(&url(0), Trust::BuiltIn)).unwrap();
        for number in 1..MOST {
            let other = pools.transport(key(&url(number), Trust::BuiltIn)).unwrap();
            assert!(!Arc::ptr_eq(&first, &other));
        }
        assert!(Arc::ptr_eq(&first, &pools.transport(key(&url(0), Trust::BuiltIn)).unwrap()));
        // Now 1 has been idle for longest, and makes room for 8.
        let second = Arc::downgrade(&pools.transport(key(&url(2), Trust::BuiltIn)).unwrap());
        pools.transport(key(&url(MOST), Trust::BuiltIn)).unwrap();
        assert_eq!(pools.lock().len(), MOST);
        assert!(!pools.lock().iter().any(|pool| pool.key.base_url.as_str() == url(1)));
        assert!(second.upgrade().is_some());
    }

    #[test]
    fn a_ca_file_written_anew_makes_a_new_pool() {
        let folder = PathBuf::from(env!("OUT_DIR"));
        let path = folder.join("changing-ca.pem");
        fs::copy("tests/data/ca.pem", &path).unwrap();
        let pools = pools();
        let first = pools.transport(key("https://host.test", Trust::File(path.clone()))).unwrap();
        assert!(Arc::ptr_eq(&first, &pools.transport(key("https://host.test", Trust::File(path.clone()))).unwrap()));
        let pem = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("another line\n{pem}")).unwrap();
        let second = pools.transport(key("https://host.test", Trust::File(path.clone()))).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        fs::remove_file(&path).unwrap();
    }
}
