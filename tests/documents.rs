//! Tests that the documents are well-formed and that the files and headings that they refer to exist.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The maximum length of a line in characters. Tables and lines with a URL may be longer.
const WIDTH: usize = 120;

/// Folders of Git and of generated files, which are not searched.
const BUILT: [&str; 4] = [".git", "__pycache__", "build", "target"];

/// The file name endings by which a word without a folder is recognized as a path.
const ENDINGS: [&str; 4] = [".md", ".rs", ".sql", ".toml"];

/// The files and folders of the repository, relative to its root.
struct Repository {
    paths: BTreeSet<String>,
}

impl Repository {
    fn read() -> Self {
        let mut paths = BTreeSet::new();
        add_paths(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut paths);
        Self { paths }
    }

    fn documents(&self) -> impl Iterator<Item = &String> {
        self.paths.iter().filter(|path| path.ends_with(".md"))
    }

    /// Returns whether `path` names an existing file or folder, relative to the root or to any other folder. Expands
    /// `{a,b}` and `*`.
    fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches("/**").trim_end_matches('/');
        alternatives(path).iter().all(|wanted| {
            let wanted: Vec<&str> = wanted.split('/').collect();
            self.paths.iter().any(|path| {
                let found: Vec<&str> = path.split('/').collect();
                found.len() >= wanted.len()
                    && found[found.len() - wanted.len()..]
                        .iter()
                        .zip(&wanted)
                        .all(|(name, wanted)| matches(name, wanted))
            })
        })
    }

    fn has_folder_named(&self, name: &str) -> bool {
        self.paths.iter().any(|path| path.split('/').rev().skip(1).any(|folder| folder == name))
    }
}

fn add_paths(folder: &Path, prefix: &str, paths: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if BUILT.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            add_paths(&entry.path(), &format!("{path}/"), paths);
        }
        paths.insert(path);
    }
}

/// Expands a path with at most one `{a,b}`.
fn alternatives(path: &str) -> Vec<String> {
    match (path.find('{'), path.find('}')) {
        (Some(start), Some(end)) if start < end => path[start + 1..end]
            .split(',')
            .map(|inner| format!("{}{inner}{}", &path[..start], &path[end + 1..]))
            .collect(),
        _ => vec![path.to_owned()],
    }
}

/// Returns whether `name` matches a pattern with at most one `*`.
fn matches(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
        None => name == pattern,
    }
}

/// The parts of a document.
struct Document {
    /// The text outside fenced blocks, including the headings. A space replaces each code span.
    prose: String,
    /// The contents of the code spans.
    code: Vec<String>,
    /// The contents of the fenced blocks that have no language or the language `text`.
    diagrams: String,
    headings: Vec<String>,
    has_open_fence: bool,
}

impl Document {
    fn parse(text: &str) -> Self {
        let (mut prose, mut diagrams, mut headings) = (String::new(), String::new(), Vec::new());
        let mut fence: Option<&str> = None;
        for line in text.lines() {
            match (line.trim_start().strip_prefix("```"), fence) {
                (Some(language), None) => fence = Some(language.trim()),
                (Some(_), Some(_)) => fence = None,
                (None, Some("" | "text")) => diagrams.extend([line, "\n"]),
                (None, Some(_)) => {}
                (None, None) => {
                    if let Some(heading) = line.strip_prefix('#') {
                        headings.push(heading.trim_start_matches('#').trim().to_owned());
                    }
                    prose.extend([line, "\n"]);
                }
            }
        }
        let parts: Vec<String> = prose.split('`').map(str::to_owned).collect();
        let (prose, code) = parts.iter().enumerate().partition::<Vec<_>, _>(|(index, _)| index % 2 == 0);
        let text = |part: (usize, &String)| part.1.clone();
        Self {
            prose: prose.into_iter().map(text).collect::<Vec<_>>().join(" "),
            code: code.into_iter().map(text).collect(),
            diagrams,
            headings,
            has_open_fence: fence.is_some(),
        }
    }

    /// Returns the targets of the links.
    fn links(&self) -> impl Iterator<Item = &str> {
        self.prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.trim()))
    }

    /// Returns whether a heading has this anchor according to GitHub's rules.
    fn has_anchor(&self, anchor: &str) -> bool {
        self.headings.iter().any(|heading| {
            let kept = heading.to_lowercase();
            let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).eq(anchor.chars())
        })
    }

    /// Returns the words in code spans and diagrams that look like paths in the repository.
    fn paths<'a>(&'a self, repository: &'a Repository) -> impl Iterator<Item = &'a str> {
        let trimmed = |word: &'a str| word.trim_matches(['(', ')', ',', ';']);
        let words = self.code.iter().flat_map(|code| code.split_whitespace()).map(trimmed);
        let in_diagrams = self.diagrams.split_whitespace().map(trimmed).filter(|word| word.ends_with(".rs"));
        words.chain(in_diagrams).filter(|word| {
            let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./*{},".contains(c));
            let folder = word.split_once('/').map(|(folder, _)| folder);
            let is_in_folder = folder.is_some_and(|folder| repository.has_folder_named(folder));
            is_plain && (is_in_folder || ENDINGS.iter().any(|ending| word.ends_with(ending)))
        })
    }
}

/// Returns the problems of the document at `path`.
fn problems(path: &str, text: &str, repository: &Repository) -> Vec<String> {
    let document = Document::parse(text);
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let may_be_long = line.trim_start().starts_with('|') || line.contains("://");
        if line.chars().count() > WIDTH && !may_be_long {
            found.push(format!("line {number} is longer than {WIDTH} characters"));
        }
    }
    if document.has_open_fence {
        found.push("a code block is not closed".to_owned());
    }
    for link in document.links() {
        found.extend(problem_of_link(path, link, &document, repository));
    }
    let missing = document.paths(repository).filter(|word| !repository.has(word));
    found.extend(missing.map(|word| format!("{word} does not exist")));
    if path == "CHANGELOG.md" {
        found.extend(problems_of_changelog(text));
    }
    found
}

fn problem_of_link(path: &str, link: &str, document: &Document, repository: &Repository) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let target = resolve(path, file);
    if !file.is_empty() && !repository.paths.contains(&target) {
        return Some(format!("the link to {link} leads to a missing file"));
    }
    let has_anchor = anchor.is_none_or(|anchor| {
        if file.is_empty() {
            return document.has_anchor(anchor);
        }
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&target)).unwrap();
        Document::parse(&text).has_anchor(anchor)
    });
    (!has_anchor).then(|| format!("the link to {link} leads to a missing heading"))
}

/// Returns the path to which `link` leads from the document at `path`.
fn resolve(path: &str, link: &str) -> String {
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    for name in link.trim_end_matches('/').split('/') {
        match name {
            "" | "." => {}
            ".." if !folders.is_empty() => drop(folders.pop()),
            name => folders.push(name),
        }
    }
    folders.join("/")
}

/// Returns how `text` deviates from the format of Keep a Changelog.
fn problems_of_changelog(text: &str) -> Vec<String> {
    const KINDS: [&str; 6] = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    let mut found = Vec::new();
    if !text.starts_with("# Changelog\n") || !text.contains("\n## [") {
        found.push("the title or the first release is missing".to_owned());
    }
    for line in text.lines() {
        let is_known = match line.split_once(' ') {
            Some(("##", release)) => release == "[Unreleased]" || is_dated_version(release),
            Some(("###", kind)) => KINDS.contains(&kind),
            _ => true,
        };
        if !is_known {
            found.push(format!("{line} is not a heading of Keep a Changelog"));
        }
    }
    found
}

/// Returns whether `release` has the form `[1.0.0] - 2020-01-31`.
fn is_dated_version(release: &str) -> bool {
    let are_numbers = |text: &str, separator: char| {
        let numbers: Vec<&str> = text.split(separator).collect();
        numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u32>().is_ok())
    };
    let parts = release.strip_prefix('[').and_then(|rest| rest.split_once("] - "));
    parts.is_some_and(|(version, date)| are_numbers(version, '.') && date.len() == 10 && are_numbers(date, '-'))
}

#[test]
fn documents_are_well_formed_and_refer_to_existing_files() {
    let repository = Repository::read();
    let mut found = Vec::new();
    for path in repository.documents() {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        found.extend(problems(path, &text, &repository).iter().map(|problem| format!("{path}: {problem}")));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// Returns the problems that `text` would have as a document in `docs`.
fn problems_of(text: &str) -> Vec<String> {
    problems("docs/x.md", text, &Repository::read())
}

#[test]
fn a_correct_document_has_no_problems() {
    let text = format!(
        "# One `code` heading!\n\n[a\nlink](../README.md), [two](#one-code-heading), [three](testing.md#one-test), \
         [out](https://example.com/#x)\n\
         `src/lib.rs`, `make test`, `tests/client/{{connection,sandbox}}.rs`,\n`src/**`, \
         `tests/abi/*.txt`, `build/lib`, `/etc/x.rs:1`\n```text\nffi/call.rs  [x](y)\n```\n| {0} |\nhttps://{0}\n",
        "x".repeat(WIDTH)
    );
    assert_eq!(problems_of(&text), [] as [&str; 0]);
    assert_eq!(problems_of_changelog("# Changelog\n\n## [Unreleased]\n### Added\n## [1.0.0] - 2020-01-31\n"), [""; 0]);
}

#[test]
fn each_problem_is_found() {
    let broken = [
        ("é".repeat(WIDTH + 1), "line 1 is longer than 120 characters"),
        ("```c\nint x;\n".to_owned(), "a code block is not closed"),
        ("[x](missing.md)".to_owned(), "the link to missing.md leads to a missing file"),
        ("[x\ny](../docs)\n[z](../../README.md)".to_owned(), "the link to ../../README.md leads to a missing file"),
        ("# Here\n[x](#there)".to_owned(), "the link to #there leads to a missing heading"),
        ("[x](testing.md#missing)".to_owned(), "the link to testing.md#missing leads to a missing heading"),
        ("`src/missing.rs`".to_owned(), "src/missing.rs does not exist"),
        ("`cc src/missing.c`".to_owned(), "src/missing.c does not exist"),
        ("`missing.rs`".to_owned(), "missing.rs does not exist"),
        ("`tests/client/{connection,missing}.rs`".to_owned(), "tests/client/{connection,missing}.rs does not exist"),
        ("`tests/abi/*.missing`".to_owned(), "tests/abi/*.missing does not exist"),
        ("```text\n  a (ffi/missing.rs)\n```".to_owned(), "ffi/missing.rs does not exist"),
    ];
    for (text, problem) in broken {
        assert_eq!(problems_of(&text), [problem], "{text}");
    }
    for text in ["# Changes\n\n## [Unreleased]\n", "# Changelog\n"] {
        assert_eq!(problems_of_changelog(text), ["the title or the first release is missing"]);
    }
    for heading in ["## [1.0] - 2020-01-31", "## [1.0.0]", "## 1.0.0 - 2020-01-31", "### New"] {
        let found = problems_of_changelog(&format!("# Changelog\n\n## [Unreleased]\n{heading}\n"));
        assert_eq!(found, [format!("{heading} is not a heading of Keep a Changelog")]);
    }
}
