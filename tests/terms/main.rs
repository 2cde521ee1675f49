//! Tests that no retired word of `retired.tsv` is left in the project.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, iter};

/// Files and folders that are not checked: generated ones, licenses, and this test. Hidden folders are not checked
/// either, except [`HIDDEN`].
const NOT_CHECKED: [&str; 11] = [
    "target",
    "build",
    "corpus",
    "artifacts",
    "coverage",
    "__pycache__",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "docs/benchmarks.svg",
    "tests/terms",
];

/// Hidden folders that are checked.
const HIDDEN: [&str; 2] = [".cargo", ".ci"];

/// A row of the table.
#[derive(Debug)]
struct Retired {
    /// Whether the row applies only to identifiers and file names.
    is_name: bool,
    /// The folder to which the row applies; empty for all folders.
    folder: String,
    word: String,
    instead: String,
    /// Parts of a line or path in which the word is allowed.
    exceptions: Vec<String>,
}

fn table() -> Vec<Retired> {
    let rows = include_str!("retired.tsv").lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let [kind, word, instead, exceptions] = row
            .split('\t')
            .collect::<Vec<_>>()
            .try_into()
            .unwrap_or_else(|_| panic!("the row does not have four columns: {row:?}"));
        let exceptions = exceptions.split('|').filter(|exception| !exception.is_empty());
        let (kind, folder) = kind.split_once(" in ").unwrap_or((kind, ""));
        assert!(matches!(kind, "name" | "anywhere"), "the row has an unknown kind: {row:?}");
        Retired {
            is_name: kind == "name",
            folder: folder.to_owned(),
            word: word.to_owned(),
            instead: instead.to_owned(),
            exceptions: exceptions
                .map(|exception| {
                    exception
                        .split_once(": ")
                        .unwrap_or_else(|| panic!("an exception has no reason: {row:?}"))
                        .0
                        .to_owned()
                })
                .collect(),
        }
    })
    .collect()
}

/// Returns the words of the names in `text`, in lower case: `isDone, has_begun` has four words.
fn words(text: &str) -> BTreeSet<String> {
    let (mut separated, mut was_lower) = (String::new(), false);
    for c in text.chars() {
        if c.is_uppercase() && was_lower {
            separated.push(' ');
        }
        separated.extend(c.to_lowercase());
        was_lower = c.is_lowercase();
    }
    separated.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
}

/// Returns the delimiters of comments and strings in a program, in the order in which they are matched, or `None` if
/// the file is not a program. The character `'"'` is included because it does not start a string.
fn comments_and_strings(path: &str) -> Option<&'static [(&'static str, &'static str)]> {
    match path.rsplit('.').next()? {
        "rs" | "c" | "h" | "go" => Some(&[("//", "\n"), ("/*", "*/"), ("'\"'", ""), ("r#\"", "\"#"), ("\"", "\"")]),
        "py" | "sh" | "toml" => Some(&[("#", "\n"), ("\"\"\"", "\"\"\""), ("'", "'"), ("\"", "\"")]),
        "sql" | "lua" => Some(&[("--", "\n"), ("'", "'"), ("\"", "\"")]),
        _ => None,
    }
}

/// Returns `program` with each comment and string replaced by its line breaks.
fn code(program: &str, comments_and_strings: &[(&str, &str)]) -> String {
    let (mut code, mut rest) = (String::new(), program);
    while let Some(c) = rest.chars().next() {
        let length = match comments_and_strings.iter().find(|(start, _)| rest.starts_with(start)) {
            Some((start, end)) => {
                let length = start.len() + length_to_end(&rest[start.len()..], end);
                code.extend(rest[..length].chars().filter(|c| *c == '\n'));
                length
            }
            None => {
                code.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    code
}

/// Returns the length of the rest of a comment or string, including its end.
fn length_to_end(rest: &str, end: &str) -> usize {
    let is_escaped = |at: usize| {
        let backslashes = rest[..at].chars().rev().take_while(|c| *c == '\\').count();
        matches!(end, "\"" | "'") && backslashes % 2 == 1
    };
    let found = rest.match_indices(end).find(|(at, _)| !is_escaped(*at));
    found.map_or(rest.len(), |(at, _)| at + end.len())
}

/// Returns whether `text` contains `phrase` as whole words.
fn contains(text: &str, phrase: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric());
    text.match_indices(phrase)
        .any(|(at, _)| !is_part(text[..at].chars().next_back()) && !is_part(text[at + phrase.len()..].chars().next()))
}

/// Returns the retired words in the file at `path`, each with its line and its replacement.
fn hits(path: &str, content: &str, table: &[Retired]) -> Vec<String> {
    let is_hit = |retired: &Retired, names: &BTreeSet<String>, line: &str| {
        let is_used = names.contains(&retired.word)
            || !retired.is_name && contains(&line.to_lowercase().replace('_', " "), &retired.word);
        let mut exceptions = retired.exceptions.iter();
        is_used
            && path.starts_with(&retired.folder)
            && !exceptions.any(|exception| line.contains(exception) || path.contains(exception))
    };
    let code = comments_and_strings(path).map(|parts| code(content, parts)).unwrap_or_default();
    let lines_of_code = code.lines().chain(iter::repeat(""));
    let lines = iter::once((path, path)).chain(content.lines().zip(lines_of_code));
    let mut found = Vec::new();
    for (number, (line, code)) in lines.enumerate() {
        let names = words(code);
        for retired in table.iter().filter(|retired| is_hit(retired, &names, line)) {
            found.push(format!("{path}:{number}: {:?}; use {}: {}", retired.word, retired.instead, line.trim()));
        }
    }
    found
}

/// Adds the paths of the checked files below `folder`.
fn add_files(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root.join(folder)).unwrap().map(Result::unwrap) {
        let (path, name) = (folder.join(entry.file_name()), entry.file_name());
        let is_hidden = name.as_encoded_bytes().starts_with(b".") && !HIDDEN.iter().any(|checked| name == *checked);
        if is_hidden || NOT_CHECKED.iter().any(|other| path.ends_with(other)) {
            continue;
        }
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => add_files(root, &path, files),
            kind if kind.is_file() => files.push(path),
            _ => {}
        }
    }
}

#[test]
fn no_retired_word_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (table, mut files, mut found) = (table(), Vec::new(), Vec::new());
    add_files(root, Path::new(""), &mut files);
    assert!(files.len() > 300, "only {} files were found", files.len());
    files.sort();
    for path in files {
        // Skips binary files.
        if let Ok(content) = fs::read_to_string(root.join(&path)) {
            found.extend(hits(&path.to_string_lossy(), &content, &table));
        }
    }
    assert!(found.is_empty(), "{} retired words:\n{}", found.len(), found.join("\n"));
}

#[test]
fn retired_words_are_found() {
    let row = |is_name, word: &str, exceptions: &[&str]| Retired {
        is_name,
        folder: String::new(),
        word: word.to_owned(),
        instead: "else".to_owned(),
        exceptions: exceptions.iter().map(|&exception| exception.to_owned()).collect(),
    };
    let table = [row(false, "under way", &[]), row(true, "told", &[]), row(true, "take", &[".take("])];
    let hits = |path: &str, content: &str| hits(path, content, &table).len();
    assert_eq!(hits("a.rs", "// Under way, not thunder way.\nlet x = under_way;"), 2);
    assert_eq!(hits("a.md", "told, take"), 0, "words of kind `name` are allowed in prose");
    assert_eq!(hits("a.rs", "let was_told = \"told\"; // told\nlet mut told;"), 2);
    assert_eq!(hits("a.rs", "struct ToldTale; fn retold() {}"), 1);
    assert_eq!(hits("a.rs", "x.take(1); fn take() {}"), 0, "an exception applies to the line");
    assert_eq!(hits("src/told.rs", ""), 1);
    let others = [
        ("a.rs", "\"a \\\" told\ntold\""),
        ("a.rs", "r#\"\"told\\\"#"),
        ("a.rs", "'\"'; //\"\n\"told\""),
        ("a.c", "/* \"\ntold */"),
        ("a.py", "\"\"\"\n\"told\n\"\"\""),
        ("a.sql", "-- told\n'told'"),
    ];
    for (path, text) in others {
        assert_eq!(hits(path, text), 0, "{text}");
        assert_eq!(hits(path, &format!("{text}\ntold")), 1, "{text}");
    }
}
