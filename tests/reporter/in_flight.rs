//! Tests that the number of reports in flight adapts to the service. The long variants send 50,000 reports to services
//! with a latency of 200 ms; `src/reporter/simulation/tests.rs` simulates the same services.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "../common/mod.rs"]
mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{Folder, IN_MEMORY, LATER, SOON, credentials, in_calm_file, is_long, reporter, sms, statistics};
use nexmo_conversion::{Options, Reporter};

const BACKLOG: usize = 50_000;

/// The rate limit of a throttling service, in requests per second.
const RATE: f64 = 240.0;

/// How a service limits its rate.
#[derive(Clone, Copy)]
enum Limit {
    None,
    /// A token bucket: a request without a token gets 429, with `Retry-After: 1` if `has_retry_after`.
    Bucket {
        rate: f64,
        burst: f64,
        has_retry_after: bool,
    },
    /// Serves one request after the other, this many per second.
    Queue(f64),
}

/// A request: its arrival, the number of requests then in flight, its end, and whether it was accepted.
#[derive(Clone, Copy)]
struct Request {
    began: Instant,
    in_flight: usize,
    ended: Instant,
    is_accepted: bool,
}

/// Returns a bucket that holds the tokens of up to one second.
fn bucket(rate: f64) -> Limit {
    Limit::Bucket { rate, burst: rate, has_retry_after: false }
}

struct State {
    limit: Limit,
    tokens: f64,
    refilled: Instant,
    served: Instant,
    in_flight: usize,
    requests: Vec<Request>,
}

impl State {
    /// Returns the time of the response, and whether the service accepts the request.
    fn respond(&mut self) -> (Instant, bool) {
        let now = Instant::now();
        match self.limit {
            Limit::None => (now, true),
            Limit::Queue(rate) => {
                self.served = self.served.max(now) + Duration::from_secs_f64(1.0 / rate);
                (self.served, true)
            }
            Limit::Bucket { rate, burst, .. } => {
                self.tokens = (self.tokens + (now - self.refilled).as_secs_f64() * rate).min(burst);
                self.refilled = now;
                let is_accepted = self.tokens >= 1.0;
                self.tokens -= if is_accepted { 1.0 } else { 0.0 };
                (now, is_accepted)
            }
        }
    }
}

/// A service with a latency and a limit.
struct Limited {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Limited {
    fn start(limit: Limit, latency: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let now = Instant::now();
        let state = State { limit, tokens: RATE, refilled: now, served: now, in_flight: 0, requests: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), Arc::clone(&shared));
                thread::spawn(move || serve(stream, &state, latency / 2));
            }
        });
        Self { url, state }
    }

    fn change(&self, limit: Limit) -> Instant {
        self.state.lock().unwrap().limit = limit;
        Instant::now()
    }

    fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Returns the highest number of requests in flight since `from`.
    fn most_in_flight(&self, from: Instant) -> usize {
        self.requests()
            .iter()
            .filter(|request| request.began >= from)
            .map(|request| request.in_flight)
            .max()
            .unwrap_or(0)
    }

    fn accepted(&self, from: Instant, to: Instant) -> usize {
        let is_counted = |request: &&Request| request.is_accepted && (from..to).contains(&request.ended);
        self.requests().iter().filter(is_counted).count()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>, one_way: Duration) {
    let mut buffer = [0; 16 * 1024];
    // The library sends each request in a single write, without a body, so each read returns one request.
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
        let began = Instant::now();
        let in_flight = {
            let mut state = state.lock().unwrap();
            state.in_flight += 1;
            state.in_flight
        };
        thread::sleep(one_way);
        let ((responds_at, is_accepted), limit) = {
            let mut state = state.lock().unwrap();
            (state.respond(), state.limit)
        };
        thread::sleep(responds_at.saturating_duration_since(Instant::now()) + one_way);
        let head = match (is_accepted, limit) {
            (true, _) => "200 OK\r\n",
            (false, Limit::Bucket { has_retry_after: true, .. }) => "429 Too Many Requests\r\nretry-after: 1\r\n",
            (false, _) => "429 Too Many Requests\r\n",
        };
        {
            let mut state = state.lock().unwrap();
            state.in_flight -= 1;
            state.requests.push(Request { began, in_flight, ended: Instant::now(), is_accepted });
        }
        if stream.write_all(format!("HTTP/1.1 {head}content-length: 0\r\n\r\n").as_bytes()).is_err() {
            break;
        }
    }
}

fn submit(reporter: &Reporter, count: usize) {
    (0..count).for_each(|number| reporter.submit(&sms(&format!("id-{number}"), true)).unwrap());
}

#[test]
fn a_backlog_gets_more_reports_in_flight() {
    let service = Limited::start(Limit::None, Duration::from_millis(50));
    let began = Instant::now();
    let reporter = reporter(&service.url, &IN_MEMORY);
    submit(&reporter, 3000);
    reporter.flush(Some(SOON)).unwrap();
    let most = service.most_in_flight(began);
    println!("in flight: up to {most}");
    assert!((9..=64).contains(&most), "{most}");
}

/// Sends the backlog with the default options. Returns the time that this took and the fraction of requests that were
/// not accepted.
fn drain(limit: Limit) -> (Duration, f64) {
    let (folder, service) = (Folder::new(), Limited::start(limit, Duration::from_millis(200)));
    let outbox = folder.outbox();
    let reporter = reporter(&service.url, &in_calm_file(&outbox));
    let began = Instant::now();
    submit(&reporter, BACKLOG);
    reporter.flush(Some(LATER)).unwrap();
    let (took, requests) = (began.elapsed(), service.requests());
    assert_eq!(statistics(&reporter).accepted, BACKLOG as u64);
    let failed = requests.iter().filter(|request| !request.is_accepted).count();
    let part = failed as f64 / requests.len() as f64;
    println!("in flight: {BACKLOG} reports in {took:?}, {:.2} % of requests not accepted", part * 100.0);
    (took, part)
}

#[test]
fn a_backlog_drains_in_three_minutes() {
    if is_long() {
        let (took, part) = drain(Limit::None);
        assert!(took < Duration::from_secs(180) && part == 0.0);
    }
}

#[test]
fn few_requests_exceed_the_rate_of_the_service() {
    if is_long() {
        for (burst, has_retry_after) in [(RATE, false), (RATE, true), (RATE / 10.0, false), (RATE / 10.0, true)] {
            let (took, part) = drain(Limit::Bucket { rate: RATE, burst, has_retry_after });
            assert!(took < Duration::from_secs(312) && part <= 0.01);
        }
    }
}

#[test]
fn a_service_with_a_low_rate_gets_two_requests_at_a_time() {
    if !is_long() {
        return;
    }
    for limit in [bucket(2.0), Limit::Queue(2.0)] {
        let service = Limited::start(bucket(RATE), Duration::from_millis(200));
        // The service still counts a request after its client has timed out, so no request may time out.
        let options = Options { base_url: Some(&service.url), timeout: Some(SOON), ..Options::default() };
        let reporter = Reporter::new(credentials(), &options, &IN_MEMORY).unwrap();
        submit(&reporter, BACKLOG);
        thread::sleep(Duration::from_secs(10));
        let from = service.change(limit) + Duration::from_secs(1);
        thread::sleep(Duration::from_secs(62));
        let (most, accepted) = (service.most_in_flight(from), service.accepted(from, from + Duration::from_secs(60)));
        println!("in flight: up to {most} at 2 per second, {accepted} reports accepted in one minute");
        assert!(most <= 2 && accepted >= 60);
    }
}
