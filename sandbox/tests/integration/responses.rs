//! Each status over the wire, with its body and headers.

use nexmo_sandbox::{Account, Behaviour, Moods, Rule, Sandbox, Settings, SignatureMethod};
use serde_json::json;

use crate::client::{Client, GOOD, Reply, post};

fn sandbox() -> Sandbox {
    Sandbox::start(Settings::default()).unwrap()
}

fn told(behaviour: Behaviour) -> Reply {
    post(&Sandbox::start(Settings { rules: vec![Rule::for_all(behaviour)], ..Settings::default() }).unwrap(), GOOD)
}

fn assert_invalid(reply: &Reply, status: u16) {
    assert_eq!((reply.status, reply.header("content-type")), (status, Some("application/json")));
    let expected = json!({
        "type": "https://developer.nexmo.com/api-errors#3",
        "title": "Invalid parameters. The value of one or more parameters is invalid.",
        "resolution": "Check your parameters and try again.",
    });
    assert_eq!(reply.json(), expected);
}

#[test]
fn a_good_report_is_answered_ok() {
    let reply = post(&sandbox(), GOOD);
    assert_eq!((reply.status, reply.body.as_str(), reply.header("content-type")), (200, "OK", Some("text/plain")));
}

#[test]
fn wrong_credentials_are_answered_401_with_an_instance_each() {
    let sandbox = sandbox();
    let replies = [(); 2].map(|()| post(&sandbox, &GOOD.replace("s3cret", "wrong")));
    assert!(
        replies.iter().all(|reply| reply.status == 401 && reply.header("content-type") == Some("application/json"))
    );
    let [first, second] = replies.map(|reply| reply.json());
    assert_eq!(first["type"], "https://developer.nexmo.com/api-errors#unauthorized");
    assert_eq!(first["title"], "Invalid credentials supplied");
    assert_eq!(first["detail"], "You did not provide correct credentials.");
    assert_ne!(first["instance"], second["instance"]);
}

#[test]
fn not_enabled_is_answered_402() {
    let reply = told(Behaviour::NotEnabled);
    let expected = json!({
        "type": "https://developer.nexmo.com/api-errors#forbidden",
        "title": "Conversion has not been enabled for your account",
    });
    assert_eq!((reply.status, reply.json()), (402, expected));
}

#[test]
fn missing_malformed_and_invalid_have_the_same_document() {
    let sandbox = sandbox();
    assert_invalid(&post(&sandbox, &GOOD.replace("&delivered=true", "")), 420);
    assert_invalid(&post(&sandbox, &format!("{GOOD}&colour=red")), 422);
    assert_invalid(&post(&sandbox, &GOOD.replace("true", "maybe")), 423);
}

#[test]
fn other_places_and_methods_are_answered_404_and_405() {
    let sandbox = sandbox();
    assert_eq!(post(&sandbox, "/conversions/fax").status, 404);
    let reply = Client::to(&sandbox.http_url()).send(&format!("GET {GOOD} HTTP/1.1\r\nhost: sandbox\r\n\r\n"));
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
}

#[test]
fn a_body_of_either_framing_is_refused_and_an_empty_one_is_not() {
    let sandbox = sandbox();
    let send = |rest: &str| {
        Client::to(&sandbox.http_url()).send(&format!("POST {GOOD} HTTP/1.1\r\nhost: sandbox\r\n{rest}")).status
    };
    assert_eq!(send("content-length: 1\r\n\r\nx"), 422);
    assert_eq!(send("transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"), 422);
    assert_eq!(send("transfer-encoding: chunked\r\n\r\n0\r\n\r\n"), 200);
    assert_eq!(send(&format!("content-length: 100000\r\n\r\n{}", "x".repeat(100_000))), 422);
    assert_eq!(send("\r\n"), 200);
}

#[test]
fn told_behaviours_reach_the_wire() {
    let throttled = told(Behaviour::Throttled(9));
    assert_eq!((throttled.status, throttled.header("retry-after"), throttled.body.as_str()), (429, Some("9"), ""));
    let later = told(Behaviour::Unavailable(Some(4)));
    assert_eq!((later.status, later.header("retry-after")), (503, Some("4")));
    assert_eq!(told(Behaviour::Unavailable(None)).header("retry-after"), None);
    assert_eq!(told(Behaviour::Status(302)).header("location"), Some("/moved"));
    assert_eq!(told(Behaviour::Slow(std::time::Duration::from_millis(1))).body, "OK");
    assert_invalid(&told(Behaviour::Status(420)), 420);
}

#[test]
fn an_echo_repeats_target_and_authorization() {
    let sandbox = sandbox();
    sandbox.rule(Rule::for_account("abcd1234", Behaviour::Echo(500)));
    let reply = post(&sandbox, GOOD);
    assert!(reply.status == 500 && reply.body.contains(GOOD), "{reply:?}");
    let header = "authorization: Basic YWJjZDEyMzQ6czNjcmV0";
    let request = format!("POST /conversions/sms HTTP/1.1\r\nhost: sandbox\r\n{header}\r\n\r\n");
    assert!(Client::to(&sandbox.http_url()).send(&request).body.contains("Basic YWJjZDEyMzQ6czNjcmV0"));
}

#[test]
fn rules_can_be_added_and_taken_away_while_it_runs() {
    let sandbox = sandbox();
    sandbox.rule(Rule::for_all(Behaviour::Status(500)));
    sandbox.rule(Rule::for_message("00A0B0C0", Behaviour::Unavailable(None)).times(1));
    assert_eq!([post(&sandbox, GOOD).status, post(&sandbox, GOOD).status], [503, 500]);
    sandbox.clear_rules();
    assert_eq!(post(&sandbox, GOOD).status, 200);
}

#[test]
fn a_prefix_and_accounts_of_ones_own_replace_the_defaults() {
    let account = Account {
        api_key: "k".into(),
        api_secret: "sé".into(),
        signature_secret: Some("sign".into()),
        signature_method: Some(SignatureMethod::Md5Hash),
    };
    let settings = Settings { prefix: "a/b/".into(), accounts: vec![account], ..Settings::default() };
    let sandbox = Sandbox::start(settings).unwrap();
    assert_eq!(post(&sandbox, GOOD).status, 404);
    assert_eq!(post(&sandbox, &format!("/a/b{GOOD}")).status, 401);
    let own = "/a/b/conversions/voice?api_key=k&api_secret=s%C3%A9&message-id=x&delivered=0";
    assert_eq!(post(&sandbox, own).status, 200);
}

#[test]
fn who_hangs_up_has_taken_the_request() {
    let moods = Moods { hanging_up: 1000, failing: 0, ..Moods::of_a_bad_day(1) };
    let sandbox = Sandbox::start(Settings::default()).unwrap();
    sandbox.rule(Rule::for_all(Behaviour::Erratic(moods)));
    let mut client = Client::to(&sandbox.http_url());
    client.write(&format!("POST {GOOD} HTTP/1.1\r\nhost: sandbox\r\ncontent-length: 0\r\n\r\n"));
    assert_eq!(client.rest(), 0);
    assert_eq!(sandbox.requests().iter().map(|record| record.status).collect::<Vec<_>>(), [200]);
}
