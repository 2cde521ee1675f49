//! Measures the cost of `submit` with each durability, and of draining an outbox. `make bench` runs this program. An
//! argument with a slash is the folder for the outboxes, `short` omits the largest outbox, and the other arguments name
//! the parts to run. Each line that begins with a brace is a JSON object with figures for `make bench`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use nexmo_conversion::testing::{self, Stub};
use nexmo_conversion::{Channel, Conversion, Durability, MessageId, Reporter, ReporterOptions};

const HOUR: Duration = Duration::from_secs(3600);

const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let folder = arguments.iter().find(|argument| argument.contains('/'));
    let is_short = arguments.iter().any(|argument| argument == "short");
    let parts: Vec<&String> =
        arguments.iter().filter(|argument| !argument.contains('/') && *argument != "short").collect();
    let is_selected = |part: &str| parts.is_empty() || parts.iter().any(|selected| *selected == part);
    let folder = folder.map_or_else(env::temp_dir, PathBuf::from).join(format!("nexmo-bench-{}", process::id()));
    fs::create_dir(&folder).unwrap();
    println!("outboxes in {}", folder.display());
    if is_selected("none") {
        flat_out(&folder, Durability::None, 200_000);
    }
    if is_selected("process") {
        flat_out(&folder, Durability::Process, 200_000);
    }
    if is_selected("one-power") {
        flat_out(&folder, Durability::Power, 4_000);
    }
    if is_selected("sqlite") {
        compare_with_sqlite(&folder);
    }
    if is_selected("paced") {
        paced(&folder);
    }
    if is_selected("power") {
        power(&folder);
    }
    if is_selected("rows") {
        rows(&folder, if is_short { &[0, 1_000, 10_000, 100_000] } else { &[0, 1_000, 10_000, 100_000, 1_000_000] });
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// Returns a report with an id like the service's: 16 hexadecimal digits, unique and in no particular order.
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

/// Submits `count` reports and returns the time of each call in nanoseconds, sorted.
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

/// Returns a quantile, in microseconds, of sorted times in nanoseconds.
fn quantile(times: &[u128], fraction: f64) -> f64 {
    times[((times.len() - 1) as f64 * fraction) as usize] as f64 / 1000.0
}

/// Statistics of the times of `submit` in microseconds, and the number of reports per second.
#[derive(Clone, Copy)]
struct Figures {
    median: f64,
    p999: f64,
    max: f64,
    per_second: f64,
}

impl Figures {
    /// Computes the figures from sorted times.
    fn of(times: &[u128], per_second: f64) -> Self {
        let [median, p999, max] = [0.5, 0.999, 1.0].map(|fraction| quantile(times, fraction));
        Self { median, p999, max, per_second }
    }
}

fn median(rounds: &[Figures], figure: fn(&Figures) -> f64) -> f64 {
    let mut all: Vec<f64> = rounds.iter().map(figure).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Prints the medians of all rounds, as text and as JSON.
fn print(what: &str, rounds: &[Figures]) {
    let figures: [fn(&Figures) -> f64; 4] =
        [|round| round.median, |round| round.p999, |round| round.max, |round| round.per_second];
    let [median_us, p999, max, per_second] = figures.map(|figure| median(rounds, figure));
    println!("submit {what}: median {median_us:.1} us, 99.9th percentile {p999:.1} us, maximum {max:.1} us");
    println!("    {per_second:.0} per second");
    println!(
        r#"{{"part": "{what}", "median_us": {median_us:.2}, "p999_us": {p999:.2}, "max_us": {max:.2}, "rate": {per_second:.0}}}"#
    );
}

/// Submits without a pause while the reporter sends. The rate covers the time until all reports are sent. Makes several
/// rounds, because the longest times depend on other load on the machine.
fn flat_out(folder: &Path, durability: Durability, count: usize) {
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let before = steal_time();
        let figures = flat_out_once(folder, durability, count, round);
        let stolen = 100.0 * (steal_time().0 - before.0) / (steal_time().1 - before.1);
        println!(
            "    round {round}: 99.9th percentile {:.0} us; other virtual machines used {stolen:.1} % of the time",
            figures.p999
        );
        rounds.push(figures);
    }
    print(&format!("flat out, {durability:?}").to_lowercase(), &rounds);
}

/// Returns the time since boot during which other virtual machines used the processors, and the total time.
fn steal_time() -> (f64, f64) {
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

/// Alternates batches of submits with batches of plain inserts into a simple database with unique message ids, to show
/// the cost of SQLite itself.
fn compare_with_sqlite(folder: &Path) {
    let (outbox, database) = (folder.join("ours"), folder.join("sqlite"));
    let stub = Arc::new(Stub::new(Duration::ZERO));
    stub.set_down(true);
    let reporter = Reporter::to_stub(&stub, &options(&outbox, Durability::Process)).unwrap();
    let sqlite = rusqlite::Connection::open(&database).unwrap();
    sqlite.execute_batch(SCHEMA).unwrap();
    let (mut all_ours, mut all_theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..7 {
        let (ours, theirs) = (submit(&reporter, 10_000), insert(&sqlite, 10_000));
        ratios.push(quantile(&ours, 0.5) / quantile(&theirs, 0.5));
        all_ours.extend(ours);
        all_theirs.extend(theirs);
    }
    for (what, mut times) in [("not sending, process", all_ours), ("plain SQLite insert", all_theirs)] {
        let per_second = times.len() as f64 * 1e9 / times.iter().sum::<u128>() as f64;
        times.sort_unstable();
        print(what, &[Figures::of(&times, per_second)]);
    }
    ratios.sort_by(f64::total_cmp);
    println!("submit relative to a plain insert: {:.2} times, {:.2} to {:.2}", ratios[3], ratios[0], ratios[6]);
}

const SCHEMA: &str = "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                    CREATE TABLE report (id INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE, wall INTEGER)";

/// Inserts `count` rows and returns the time of each insert in nanoseconds, sorted.
fn insert(sqlite: &rusqlite::Connection, count: usize) -> Vec<u128> {
    let mut statement = sqlite.prepare("INSERT INTO report (message_id, wall) VALUES (?, 0)").unwrap();
    let reports: Vec<Conversion> = (0..count).map(|_| report()).collect();
    let mut insert = |report: &Conversion| timed(|| statement.execute([report.message_id.as_str()]).map(drop).unwrap());
    let mut times: Vec<u128> = reports.iter().map(&mut insert).collect();
    times.sort_unstable();
    times
}

/// Submits 10,000 reports per second while the reporter sends them to a stub that responds after a millisecond.
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
    print("at 10,000 per second, process", &[Figures::of(&times, 50_000.0 / start.elapsed().as_secs_f64())]);
    println!("    {} reports were pending at the end", reporter.statistics().unwrap().pending);
}

/// Submits alternately from 1 thread and from 16 threads. Each submit waits until its report is on disk.
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
            // A single thread syncs once for each report.
            let shared = testing::syncs() - syncs - 4_000;
            println!(
                "submit, Power: 1 thread {one:.0} per second, 16 threads {sixteen:.0}, {:.1} times, {:.1} reports per sync",
                sixteen / one,
                4_000.0 / shared as f64
            );
            sixteen / one
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("    16 threads relative to 1: median {:.1} times, {:.1} to {:.1}", ratios[2], ratios[0], ratios[4]);
}

/// An outbox that starts with `rows` rows.
struct Filled {
    rows: usize,
    outbox: PathBuf,
    reporter: Reporter,
}

/// Measures how the number of rows in the outbox affects `submit`, memory and draining. The outboxes of all sizes are
/// measured in turn, one batch of submits at a time.
fn rows(folder: &Path, sizes: &[usize]) {
    let stub = Arc::new(Stub::new(Duration::ZERO));
    stub.set_down(true);
    let before = resident();
    let outboxes: Vec<Filled> = sizes.iter().map(|rows| fill(folder, &stub, *rows)).collect();
    println!("memory grew by {:.1} MiB to {:.1} MiB", resident() - before, resident());
    let rounds: Vec<Vec<f64>> =
        (0..7).map(|_| outboxes.iter().map(|filled| quantile(&submit(&filled.reporter, 500), 0.5)).collect()).collect();
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
    let [min, median, max] = [0, 3, 6].map(|at| medians[at]);
    println!(
        "{rows} rows: submit {median:.1} us, {min:.1} to {max:.1}; claimed and completed without sending: {rate:.0} per second"
    );
    println!(
        r#"{{"part": "rows", "rows": {rows}, "median_us": {median:.2}, "min_us": {min:.2}, "max_us": {max:.2}, "drain_rate": {rate:.0}}}"#
    );
}

/// Returns the resident memory of this process in MiB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
