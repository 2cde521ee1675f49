//! What comes back: answers are judged, and what has met its fate is taken out of the outbox.

use std::time::{Duration, Instant};

use super::Worker;
use crate::client;
use crate::reporter::circuit_breaker::{Answered, Phase};
use crate::reporter::outbox::{Fate, Settlement};
use crate::reporter::senders::Answer;

/// How long answers are gathered when there is plenty to send.
const LINGER: Duration = Duration::from_millis(2);

/// From so many answers on it is not worth to wait for more.
const BATCH: usize = 64;

impl Worker {
    /// Judges the answers that have come.
    pub(super) fn gather(&mut self) {
        let answers = self.answers();
        let was_probing = self.breaker.is_probing();
        let mut released: Vec<u64> = answers.iter().filter_map(|answer| self.judge(answer)).collect();
        if self.breaker.is_probing() && !was_probing {
            released.extend(self.senders.recall().iter().map(|entry| entry.id));
        }
        self.senders.go_on();
        self.outbox.release(&released);
    }

    /// The answers since the last time. There are more in a moment when there is plenty to send.
    fn answers(&self) -> Vec<Answer> {
        let load = self.senders.load();
        let mut answers = self.senders.answers();
        if !answers.is_empty() && answers.len() < BATCH && load.queued > self.connections / 2 && load.in_flight > 0 {
            std::thread::sleep(LINGER);
            answers.extend(self.senders.answers());
        }
        answers
    }

    /// Judges an answer. Gives the report's number if it is to go out again.
    fn judge(&mut self, answer: &Answer) -> Option<u64> {
        let answered = Answered { id: answer.id, began: answer.began, outcome: &answer.outcome };
        let was_suspended = self.breaker.phase() == Phase::Suspended;
        let fate = self.breaker.answered(&answered, Instant::now(), client::random());
        let goes_out_again = fate.is_none();
        self.unsettled.extend(fate.map(|fate| Settlement { id: answer.id, fate }));
        self.note(&answer.outcome);
        match (was_suspended, self.breaker.phase()) {
            (true, Phase::Suspended) => self.note_probe(answer.began),
            (false, Phase::Suspended) => self.is_suspension_in_doubt = true,
            _ => self.is_suspension_in_doubt = false,
        }
        goes_out_again.then_some(answer.id)
    }

    /// A probe that began then showed that the service accepts no reports of the account, as far as can be found out now.
    pub(super) fn note_probe(&mut self, began: Instant) {
        self.is_suspension_in_doubt = false;
        self.signals.update(|status| status.last_probe = status.last_probe.max(Some(began)));
    }

    /// Takes what has met its fate out of the outbox. What cannot be taken out stays here, and is not sent again.
    pub(super) fn settle(&mut self) {
        if self.unsettled.is_empty() || Instant::now() < self.settle_due {
            return;
        }
        match self.outbox.settle(&self.unsettled) {
            Ok(()) => {
                if self.unsettled.iter().any(|settled| matches!(settled.fate, Fate::Event(..))) {
                    self.signals.events.notify();
                }
                self.unsettled.clear();
                self.signals.update(|_| {});
            }
            Err(error) => self.settle_due = self.outbox_failed(error),
        }
    }
}
