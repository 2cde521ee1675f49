//! What the service would answer to a request, found without any network, clock or file.

use std::time::Duration;

use crate::account::Account;
use crate::authentication::authenticate;
use crate::behaviour::Behaviour;
use crate::parameters;
use crate::random_faults::{Mood, Moods};
use crate::request::{Channel, Request};
use crate::response::Answer;
use crate::rule::Rules;
use crate::signature::SignatureMethod;
use crate::violation::{Fault, NOT_ENABLED};

const OK: u16 = 200;

/// What a judge knows of the world.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) accounts: Vec<Account>,
    /// Stands before `/conversions`; empty, or with a slash in front and none behind.
    pub(crate) prefix: String,
    pub(crate) rules: Rules,
}

/// What is to be done about one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) answer: Answer,
    /// How long the answer is to be held back.
    pub(crate) delay: Duration,
    /// Whether the connection is closed instead of answering.
    pub(crate) is_hanging_up: bool,
    pub(crate) channel: Option<Channel>,
    pub(crate) signature_method: Option<SignatureMethod>,
    /// Sentences that name what was wrong.
    pub(crate) faults: Vec<String>,
}

impl Judge {
    /// Judges a request; `number` is its place among all requests of this run.
    pub(crate) fn judge(&mut self, request: &Request, number: u64) -> Verdict {
        let channel = request.channel(&self.prefix);
        let known = reachable(request, channel).and_then(|()| authenticate(request, &self.accounts));
        match known {
            Err(fault) => Verdict { channel, ..Verdict::refusing(vec![fault], number) },
            Ok(caller) => {
                let behaviour = self.rules.take(&caller.account.api_key, request.query.get("message-id"));
                Verdict { channel, signature_method: caller.method, ..follow(behaviour, request, number) }
            }
        }
    }
}

impl Verdict {
    fn answering(answer: Answer) -> Self {
        Self {
            answer,
            delay: Duration::ZERO,
            is_hanging_up: false,
            channel: None,
            signature_method: None,
            faults: Vec::new(),
        }
    }

    /// The first fault decides the status; without any the request is fine.
    fn refusing(faults: Vec<Fault>, number: u64) -> Self {
        let status = faults.first().map_or(OK, |fault| fault.status);
        let faults = faults.into_iter().map(|fault| fault.sentence).collect();
        Self { faults, ..Self::answering(Answer::of(status, number)) }
    }

    /// The request may be faultless, so whoever reads the log is told where the status comes from.
    fn told(answer: Answer) -> Self {
        let faults = vec![format!("A rule of the sandbox answers {}.", answer.status)];
        Self { faults, ..Self::answering(answer) }
    }
}

fn reachable(request: &Request, channel: Option<Channel>) -> Result<(), Fault> {
    if channel.is_none() {
        return Err(Fault::new(404, "The path is neither /conversions/sms nor /conversions/voice behind the prefix."));
    }
    if request.method != "POST" {
        return Err(Fault::new(405, "The method is not POST."));
    }
    Ok(())
}

fn follow(behaviour: Behaviour, request: &Request, number: u64) -> Verdict {
    match behaviour {
        Behaviour::Ok => Verdict::refusing(parameters::faults(request), number),
        Behaviour::Slow(delay) => Verdict { delay, ..Verdict::refusing(parameters::faults(request), number) },
        Behaviour::NotEnabled => Verdict::told(Answer::of(NOT_ENABLED, number)),
        Behaviour::Throttled(seconds) => Verdict::told(Answer::throttled(seconds)),
        Behaviour::Unavailable(seconds) => Verdict::told(Answer::unavailable(seconds)),
        Behaviour::Status(status) => Verdict::told(Answer::of(status, number)),
        Behaviour::Echo(status) => Verdict::told(Answer::echo(status, request)),
        Behaviour::Erratic(moods) => follow_mood(&moods, request, number),
    }
}

fn follow_mood(moods: &Moods, request: &Request, number: u64) -> Verdict {
    let judged = || Verdict::refusing(parameters::faults(request), number);
    match moods.mood(number) {
        Mood::Fine => judged(),
        Mood::Failing(429) => Verdict::told(Answer::throttled(0)),
        Mood::Failing(status) => Verdict::told(Answer::of(status, number)),
        Mood::Stalling(delay) => Verdict { delay, ..judged() },
        Mood::HangingUp => {
            let mut verdict = Verdict { is_hanging_up: true, ..judged() };
            verdict.faults.push("A rule of the sandbox closes the connection without an answer.".to_owned());
            verdict
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::post;
    use crate::rule::Rule;

    const GOOD: &str = "/conversions/sms?api_key=abcd1234&api_secret=s3cret&message-id=x&delivered=true";
    const UNKNOWN: &str = "/conversions/sms?api_key=abcd1234&api_secret=wrong";
    const FAULTY: &str = "/conversions/voice?api_key=abcd1234&api_secret=s3cret&message-id=x&delivered=maybe";

    fn verdict(rules: &[&str], target: &str) -> Verdict {
        let mut judge = Judge { accounts: vec![Account::default()], prefix: String::new(), rules: Rules::default() };
        rules.iter().for_each(|rule| judge.rules.add(rule.parse::<Rule>().unwrap()));
        judge.judge(&post(target, &[]), 7)
    }

    #[test]
    fn a_good_report_is_answered_ok() {
        let verdict = verdict(&[], GOOD);
        assert_eq!((verdict.answer, verdict.channel), (Answer::of(200, 7), Some(Channel::Sms)));
        assert_eq!((verdict.faults, verdict.delay), (vec![], Duration::ZERO));
    }

    #[test]
    fn path_comes_before_method_and_method_before_authentication() {
        let mut judge = Judge { accounts: vec![], prefix: "/p".into(), rules: Rules::default() };
        let mut status = |method: &str, target| {
            let request = Request { method: method.into(), ..post(target, &[]) };
            judge.judge(&request, 1).answer.status
        };
        assert_eq!(status("GET", "/conversions/sms"), 404);
        assert_eq!(status("GET", "/p/conversions/sms"), 405);
        assert_eq!(status("post", "/p/conversions/sms"), 405);
        assert_eq!(status("POST", "/p/conversions/sms"), 401);
    }

    #[test]
    fn authentication_comes_before_rules_and_rules_before_parameters() {
        assert_eq!(verdict(&["not-enabled"], UNKNOWN).answer.status, 401);
        assert_eq!(verdict(&["not-enabled"], FAULTY).answer, Answer::of(402, 7));
        assert_eq!(verdict(&[], FAULTY).answer.status, 423);
    }

    #[test]
    fn each_behaviour_has_its_answer() {
        assert_eq!(verdict(&["ok"], GOOD).answer, Answer::of(200, 7));
        assert_eq!(verdict(&["ok"], FAULTY).answer.status, 423);
        assert_eq!(verdict(&["throttled=3"], GOOD).answer, Answer::throttled(3));
        assert_eq!(verdict(&["unavailable"], GOOD).answer, Answer::unavailable(None));
        assert_eq!(verdict(&["unavailable=4"], GOOD).answer, Answer::unavailable(Some(4)));
        assert_eq!(verdict(&["status=420"], GOOD).answer, Answer::of(420, 7));
        assert_eq!(verdict(&["echo=401"], GOOD).answer, Answer::echo(401, &post(GOOD, &[])));
    }

    #[test]
    fn slow_holds_back_whatever_the_answer_is() {
        let held = Duration::from_millis(250);
        assert_eq!((verdict(&["slow=250"], GOOD).delay, verdict(&["slow=250"], GOOD).answer.status), (held, 200));
        assert_eq!((verdict(&["slow=250"], FAULTY).delay, verdict(&["slow=250"], FAULTY).answer.status), (held, 423));
    }

    #[test]
    fn who_hangs_up_has_judged_before() {
        let moods = Moods { hanging_up: 1000, failing: 0, ..Moods::of_a_bad_day(1) };
        let mut judge = Judge { accounts: vec![Account::default()], prefix: String::new(), rules: Rules::default() };
        judge.rules.add(Rule::for_all(Behaviour::Erratic(moods)));
        let verdict = judge.judge(&post(GOOD, &[]), 7);
        assert_eq!((verdict.is_hanging_up, verdict.answer), (true, Answer::of(200, 7)));
        assert_eq!(verdict.faults, ["A rule of the sandbox closes the connection without an answer."]);
    }

    #[test]
    fn every_fault_is_told_and_a_rule_tells_that_it_was_one() {
        assert_eq!(verdict(&[], &format!("{FAULTY}&x=y")).faults.len(), 2);
        assert_eq!(verdict(&["throttled"], GOOD).faults, ["A rule of the sandbox answers 429."]);
    }
}
