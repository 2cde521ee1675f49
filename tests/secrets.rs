//! Tests that no secret stays in memory after every handle is freed. A child process makes reports and frees its
//! handles; the test then searches the child's memory for copies of the secret.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(unsafe_code)]

mod common;
#[path = "common/library.rs"]
mod library;

use std::ffi::{CString, c_char, c_void};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::process::{Child, Stdio};
use std::{hint, mem, ptr, thread};

use crate::common::process::{children, command};
use crate::common::{Folder, SOON, wait_until};

children![report_and_free];

/// The length of each secret in bytes.
const LENGTH: usize = 24;

/// The behavior of a service that receives a secret in a request.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Service {
    /// Accepts the report.
    Accepts,
    /// Responds with an error that repeats the request.
    Echoes,
}

/// Starts a service that also accepts every `CONNECT` request, like a proxy. Returns the service's address.
fn start(service: Service) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream, service));
        }
    });
    address
}

fn serve(mut stream: TcpStream, service: Service) {
    let mut buffer = [0; 16 * 1024];
    // The library sends a request with a single write, and without a body.
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        let request = String::from_utf8_lossy(&buffer[..count]).into_owned();
        let response = match service {
            _ if request.starts_with("CONNECT") => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
            Service::Accepts => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
            Service::Echoes => {
                format!("HTTP/1.1 503 Unavailable\r\ncontent-length: {}\r\n\r\n{request}", request.len())
            }
        };
        if stream.write_all(response.as_bytes()).is_err() {
            break;
        }
    }
}

#[test]
fn no_secret_stays_in_memory() {
    let folder = Folder::new();
    let accepting = start(Service::Accepts);
    let echoing = start(Service::Echoes);
    let mut found = Vec::new();
    for method in ["query", "basic", "md5_hash", "hmac_md5", "hmac_sha1", "hmac_sha256", "hmac_sha512"] {
        for (name, address) in [("accepted", &accepting), ("echoed", &echoing)] {
            found.extend(copies(&folder, method, name, address, ""));
        }
    }
    found.extend(copies(&folder, "query", "through a proxy", &accepting, &accepting));
    assert!(found.is_empty(), "{found:#?}");
}

/// Runs a child to which a secret is passed only through standard input. Returns a line for each copy of the secret
/// that is left in the child's memory.
fn copies(folder: &Folder, method: &str, name: &str, address: &str, proxy: &str) -> Vec<String> {
    let outbox = folder.path().join(format!("{method}-{name}"));
    let library = library::built_library().to_str().unwrap();
    let mut child = command("report_and_free", &[library, method, address, proxy, outbox.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The secret is random, so it occurs nowhere else. It is hexadecimal, so percent-encoding leaves it unchanged.
    let secret = format!("{:016x}{:08x}", random(), random() as u32);
    assert_eq!(secret.len(), LENGTH);
    child.stdin.as_mut().unwrap().write_all(secret.as_bytes()).unwrap();
    let mut line = [0; 5];
    child.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
    assert_eq!(&line, b"freed");
    let found = search(&child, secret.as_bytes());
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    found.into_iter().map(|position| format!("{method}, {name}: {position}")).collect()
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    u64::from_ne_bytes(bytes)
}

/// Searches the writable memory of the child for the secret and for values that reveal the secret or a part of it.
fn search(child: &Child, secret: &[u8]) -> Vec<String> {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD.encode([b"key:", secret].concat());
    let xored = |with: u8| secret.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let forms = [
        ("the secret", secret.to_vec()),
        ("half of it", secret[LENGTH / 2..].to_vec()),
        ("in base64", base64.as_bytes()[8..].to_vec()),
        ("as HMAC's inner key", xored(0x36)),
        ("as HMAC's outer key", xored(0x5c)),
    ];
    let memory = File::open(format!("/proc/{}/mem", child.id())).unwrap();
    let maps = fs::read_to_string(format!("/proc/{}/maps", child.id())).unwrap();
    let mut found = Vec::new();
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (start, rest) = map.split_once('-').unwrap();
        let (end, _) = rest.split_once(' ').unwrap();
        let [start, end] = [start, end].map(|address| u64::from_str_radix(address, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        if memory.read_exact_at(&mut bytes, start).is_err() {
            continue;
        }
        for (name, form) in &forms {
            for offset in offsets(&bytes, form) {
                let around = String::from_utf8_lossy(&bytes[offset.saturating_sub(40)..bytes.len().min(offset + 60)]);
                found.push(format!("{name} in {} at {:#x}: {around:?}", map, start + offset as u64));
            }
        }
    }
    found
}

/// Returns the offsets of `part` in `bytes`.
fn offsets(bytes: &[u8], part: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut start = 0;
    loop {
        let rest = &bytes[start..];
        // SAFETY: both slices outlive the call.
        let at = unsafe { libc::memmem(rest.as_ptr().cast(), rest.len(), part.as_ptr().cast(), part.len()) };
        if at.is_null() {
            return found;
        }
        let offset = start + (at.addr() - rest.as_ptr().addr());
        found.push(offset);
        start = offset + 1;
    }
}

/// Reads a secret, uses it with a client, a reporter in memory and a reporter with an outbox file, and frees
/// everything.
fn report_and_free(arguments: &[String]) {
    let mut secret = [0; LENGTH];
    read_secret(&mut secret);
    use_secret(arguments, &secret);
    wipe(&mut secret);
    // Each thread of the library frees its memory before it ends.
    wait_until("the end of all threads", SOON, || fs::read_dir("/proc/self/task").unwrap().count() == 1);
    std::io::stdout().write_all(b"freed").unwrap();
    std::io::stdout().flush().unwrap();
    common::process::wait_for_end();
}

/// Reads the secret without the buffer of the standard library, which would keep a copy.
fn read_secret(secret: &mut [u8]) {
    let mut count = 0;
    while count < secret.len() {
        // SAFETY: the rest of the slice is writable.
        let read = unsafe { libc::read(0, secret[count..].as_mut_ptr().cast(), secret.len() - count) };
        count += usize::try_from(read).unwrap();
    }
}

fn wipe(secret: &mut [u8]) {
    secret.fill(0);
    hint::black_box(secret);
}

/// Calls the release build of the library, because optimization can add copies that a debug build does not have.
fn use_secret(arguments: &[String], secret: &[u8]) {
    let [library, method, address, proxy, outbox] = arguments else { panic!("five arguments are needed") };
    let library = Library::load(library);
    let text = |line: &str| line.as_bytes().to_vec();
    let mut lines = vec![text(&format!("api_key = key\nbase_url = http://{address}\n"))];
    let (name, method) = match method.as_str() {
        "query" | "basic" => ("api_secret", format!("auth = {method}\n")),
        _ => ("signature_secret", format!("auth = signature\nsignature_method = {method}\n")),
    };
    lines.push(text(&method));
    if proxy.is_empty() {
        lines.extend([text(&format!("{name} = ")), secret.to_vec(), text("\n")]);
    } else {
        lines.extend([
            text("api_secret = another\nproxy = http://key:"),
            secret.to_vec(),
            text(&format!("@{proxy}\n")),
        ]);
    }
    for kind in ["", "durability = none\n", &format!("outbox = {outbox}\n")] {
        let mut settings = Vec::with_capacity(1024);
        lines.iter().for_each(|line| settings.extend_from_slice(line));
        settings.extend_from_slice(kind.as_bytes());
        let handle = library.open(&settings);
        wipe(&mut settings);
        if kind.is_empty() {
            (0..3).for_each(|_| library.report("nexmo_flat_report", handle, "id"));
        } else {
            (0..10).for_each(|number| library.report("nexmo_flat_submit", handle, &format!("id-{number}")));
            library.end("nexmo_flat_flush", handle);
        }
        library.end("nexmo_flat_close", handle);
    }
    lines.iter_mut().for_each(|line| wipe(line));
}

struct Library(*mut c_void);

impl Library {
    fn load(path: &str) -> Self {
        let path = CString::new(path).unwrap();
        // SAFETY: the path ends with NUL.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null());
        Self(handle)
    }

    fn function(&self, name: &str) -> *mut c_void {
        let name = CString::new(name).unwrap();
        // SAFETY: the name ends with NUL.
        let function = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        assert!(!function.is_null(), "{name:?}");
        function
    }

    fn open(&self, settings: &[u8]) -> i64 {
        type Open = unsafe extern "C" fn(*const c_char, i32, *mut i64, *mut c_char, i32) -> i32;
        // SAFETY: `nexmo_flat_open` has this type.
        let open: Open = unsafe { mem::transmute(self.function("nexmo_flat_open")) };
        let (mut handle, mut message) = (0, [0_u8; 400]);
        let size = settings.len() as i32;
        // SAFETY: each size is that of its buffer.
        let status = unsafe { open(settings.as_ptr().cast(), size, &raw mut handle, message.as_mut_ptr().cast(), 400) };
        assert_eq!(status, 0, "{}", String::from_utf8_lossy(&message));
        handle
    }

    fn report(&self, name: &str, handle: i64, message_id: &str) {
        type Report = unsafe extern "C" fn(
            i64,
            i32,
            *const c_char,
            i32,
            i32,
            *const c_char,
            i32,
            *mut i64,
            i32,
            *mut c_char,
            i32,
        ) -> i32;
        // SAFETY: both functions have this type.
        let report: Report = unsafe { mem::transmute(self.function(name)) };
        let (size, none) = (message_id.len() as i32, ptr::null_mut());
        let mut message = [0_u8; 400];
        // SAFETY: each size is that of its buffer.
        unsafe {
            let (id, message) = (message_id.as_ptr().cast(), message.as_mut_ptr().cast());
            report(handle, 1, id, size, 1, ptr::null(), 0, none, 0, message, 400);
        }
    }

    /// Calls a flush or close function with a short time limit.
    fn end(&self, name: &str, handle: i64) {
        type Wait = unsafe extern "C" fn(i64, i32, *mut c_char, i32) -> i32;
        // SAFETY: both functions have this type.
        let wait: Wait = unsafe { mem::transmute(self.function(name)) };
        // SAFETY: NULL is a valid message buffer.
        unsafe { wait(handle, 300, ptr::null_mut(), 0) };
    }
}
