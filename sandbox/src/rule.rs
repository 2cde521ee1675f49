//! Rules, which choose a behaviour for requests.

use std::str::FromStr;

use crate::behaviour::Behaviour;

/// The requests to which a rule applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every authenticated request.
    All,
    /// Requests from the account with this key.
    Account(String),
    /// Reports about the message with this id.
    Message(String),
}

/// A behaviour and the requests to which it applies.
///
/// The most specific scope wins: message before account before all. Within a scope, rules with `times` apply first, in
/// the order in which they were added. When all are used up, the latest rule without `times` applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The requests to which the rule applies.
    pub scope: Scope,
    /// How the sandbox handles these requests.
    pub behaviour: Behaviour,
    /// The maximum number of requests to which the rule applies; `None` means no limit.
    pub times: Option<u32>,
}

impl Rule {
    /// Creates a rule for every authenticated request.
    #[must_use]
    pub fn for_all(behaviour: Behaviour) -> Self {
        Self { scope: Scope::All, behaviour, times: None }
    }

    /// Creates a rule for the account with this key.
    #[must_use]
    pub fn for_account(api_key: impl Into<String>, behaviour: Behaviour) -> Self {
        Self { scope: Scope::Account(api_key.into()), behaviour, times: None }
    }

    /// Creates a rule for reports about the message with this id.
    #[must_use]
    pub fn for_message(message_id: impl Into<String>, behaviour: Behaviour) -> Self {
        Self { scope: Scope::Message(message_id.into()), behaviour, times: None }
    }

    /// Limits the rule to this many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

impl FromStr for Rule {
    type Err = String;

    /// Parses `[account=KEY:|message=ID:]BEHAVIOUR[*TIMES]`. A key or an id may contain colons, because a behaviour
    /// contains none.
    fn from_str(text: &str) -> Result<Self, String> {
        let (scope, rest) = text.rsplit_once(':').map_or((None, text), |(scope, rest)| (Some(scope), rest));
        let (behaviour, times) = rest.split_once('*').map_or((rest, None), |(rest, times)| (rest, Some(times)));
        Ok(Self {
            scope: scope.map_or(Ok(Scope::All), str::parse)?,
            behaviour: behaviour.parse()?,
            times: times.map(count).transpose()?,
        })
    }
}

impl FromStr for Scope {
    type Err = String;

    /// Parses `account=KEY` or `message=ID`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("account", key)) if !key.is_empty() => Ok(Self::Account(key.into())),
            Some(("message", id)) if !id.is_empty() => Ok(Self::Message(id.into())),
            _ => Err(format!("'{text}' is not a scope; use account=KEY or message=ID")),
        }
    }
}

fn count(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("'{text}' is not a number of requests"))
}

/// The rules in effect.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    pub(crate) fn add(&mut self, rule: Rule) {
        if rule.times.is_none() {
            self.0.retain(|old| old.times.is_some() || old.scope != rule.scope);
        }
        self.0.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the behaviour for one request. Counts the request if the rule that applies to it has `times`.
    pub(crate) fn apply(&mut self, api_key: &str, message_id: Option<&str>) -> Behaviour {
        let message = message_id.map(|id| Scope::Message(id.into()));
        let mut scopes = message.into_iter().chain([Scope::Account(api_key.into()), Scope::All]);
        scopes.find_map(|scope| self.apply_in(&scope)).unwrap_or(Behaviour::Ok)
    }

    fn apply_in(&mut self, scope: &Scope) -> Option<Behaviour> {
        let in_scope = self.0.iter_mut().filter(|rule| rule.scope == *scope && rule.times != Some(0));
        let rule = in_scope.min_by_key(|rule| rule.times.is_none())?;
        rule.times = rule.times.map(|left| left.saturating_sub(1));
        Some(rule.behaviour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> Rules {
        let mut rules = Rules::default();
        texts.iter().for_each(|text| rules.add(text.parse().unwrap()));
        rules
    }

    #[test]
    fn the_most_specific_scope_wins_in_any_order() {
        let mut rules = rules(&["message=m:ok", "throttled", "account=k:not-enabled"]);
        assert_eq!(rules.apply("k", Some("m")), Behaviour::Ok);
        assert_eq!(rules.apply("k", Some("n")), Behaviour::NotEnabled);
        assert_eq!(rules.apply("l", None), Behaviour::Throttled(30));
    }

    #[test]
    fn without_a_rule_the_behaviour_is_ok() {
        assert_eq!(Rules::default().apply("k", None), Behaviour::Ok);
        assert_eq!(rules(&["account=k:throttled"]).apply("l", Some("k")), Behaviour::Ok);
    }

    #[test]
    fn the_latest_rule_of_a_scope_applies() {
        assert_eq!(rules(&["throttled", "unavailable"]).apply("k", None), Behaviour::Unavailable(None));
    }

    #[test]
    fn rules_with_times_apply_in_order_until_their_number_is_reached() {
        let mut rules = rules(&["status=500", "throttled*2", "unavailable*1", "echo=400*0"]);
        let behaviours: Vec<_> = (0..5).map(|_| rules.apply("k", None)).collect();
        let (throttled, last) = (Behaviour::Throttled(30), Behaviour::Status(500));
        assert_eq!(behaviours, [throttled, throttled, Behaviour::Unavailable(None), last, last]);
    }

    #[test]
    fn a_less_specific_rule_applies_after_a_rule_with_times() {
        let mut rules = rules(&["throttled", "message=m:unavailable*1"]);
        assert_eq!(rules.apply("k", Some("m")), Behaviour::Unavailable(None));
        assert_eq!(rules.apply("k", Some("m")), Behaviour::Throttled(30));
    }

    #[test]
    fn rules_are_parsed() {
        assert_eq!("ok".parse(), Ok(Rule::for_all(Behaviour::Ok)));
        assert_eq!("account=k:ok*3".parse(), Ok(Rule::for_account("k", Behaviour::Ok).times(3)));
        assert_eq!("message=a:b=c:echo=401".parse(), Ok(Rule::for_message("a:b=c", Behaviour::Echo(401))));
        for text in ["", ":ok", "account=:ok", "message=:ok", "user=k:ok", "k:ok", "message=m", "ok*", "ok*x", "ok*-1"]
        {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }
}
