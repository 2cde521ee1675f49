//! What `submit` costs in each durability, and how fast an outbox is emptied. `make bench` runs it; an argument with a slash
//! is the folder for the outboxes, `short` makes fewer rows, any other is the name of a part to run in place of all. Lines
//! that begin with a brace are the figures for `make bench`, one JSON object each.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use nexmo_conversion::testing::{self, Stub};
use nexmo_conversion::{Channel, Conversion, Durability, MessageId, Reporter, ReporterOptions};

const HOUR: Duration = Duration::from_secs(3600);

/// How often what is submitted flat out is measured.
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let folder = arguments.iter().find(|argument| argument.contains('/'));
    let is_short = arguments.iter().any(|argument| argument == "short");
    let parts: Vec<&String> =
        arguments.iter().filter(|argument| !argument.contains('/') && *argument != "short").collect();
    let is_asked = |part: &str| parts.is_empty() || parts.iter().any(|asked| *asked == part);
    let folder = folder.map_or_else(env::temp_dir, PathBuf::from).join(format!("nexmo-bench-{}", process::id()));
    fs::create_dir(&folder).unwrap();
    println!("outboxes in {}", folder.display());
    if is_asked("none") {
        flat_out(&folder, Durability::None, 200_000);
    }
    if is_asked("process") {
        flat_out(&folder, Durability::Process, 200_000);
    }
    if is_asked("one-power") {
        flat_out(&folder, Durability::Power, 4_000);
    }
    if is_asked("bare") {
        against_bare(&folder);
    }
    if is_asked("paced") {
        paced(&folder);
    }
    if is_asked("power") {
        power(&folder);
    }
    if is_asked("rows") {
        rows(&folder, if is_short { &[0, 1_000, 10_000, 100_000] } else { &[0, 1_000, 10_000, 100_000, 1_000_000] });
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// A report with an id like those of the service: 16 hexadecimal digits without an order.
fn report() -> Conversion {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let message_id = MessageId::new(&format!("{number:016X}")).unwrap();
    Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }
}

fn options(outbox: &Path, durability: Durability) -> ReporterOptions<'_> {
    let outbox = (durability != Durability::None).then_some(outbox);
    ReporterOptions {
        outbox,
        durability,
        max_pending: Some(10_000_000),
        max_in_flight: Some(32),
        busy_timeout: Some(Duration::from_secs(10)),
        ..Default::default()
    }
}

/// How long each of `count` submits took, in nanoseconds, the shortest first.
fn submit(reporter: &Reporter, count: usize) -> Vec<u128> {
    let reports: Vec<Conversion> = (0..count).map(|_| report()).collect();
    let mut times: Vec<u128> = reports.iter().map(|report| timed(|| reporter.submit(report).unwrap())).collect();
    times.sort_unstable();
    times
}

fn timed(work: impl FnOnce()) -> u128 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos()
}

/// In microseconds: the time that the given part of all submits did not exceed.
fn percentile(times: &[u128], part: f64) -> f64 {
    times[((times.len() - 1) as f64 * part) as usize] as f64 / 1000.0
}

/// What a measurement of `submit` came to.
#[derive(Clone, Copy)]
struct Figures {
    median: f64,
    most: f64,
    longest: f64,
    per_second: f64,
}

impl Figures {
    /// Of times, the shortest first.
    fn of(times: &[u128], per_second: f64) -> Self {
        let [median, most, longest] = [0.5, 0.999, 1.0].map(|part| percentile(times, part));
        Self { median, most, longest, per_second }
    }
}

/// The one in the middle.
fn middle(rounds: &[Figures], figure: fn(&Figures) -> f64) -> f64 {
    let mut all: Vec<f64> = rounds.iter().map(figure).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// One line for people and one for `make bench`, of the middle of all rounds.
fn print(what: &str, rounds: &[Figures]) {
    let figures: [fn(&Figures) -> f64; 4] =
        [|round| round.median, |round| round.most, |round| round.longest, |round| round.per_second];
    let [median, most, longest, per_second] = figures.map(|figure| middle(rounds, figure));
    println!("submit {what}: median {median:.1} us, 99.9th percentile {most:.1} us, longest {longest:.1} us");
    println!("    {per_second:.0} a second");
    println!(
        r#"{{"part": "{what}", "median_us": {median:.2}, "most_us": {most:.2}, "longest_us": {longest:.2}, "rate": {per_second:.0}}}"#
    );
}

/// Submitted without a pause, and sent meanwhile; the rate is that until all are sent. In rounds, for the rarest times tell most
/// of what else the machine had to do.
fn flat_out(folder: &Path, durability: Durability, count: usize) {
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let before = stolen();
        let figures = flat_out_once(folder, durability, count, round);
        let lost = 100.0 * (stolen().0 - before.0) / (stolen().1 - before.1);
        println!(
            "    round {round}: 99.9th percentile {:.0} us; {lost:.1} % of the time went to other machines",
            figures.most
        );
        rounds.push(figures);
    }
    print(&format!("flat out, {durability:?}").to_lowercase(), &rounds);
}

/// For how long others had the processors of this virtual machine, and all time, both since it started.
fn stolen() -> (f64, f64) {
    let statistics = fs::read_to_string("/proc/stat").unwrap();
    let line = statistics.lines().next().unwrap();
    let times: Vec<f64> = line.split_whitespace().skip(1).map(|time| time.parse().unwrap()).collect();
    (times[7], times[..8].iter().sum())
}

fn flat_out_once(folder: &Path, durability: Durability, count: usize, round: usize) -> Figures {
    let outbox = folder.join(format!("flat-out-{durability:?}-{round}"));
    let stub = Arc::new(Stub::new(Duration::ZERO));
    let reporter = Reporter::to_stub(&stub, &options(&outbox, durability)).unwrap();
    let start = Instant::now();
    let times = submit(&reporter, count);
    reporter.flush(Some(HOUR)).unwrap();
    Figures::of(&times, count as f64 / start.elapsed().as_secs_f64())
}

/// In turns with a bare insert into a database of the same kind, with the same unique key: the price of the file itself.
fn against_bare(folder: &Path) {
    let (outbox, database) = (folder.join("ours"), folder.join("bare"));
    let stub = Arc::new(Stub::new(Duration::ZERO));
    stub.set_down(true);
    let reporter = Reporter::to_stub(&stub, &options(&outbox, Durability::Process)).unwrap();
    let bare = rusqlite::Connection::open(&database).unwrap();
    bare.execute_batch(BARE).unwrap();
    let (mut all_ours, mut all_theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..7 {
        let (ours, theirs) = (submit(&reporter, 10_000), insert(&bare, 10_000));
        ratios.push(percentile(&ours, 0.5) / percentile(&theirs, 0.5));
        all_ours.extend(ours);
        all_theirs.extend(theirs);
    }
    for (what, mut times) in [("not sending, process", all_ours), ("a bare insert into SQLite", all_theirs)] {
        let per_second = times.len() as f64 * 1e9 / times.iter().sum::<u128>() as f64;
        times.sort_unstable();
        print(what, &[Figures::of(&times, per_second)]);
    }
    ratios.sort_by(f64::total_cmp);
    println!("submit against a bare insert: {:.2} times, {:.2} to {:.2}", ratios[3], ratios[0], ratios[6]);
}

const BARE: &str = "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                    CREATE TABLE report (id INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE, wall INTEGER)";

/// How long each of `count` inserts took, in nanoseconds, the shortest first.
fn insert(bare: &rusqlite::Connection, count: usize) -> Vec<u128> {
    let mut statement = bare.prepare("INSERT INTO report (message_id, wall) VALUES (?, 0)").unwrap();
    let reports: Vec<Conversion> = (0..count).map(|_| report()).collect();
    let mut insert = |report: &Conversion| timed(|| statement.execute([report.message_id.as_str()]).map(drop).unwrap());
    let mut times: Vec<u128> = reports.iter().map(&mut insert).collect();
    times.sort_unstable();
    times
}

/// 10,000 a second, each sent to a service that answers after a millisecond.
fn paced(folder: &Path) {
    let outbox = folder.join("paced");
    let stub = Arc::new(Stub::new(Duration::from_millis(1)));
    let reporter = Reporter::to_stub(&stub, &options(&outbox, Durability::Process)).unwrap();
    let start = Instant::now();
    let mut times: Vec<u128> = (0..50_000_u32)
        .map(|number| {
            let due = start + Duration::from_micros(100) * number;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let report = report();
            timed(|| reporter.submit(&report).unwrap())
        })
        .collect();
    times.sort_unstable();
    print("at 10,000 a second, process", &[Figures::of(&times, 50_000.0 / start.elapsed().as_secs_f64())]);
    println!("    {} were pending at the end", reporter.statistics().unwrap().pending);
}

/// One thread against sixteen, in turns, where each submit waits for the disk.
fn power(folder: &Path) {
    let outbox = folder.join("power");
    let stub = Arc::new(Stub::new(Duration::ZERO));
    stub.set_down(true);
    let reporter = Reporter::to_stub(&stub, &options(&outbox, Durability::Power)).unwrap();
    let mut ratios: Vec<f64> = (0..5)
        .map(|_| {
            let rate = |threads: usize| {
                let start = Instant::now();
                let each = 4_000 / threads;
                thread::scope(|scope| {
                    (0..threads).for_each(|_| {
                        scope.spawn(|| submit(&reporter, each));
                    });
                });
                4_000.0 / start.elapsed().as_secs_f64()
            };
            let syncs = testing::syncs();
            let (one, sixteen) = (rate(1), rate(16));
            let alone = 4_000;
            let shared = testing::syncs() - syncs - alone;
            println!(
                "submit, Power: 1 thread {one:.0} a second, 16 threads {sixteen:.0}, {:.1} times, {:.1} reports a sync",
                sixteen / one,
                4_000.0 / shared as f64
            );
            sixteen / one
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("    16 threads against 1: median {:.1} times, {:.1} to {:.1}", ratios[2], ratios[0], ratios[4]);
}

/// An outbox with some rows in it at the start.
struct Filled {
    rows: usize,
    outbox: PathBuf,
    reporter: Reporter,
}

/// What rows that wait in the outbox do to `submit`, to memory and to the way out. The outboxes take turns.
fn rows(folder: &Path, sizes: &[usize]) {
    let stub = Arc::new(Stub::new(Duration::ZERO));
    stub.set_down(true);
    let before = resident();
    let outboxes: Vec<Filled> = sizes.iter().map(|rows| fill(folder, &stub, *rows)).collect();
    println!("memory grew by {:.1} MiB to {:.1} MiB", resident() - before, resident());
    let rounds: Vec<Vec<f64>> = (0..7)
        .map(|_| outboxes.iter().map(|filled| percentile(&submit(&filled.reporter, 500), 0.5)).collect())
        .collect();
    for (number, filled) in outboxes.into_iter().enumerate() {
        let mut medians: Vec<f64> = rounds.iter().map(|round| round[number]).collect();
        medians.sort_by(f64::total_cmp);
        print_rows(filled, &medians);
    }
}

fn fill(folder: &Path, stub: &Arc<Stub>, rows: usize) -> Filled {
    let outbox = folder.join(format!("rows-{rows}"));
    let reporter = Reporter::to_stub(stub, &options(&outbox, Durability::Process)).unwrap();
    (0..rows).for_each(|_| reporter.submit(&report()).unwrap());
    Filled { rows, outbox, reporter }
}

fn print_rows(filled: Filled, medians: &[f64]) {
    let Filled { rows, outbox, reporter } = filled;
    drop(reporter);
    let (count, time) = testing::drain(&outbox, 256).unwrap();
    let rate = count as f64 / time.as_secs_f64();
    let [least, median, most] = [0, 3, 6].map(|at| medians[at]);
    println!(
        "{rows} rows: submit {median:.1} us, {least:.1} to {most:.1}; taken and settled without sending: {rate:.0} a second"
    );
    println!(
        r#"{{"part": "rows", "rows": {rows}, "median_us": {median:.2}, "least_us": {least:.2}, "most_us": {most:.2}, "drain_rate": {rate:.0}}}"#
    );
}

/// Memory of this process, in MiB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
