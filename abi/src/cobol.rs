//! Generates `bindings/cobol/NEXMOCNV.cpy`, the copybook for COBOL programs, which call the flat functions.

use std::fmt::Write as _;

use crate::interface::{Constant, Interface};
use crate::{Failure, NOTICE};

/// The maximum length of a name in standard COBOL.
const LONGEST_NAME: usize = 31;

/// The last column of text in the fixed format.
const LAST_COLUMN: usize = 72;

/// The prefixes of the constants that callers of the flat functions need.
const PREFIXES: &[&str] =
    &["NEXMO_OK", "NEXMO_ERR_", "NEXMO_CHANNEL_", "NEXMO_ACCEPTANCE_", "NEXMO_EVENT_", "NEXMO_STATE_", "NEXMO_DETAIL_"];

/// The arrays of numbers that flat functions write: the prefix of the constants for each array, and the name of the
/// array in the copybook.
const ARRAYS: &[(&str, &str)] = &[("NEXMO_DETAIL_", "NEXMO-DETAIL"), ("NEXMO_EVENT_FIELD_", "NEXMO-EVENT-FIELD")];

const EXPLANATION: &str = "\
For the fixed and the free format. Copy it into
WORKING-STORAGE:

    COPY NEXMOCNV.

Pass 64-bit numbers by value with SIZE 8, and each text with
its size. A negative size makes the library pad the text that
it writes with spaces:

    01 MESSAGE-ID PIC X(32).
    01 TEXT-OUT   PIC X(200).

    CALL \"nexmo_flat_report\" USING
        BY VALUE SIZE 8 NEXMO-HANDLE
        BY VALUE SIZE 4 NEXMO-CHANNEL-SMS
        BY REFERENCE MESSAGE-ID BY VALUE SIZE 4 32
        BY VALUE SIZE 4 1
        BY REFERENCE OMITTED BY VALUE SIZE 4 0
        BY REFERENCE NEXMO-DETAILS
        BY VALUE SIZE 4 NEXMO-DETAIL-COUNT
        BY REFERENCE TEXT-OUT BY VALUE SIZE 4 -200
        RETURNING NEXMO-STATUS
    END-CALL

NEXMO-DETAIL (NEXMO-DETAIL-ATTEMPTS) is then the number of
requests. Indices count from 1 here, and from 0 in C.
";

/// Returns the text of the copybook.
pub(crate) fn copybook(interface: &Interface) -> Result<String, Failure> {
    let mut text =
        format!("{}{}{}", comment(NOTICE), comment(""), EXPLANATION.lines().map(comment).collect::<String>());
    for section in &interface.sections {
        let is_useful = |constant: &&Constant| PREFIXES.iter().any(|prefix| constant.name.starts_with(prefix));
        let useful: Vec<&Constant> = section.constants.iter().filter(is_useful).collect();
        if !useful.is_empty() {
            write!(text, "\n{}", comment(&section.title))?;
        }
        for constant in useful {
            let value = constant.value.saturating_add(i64::from(is_index(constant)));
            text.push_str(&level_78(&cobol_name(&constant.name)?, value));
        }
    }
    text.push_str(&records(interface));
    check_width(&text)?;
    Ok(text)
}

fn comment(line: &str) -> String {
    format!("      *> {line}").trim_end().to_owned() + "\n"
}

fn level_78(name: &str, value: i64) -> String {
    format!("       78  {name:<32} VALUE {value}.\n")
}

fn cobol_name(name: &str) -> Result<String, Failure> {
    if name.len() > LONGEST_NAME {
        return Err(format!("{name} has more than {LONGEST_NAME} characters, the maximum for a name in COBOL").into());
    }
    Ok(name.replace('_', "-"))
}

fn is_index(constant: &Constant) -> bool {
    !constant.name.ends_with("_COUNT") && ARRAYS.iter().any(|(prefix, _)| constant.name.starts_with(prefix))
}

fn records(interface: &Interface) -> String {
    let mut text = format!("\n{}", comment("Working storage"));
    text.push_str("       01  NEXMO-HANDLE            PIC S9(18) COMP-5 VALUE 0.\n");
    text.push_str("       01  NEXMO-EVENT-ID          PIC S9(18) COMP-5 VALUE 0.\n");
    text.push_str("       01  NEXMO-STATUS            PIC S9(9) COMP-5 VALUE 0.\n");
    for (prefix, name) in ARRAYS {
        let count = interface.constants().find(|constant| constant.name == format!("{prefix}COUNT"));
        if let Some(count) = count {
            text.push_str(&format!(
                "       01  {name}S.\n           05  {name} PIC S9(18) COMP-5\n               OCCURS {} TIMES.\n",
                count.value
            ));
        }
    }
    text
}

fn check_width(text: &str) -> Result<(), Failure> {
    match text.lines().find(|line| line.chars().count() > LAST_COLUMN) {
        Some(line) => Err(format!("a line of the copybook ends after column {LAST_COLUMN}: {line}").into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::Type;
    use crate::parse::tests::interface;

    fn constant(name: &str, value: i64) -> Constant {
        Constant { name: name.to_owned(), documentation: String::new(), of: Type::I32, value }
    }

    #[test]
    fn names_have_at_most_31_characters() {
        let longest = format!("NEXMO_ERR_{}", "X".repeat(21));
        assert_eq!(cobol_name(&longest).unwrap().len(), 31);
        let error = cobol_name(&format!("{longest}X")).unwrap_err().to_string();
        assert!(error.contains("more than 31 characters"), "{error}");
    }

    #[test]
    fn constants_are_level_78_and_indices_count_from_1() {
        let mut interface = interface("struct_size: u32", "");
        interface.sections[0].constants.extend([
            constant("NEXMO_DETAIL_STATUS", 0),
            constant("NEXMO_DETAIL_ATTEMPTS", 1),
            constant("NEXMO_DETAIL_COUNT", 2),
            constant("NEXMO_EVENT_REJECTED", 1),
        ]);
        let text = copybook(&interface).unwrap();
        let has = |name: &str, value: &str| text.contains(&format!("       78  {name:<32} VALUE {value}.\n"));
        assert!(has("NEXMO-ERR-LATER", "2") && has("NEXMO-DETAIL-STATUS", "1") && has("NEXMO-DETAIL-ATTEMPTS", "2"));
        assert!(
            has("NEXMO-EVENT-REJECTED", "1") && has("NEXMO-DETAIL-COUNT", "2"),
            "constants that are not indices keep their values"
        );
        assert!(text.contains("05  NEXMO-DETAIL PIC S9(18) COMP-5\n               OCCURS 2 TIMES."));
        assert!(!text.contains("TEXT-SIZE"));
    }

    #[test]
    fn a_line_beyond_column_72_is_an_error() {
        assert!(check_width(&"x".repeat(72)).is_ok() && check_width(&"x".repeat(73)).is_err());
    }
}
