//! Tests how fast a backlog of 50,000 reports drains with a round trip of 200 ms, how many requests exceed the rate
//! of the service, and how the reporter reacts when the service changes. With 64 reports in flight, the backlog
//! drains in 156 s.

use std::fmt::Write;

use super::*;
use crate::reporter::simulation::service::Limit;

const BACKLOG: u64 = 50_000;

/// The rate that a service that throttles accepts, in requests per second. 48 reports in flight produce this rate.
const RATE: f64 = 240.0;

/// The times at which the service changes and changes back, in seconds.
const CHANGE: f64 = 20.0;
const CHANGE_BACK: f64 = 130.0;

const LATER: Duration = Duration::from_secs(2000);

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Returns a limit of `rate` requests per second that allows a burst of `burst` seconds' worth of requests.
fn throttled(rate: f64, burst: f64, retry_after: Option<Duration>) -> Limit {
    Limit::Bucket { rate, burst: rate * burst, retry_after }
}

fn simulation(service: Service) -> Simulation {
    Simulation::new(service, BACKLOG).with_jitter(Duration::from_millis(5), 1)
}

/// Simulates a service that changes and changes back, until 60 s after it has changed back.
fn with_change(usual: Limit, change: Limit, timeout: f64) -> Simulation {
    let service = Service::new(usual).then(seconds(CHANGE), change).then(seconds(CHANGE_BACK), usual);
    let mut simulation = simulation(service).with_timeout(seconds(timeout));
    simulation.run(seconds(CHANGE_BACK + 60.0));
    simulation
}

impl Simulation {
    /// Returns the number of requests that ended between the seconds `from` and `to` and were accepted, or were not.
    fn count(&self, is_accepted: bool, from: f64, to: f64) -> usize {
        let is_counted =
            |ended: &&Ended| ended.is_accepted == is_accepted && (seconds(from)..seconds(to)).contains(&ended.at);
        self.ended.iter().filter(is_counted).count()
    }

    /// Returns the fraction of all requests that failed.
    fn failed_part(&self) -> f64 {
        self.ended.iter().filter(|ended| !ended.is_accepted).count() as f64 / self.ended.len() as f64
    }

    /// Returns the highest number of reports in flight when a request began between the seconds `from` and `to`.
    fn most_in_flight(&self, from: f64, to: f64) -> usize {
        let is_counted = |began: &&Began| (seconds(from)..seconds(to)).contains(&began.at);
        self.began.iter().filter(is_counted).map(|began| began.in_flight).max().unwrap_or(0)
    }

    /// Returns how many seconds after `time` the service accepts at least 90 % of [`RATE`] for one second, or
    /// infinity if that does not happen within 60 s.
    fn recovery(&self, time: f64) -> f64 {
        let delays = (0..600_u32).map(|tenths| f64::from(tenths) / 10.0);
        let is_fast = |delay: &f64| self.count(true, time + delay, time + delay + 1.0) as f64 >= 0.9 * RATE;
        delays.into_iter().find(is_fast).unwrap_or(f64::INFINITY)
    }
}

#[test]
fn a_backlog_drains_in_three_minutes() {
    for jitter in [0, 5] {
        let mut simulation =
            Simulation::new(Service::new(Limit::None), BACKLOG).with_jitter(Duration::from_millis(jitter), 1);
        let took = simulation.run(LATER);
        println!("all accepted, {jitter} ms of jitter: {took:?}");
        assert!(took < seconds(180.0), "{took:?}");
        assert_eq!(simulation.ended.len(), BACKLOG as usize);
        assert_eq!(simulation.most_in_flight(0.0, 1000.0), 64);
    }
}

#[test]
fn few_requests_exceed_the_rate_of_the_service() {
    for (burst, retry_after) in [(1.0, None), (1.0, Some(1.0)), (0.1, None), (0.1, Some(1.0))] {
        for jitter in [0, 5] {
            let service = Service::new(throttled(RATE, burst, retry_after.map(seconds)));
            let mut simulation = Simulation::new(service, BACKLOG).with_jitter(Duration::from_millis(jitter), 1);
            let (took, part) = (simulation.run(LATER), simulation.failed_part());
            let case = format!(
                "throttled, {burst} s burst, Retry-After {retry_after:?}, {jitter} ms of jitter: {took:?}, {:.2} % failed",
                part * 100.0
            );
            println!("{case}");
            assert!(took < seconds(312.0) && part <= 0.01, "{case}");
        }
    }
}

#[test]
fn a_fixed_number_in_flight_exceeds_the_rate_of_the_service() {
    for burst in [1.0, 0.1] {
        let service = Service::new(throttled(RATE, burst, None));
        let mut simulation = Simulation::new(service, BACKLOG / 5).with_fixed(64);
        let took = simulation.run(LATER);
        println!("fixed, {burst} s burst: {took:?}, {:.2} % failed", simulation.failed_part() * 100.0);
        assert!(simulation.failed_part() > 0.2, "a fixed number in flight must cause many failures");
    }
}

#[test]
fn a_service_that_throttles_to_two_per_second_gets_two_requests_at_a_time() {
    for retry_after in [None, Some(seconds(1.0))] {
        for burst in [1.0, 0.1] {
            let simulation = with_change(throttled(RATE, burst, None), throttled(2.0, 1.0, retry_after), 10.0);
            let from = CHANGE + 1.0;
            let most = simulation.most_in_flight(from, CHANGE_BACK);
            let (accepted, failed) =
                (simulation.count(true, from, from + 60.0), simulation.count(false, from, from + 60.0));
            let recovery = simulation.recovery(CHANGE_BACK);
            println!(
                "2/s with 429, Retry-After {retry_after:?}: {most} in flight; in one minute {accepted} accepted, {failed} \
                 failed; then 90 % of the rate after {recovery} s"
            );
            assert!(most <= 2 && accepted >= 60 && recovery < 15.0);
        }
    }
}

#[test]
fn a_service_that_queues_gets_two_requests_at_a_time() {
    for usual in [Limit::None, throttled(RATE, 1.0, None), throttled(RATE, 0.1, None)] {
        // No request times out.
        let simulation = with_change(usual, Limit::Queue { rate: 2.0 }, 60.0);
        let from = CHANGE + 1.0;
        let most = simulation.most_in_flight(from, CHANGE_BACK);
        let slowest = simulation.ended.iter().map(|ended| ended.elapsed).max().unwrap();
        let recovery = simulation.recovery(CHANGE_BACK);
        println!(
            "2/s with a queue: {most} in flight, longest round trip {slowest:?}; then 90 % of the rate after {recovery} s"
        );
        assert!(slowest > seconds(18.0), "the service did not queue");
        assert!(most <= 2 && recovery < 15.0);
    }
}

#[test]
fn requests_that_time_out_in_a_queue_are_not_replaced_by_more_requests() {
    let simulation = with_change(Limit::None, Limit::Queue { rate: 2.0 }, 10.0);
    let most = simulation.most_in_flight(CHANGE + 1.0, CHANGE_BACK);
    let accepted = simulation.count(true, CHANGE + 1.0, CHANGE_BACK);
    let recovery = simulation.recovery(CHANGE_BACK);
    println!(
        "2/s with a queue and timeouts: {most} in flight, {accepted} accepted; then 90 % of the rate after {recovery} s"
    );
    assert!(most <= 2 && accepted > 90);
}

#[test]
fn a_service_that_stays_slow_gets_more_requests_later() {
    let service = Service::new(Limit::None).then(seconds(CHANGE), Limit::Slow(seconds(0.8)));
    let mut simulation = simulation(service);
    simulation.run(seconds(CHANGE + 180.0));
    assert!(simulation.most_in_flight(CHANGE + 1.0, CHANGE + 60.0) <= 2);
    assert_eq!(simulation.most_in_flight(CHANGE + 60.0, CHANGE + 180.0), 64);
}

#[test]
fn after_an_outage_the_rate_rises_within_seconds() {
    let simulation = with_change(Limit::None, Limit::Down, 10.0);
    let failed = simulation.count(false, CHANGE + 1.0, CHANGE_BACK);
    let first = simulation.ended.iter().find(|ended| ended.is_accepted && ended.at > seconds(CHANGE_BACK)).unwrap();
    let (recovery, probed) = (simulation.recovery(CHANGE_BACK), first.at.as_secs_f64() - CHANGE_BACK);
    println!("down for 110 s: {failed} requests; accepted after {probed:.1} s, 90 % of the rate after {recovery} s");
    assert!(failed < 20 && recovery - probed < 15.0);
}

#[test]
fn rare_failures_do_not_halve_the_rate() {
    let mut service = Service::new(Limit::None);
    service.failing = Some(1000);
    let took = simulation(service).run(LATER);
    println!("one in 1000 fails: {took:?}");
    assert!(took < seconds(312.0), "{took:?}");
}

/// Writes the data for `docs/in_flight.svg` to the file that the environment variable `NEXMO_SIMULATION` names.
#[test]
fn scenarios_are_written_for_the_chart() {
    let Some(path) = std::env::var_os("NEXMO_SIMULATION") else {
        return;
    };
    let usual = throttled(RATE, 1.0, None);
    let mut steady = simulation(Service::new(Limit::None));
    steady.run(LATER);
    let mut throttled_all = simulation(Service::new(usual));
    throttled_all.run(LATER);
    let mut text = "scenario\tseconds\taccepted\tfailed\tin_flight\tlatency_ms\n".to_owned();
    for (name, simulation) in [
        ("steady", steady),
        ("throttled", throttled_all),
        ("throttled to 2/s", with_change(usual, throttled(2.0, 1.0, None), 10.0)),
        ("queueing at 2/s", with_change(usual, Limit::Queue { rate: 2.0 }, 60.0)),
        ("dead", with_change(usual, Limit::Down, 10.0)),
    ] {
        simulation.write(name, &mut text);
    }
    std::fs::write(path, text).unwrap();
}

impl Simulation {
    /// Writes, for each half second, the rates per second, the number of reports in flight at its end, and the mean
    /// latency.
    fn write(&self, name: &str, text: &mut String) {
        let half_seconds = self.ended.last().map_or(0, |ended| ended.at.as_millis() / 500);
        let (mut began, mut ended, mut in_flight) = (self.began.iter().peekable(), self.ended.iter().peekable(), 0_i64);
        for number in 1..=half_seconds {
            let until = Duration::from_millis(500) * number as u32;
            let (mut counts, mut latency) = ([0_u32; 2], Duration::ZERO);
            while began.next_if(|began| began.at < until).is_some() {
                in_flight += 1;
            }
            while let Some(ended) = ended.next_if(|ended| ended.at < until) {
                in_flight -= 1;
                counts[usize::from(ended.is_accepted)] += 1;
                latency += ended.elapsed;
            }
            let mean = latency.as_millis().checked_div(u128::from(counts[0] + counts[1]));
            let mean = mean.map(|mean| mean.to_string()).unwrap_or_default();
            let (accepted, failed) = (counts[1] * 2, counts[0] * 2);
            writeln!(text, "{name}\t{}\t{accepted}\t{failed}\t{in_flight}\t{mean}", until.as_secs_f64()).unwrap();
        }
    }
}
