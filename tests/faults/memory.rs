//! How much memory a client takes while a server sends as much as it can.

use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use nexmo_conversion::{Channel, Client, Conversion, Credentials, Kind, MessageId, Options};

use crate::bomb::bomb;
use crate::notes::Notes;
use crate::row::LONG;
use crate::script::{Script, Step, endless, send};
use crate::server::Server;
use crate::statuses::ten_mib;
use crate::suite::{alone, tell};

/// The most memory that a client may ever hold, in KiB.
const MOST: u64 = 32 * 1024;

/// How often each of the bodies is sent.
const CALLS: usize = 20;

/// The longest that all of it may take.
const LONGEST: Duration = Duration::from_secs(300);

/// Names the server in the process that is measured.
const SERVER: &str = "NEXMO_FAULTS_SERVER";

#[test]
fn memory_stays_small_while_a_server_sends_much() {
    match env::var(SERVER) {
        Ok(base_url) => report_and_measure(&base_url),
        Err(_) => alone(serve_a_process_of_its_own),
    }
}

/// The server is here, so that the process that is measured holds nothing but the client.
fn serve_a_process_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let scripts = bodies().iter().cycle().take(bodies().len() * CALLS).cloned().collect();
    let server = Server::start(listener, scripts, Arc::default() as Arc<Notes>);
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "memory::memory_stays_small_while_a_server_sends_much", "--nocapture"])
        .env(SERVER, base_url)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = output_of(child);
    drop(server);
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    let most = told.lines().find(|line| line.contains("KiB at its worst")).expect("the child tells what it held");
    tell(&format!("fault suite: {most}"));
}

/// What `child` says, which is ended when it takes too long.
fn output_of(mut child: Child) -> Output {
    let deadline = Instant::now() + LONGEST;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

fn bodies() -> Vec<Script> {
    let refused =
        |header: String, body: Step| vec![Step::Read, send(format!("HTTP/1.1 402 No\r\n{header}\r\n\r\n")), body];
    let zipped = format!("content-encoding: gzip\r\ncontent-length: {}", bomb().len());
    vec![
        refused("content-length: 10485760".to_owned(), ten_mib()),
        refused("connection: close".to_owned(), ten_mib()),
        refused("transfer-encoding: chunked".to_owned(), endless(format!("1000\r\n{}\r\n", "x".repeat(4096)))),
        refused(zipped, send(bomb())),
        vec![Step::Read, endless("HTTP/1.1 200 OK\r\nx: y\r\n")],
    ]
}

fn report_and_measure(base_url: &str) {
    let options = Options { base_url: Some(base_url), timeout: Some(LONG), ..Options::default() };
    let client = Client::new(Credentials::query("key", "secret").unwrap(), &options).unwrap();
    for _ in 0..CALLS {
        for _ in 0..bodies().len() {
            let message_id = MessageId::new("id").unwrap();
            let conversion = Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None };
            let kind = client.report(&conversion).result.unwrap_err().kind();
            assert!(matches!(kind, Kind::NotEnabled | Kind::Protocol), "{kind:?}");
        }
    }
    let most = most_memory();
    let told = format!("the client held {most} KiB at its worst, of {MOST}");
    tell(&told);
    assert!(most < MOST, "{told}");
}

/// The most memory that this process ever held, in KiB.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
