//! Decides how the sandbox responds to a request. Uses no network, clock or files.

use std::time::Duration;

use crate::account::Account;
use crate::authentication::authenticate;
use crate::behaviour::Behaviour;
use crate::parameters;
use crate::random_faults::{RandomFault, RandomFaults};
use crate::request::{Channel, Request};
use crate::response::Response;
use crate::rule::Rules;
use crate::signature::SignatureMethod;
use crate::violation::{NOT_ENABLED, Violation};

const OK: u16 = 200;

#[derive(Debug)]
pub(crate) struct Validator {
    pub(crate) accounts: Vec<Account>,
    /// The path before `/conversions`: empty, or with a leading slash and without a trailing slash.
    pub(crate) prefix: String,
    pub(crate) rules: Rules,
}

/// How the sandbox handles one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) response: Response,
    /// The delay of the response.
    pub(crate) delay: Duration,
    /// Whether to close the connection instead of sending the response.
    pub(crate) closes_connection: bool,
    pub(crate) channel: Option<Channel>,
    pub(crate) signature_method: Option<SignatureMethod>,
    /// Sentences that explain the status.
    pub(crate) violations: Vec<String>,
}

impl Validator {
    /// Validates a request. `number` is 1 for the first request after the start of the sandbox.
    pub(crate) fn validate(&mut self, request: &Request, number: u64) -> Outcome {
        let channel = request.channel(&self.prefix);
        let caller = check_target(request, channel).and_then(|()| authenticate(request, &self.accounts));
        match caller {
            Err(violation) => Outcome { channel, ..Outcome::from_violations(vec![violation], number) },
            Ok(caller) => {
                let behaviour = self.rules.apply(&caller.account.api_key, request.query.get("message-id"));
                Outcome { channel, signature_method: caller.method, ..apply(behaviour, request, number) }
            }
        }
    }
}

impl Outcome {
    fn new(response: Response) -> Self {
        Self {
            response,
            delay: Duration::ZERO,
            closes_connection: false,
            channel: None,
            signature_method: None,
            violations: Vec::new(),
        }
    }

    /// Returns the outcome for these violations. The first one decides the status, which is 200 if there are none.
    fn from_violations(violations: Vec<Violation>, number: u64) -> Self {
        let status = violations.first().map_or(OK, |violation| violation.status);
        let violations = violations.into_iter().map(|violation| violation.sentence).collect();
        Self { violations, ..Self::new(Response::with_status(status, number)) }
    }

    /// Returns the outcome for a rule's response. The log mentions the rule, because the request itself may be valid.
    fn by_rule(response: Response) -> Self {
        let violations = vec![format!("A rule of the sandbox returns {}.", response.status)];
        Self { violations, ..Self::new(response) }
    }
}

fn check_target(request: &Request, channel: Option<Channel>) -> Result<(), Violation> {
    if channel.is_none() {
        let sentence = "The path must be the prefix followed by /conversions/sms or /conversions/voice.";
        return Err(Violation::new(404, sentence));
    }
    if request.method != "POST" {
        return Err(Violation::new(405, "The method is not POST."));
    }
    Ok(())
}

fn apply(behaviour: Behaviour, request: &Request, number: u64) -> Outcome {
    let validated = || Outcome::from_violations(parameters::violations(request), number);
    match behaviour {
        Behaviour::Ok => validated(),
        Behaviour::Slow(delay) => Outcome { delay, ..validated() },
        Behaviour::NotEnabled => Outcome::by_rule(Response::with_status(NOT_ENABLED, number)),
        Behaviour::Throttled(seconds) => Outcome::by_rule(Response::throttled(seconds)),
        Behaviour::Unavailable(seconds) => Outcome::by_rule(Response::unavailable(seconds)),
        Behaviour::Status(status) => Outcome::by_rule(Response::with_status(status, number)),
        Behaviour::Echo(status) => Outcome::by_rule(Response::echo(status, request)),
        Behaviour::Erratic(faults) => apply_random(&faults, request, number),
    }
}

fn apply_random(faults: &RandomFaults, request: &Request, number: u64) -> Outcome {
    let validated = || Outcome::from_violations(parameters::violations(request), number);
    match faults.draw(number) {
        None => validated(),
        Some(RandomFault::Error(429)) => Outcome::by_rule(Response::throttled(0)),
        Some(RandomFault::Error(status)) => Outcome::by_rule(Response::with_status(status, number)),
        Some(RandomFault::Delay(delay)) => Outcome { delay, ..validated() },
        Some(RandomFault::Disconnect) => {
            let mut outcome = Outcome { closes_connection: true, ..validated() };
            outcome.violations.push("A rule of the sandbox closes the connection without a response.".to_owned());
            outcome
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::post;
    use crate::rule::Rule;

    const VALID: &str = "/conversions/sms?api_key=abcd1234&api_secret=s3cret&message-id=x&delivered=true";
    const WRONG_SECRET: &str = "/conversions/sms?api_key=abcd1234&api_secret=wrong";
    const INVALID: &str = "/conversions/voice?api_key=abcd1234&api_secret=s3cret&message-id=x&delivered=maybe";

    fn outcome(rules: &[&str], target: &str) -> Outcome {
        let mut validator =
            Validator { accounts: vec![Account::default()], prefix: String::new(), rules: Rules::default() };
        rules.iter().for_each(|rule| validator.rules.add(rule.parse::<Rule>().unwrap()));
        validator.validate(&post(target, &[]), 7)
    }

    #[test]
    fn a_valid_report_is_accepted() {
        let outcome = outcome(&[], VALID);
        assert_eq!((outcome.response, outcome.channel), (Response::with_status(200, 7), Some(Channel::Sms)));
        assert_eq!((outcome.violations, outcome.delay), (vec![], Duration::ZERO));
    }

    #[test]
    fn the_path_is_checked_before_the_method_and_the_method_before_authentication() {
        let mut validator = Validator { accounts: vec![], prefix: "/p".into(), rules: Rules::default() };
        let mut status = |method: &str, target| {
            let request = Request { method: method.into(), ..post(target, &[]) };
            validator.validate(&request, 1).response.status
        };
        assert_eq!(status("GET", "/conversions/sms"), 404);
        assert_eq!(status("GET", "/p/conversions/sms"), 405);
        assert_eq!(status("post", "/p/conversions/sms"), 405);
        assert_eq!(status("POST", "/p/conversions/sms"), 401);
    }

    #[test]
    fn authentication_is_checked_before_rules_and_rules_before_parameters() {
        assert_eq!(outcome(&["not-enabled"], WRONG_SECRET).response.status, 401);
        assert_eq!(outcome(&["not-enabled"], INVALID).response, Response::with_status(402, 7));
        assert_eq!(outcome(&[], INVALID).response.status, 423);
    }

    #[test]
    fn each_behaviour_has_its_response() {
        assert_eq!(outcome(&["ok"], VALID).response, Response::with_status(200, 7));
        assert_eq!(outcome(&["ok"], INVALID).response.status, 423);
        assert_eq!(outcome(&["throttled=3"], VALID).response, Response::throttled(3));
        assert_eq!(outcome(&["unavailable"], VALID).response, Response::unavailable(None));
        assert_eq!(outcome(&["unavailable=4"], VALID).response, Response::unavailable(Some(4)));
        assert_eq!(outcome(&["status=420"], VALID).response, Response::with_status(420, 7));
        assert_eq!(outcome(&["echo=401"], VALID).response, Response::echo(401, &post(VALID, &[])));
    }

    #[test]
    fn slow_delays_every_response() {
        let delay = Duration::from_millis(250);
        assert_eq!((outcome(&["slow=250"], VALID).delay, outcome(&["slow=250"], VALID).response.status), (delay, 200));
        assert_eq!(
            (outcome(&["slow=250"], INVALID).delay, outcome(&["slow=250"], INVALID).response.status),
            (delay, 423)
        );
    }

    #[test]
    fn a_request_is_validated_before_the_connection_is_closed() {
        let faults = RandomFaults { disconnects: 1000, errors: 0, ..RandomFaults::seeded(1) };
        let mut validator =
            Validator { accounts: vec![Account::default()], prefix: String::new(), rules: Rules::default() };
        validator.rules.add(Rule::for_all(Behaviour::Erratic(faults)));
        let outcome = validator.validate(&post(VALID, &[]), 7);
        assert_eq!((outcome.closes_connection, outcome.response), (true, Response::with_status(200, 7)));
        assert_eq!(outcome.violations, ["A rule of the sandbox closes the connection without a response."]);
    }

    #[test]
    fn all_violations_and_the_applied_rule_are_reported() {
        assert_eq!(outcome(&[], &format!("{INVALID}&x=y")).violations.len(), 2);
        assert_eq!(outcome(&["throttled"], VALID).violations, ["A rule of the sandbox returns 429."]);
    }
}
