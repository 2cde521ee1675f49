//! The thread that has what is in the outbox sent. It alone takes and settles; others send.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::gate::{Answered, Gate, Passage};
use super::options::Plan;
use super::outbox::{Entry, Fate, Outbox, Reason, Settlement};
use super::senders::Senders;
use super::shared::{LastError, Shared, State};
use crate::clock::{Moment, after};
use crate::error::{Error, Kind};
use crate::guard::guard;
use crate::outcome::Outcome;
use crate::sys::events::wait_for_either;
use crate::{client, sys};

/// Between two looks for what nobody told of.
const SWEEP: Duration = Duration::from_secs(5);

/// The same where another process sends, whose reports set aside are noticed by looking, or where there is no watch.
const SHORT_SWEEP: Duration = Duration::from_millis(500);

/// Between two looks for reports that grew too old.
const EXPIRY: Duration = Duration::from_secs(10);

/// After the outbox could not be used.
const PAUSE: Duration = Duration::from_secs(1);

/// How long answers are gathered when there is plenty to send.
const LINGER: Duration = Duration::from_millis(2);

/// From so many answers on it is not worth to wait for more.
const BATCH: usize = 64;

/// How long it may take until the process that sent has ended, once that is noticed.
const SUCCESSION: Duration = Duration::from_millis(300);

/// How soon after a write was noticed it is looked for again, and how late for the last time.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(100);

/// The most reports that were sent and could not be taken out of the outbox. With more, nothing is sent.
const MOST_UNSETTLED: usize = 10_000;

/// One worker.
pub(crate) struct Worker {
    outbox: Arc<dyn Outbox>,
    senders: Arc<Senders>,
    shared: Arc<Shared>,
    age_limit: Duration,
    connections: usize,
    gate: Gate,
    unsettled: Vec<Settlement>,
    is_leading: bool,
    next_expiry: Instant,
    next_sweep: Instant,
    /// When reports are taken again, and when settled, after that failed. A full disk hinders the second, not the first.
    take_due: Instant,
    settle_due: Instant,
    /// Until when the one that sent may be about to end.
    succession: Instant,
    /// When to look again for what another process was noticed to write, and after which wait. The write is noticed a moment
    /// before it can be read.
    second_look: Option<(Instant, Duration)>,
    /// Whether another report is to be tried as soon as there is one.
    waits_for_another: bool,
    /// Whether a report was answered in a way that parks, and it is not known yet whether others are too.
    is_parking_in_doubt: bool,
}

impl Worker {
    /// Starts the thread of a worker.
    pub(crate) fn start(
        outbox: Arc<dyn Outbox>,
        senders: Arc<Senders>,
        shared: Arc<Shared>,
        plan: &Plan,
    ) -> std::io::Result<()> {
        let now = Instant::now();
        let connections = usize::try_from(plan.connections).unwrap_or(1);
        let mut worker = Self {
            outbox,
            senders,
            shared,
            age_limit: plan.age_limit,
            connections,
            gate: Gate::new(plan.pace, connections),
            unsettled: Vec::new(),
            is_leading: false,
            next_expiry: now,
            next_sweep: now,
            take_due: now,
            settle_due: now,
            succession: now,
            second_look: None,
            waits_for_another: false,
            is_parking_in_doubt: false,
        };
        sys::spawn("nexmo-reporter", move || worker.work())
    }

    fn work(&mut self) {
        while !self.shared.is_over() {
            if guard(|| self.turn()).is_none() {
                self.note(&Outcome::refused(Error::new(Kind::Internal, "a mistake of the library was caught")));
                self.take_due = after(Instant::now(), PAUSE);
                self.settle_due = self.take_due;
            }
            self.wait();
        }
        guard(|| self.end());
        self.shared.tell(|told| {
            told.state = State::Closed;
            told.is_ended = true;
        });
    }

    /// Everything that can be done now.
    fn turn(&mut self) {
        self.shared.wake.hush();
        self.gather();
        if self.shared.is_probe_asked() {
            self.gate.probe_now(Instant::now());
        }
        if self.waits_for_another && !self.shared.wants_reports() {
            self.waits_for_another = false;
            self.gate.another_came(Instant::now());
        }
        // What is new goes out before what is done is taken out, for the second may have to wait for the disk.
        if self.is_leading {
            self.refill();
        }
        self.settle();
        // After the writes of this turn, which would be noticed too, and before what others wrote is looked for.
        let has_noticed = self.outbox.hush();
        self.plan_second_look(has_noticed);
        self.seek_lead(has_noticed);
        if self.is_leading {
            self.expire();
            self.refill();
        }
        self.sweep();
        self.tell_state();
    }

    fn plan_second_look(&mut self, has_noticed: bool) {
        let now = Instant::now();
        let wait = match self.second_look {
            _ if has_noticed && self.shared.wants_reports() => Some(FIRST_LOOK),
            Some((due, wait)) if now >= due => Some(wait.saturating_mul(10)).filter(|wait| *wait <= LAST_LOOK),
            Some(_) => return,
            None => None,
        };
        self.second_look = wait.map(|wait| (after(now, wait), wait));
    }

    /// Judges the answers that have come.
    fn gather(&mut self) {
        let load = self.senders.load();
        let mut answers = self.senders.answers();
        if !answers.is_empty() && answers.len() < BATCH && load.queued > self.connections / 2 && load.under_way > 0 {
            std::thread::sleep(LINGER);
            answers.extend(self.senders.answers());
        }
        let (mut released, was_probing) = (Vec::new(), self.gate.is_probing());
        for answer in &answers {
            let answered = Answered { id: answer.id, began: answer.began, outcome: &answer.outcome };
            let was_parked = self.gate.passage() == Passage::Parked;
            match self.gate.answered(&answered, Instant::now(), client::random()) {
                Some(fate) => self.unsettled.push(Settlement { id: answer.id, fate }),
                None => released.push(answer.id),
            }
            if answer.outcome.result.is_err() {
                self.note(&answer.outcome);
            }
            match (was_parked, self.gate.passage()) {
                (true, Passage::Parked) => self.count_probe(),
                (false, Passage::Parked) => self.is_parking_in_doubt = true,
                _ => self.is_parking_in_doubt = false,
            }
        }
        if self.gate.is_probing() && !was_probing {
            released.extend(self.senders.recall().iter().map(|entry| entry.id));
        }
        self.senders.go_on();
        self.outbox.release(&released);
    }

    /// The service takes no reports of the account, as far as can be found out now.
    fn count_probe(&mut self) {
        self.is_parking_in_doubt = false;
        self.shared.tell(|told| told.probes = told.probes.saturating_add(1));
    }

    /// There is nothing to send now. While parked that settles whether it is one report's fault: there is no other to ask.
    fn find_none(&mut self, now: Instant) {
        self.gate.found_none(now, client::random());
        // Reports have been wanted since before they were looked for, so that none is missed.
        self.waits_for_another = self.gate.is_in_doubt();
        if self.is_parking_in_doubt {
            self.count_probe();
        }
    }

    /// Takes what has met its fate out of the outbox. What cannot be taken out stays here, and is not sent again.
    fn settle(&mut self) {
        if self.unsettled.is_empty() || Instant::now() < self.settle_due {
            return;
        }
        match self.outbox.settle(&self.unsettled) {
            Ok(()) => {
                if self.unsettled.iter().any(|settled| matches!(settled.fate, Fate::Aside(..))) {
                    self.shared.aside.ring();
                }
                self.unsettled.clear();
                self.shared.tell(|_| {});
            }
            Err(error) => self.settle_due = self.outbox_failed(error),
        }
    }

    /// Becomes the one that sends, or ceases to be it while there is nothing it could send.
    fn seek_lead(&mut self, has_noticed: bool) {
        let now = Instant::now();
        let load = self.senders.load();
        let is_idle = load.queued == 0 && load.under_way == 0 && self.unsettled.is_empty();
        if self.gate.passage() == Passage::Parked && self.gate.width(now) == 0 {
            if self.is_leading && is_idle {
                self.outbox.resign();
                self.is_leading = false;
                if !self.waits_for_another {
                    self.shared.want_reports(false);
                }
            }
            return;
        }
        match self.outbox.lead() {
            Ok(is_leading) => self.is_leading = is_leading,
            Err(error) => self.take_due = self.outbox_failed(error),
        }
        if has_noticed && !self.is_leading {
            self.succession = after(now, SUCCESSION);
        }
    }

    fn expire(&mut self) {
        let now = Instant::now();
        if now < self.next_expiry {
            return;
        }
        let (moment, limit) = (Moment::now(), self.age_limit);
        match self.outbox.expire(&|accepted| moment.since(accepted) > limit) {
            Ok(0) => self.next_expiry = after(now, EXPIRY),
            Ok(_) => self.shared.aside.ring(),
            Err(error) => self.next_expiry = self.outbox_failed(error),
        }
    }

    /// Takes reports as long as more may be under way.
    fn refill(&mut self) {
        let now = Instant::now();
        let load = self.senders.load();
        let width = self.gate.width(now).min(self.connections);
        // Twice as many as can be under way, so that no sender waits for the outbox.
        let room = if self.gate.is_probing() { width } else { width.saturating_mul(2) };
        let wanted = room.saturating_sub(load.queued).saturating_sub(load.under_way).saturating_sub(load.answered);
        let has_room = wanted > 0 && self.unsettled.len() < MOST_UNSETTLED && now >= self.take_due;
        self.shared.want_reports(has_room);
        if !has_room {
            return;
        }
        match self.take(wanted, now) {
            Ok(entries) if entries.is_empty() => self.find_none(now),
            Ok(entries) => self.send(entries),
            Err(error) => self.take_due = self.outbox_failed(error),
        }
    }

    /// Takes reports that do not rest. A probe is one without troubles, if there is one.
    fn take(&self, wanted: usize, now: Instant) -> Result<Vec<Entry>, Error> {
        if self.gate.is_probing() {
            let entries = self.outbox.take(wanted, &|id| self.gate.has_trouble(id))?;
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
        self.outbox.take(wanted, &|id| self.gate.rests(id, now))
    }

    fn send(&mut self, entries: Vec<Entry>) {
        let (moment, limit) = (Moment::now(), self.age_limit);
        let (old, entries): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| moment.since(&entry.accepted) > limit);
        let fate = Fate::Aside(Reason::Expired, None, Reason::Expired.told().to_owned());
        self.unsettled.extend(old.iter().map(|entry| Settlement { id: entry.id, fate: fate.clone() }));
        entries.iter().for_each(|entry| self.gate.goes_out(entry.id));
        let unsent = self.senders.send(entries);
        unsent.iter().for_each(|entry| self.gate.came_back(entry.id));
        if !unsent.is_empty() {
            self.outbox.release(&unsent.iter().map(|entry| entry.id).collect::<Vec<_>>());
            self.take_due = after(Instant::now(), PAUSE);
        }
    }

    /// Looks for what nobody told of.
    fn sweep(&mut self) {
        let now = Instant::now();
        if now < self.next_sweep {
            return;
        }
        let is_long = self.is_leading && self.outbox.notices();
        self.next_sweep = after(now, if is_long { SWEEP } else { SHORT_SWEEP });
        match self.outbox.has_aside() {
            Ok(true) => self.shared.aside.ring(),
            Ok(false) => {}
            Err(error) => self.next_sweep = self.outbox_failed(error),
        }
    }

    /// Counts a failure, and tells when to try again.
    fn outbox_failed(&self, error: Error) -> Instant {
        self.shared.tell(|told| told.outbox_errors = told.outbox_errors.saturating_add(1));
        self.note(&Outcome::refused(error));
        after(Instant::now(), PAUSE)
    }

    fn note(&self, outcome: &Outcome) {
        if let Err(error) = outcome.result.clone() {
            let last = LastError { error, http_status: outcome.http_status, at: SystemTime::now() };
            self.shared.tell(|told| told.last_error = Some(last));
        }
    }

    fn tell_state(&self) {
        let state = match self.gate.passage() {
            Passage::Parked => State::Parked,
            _ if !self.is_leading => State::StandingBy,
            Passage::Open => State::Running,
            Passage::BackingOff => State::BackingOff,
        };
        self.shared.tell_state(state);
    }

    /// Waits until there is something to do.
    fn wait(&mut self) {
        let now = Instant::now();
        let settle_due = Some(self.settle_due).filter(|_| !self.unsettled.is_empty());
        let expiry = Some(self.next_expiry).filter(|_| self.is_leading);
        let succession =
            Some(after(now, Duration::from_millis(10))).filter(|_| !self.is_leading && now < self.succession);
        let take_due = Some(self.take_due).filter(|due| *due > now);
        let second_look = self.second_look.map(|(due, _)| due);
        let dues = [self.gate.next(now), settle_due, expiry, succession, take_due, second_look];
        let next = dues.into_iter().flatten().fold(self.next_sweep, Instant::min);
        // While there is no room for more, what others put need not be noticed.
        let is_open = !self.is_leading || self.shared.wants_reports();
        wait_for_either(self.shared.wake.as_fd(), self.outbox.watch().filter(|_| is_open), Some(next));
    }

    /// Ends what is under way, and takes out what met its fate.
    fn end(&mut self) {
        let queued = self.senders.end();
        self.outbox.release(&queued.iter().map(|entry| entry.id).collect::<Vec<_>>());
        // It ends at once, being cancelled. Until it has, nobody else may send, who could overtake it.
        while self.senders.load().under_way > 0 {
            wait_for_either(self.shared.wake.as_fd(), None, Some(after(Instant::now(), SHORT_SWEEP)));
            self.shared.wake.hush();
            self.gather();
            self.settle();
        }
        self.settle_due = Instant::now();
        self.gather();
        self.settle();
        self.outbox.resign();
    }
}
