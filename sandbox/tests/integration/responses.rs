//! Tests the statuses, bodies and headers of the responses that a client receives.

use nexmo_sandbox::{Account, Behaviour, RandomFaults, Rule, Sandbox, Settings, SignatureMethod};
use serde_json::json;

use crate::client::{Client, Response, VALID, post};

fn sandbox() -> Sandbox {
    Sandbox::start(Settings::default()).unwrap()
}

fn with_rule(behaviour: Behaviour) -> Response {
    post(&Sandbox::start(Settings { rules: vec![Rule::for_all(behaviour)], ..Settings::default() }).unwrap(), VALID)
}

fn assert_invalid(response: &Response, status: u16) {
    assert_eq!((response.status, response.header("content-type")), (status, Some("application/json")));
    let expected = json!({
        "type": "https://developer.nexmo.com/api-errors#3",
        "title": "Invalid parameters. The value of one or more parameters is invalid.",
        "resolution": "Check your parameters and try again.",
    });
    assert_eq!(response.json(), expected);
}

#[test]
fn a_valid_report_gets_200() {
    let response = post(&sandbox(), VALID);
    assert_eq!(
        (response.status, response.body.as_str(), response.header("content-type")),
        (200, "OK", Some("text/plain"))
    );
}

#[test]
fn wrong_credentials_get_401_with_a_unique_instance() {
    let sandbox = sandbox();
    let responses = [(); 2].map(|()| post(&sandbox, &VALID.replace("s3cret", "wrong")));
    assert!(
        responses
            .iter()
            .all(|response| response.status == 401 && response.header("content-type") == Some("application/json"))
    );
    let [first, second] = responses.map(|response| response.json());
    assert_eq!(first["type"], "https://developer.nexmo.com/api-errors#unauthorized");
    assert_eq!(first["title"], "Invalid credentials supplied");
    assert_eq!(first["detail"], "You did not provide correct credentials.");
    assert_ne!(first["instance"], second["instance"]);
}

#[test]
fn an_account_without_conversions_gets_402() {
    let response = with_rule(Behaviour::NotEnabled);
    let expected = json!({
        "type": "https://developer.nexmo.com/api-errors#forbidden",
        "title": "Conversion has not been enabled for your account",
    });
    assert_eq!((response.status, response.json()), (402, expected));
}

#[test]
fn responses_to_missing_malformed_and_invalid_parameters_have_the_same_body() {
    let sandbox = sandbox();
    assert_invalid(&post(&sandbox, &VALID.replace("&delivered=true", "")), 420);
    assert_invalid(&post(&sandbox, &format!("{VALID}&colour=red")), 422);
    assert_invalid(&post(&sandbox, &VALID.replace("true", "maybe")), 423);
}

#[test]
fn other_paths_get_404_and_other_methods_405() {
    let sandbox = sandbox();
    assert_eq!(post(&sandbox, "/conversions/fax").status, 404);
    let response = Client::to(&sandbox.http_url()).send(&format!("GET {VALID} HTTP/1.1\r\nhost: sandbox\r\n\r\n"));
    assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
}

#[test]
fn a_request_with_a_body_gets_422_in_either_framing_unless_the_body_is_empty() {
    let sandbox = sandbox();
    let send = |rest: &str| {
        Client::to(&sandbox.http_url()).send(&format!("POST {VALID} HTTP/1.1\r\nhost: sandbox\r\n{rest}")).status
    };
    assert_eq!(send("content-length: 1\r\n\r\nx"), 422);
    assert_eq!(send("transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"), 422);
    assert_eq!(send("transfer-encoding: chunked\r\n\r\n0\r\n\r\n"), 200);
    assert_eq!(send(&format!("content-length: 100000\r\n\r\n{}", "x".repeat(100_000))), 422);
    assert_eq!(send("\r\n"), 200);
}

#[test]
fn the_behaviours_of_rules_determine_the_responses() {
    let throttled = with_rule(Behaviour::Throttled(9));
    assert_eq!((throttled.status, throttled.header("retry-after"), throttled.body.as_str()), (429, Some("9"), ""));
    let unavailable = with_rule(Behaviour::Unavailable(Some(4)));
    assert_eq!((unavailable.status, unavailable.header("retry-after")), (503, Some("4")));
    assert_eq!(with_rule(Behaviour::Unavailable(None)).header("retry-after"), None);
    assert_eq!(with_rule(Behaviour::Status(302)).header("location"), Some("/moved"));
    assert_eq!(with_rule(Behaviour::Slow(std::time::Duration::from_millis(1))).body, "OK");
    assert_invalid(&with_rule(Behaviour::Status(420)), 420);
}

#[test]
fn an_echo_repeats_target_and_authorization() {
    let sandbox = sandbox();
    sandbox.rule(Rule::for_account("abcd1234", Behaviour::Echo(500)));
    let response = post(&sandbox, VALID);
    assert!(response.status == 500 && response.body.contains(VALID), "{response:?}");
    let header = "authorization: Basic YWJjZDEyMzQ6czNjcmV0";
    let request = format!("POST /conversions/sms HTTP/1.1\r\nhost: sandbox\r\n{header}\r\n\r\n");
    assert!(Client::to(&sandbox.http_url()).send(&request).body.contains("Basic YWJjZDEyMzQ6czNjcmV0"));
}

#[test]
fn rules_can_be_added_and_removed_while_the_sandbox_runs() {
    let sandbox = sandbox();
    sandbox.rule(Rule::for_all(Behaviour::Status(500)));
    sandbox.rule(Rule::for_message("00A0B0C0", Behaviour::Unavailable(None)).times(1));
    assert_eq!([post(&sandbox, VALID).status, post(&sandbox, VALID).status], [503, 500]);
    sandbox.clear_rules();
    assert_eq!(post(&sandbox, VALID).status, 200);
}

#[test]
fn prefix_and_accounts_replace_the_defaults() {
    let account = Account {
        api_key: "k".into(),
        api_secret: "sé".into(),
        signature_secret: Some("sign".into()),
        signature_method: Some(SignatureMethod::Md5Hash),
    };
    let settings = Settings { prefix: "a/b/".into(), accounts: vec![account], ..Settings::default() };
    let sandbox = Sandbox::start(settings).unwrap();
    assert_eq!(post(&sandbox, VALID).status, 404);
    assert_eq!(post(&sandbox, &format!("/a/b{VALID}")).status, 401);
    let own = "/a/b/conversions/voice?api_key=k&api_secret=s%C3%A9&message-id=x&delivered=0";
    assert_eq!(post(&sandbox, own).status, 200);
}

#[test]
fn a_request_is_accepted_before_the_connection_is_closed() {
    let faults = RandomFaults { disconnects: 1000, errors: 0, ..RandomFaults::seeded(1) };
    let sandbox = Sandbox::start(Settings::default()).unwrap();
    sandbox.rule(Rule::for_all(Behaviour::Erratic(faults)));
    let mut client = Client::to(&sandbox.http_url());
    client.write(&format!("POST {VALID} HTTP/1.1\r\nhost: sandbox\r\ncontent-length: 0\r\n\r\n"));
    assert_eq!(client.rest(), 0);
    assert_eq!(sandbox.requests().iter().map(|record| record.status).collect::<Vec<_>>(), [200]);
}
