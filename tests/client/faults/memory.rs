//! Measures the peak memory of a client that receives huge responses.

use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use nexmo_conversion::{Channel, Client, Conversion, Credentials, Kind, MessageId, Options};

use crate::case::LONG;
use crate::gzip_bomb::gzip_bomb;
use crate::observations::Observations;
use crate::runner::{alone, print};
use crate::script::{Script, Step, endless, send};
use crate::server::Server;
use crate::statuses::ten_mib;

/// The limit on the client's peak memory, in KiB.
const MOST: u64 = 32 * 1024;

/// The number of calls that receive each response.
const CALLS: usize = 20;

/// The time after which the measured process is killed.
const LONGEST: Duration = Duration::from_secs(300);

/// The environment variable that passes the server's address to the measured process.
const SERVER: &str = "NEXMO_FAULTS_SERVER";

#[test]
fn memory_stays_bounded_while_a_server_sends_huge_responses() {
    match env::var(SERVER) {
        Ok(base_url) => report_and_measure(&base_url),
        Err(_) => alone(serve_a_separate_process),
    }
}

/// Runs the server in this process and the client in a child process, so only the client's memory is measured.
fn serve_a_separate_process() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let scripts = bodies().iter().cycle().take(bodies().len() * CALLS).cloned().collect();
    let server = Server::start(listener, scripts, Arc::default() as Arc<Observations>);
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "memory::memory_stays_bounded_while_a_server_sends_huge_responses", "--nocapture"])
        .env(SERVER, base_url)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = output_of(child);
    drop(server);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    let most = text.lines().find(|line| line.contains("peak memory")).expect("the child prints its peak memory");
    print(&format!("fault suite: {most}"));
}

/// Returns the output of `child`. Kills `child` if it takes too long.
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
    let rejected =
        |header: String, body: Step| vec![Step::Read, send(format!("HTTP/1.1 402 No\r\n{header}\r\n\r\n")), body];
    let zipped = format!("content-encoding: gzip\r\ncontent-length: {}", gzip_bomb().len());
    vec![
        rejected("content-length: 10485760".to_owned(), ten_mib()),
        rejected("connection: close".to_owned(), ten_mib()),
        rejected("transfer-encoding: chunked".to_owned(), endless(format!("1000\r\n{}\r\n", "x".repeat(4096)))),
        rejected(zipped, send(gzip_bomb())),
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
    let output = format!("the peak memory of the client is {most} KiB; the limit is {MOST} KiB");
    print(&output);
    assert!(most < MOST, "{output}");
}

/// Returns the peak memory of this process, in KiB.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
