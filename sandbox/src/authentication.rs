//! Authenticates requests by a secret in the query, a Basic header or a signature.

use serde::Serialize;
use subtle::ConstantTimeEq;

use crate::account::Account;
use crate::request::{KeyAndSecret, Request};
use crate::signature::{SignatureMethod, base_string};
use crate::violation::{MALFORMED, UNAUTHORIZED, Violation};

/// How a request authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// `api_secret` in the query.
    Query,
    /// An `Authorization` header.
    Basic,
    /// `sig` in the query.
    Signature,
    /// None of these ways, or more than one.
    None,
}

impl Authentication {
    /// Returns how the request authenticates, whether or not its credentials are valid.
    pub(crate) fn of(request: &Request) -> Self {
        match ways(request).as_slice() {
            [way] => *way,
            _ => Self::None,
        }
    }
}

/// An authenticated caller.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) account: &'a Account,
    /// The signature method, if the request is signed.
    pub(crate) method: Option<SignatureMethod>,
}

/// Finds the account to which the request's credentials belong.
pub(crate) fn authenticate<'a>(request: &Request, accounts: &'a [Account]) -> Result<Caller<'a>, Violation> {
    match ways(request).as_slice() {
        [Authentication::Query] => by_query(request, accounts),
        [Authentication::Basic] => by_header(request, accounts),
        [Authentication::Signature] => by_signature(request, accounts),
        [] => Err(unauthorized("The request has no api_secret, no sig and no Authorization header.")),
        _ => Err(Violation::new(MALFORMED, "The request contains more than one set of credentials.")),
    }
}

fn ways(request: &Request) -> Vec<Authentication> {
    let mut ways = Vec::new();
    if request.query.count("api_secret") > 0 {
        ways.push(Authentication::Query);
    }
    if request.query.count("sig") > 0 {
        ways.push(Authentication::Signature);
    }
    ways.extend(request.authorizations().map(|_| Authentication::Basic));
    ways
}

fn by_query<'a>(request: &Request, accounts: &'a [Account]) -> Result<Caller<'a>, Violation> {
    let key =
        request.query.get("api_key").ok_or_else(|| unauthorized("api_key is missing or not percent-encoded UTF-8."))?;
    let secret =
        request.query.get("api_secret").ok_or_else(|| unauthorized("api_secret is not percent-encoded UTF-8."))?;
    by_secret(accounts, key, secret)
}

fn by_header<'a>(request: &Request, accounts: &'a [Account]) -> Result<Caller<'a>, Violation> {
    let malformed =
        || unauthorized("The Authorization header is not 'Basic' followed by base64 of api_key:api_secret.");
    let KeyAndSecret { key, secret } = request.basic().ok_or_else(malformed)?;
    by_secret(accounts, &key, &secret)
}

fn by_secret<'a>(accounts: &'a [Account], key: &str, secret: &str) -> Result<Caller<'a>, Violation> {
    let account = find_account(accounts, key)?;
    if account.api_secret.as_bytes().ct_eq(secret.as_bytes()).into() {
        Ok(Caller { account, method: None })
    } else {
        Err(unauthorized("The API secret is wrong."))
    }
}

fn by_signature<'a>(request: &Request, accounts: &'a [Account]) -> Result<Caller<'a>, Violation> {
    let query = &request.query;
    let key = query.get("api_key").ok_or_else(|| unauthorized("api_key is missing or not percent-encoded UTF-8."))?;
    let account = find_account(accounts, key)?;
    if query.count("timestamp") == 0 {
        return Err(unauthorized("A signed request requires a timestamp."));
    }
    let decoded = query.decoded().ok_or_else(|| unauthorized("The signed query is not percent-encoded UTF-8."))?;
    let base = base_string(decoded.into_iter());
    let method = matching_method(account, &base, query.get("sig").unwrap_or_default())?;
    Ok(Caller { account, method: Some(method) })
}

/// Returns the method with which `sig` is the signature of `base`, among the methods that the account allows.
fn matching_method(account: &Account, base: &str, sig: &str) -> Result<SignatureMethod, Violation> {
    let secret =
        account.signature_secret.as_deref().ok_or_else(|| unauthorized("The account has no signature secret."))?;
    let allowed = |method: &SignatureMethod| account.signature_method.is_none_or(|only| only == *method);
    let mut methods = SignatureMethod::ALL.into_iter().filter(allowed);
    // The message quotes the base string, which contains no secret, so that a user can compare it with the client's.
    let wrong = || unauthorized(&format!("sig is not the {} signature of '{base}'.", expected(account)));
    methods.find(|method| method.verifies(base, secret, sig)).ok_or_else(wrong)
}

fn expected(account: &Account) -> &'static str {
    account.signature_method.map_or("md5hash, md5, sha1, sha256 or sha512", SignatureMethod::name)
}

fn find_account<'a>(accounts: &'a [Account], key: &str) -> Result<&'a Account, Violation> {
    let found = accounts.iter().find(|account| account.api_key == key);
    found.ok_or_else(|| unauthorized("No account has this API key."))
}

fn unauthorized(sentence: &str) -> Violation {
    Violation::new(UNAUTHORIZED, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::post;

    const BASIC: (&str, &str) = ("authorization", "Basic YWJjZDEyMzQ6czNjcmV0");

    /// The MD5 hash and the HMAC-SHA256 of `&api_key=abcd1234&timestamp=1577880000` with the secret `sign4ture`,
    /// computed with other tools.
    const MD5HASH: &str = "6c56c34feaf937a2255cad0743459ae7";
    const SHA256: &str = "ae06db13e682c92e0d91eb42d2b430397871b377b0b53d8067b4c335dc8a0d56";

    fn status(target: &str, headers: &[(&str, &str)]) -> u16 {
        authenticate(&post(target, headers), &[Account::default()]).map_or_else(|violation| violation.status, |_| 200)
    }

    fn signed(sig: &str) -> String {
        format!("/?sig={sig}&timestamp=1577880000&api_key=abcd1234")
    }

    #[test]
    fn each_way_is_accepted() {
        assert_eq!(status("/?api_key=abcd1234&api_secret=s3cret", &[]), 200);
        assert_eq!(status("/", &[BASIC]), 200);
        assert_eq!(status(&signed(MD5HASH), &[]), 200);
        assert_eq!(status(&signed(&SHA256.to_uppercase()), &[]), 200);
    }

    #[test]
    fn wrong_missing_and_malformed_credentials_are_rejected() {
        let targets = [
            "/",
            "/?api_key=abcd1234",
            "/?api_secret=s3cret",
            "/?api_key=abcd1234&api_secret=wrong",
            "/?api_key=abcd1234&api_secret=S3CRET",
            "/?api_key=abcd1234&api_secret=",
            "/?api_key=abcd1234&api_secret=%ff",
            "/?api_key=unknown&api_secret=s3cret",
            "/?api_key=abcd1234&timestamp=1577880000&sig=",
            "/?api_key=abcd1234&timestamp=1577880000&sig=00",
            "/?sig=00&timestamp=1577880000",
        ];
        for target in targets {
            assert_eq!(status(target, &[]), 401, "{target}");
        }
        for header in ["", "Basic", "Basic s3cret", "Bearer YWJjZDEyMzQ6czNjcmV0", "Basic YWJjZDEyMzQ6d3Jvbmc="] {
            assert_eq!(status("/", &[("authorization", header)]), 401, "{header}");
        }
    }

    #[test]
    fn a_signature_requires_a_timestamp() {
        let violation = authenticate(&post("/?api_key=abcd1234&sig=00", &[]), &[Account::default()]).unwrap_err();
        assert_eq!(violation, Violation::new(401, "A signed request requires a timestamp."));
    }

    #[test]
    fn a_signature_covers_every_parameter() {
        assert_eq!(status(&format!("{}&more=1", signed(MD5HASH)), &[]), 401);
        assert_eq!(status(&format!("{}&more=%ff", signed(MD5HASH)), &[]), 401);
    }

    #[test]
    fn requests_with_more_than_one_way_are_malformed() {
        assert_eq!(status("/?api_key=abcd1234&api_secret=s3cret", &[BASIC]), 422);
        assert_eq!(status(&format!("{}&api_secret=s3cret", signed(MD5HASH)), &[]), 422);
        assert_eq!(status(&signed(MD5HASH), &[BASIC]), 422);
        assert_eq!(status("/", &[BASIC, BASIC]), 422);
    }

    #[test]
    fn the_matching_method_is_returned_and_an_account_can_require_a_method() {
        let request = post(&signed(SHA256), &[]);
        let any = [Account::default()];
        assert_eq!(authenticate(&request, &any).unwrap().method, Some(SignatureMethod::Sha256));
        let only_md5 = [Account { signature_method: Some(SignatureMethod::Md5), ..Account::default() }];
        assert_eq!(authenticate(&request, &only_md5).unwrap_err().status, 401);
    }

    #[test]
    fn signatures_for_an_account_without_a_signature_secret_are_rejected() {
        let accounts = [Account { signature_secret: None, ..Account::default() }];
        assert_eq!(authenticate(&post(&signed(MD5HASH), &[]), &accounts).unwrap_err().status, 401);
    }
}
