//! Runs cases and reports all failures together.
//!
//! Cases that mostly wait run concurrently. All other cases run one at a time, so they do not compete for the
//! processor. The cases that check the duration of a call run last, also one at a time.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

use nexmo_conversion::{Channel, Client, Conversion, Credentials, Kind, MessageId, Options, Outcome};

use crate::authority::{authority, certificate_file, key_file, remove_files};
use crate::case::{Case, Expected};
use crate::endpoints::Endpoints;
use crate::observations::{LONGEST_WAIT, Observations};
use crate::script::Step;

/// The number of waiting cases that run concurrently.
const WORKERS: usize = 16;

/// The time by which a call may exceed [`Expected::within`] on a busy machine.
const SLACK: Duration = Duration::from_secs(2);

/// The time by which any other call may exceed its timeout. It is less than [`LONGEST_WAIT`], so a call with a short
/// timeout fails its case if it returns only because the server has given up.
const LOOSE_SLACK: Duration = Duration::from_secs(30);

/// The secret, which must appear only in requests. It has the maximum length, for which a search takes longest.
pub(crate) const SECRET: &str = concat!(
    "hush-hush-wj3degzdpcf54erf5dhqd3dqciu4jhvmgnzgedp95w77zvrmrfv9x6ueh4kxj94cewxy97eft8ed",
    "v6u2yb7ykh9dpuir339fk63ti5t4y2qjfmjqqa9msuaj4zwid73333g83dnep6khxdgajgzbep2jsyz8hh9788",
    "vfjgxs8kbpzjbvfszkyqxqnr3qn9ybbt8sny6yzfqgq8nxp8a8yfh2n8m5xf373fkkibj7j8yjibagi5npbs",
);

/// The result of a case.
#[derive(Default)]
struct Verdict {
    name: String,
    faults: Vec<String>,
    overrun: Duration,
    is_skipped: bool,
}

/// Runs all `cases`, and fails if any of them fails.
pub(crate) fn run(cases: Vec<Case>) {
    let start = Instant::now();
    let verdicts = run_all(chosen(cases));
    remove_files();
    let failed: Vec<_> = verdicts.iter().filter(|verdict| !verdict.faults.is_empty()).collect();
    let worst = verdicts.iter().max_by_key(|verdict| verdict.overrun).expect("there are cases");
    let summary = format!(
        "fault suite: {} cases, {} skipped, {} failed, in {:.1} s; largest overrun {} ms ({})",
        verdicts.len(),
        verdicts.iter().filter(|verdict| verdict.is_skipped).count(),
        failed.len(),
        start.elapsed().as_secs_f32(),
        worst.overrun.as_millis(),
        worst.name,
    );
    print(&summary);
    let faults: Vec<_> =
        failed.iter().map(|verdict| format!("{}:\n    {}", verdict.name, verdict.faults.join("\n    "))).collect();
    assert!(faults.is_empty(), "{summary}\n{}", faults.join("\n"));
}

/// Runs `test`. Concurrent calls of this function wait, so the tests that call it run one at a time.
pub(crate) fn alone(test: impl FnOnce()) {
    static LOCK: Mutex<()> = Mutex::new(());
    let _guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    test();
}

/// Prints a line directly, because the test harness hides the output of successful tests.
pub(crate) fn print(line: &str) {
    io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn chosen(mut cases: Vec<Case>) -> Vec<Case> {
    let words = env::var("NEXMO_FAULTS").unwrap_or_default();
    cases.retain(|case| case.name.contains(&words));
    let mut names: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two cases have the same name: {names:#?}");
    cases
}

fn run_all(cases: Vec<Case>) -> Vec<Verdict> {
    let (about_time, others): (Vec<_>, Vec<_>) = cases.into_iter().partition(Case::is_about_time);
    let (idle, busy) = others.into_iter().partition(Case::is_idle);
    [run_some(idle, WORKERS), run_some(busy, 1), run_some(about_time, 1)].into_iter().flatten().collect()
}

/// Runs `cases`, up to `workers` of them concurrently.
fn run_some(cases: Vec<Case>, workers: usize) -> Vec<Verdict> {
    let (cases, verdicts) = (Mutex::new(VecDeque::from(cases)), Mutex::new(Vec::new()));
    let next = || cases.lock().unwrap().pop_front();
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = next() {
                    let verdict = run_case(&case);
                    verdicts.lock().unwrap().push(verdict);
                }
            });
        }
    });
    verdicts.into_inner().unwrap()
}

fn run_case(case: &Case) -> Verdict {
    let observations = Arc::new(Observations::default());
    let mut verdict = Verdict { name: case.name.clone(), ..Verdict::default() };
    let Some(endpoints) = Endpoints::open(case, &observations) else {
        verdict.is_skipped = true;
        return verdict;
    };
    let (sender, receiver) = channel();
    let filled = Case {
        base_url: endpoints.fill(&case.base_url),
        proxy: case.proxy.as_deref().map(|proxy| endpoints.fill(proxy)),
        ..case.clone()
    };
    let observed_by_caller = observations.clone();
    thread::spawn(move || call(&filled, &observed_by_caller, &sender));
    let (connect_timeout, timeout) = case.limits();
    for expected in &case.calls {
        match receiver.recv_timeout(timeout + LOOSE_SLACK + LONGEST_WAIT) {
            Ok((outcome, elapsed)) => {
                let latest = expected.within.map_or(timeout + LOOSE_SLACK, |within| within + SLACK);
                let overrun = expected.within.map(|within| elapsed.saturating_sub(within));
                verdict.overrun = verdict.overrun.max(overrun.unwrap_or_default());
                verdict.faults.extend(faults(expected, &outcome, elapsed, connect_timeout.min(timeout)..=latest));
            }
            Err(error) => {
                verdict.faults.push(format!("the call did not return, or panicked: {error}"));
            }
        }
    }
    // Dropping the endpoints waits until the servers have stopped, after which the observations are complete.
    drop(endpoints);
    verdict.faults.extend(faults_seen(case, &observations));
    verdict
}

/// Creates a client for `case`.
fn client(case: &Case) -> Client {
    let ca_file = certificate_file("ca.pem", &[authority().certificate()]);
    let (connect_timeout, timeout) = case.limits();
    let identity = case.identity.map(|identity| {
        let (name, proof) = (&case.name, authority().prove(identity));
        (certificate_file(&format!("{name}.pem"), &proof.chain), key_file(&format!("{name}.key"), &proof.key))
    });
    let options = Options {
        base_url: Some(&case.base_url),
        allow_plain_http: true,
        ca_file: Some(&ca_file),
        client_cert_file: identity.as_ref().map(|(certificate, _)| certificate.as_path()),
        client_key_file: identity.as_ref().map(|(_, key)| key.as_path()),
        proxy: case.proxy.as_deref(),
        max_attempts: case.attempts,
        connect_timeout: Some(connect_timeout),
        timeout: Some(timeout),
        ..Options::default()
    };
    Client::new(Credentials::query("key", SECRET).unwrap(), &options).unwrap()
}

/// Makes the calls of `case`.
fn call(case: &Case, observations: &Observations, sender: &Sender<(Outcome, Duration)>) {
    let client = client(case);
    let message_id = MessageId::new("id").unwrap();
    let conversion = Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None };
    let is_held_back = case.scripts.iter().flatten().any(|step| matches!(step, Step::LetCall));
    for index in 0..case.calls.len() {
        if index > 0 && is_held_back {
            observations.wait_until(|seen| seen.may_call);
        }
        let start = Instant::now();
        let outcome = client.report(&conversion);
        let elapsed = start.elapsed();
        observations.change(|seen| seen.returned += 1);
        sender.send((outcome, elapsed)).ok();
    }
}

/// Returns how `outcome` differs from `expected`. `time` begins with the shortest time after which a timeout may expire
/// and ends with the longest time that the call may take.
fn faults(expected: &Expected, outcome: &Outcome, elapsed: Duration, time: RangeInclusive<Duration>) -> Vec<String> {
    let kind: Option<Kind> = outcome.result.as_ref().err().map(|error| error.kind());
    let message = outcome.result.as_ref().err().map(|error| error.message()).unwrap_or_default();
    let wait = outcome.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap());
    let is_wait_right = match (&expected.retry_after, wait) {
        (None, None) => true,
        (Some(range), Some(wait)) => range.contains(&wait),
        _ => false,
    };
    let mut faults = Vec::new();
    let mut check = |is_right: bool, what: &str, expected: String, seen: String| {
        if !is_right {
            faults.push(format!("{what}: expected {expected}, got {seen} ({message})"));
        }
    };
    let is_other = kind.is_some_and(|kind| expected.other_kinds.contains(&kind));
    check(
        expected.kind == kind || is_other,
        "class",
        format!("{:?} or one of {:?}", expected.kind, expected.other_kinds),
        format!("{kind:?}"),
    );
    let http_status = expected.http_status.filter(|_| !is_other);
    check(
        http_status == outcome.http_status,
        "status",
        format!("{http_status:?}"),
        format!("{:?}", outcome.http_status),
    );
    check(
        expected.acceptance.contains(&outcome.acceptance),
        "acceptance",
        format!("{:?}", expected.acceptance),
        format!("{:?}", outcome.acceptance),
    );
    check(
        expected.attempts.contains(&outcome.attempts),
        "attempts",
        format!("{:?}", expected.attempts),
        outcome.attempts.to_string(),
    );
    check(is_wait_right, "retry after", format!("{:?}", expected.retry_after), format!("{wait:?}"));
    let is_said = expected.says.as_deref().is_none_or(|words| message.contains(words));
    check(is_said, "message", format!("{:?}", expected.says), message.to_owned());
    // A capital letter directly after a lowercase letter reveals the name of a type, such as `UnknownIssuer`.
    let is_name = |pair: &[u8]| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase());
    let shows_code = kind == Some(Kind::Tls) && message.as_bytes().windows(2).any(is_name);
    check(!shows_code, "message", "a sentence".to_owned(), message.to_owned());
    check(!format!("{outcome:?}").contains(SECRET), "secrecy", "no secret".to_owned(), message.to_owned());
    check(elapsed <= *time.end(), "time", format!("at most {:?}", time.end()), format!("{elapsed:?}"));
    let is_early = kind == Some(Kind::Timeout) && elapsed < *time.start();
    check(!is_early, "time", format!("at least {:?}", time.start()), format!("{elapsed:?}"));
    check(outcome.elapsed <= elapsed, "elapsed time", format!("at most {elapsed:?}"), format!("{:?}", outcome.elapsed));
    faults
}

/// Returns how the observations of the servers differ from those that `case` expects.
fn faults_seen(case: &Case, observations: &Observations) -> Vec<String> {
    let seen = observations.seen();
    let mut faults = Vec::new();
    if !case.requests.contains(&seen.requests) {
        faults.push(format!("requests: expected {:?}, got {}", case.requests, seen.requests));
    }
    if seen.received.iter().any(|received| received.starts_with("CONNECT ") && received.contains(SECRET)) {
        faults.push("secrecy: the proxy received the secret".to_owned());
    }
    for words in &case.received {
        if !seen.received.iter().any(|received| received.contains(words.as_str())) {
            faults.push(format!("received: expected {words:?} in {:?}", seen.received));
        }
    }
    faults
}
