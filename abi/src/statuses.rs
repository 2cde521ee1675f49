//! Generates `docs/statuses.md`, which documents the statuses.

use std::fmt::Write as _;

use crate::interface::Interface;
use crate::{Failure, NOTICE};

const INTRODUCTION: &str = "\
Every function that can fail returns a status. 0 is success. No status of this version is negative or above 99, so that
a status can be a program's exit status and is never mistaken for an HTTP status. *Retryable* is what
`nexmo_status_is_retryable` returns: whether the same report can succeed if it is sent or submitted again later without
a correction by a user.

If a band is full, later versions may add statuses that are 1000 higher, so the status modulo 1000 determines the band:

| band | meaning |
| --- | --- |
| 1 to 19 | The call was invalid and nothing was sent. |
| 20 to 39 | No valid response was received; `acceptance` says whether the report may have been accepted. |
| 40 to 59 | The service's response is an error. |
| 60 to 79 | An error of the outbox or the reporter. |
| 80 to 98 | Unused. |
| 99 | A bug in the library. |

Later versions may return numbers that are not listed here; classify them by `nexmo_status_is_retryable` and their band.

| number | name | retryable | meaning |
| ---: | --- | --- | --- |
";

/// Returns the text of the document.
pub(crate) fn statuses(interface: &Interface) -> Result<String, Failure> {
    let mut text = format!("# Statuses\n\n<!-- {NOTICE} -->\n\n{INTRODUCTION}");
    for status in interface.statuses() {
        let (retryable, meaning) = (if status.is_retryable { "yes" } else { "no" }, status.text.replace('|', "\\|"));
        writeln!(text, "| {} | `{}` | {retryable} | {meaning} |", status.number, status.name)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tests::interface;

    #[test]
    fn each_status_has_a_row() {
        let text = statuses(&interface("struct_size: u32", "")).unwrap();
        assert!(
            text.contains(
                "| 0 | `NEXMO_OK` | no | Fine. Go on. |\n| 2 | `NEXMO_ERR_LATER` | yes | It failed. Retry. |\n"
            )
        );
    }
}
