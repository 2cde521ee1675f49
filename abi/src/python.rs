//! Generates `bindings/python/nexmo_conversion/_abi.py`: the structs, constants and prototypes for ctypes.

use std::fmt::Write as _;

use crate::interface::{Constant, Field, Function, Interface, Struct, Type, plain};
use crate::text::wrapped;
use crate::{Failure, NOTICE};

/// The maximum length of a line.
const WIDTH: usize = 120;

const BEGINNING: &str = "\
* `NEXMO_...`: each constant, under its name in C.
* `Status`: the statuses, named without NEXMO_ and ERR_; `RETRYABLE`: the statuses after which a retry can succeed.
* `Channel` and other enums: groups of related constants, named without their common prefix.
* `...Struct`: each C struct. A new object has its struct_size and the initial values that the INIT macro sets in C;
  keyword arguments set fields.
* `Handle`: nexmo_client * and nexmo_reporter *.
* `PROTOTYPES`: for the name of each function, its result type and parameter types (`restype` and `argtypes` of ctypes).
\"\"\"

import ctypes
from ctypes import POINTER, c_char, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from enum import IntEnum, IntFlag
from typing import Any, ClassVar, Dict, Tuple
";

/// The classes for groups of related constants. Each entry has the prefix of the constants' names, the name of the
/// class and its documentation.
const ENUMS: &[(&str, &str, &str)] = &[
    ("NEXMO_AUTH_", "Authentication(IntEnum)", "The ways to authenticate a request."),
    (
        "NEXMO_SIGNATURE_",
        "SignatureMethod(IntEnum)",
        "The methods to compute a signature. The account's settings determine which one to use.",
    ),
    ("NEXMO_CHANNEL_", "Channel(IntEnum)", "The ways to send a one-time code."),
    (
        "NEXMO_ACCEPTANCE_",
        "Acceptance(IntEnum)",
        "Whether the service accepted a report in any attempt of a call: no, unknown or yes.",
    ),
    ("NEXMO_DURABILITY_", "Durability(IntEnum)", "The failures that a submitted report survives."),
    ("NEXMO_OVERFLOW_", "Overflow(IntEnum)", "What a submit does when `max_pending` reports are pending."),
    ("NEXMO_STATE_", "State(IntEnum)", "The states of a reporter."),
    ("NEXMO_EVENT_", "EventKind(IntEnum)", "The reasons why a report became an event."),
    ("NEXMO_OPTIONS_", "OptionsFlag(IntFlag)", "The bits of nexmo_options.flags."),
    ("NEXMO_REPORTER_OPTIONS_", "ReporterOptionsFlag(IntFlag)", "The bits of nexmo_reporter_options.flags."),
];

/// The prefixes of constants that begin like the members of an enum but are not members: indices of event fields, and
/// `NEXMO_EVENT_NONE`, for which `Reporter.poll` returns None.
const NO_MEMBERS: [&str; 2] = ["NEXMO_EVENT_FIELD_", "NEXMO_EVENT_NONE"];

const SIZED: &str = "\
class Sized(ctypes.Structure):
    \"\"\"A struct that begins with its own size, so that programs and libraries of different versions work together.\"\"\"

    _initial_: ClassVar[Dict[str, int]] = {}

    def __init__(self, **fields: Any) -> None:
        super().__init__(**{\"struct_size\": ctypes.sizeof(self), **self._initial_, **fields})
";

const HANDLE: &str = "\
Handle = c_void_p
\"\"\"nexmo_client * or nexmo_reporter *: an identifier, not an address.\"\"\"

PROTOTYPES: Dict[str, Tuple[Any, Tuple[Any, ...]]] = {
";

/// Returns the text of the module.
pub(crate) fn module(interface: &Interface) -> Result<String, Failure> {
    let mut text = format!("\"\"\"The C interface for ctypes.\n\n{NOTICE}\n\n{BEGINNING}\n");
    for constant in interface.constants() {
        writeln!(text, "{} = {}", constant.name, constant.value)?;
    }
    statuses(&mut text, interface)?;
    for (prefix, class, meaning) in ENUMS {
        let members = interface.constants().filter(|constant| is_member(constant, prefix));
        write!(text, "\n\nclass {class}:\n    \"\"\"{meaning}\"\"\"\n")?;
        for constant in members {
            let documentation = documentation(&sentence(&plain(&constant.documentation)));
            write!(
                text,
                "\n    {} = {}\n    {documentation}\n",
                &constant.name.trim_start_matches(prefix),
                constant.value
            )?;
        }
    }
    write!(text, "\n\n{SIZED}")?;
    for item in interface.structs() {
        sized_struct(&mut text, interface, item)?;
    }
    write!(text, "\n\n{HANDLE}")?;
    for function in interface.functions() {
        text.push_str(&prototype(interface, function)?);
    }
    text.push_str("}\n");
    Ok(text)
}

fn statuses(text: &mut String, interface: &Interface) -> Result<(), Failure> {
    write!(text, "\n\nclass Status(IntEnum):\n    \"\"\"The statuses that this version of the package knows.\"\"\"\n")?;
    let name = |name: &str| name.trim_start_matches("NEXMO_").trim_start_matches("ERR_").to_owned();
    for status in interface.statuses() {
        write!(text, "\n    {} = {}\n    {}\n", name(status.name), status.number, documentation(&status.text))?;
    }
    let statuses = interface.statuses().into_iter().filter(|status| status.is_retryable);
    let retryable: Vec<String> = statuses.map(|status| format!("        Status.{},\n", name(status.name))).collect();
    Ok(write!(text, "\n\nRETRYABLE = frozenset(\n    {{\n{}    }}\n)\n", retryable.concat())?)
}

/// Returns the documentation of a member of a class, indented.
fn documentation(sentences: &str) -> String {
    wrapped(&format!("\"\"\"{sentences}\"\"\""), WIDTH.saturating_sub(4)).join("\n    ")
}

fn is_member(constant: &Constant, prefix: &str) -> bool {
    let is_other = NO_MEMBERS.iter().any(|other| constant.name.starts_with(other)) || constant.name.ends_with("_SIZE");
    constant.name.starts_with(prefix) && !is_other
}

/// Removes a field name, as in `nexmo_event.kind: there is no event.`, and capitalizes the first letter of the rest.
fn sentence(documentation: &str) -> String {
    let text = documentation.split_once(": ").map_or(documentation, |(_, text)| text);
    let mut characters = text.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

fn sized_struct(text: &mut String, interface: &Interface, item: &Struct) -> Result<(), Failure> {
    write!(text, "\n\nclass {}(Sized):\n    \"\"\"{}.\"\"\"\n\n    _fields_ = [\n", class_name(&item.name), item.name)?;
    for field in &item.fields {
        writeln!(text, "        (\"{}\", {}),", field.name, ctype(interface, &field.of)?)?;
    }
    text.push_str("    ]\n");
    if !item.initial.is_empty() {
        let values = item.initial.iter().map(|(name, value)| format!("\"{name}\": {value}"));
        writeln!(text, "    _initial_ = {{{}}}", values.collect::<Vec<_>>().join(", "))?;
    }
    Ok(())
}

/// Returns the name of a struct's class, such as `ReporterOptionsStruct` for nexmo_reporter_options.
fn class_name(name: &str) -> String {
    let words = name.trim_start_matches("nexmo_").split('_').map(|word| {
        let mut characters = word.chars();
        characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect::<String>()
    });
    words.collect::<String>() + "Struct"
}

/// Returns an entry of PROTOTYPES, on one line if it fits, with the parameters below it otherwise.
fn prototype(interface: &Interface, function: &Function) -> Result<String, Failure> {
    let of = |field: &Field| ctype(interface, &field.of);
    let parameters: Vec<String> = function.parameters.iter().map(of).collect::<Result<_, Failure>>()?;
    let (name, returns) = (&function.name, ctype(interface, &function.returns)?);
    let listed = parameters.join(", ") + if parameters.len() == 1 { "," } else { "" };
    let line = format!("    \"{name}\": ({returns}, ({listed})),\n");
    if line.trim_end().len() <= WIDTH {
        return Ok(line);
    }
    let lines = parameters.iter().map(|parameter| format!("            {parameter},\n")).collect::<String>();
    Ok(format!("    \"{name}\": (\n        {returns},\n        (\n{lines}        ),\n    ),\n"))
}

fn ctype(interface: &Interface, of: &Type) -> Result<String, Failure> {
    Ok(match interface.resolved(of) {
        Type::Void => "None".to_owned(),
        Type::Char => "c_char".to_owned(),
        Type::I32 => "c_int32".to_owned(),
        Type::U32 => "c_uint32".to_owned(),
        Type::I64 => "c_int64".to_owned(),
        Type::Usize => "c_size_t".to_owned(),
        Type::Array { of, length } => format!("{} * {length}", ctype(interface, of)?),
        Type::Named(name) => class_name(name),
        Type::Pointer { is_const: true, to } if **to == Type::Char => "c_char_p".to_owned(),
        Type::Pointer { to, .. } => match &**to {
            Type::Named(name) if !interface.is_struct(name) => "Handle".to_owned(),
            to => format!("POINTER({})", ctype(interface, to)?),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tests::interface;

    #[test]
    fn structs_become_classes_with_fields_and_initial_values() {
        let fields =
            "struct_size: u32, pub status: nexmo_status, pub text: *const c_char, pub m: [c_char; NEXMO_TEXT_SIZE]";
        let text = module(&interface(fields, "status: NEXMO_ERR_LATER,")).unwrap();
        assert!(text.contains(
            "class ExampleStruct(Sized):\n    \"\"\"nexmo_example.\"\"\"\n\n    _fields_ = [\n        (\"struct_size\", c_uint32),\n        \
             (\"status\", c_int32),\n        (\"text\", c_char_p),\n        (\"m\", c_char * 20),\n    ]\n    \
             _initial_ = {\"status\": NEXMO_ERR_LATER}\n"
        ));
    }

    #[test]
    fn pointers_to_handles_structs_and_buffers_are_distinguished() {
        let interface = interface("struct_size: u32", "");
        let text = prototype(&interface, interface.functions().next().unwrap()).unwrap();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            line,
            "\"nexmo_do\": (c_int32, (Handle, c_char_p, c_size_t, POINTER(ExampleStruct), POINTER(Handle), POINTER(c_char))),"
        );
    }

    #[test]
    fn an_enum_excludes_constants_that_only_share_its_prefix() {
        let constant =
            |name: &str| Constant { name: name.to_owned(), documentation: String::new(), of: Type::I32, value: 1 };
        for (name, is) in [
            ("NEXMO_EVENT_DROPPED", true),
            ("NEXMO_EVENT_NONE", false),
            ("NEXMO_EVENT_FIELD_ID", false),
            ("NEXMO_STATE_CLOSED", false),
        ] {
            assert_eq!(is_member(&constant(name), "NEXMO_EVENT_"), is, "{name}");
        }
        assert_eq!(sentence("nexmo_event.kind: the outbox: was full."), "The outbox: was full.");
        assert_eq!(sentence("no field."), "No field.");
    }
}
