//! Generates `include/nexmo_conversion.h`. cbindgen runs once for each source file, so that the declarations keep
//! the order of the files in `source.rs`. This module adds what cbindgen cannot generate: the overview, the version and
//! the INIT macros.

use std::path::Path;

use cbindgen::{Builder, Config, DocumentationStyle, ItemType, Language, Layout, Style};

use crate::interface::{Interface, Section, Struct, Type};
use crate::source::FOLDER;
use crate::text::wrapped;
use crate::{Failure, NOTICE};

/// The comment at the top of the header, which states what applies to all functions.
const OVERVIEW: &str = include_str!("../overview.txt");

/// The maximum length of a line.
const WIDTH: usize = 120;

/// Returns the text of the header.
pub(crate) fn header(root: &Path, interface: &Interface) -> Result<String, Failure> {
    let mut text = comment(&OVERVIEW.replace("NOTICE", NOTICE));
    text.push_str(&beginning(interface.version)?);
    for section in &interface.sections {
        text.push_str(&heading(&section.title));
        text.push_str(&declarations(root, interface, section)?);
        for item in &section.structs {
            text.push_str(&init_macro(item));
        }
    }
    text.push_str("\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* NEXMO_CONVERSION_H */\n");
    Ok(text)
}

fn comment(text: &str) -> String {
    let lines = text.lines().map(|line| format!(" * {line}").trim_end().to_owned() + "\n");
    format!("/*\n{} */\n", lines.collect::<String>())
}

fn beginning(version: &str) -> Result<String, Failure> {
    let [major, minor, patch] = version.split('.').collect::<Vec<_>>()[..] else {
        return Err(format!("the version {version} does not have three parts").into());
    };
    Ok(format!(
        "#ifndef NEXMO_CONVERSION_H\n#define NEXMO_CONVERSION_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n\
         /** The version of this header; nexmo_conversion_version() returns that of the library. */\n\
         #define NEXMO_CONVERSION_VERSION \"{version}\"\n#define NEXMO_CONVERSION_VERSION_MAJOR {major}\n\
         #define NEXMO_CONVERSION_VERSION_MINOR {minor}\n#define NEXMO_CONVERSION_VERSION_PATCH {patch}\n\n\
         #ifdef __cplusplus\nextern \"C\" {{\n#endif\n"
    ))
}

fn heading(title: &str) -> String {
    let line = format!("/* --- {title} ");
    let dashes = "-".repeat(WIDTH.saturating_sub(line.len()).saturating_sub(3));
    format!("\n{line}{dashes} */\n\n")
}

/// Returns the declarations that cbindgen generates for one file. They refer to the types of other files by name.
fn declarations(root: &Path, interface: &Interface, section: &Section) -> Result<String, Failure> {
    let mut config = config();
    config.export.include = section.structs.iter().map(|item| item.name.clone()).collect();
    let mut bytes = Vec::new();
    Builder::new()
        .with_config(config)
        .with_src(root.join(FOLDER).join(&section.path))
        .generate()
        .map_err(|error| format!("{}: {error}", section.path))?
        .write(&mut bytes);
    let text = String::from_utf8(bytes)?;
    check_all_are_declared(section, &text)?;
    let text = with_plain_names(section, &with_unsigned_flags(interface, &text));
    Ok(with_constants_together(&with_compact_comments(&with_filled_lines(&text))))
}

fn config() -> Config {
    let mut config = Config {
        language: Language::C,
        style: Style::Both,
        documentation_style: DocumentationStyle::Doxy,
        line_length: WIDTH,
        tab_width: 4,
        no_includes: true,
        usize_is_size_t: true,
        ..Config::default()
    };
    config.function.args = Layout::Auto;
    config.export.item_types =
        vec![ItemType::Constants, ItemType::Typedefs, ItemType::Structs, ItemType::OpaqueItems, ItemType::Functions];
    config
}

fn check_all_are_declared(section: &Section, text: &str) -> Result<(), Failure> {
    let constants = section.constants.iter().map(|constant| format!("#define {} ", constant.name));
    let structs = section.structs.iter().map(|item| format!("}} {};", item.name));
    let functions = section.functions.iter().map(|function| format!("{}(", function.name));
    match constants.chain(structs).chain(functions).find(|declaration| !text.contains(declaration)) {
        Some(missing) => Err(format!("{}: cbindgen does not declare {missing}", section.path).into()),
        None => Ok(()),
    }
}

/// Appends `u`, which cbindgen omits, to the values of flags. Flags are unsigned like the field, so `flags &= ~FLAG`
/// involves no sign conversion.
fn with_unsigned_flags(interface: &Interface, text: &str) -> String {
    let flags = interface.constants().filter(|constant| constant.of == Type::U32);
    let definitions: Vec<String> = flags.map(|flag| format!("#define {} {}", flag.name, flag.value)).collect();
    let line =
        |line: &str| if definitions.iter().any(|it| it == line) { format!("{line}u\n") } else { format!("{line}\n") };
    text.lines().map(line).collect()
}

/// Removes `struct` from pointers to the structs of this file. cbindgen writes pointers to the structs of other files
/// without `struct`.
fn with_plain_names(section: &Section, text: &str) -> String {
    let names = section.structs.iter().map(|item| &item.name).chain(&section.handles);
    names.fold(text.to_owned(), |text, name| text.replace(&format!("struct {name} *"), &format!("{name} *")))
}

/// Puts as many parameters of a function on each line as fit. cbindgen puts each on a separate line if they do not all
/// fit into one.
fn with_filled_lines(text: &str) -> String {
    let mut lines = text.lines();
    let mut written = String::new();
    while let Some(first) = lines.next() {
        let mut line = first.to_owned();
        let is_function = first.ends_with(',') && !first.starts_with([' ', '/']);
        let indent = first.find('(').filter(|_| is_function).map_or(0, |parenthesis| parenthesis.saturating_add(1));
        while indent > 0 && !line.ends_with(';') {
            let Some(parameter) = lines.next().map(str::trim) else { break };
            if line.len().saturating_add(" ".len() + parameter.len()) <= WIDTH {
                line.push(' ');
            } else {
                written.extend([&line, "\n"]);
                line = " ".repeat(indent);
            }
            line.push_str(parameter);
        }
        written.extend([&line, "\n"]);
    }
    written
}

/// Moves the delimiters of a comment with one paragraph to the first and last lines of its text.
fn with_compact_comments(text: &str) -> String {
    let mut lines = text.trim_matches('\n').lines();
    let mut written = String::new();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("/**") else {
            written.extend([line, "\n"]);
            continue;
        };
        let comment: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "*/").collect();
        if comment.iter().any(|line| text_of(line).is_empty() || text_of(line).starts_with('@')) {
            written.push_str(&format!("{line}\n{}\n{indent} */\n", comment.join("\n")));
            continue;
        }
        let paragraph = comment.into_iter().map(text_of).collect::<Vec<_>>().join(" ");
        let width = WIDTH.saturating_sub(indent.len()).saturating_sub("/** ".len() + " */".len());
        let continued = format!("\n{indent} *  ");
        written.push_str(&format!("{indent}/** {} */\n", wrapped(&paragraph, width).join(&continued)));
    }
    written
}

/// Removes the empty lines between constants of the same family.
fn with_constants_together(text: &str) -> String {
    let mut blocks = text.split("\n\n");
    let mut previous = blocks.next().unwrap_or_default();
    let mut written = previous.to_owned();
    for block in blocks {
        let is_alike = family(previous).is_some_and(|of| family(block) == Some(of));
        written.push_str(if is_alike { "\n" } else { "\n\n" });
        written.push_str(block);
        previous = block;
    }
    written
}

/// Returns the prefix of a constant's name, up to the second underscore.
fn family(block: &str) -> Option<&str> {
    let (_, definition) = block.trim_end().split_once("\n#define ")?;
    let (end, _) = definition.match_indices('_').nth(1)?;
    definition.get(..end)
}

/// Returns the text of a comment line without its markers.
fn text_of(line: &str) -> &str {
    line.trim_start().trim_start_matches('*').trim()
}

/// Returns the macro that initializes a struct in its declaration.
fn init_macro(item: &Struct) -> String {
    let values = item.fields.iter().map(|field| match item.initial.iter().find(|(name, _)| *name == field.name) {
        Some((_, value)) => value.clone(),
        None if field.name == "struct_size" => format!("sizeof({})", item.name),
        None => zero(&field.of).to_owned(),
    });
    let set = item.initial.iter().map(|(name, _)| format!(", {name}")).collect::<String>();
    let documentation = format!("Sets struct_size{set}; every other field is 0, NULL or \"\".");
    let (name, values) = (item.name.to_uppercase(), values.collect::<Vec<_>>().join(", "));
    format!("\n/** {documentation} */\n#define {name}_INIT {{ {values} }}\n")
}

fn zero(of: &Type) -> &'static str {
    match of {
        Type::Pointer { .. } => "NULL",
        Type::Array { .. } => "\"\"",
        _ => "0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tests::interface;

    const FIELDS: &str = "struct_size: u32, pub flags: u32, pub text: *const c_char, pub status: i32, pub wait: i64, \
                          pub message: [c_char; NEXMO_TEXT_SIZE]";

    #[test]
    fn an_init_macro_sets_each_field_in_order() {
        let interface = interface(FIELDS, "wait: -1, status: NEXMO_ERR_LATER,");
        let expected = "#define NEXMO_EXAMPLE_INIT { sizeof(nexmo_example), 0, NULL, NEXMO_ERR_LATER, -1, \"\" }\n";
        assert!(init_macro(interface.structs().next().unwrap()).ends_with(expected));
    }

    #[test]
    fn flags_get_a_u_and_other_constants_do_not() {
        let text = "#define NEXMO_EXAMPLE_FLAG 4\n#define NEXMO_TEXT_SIZE 20\n";
        let expected = "#define NEXMO_EXAMPLE_FLAG 4u\n#define NEXMO_TEXT_SIZE 20\n";
        assert_eq!(with_unsigned_flags(&interface(FIELDS, ""), text), expected);
    }

    #[test]
    fn parameters_fill_the_lines() {
        let (long, text) = ("l".repeat(80), " * One,\n * two.\nint a(int b);\n");
        let vertical = format!("{text}int f(int {long},\n      int a,\n      int {long},\n      int b);\n{text}");
        let filled = format!("{text}int f(int {long}, int a,\n      int {long}, int b);\n{text}");
        assert_eq!(with_filled_lines(&vertical), filled);
    }

    #[test]
    fn a_comment_of_one_paragraph_begins_and_ends_on_the_lines_of_its_text() {
        let text = "    /**\n     * One line.\n     */\n    int a;\n/**\n * Two\n * lines.\n */\nint b;\n";
        let expected = "    /** One line. */\n    int a;\n/** Two lines. */\nint b;\n";
        assert_eq!(with_compact_comments(text), expected);
        let long = format!("    /**\n     * {0}\n     * {0}\n     */\n    int c;\n", "x".repeat(WIDTH - 11));
        let compact = with_compact_comments(&long);
        assert!(compact.starts_with("    /** x") && compact.contains("x\n     *  x") && compact.contains("x */\n"));
        assert!(compact.lines().all(|line| line.len() <= WIDTH), "{compact}");
    }

    #[test]
    fn other_comments_stay_as_they_are() {
        for text in
            ["/**\n * A.\n *\n * B.\n */\nint a;\n", "    /**\n     * A.\n     * @return B.\n     */\n    int b;\n"]
        {
            assert_eq!(with_compact_comments(text), text);
        }
    }

    #[test]
    fn constants_of_a_family_have_no_empty_lines_between_them() {
        let text = "/** A. */\n#define NEXMO_A_X 0\n\n/** A\n *  B. */\n#define NEXMO_A_Y 1\n\n/** B. */\n#define NEXMO_B_X 0\n\nint a;\n";
        let expected = "/** A. */\n#define NEXMO_A_X 0\n/** A\n *  B. */\n#define NEXMO_A_Y 1\n\n/** B. */\n#define NEXMO_B_X 0\n\nint a;\n";
        assert_eq!(with_constants_together(text), expected);
    }

    #[test]
    fn a_declaration_that_cbindgen_leaves_out_is_an_error() {
        let interface = interface(FIELDS, "");
        let error = check_all_are_declared(&interface.sections[0], "#define NEXMO_OK 0\n").unwrap_err().to_string();
        assert!(error.contains("NEXMO_ERR_LATER"), "{error}");
    }
}
