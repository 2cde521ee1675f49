//! Tests that redirects are never followed, so credentials are never sent elsewhere.

use nexmo_conversion::Kind;

use crate::authority::Identity;
use crate::case::{Case, case, secure_case};
use crate::script::{Script, respond_with};
use crate::tls::secure;

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

/// The targets of redirects, none of which the client may follow.
const TARGETS: [(&str, &str); 4] = [
    ("to another path on the same host", "http://{here}/elsewhere"),
    ("to another host", "http://{elsewhere}/conversions/sms"),
    ("to a path without a host", "/elsewhere"),
    ("in a loop", "http://{here}/conversions/sms"),
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = STATUSES.iter().flat_map(|status| TARGETS.map(|target| plain(*status, target))).collect();
    cases.extend(STATUSES.map(to_plain_http));
    cases.extend([
        without_target("nowhere", ""),
        without_target("to nonsense", "location: http://[::::/ :99999"),
        without_target("to a file", "location: file:///etc/passwd"),
    ]);
    cases
}

fn redirect(status: u16, target: &str) -> Script {
    respond_with(&format!("{status} Moved"), &format!("location: {target}"), "moved")
}

fn plain(status: u16, (name, target): (&str, &str)) -> Case {
    case(format!("{status} {name}")).plays(redirect(status, target)).fails(Kind::Redirected).status(status)
}

fn to_plain_http(status: u16) -> Case {
    let script = [vec![secure(Identity::Good)], redirect(status, "http://{elsewhere}/conversions/sms")].concat();
    secure_case(format!("{status} from TLS to plain HTTP")).plays(script).fails(Kind::Redirected).status(status)
}

fn without_target(name: &str, header: &str) -> Case {
    case(format!("302 {name}")).plays(respond_with("302 Found", header, "")).fails(Kind::Redirected).status(302)
}
