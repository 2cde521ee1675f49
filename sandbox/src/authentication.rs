//! Who is calling, and whether that is proven.

use serde::Serialize;
use subtle::ConstantTimeEq;

use crate::account::Account;
use crate::request::{KeyAndSecret, Request};
use crate::signature::{SignatureMethod, base_string};
use crate::violation::{Fault, MALFORMED, UNAUTHORIZED};

/// The way in which a caller tried to prove who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// `api_secret` in the query.
    Query,
    /// An `Authorization` header.
    Basic,
    /// `sig` in the query.
    Signature,
    /// Not at all, or in more than one way at once.
    None,
}

impl Authentication {
    /// The one way that the request goes.
    pub(crate) fn of(request: &Request) -> Self {
        match ways(request).as_slice() {
            [way] => *way,
            _ => Self::None,
        }
    }
}

/// A caller whose proof holds.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) account: &'a Account,
    /// The method that its signature was made with, if it signed.
    pub(crate) method: Option<SignatureMethod>,
}

/// Finds out who calls, or why that cannot be believed.
pub(crate) fn authenticate<'a>(request: &Request, accounts: &'a [Account]) -> Result<Caller<'a>, Fault> {
    match ways(request).as_slice() {
        [Authentication::Query] => by_query(request, accounts),
        [Authentication::Basic] => by_header(request, accounts),
        [Authentication::Signature] => by_signature(request, accounts),
        [] => Err(refused("There is neither api_secret nor sig nor an Authorization header.")),
        _ => Err(Fault::new(MALFORMED, "More than one way to authenticate is used at once.")),
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

fn by_query<'a>(request: &Request, accounts: &'a [Account]) -> Result<Caller<'a>, Fault> {
    let key = request.query.get("api_key").ok_or_else(|| refused("api_key is missing or cannot be decoded."))?;
    let secret = request.query.get("api_secret").ok_or_else(|| refused("api_secret cannot be decoded."))?;
    by_secret(accounts, key, secret)
}

fn by_header<'a>(request: &Request, accounts: &'a [Account]) -> Result<Caller<'a>, Fault> {
    let malformed = || refused("The Authorization header is not 'Basic' with base64 of api_key:api_secret.");
    let KeyAndSecret { key, secret } = request.basic().ok_or_else(malformed)?;
    by_secret(accounts, &key, &secret)
}

fn by_secret<'a>(accounts: &'a [Account], key: &str, secret: &str) -> Result<Caller<'a>, Fault> {
    let account = named(accounts, key)?;
    if account.api_secret.as_bytes().ct_eq(secret.as_bytes()).into() {
        Ok(Caller { account, method: None })
    } else {
        Err(refused("The API secret is not that of the account."))
    }
}

fn by_signature<'a>(request: &Request, accounts: &'a [Account]) -> Result<Caller<'a>, Fault> {
    let query = &request.query;
    let key = query.get("api_key").ok_or_else(|| refused("api_key is missing or cannot be decoded."))?;
    let account = named(accounts, key)?;
    if query.count("timestamp") == 0 {
        return Err(refused("A signed request must carry timestamp."));
    }
    let decoded = query.decoded().ok_or_else(|| refused("The signature covers a query that cannot be decoded."))?;
    let base = base_string(decoded.into_iter());
    let method = signed_with(account, &base, query.get("sig").unwrap_or_default())?;
    Ok(Caller { account, method: Some(method) })
}

/// The method that makes this signature of the base, among those that the account allows.
fn signed_with(account: &Account, base: &str, sig: &str) -> Result<SignatureMethod, Fault> {
    let secret = account.signature_secret.as_deref().ok_or_else(|| refused("The account has no signature secret."))?;
    let allowed = |method: &SignatureMethod| account.signature_method.is_none_or(|only| only == *method);
    let mut methods = SignatureMethod::ALL.into_iter().filter(allowed);
    // The base is told because it holds no secret and is what one needs to find a mistake in the signing.
    let wrong = || refused(&format!("sig is not the {} signature of '{base}'.", expected(account)));
    methods.find(|method| method.verifies(base, secret, sig)).ok_or_else(wrong)
}

fn expected(account: &Account) -> &'static str {
    account.signature_method.map_or("md5hash, md5, sha1, sha256 or sha512", SignatureMethod::name)
}

fn named<'a>(accounts: &'a [Account], key: &str) -> Result<&'a Account, Fault> {
    let found = accounts.iter().find(|account| account.api_key == key);
    found.ok_or_else(|| refused("The API key is not that of any account."))
}

fn refused(sentence: &str) -> Fault {
    Fault::new(UNAUTHORIZED, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::post;

    const BASIC: (&str, &str) = ("authorization", "Basic YWJjZDEyMzQ6czNjcmV0");

    /// MD5-hash and HMAC-SHA256 over `&api_key=abcd1234&timestamp=1577880000` with `sign4ture`, made with other tools.
    const MD5HASH: &str = "6c56c34feaf937a2255cad0743459ae7";
    const SHA256: &str = "ae06db13e682c92e0d91eb42d2b430397871b377b0b53d8067b4c335dc8a0d56";

    fn status(target: &str, headers: &[(&str, &str)]) -> u16 {
        authenticate(&post(target, headers), &[Account::default()]).map_or_else(|fault| fault.status, |_| 200)
    }

    fn signed(sig: &str) -> String {
        format!("/?sig={sig}&timestamp=1577880000&api_key=abcd1234")
    }

    #[test]
    fn each_of_the_three_ways_is_taken() {
        assert_eq!(status("/?api_key=abcd1234&api_secret=s3cret", &[]), 200);
        assert_eq!(status("/", &[BASIC]), 200);
        assert_eq!(status(&signed(MD5HASH), &[]), 200);
        assert_eq!(status(&signed(&SHA256.to_uppercase()), &[]), 200);
    }

    #[test]
    fn wrong_missing_or_broken_proofs_are_refused() {
        let targets = [
            "/",
            "/?api_key=abcd1234",
            "/?api_secret=s3cret",
            "/?api_key=abcd1234&api_secret=wrong",
            "/?api_key=abcd1234&api_secret=S3CRET",
            "/?api_key=abcd1234&api_secret=",
            "/?api_key=abcd1234&api_secret=%ff",
            "/?api_key=nobody&api_secret=s3cret",
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
    fn a_signature_without_timestamp_is_refused_for_that() {
        let fault = authenticate(&post("/?api_key=abcd1234&sig=00", &[]), &[Account::default()]).unwrap_err();
        assert_eq!(fault, Fault::new(401, "A signed request must carry timestamp."));
    }

    #[test]
    fn a_signature_covers_every_parameter() {
        assert_eq!(status(&format!("{}&more=1", signed(MD5HASH)), &[]), 401);
        assert_eq!(status(&format!("{}&more=%ff", signed(MD5HASH)), &[]), 401);
    }

    #[test]
    fn more_than_one_way_at_once_is_malformed() {
        assert_eq!(status("/?api_key=abcd1234&api_secret=s3cret", &[BASIC]), 422);
        assert_eq!(status(&format!("{}&api_secret=s3cret", signed(MD5HASH)), &[]), 422);
        assert_eq!(status(&signed(MD5HASH), &[BASIC]), 422);
        assert_eq!(status("/", &[BASIC, BASIC]), 422);
    }

    #[test]
    fn the_method_that_matched_is_told_and_may_be_prescribed() {
        let request = post(&signed(SHA256), &[]);
        let any = [Account::default()];
        assert_eq!(authenticate(&request, &any).unwrap().method, Some(SignatureMethod::Sha256));
        let only_md5 = [Account { signature_method: Some(SignatureMethod::Md5), ..Account::default() }];
        assert_eq!(authenticate(&request, &only_md5).unwrap_err().status, 401);
    }

    #[test]
    fn an_account_without_signature_secret_cannot_sign() {
        let accounts = [Account { signature_secret: None, ..Account::default() }];
        assert_eq!(authenticate(&post(&signed(MD5HASH), &[]), &accounts).unwrap_err().status, 401);
    }
}
