//! Runs the examples in the README, and checks that the make targets in the documentation exist.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "common/library.rs"]
mod library;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use library::built_library;
use nexmo_sandbox::{Sandbox, Settings};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the README's code blocks in one language, with the URL of `sandbox` in place of `http://127.0.0.1:8080`.
fn blocks(language: &str, sandbox: &Sandbox) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let opening = format!("```{language}\n");
    let ours = |block: &str| block.split("```").next().unwrap().replace("http://127.0.0.1:8080", &sandbox.http_url());
    readme.split(&opening).skip(1).map(ours).collect()
}

/// Creates a folder in which the paths in the README resolve as in a clone.
fn clone_like(name: &str) -> PathBuf {
    built_library();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).unwrap();
    for entry in ["include", "build", "bindings"] {
        symlink(root().join(entry), folder.join(entry)).unwrap();
    }
    folder
}

fn assert_reported(output: &Output, sandbox: &Sandbox) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout), "report accepted\n");
    assert_eq!(sandbox.requests()[0].message_id.as_deref(), Some("00A0B0C0"));
}

#[test]
fn the_c_program_compiles_and_reports() {
    let sandbox = Sandbox::start(Settings::default()).unwrap();
    let folder = clone_like("readme-c");
    fs::write(folder.join("report.c"), &blocks("c", &sandbox)[0]).unwrap();
    let commands = blocks("sh", &sandbox).into_iter().find(|block| block.contains("report.c")).unwrap();
    let output = Command::new("sh").args(["-e", "-c", &commands]).current_dir(&folder).output().unwrap();
    assert_reported(&output, &sandbox);
}

#[test]
fn the_client_example_works_instead_of_the_single_call() {
    let sandbox = Sandbox::start(Settings::default()).unwrap();
    let folder = clone_like("readme-client");
    let output = run_instead_of_the_call(1, &folder, &sandbox);
    assert_reported(&output, &sandbox);
    assert_eq!(sandbox.request_count(), 2);
}

#[test]
fn the_reporter_example_works_instead_of_the_single_call() {
    let sandbox = Sandbox::start(Settings::default()).unwrap();
    let folder = clone_like("readme-reporter");
    let output = run_instead_of_the_call(2, &folder, &sandbox);
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), output.status.code()), ("ok\n", Some(0)));
    assert_eq!(sandbox.requests()[0].message_id.as_deref(), Some("00A0B0C0"));
    assert!(folder.join("conversions.outbox").exists());
}

/// Compiles and runs the README's first C program with the C block number `block` in place of the call.
fn run_instead_of_the_call(block: usize, folder: &Path, sandbox: &Sandbox) -> Output {
    let blocks_of_c = blocks("c", sandbox);
    let call = blocks_of_c[0].lines().find(|line| line.contains("nexmo_conversion_sms(")).unwrap();
    fs::write(folder.join("report.c"), blocks_of_c[0].replace(call, &blocks_of_c[block])).unwrap();
    let commands = blocks("sh", sandbox).into_iter().find(|block| block.contains("report.c")).unwrap();
    Command::new("sh").args(["-e", "-c", &commands]).current_dir(folder).output().unwrap()
}

#[test]
fn the_python_program_reports() {
    let sandbox = Sandbox::start(Settings::default()).unwrap();
    let folder = clone_like("readme-python");
    assert_reported(&run_python(&blocks("python", &sandbox)[0], &folder), &sandbox);
}

#[test]
fn the_python_program_prints_whether_to_retry() {
    let sandbox = Sandbox::start(Settings::default()).unwrap();
    let folder = clone_like("readme-python-error");
    let output = run_python(&blocks("python", &sandbox)[0].replace("s3cret", "wrong"), &folder);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.ends_with(b" - do not retry\n"), "{}", String::from_utf8_lossy(&output.stdout));
}

fn run_python(program: &str, folder: &Path) -> Output {
    fs::write(folder.join("report.py"), program).unwrap();
    let mut python = Command::new(env::var_os("PYTHON").unwrap_or("python3".into()));
    python.arg("report.py").env("PYTHONPATH", folder.join("bindings/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    python.current_dir(folder).output().unwrap()
}

#[test]
fn every_target_in_the_documentation_is_in_the_makefile() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let rules = makefile.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let targets: Vec<&str> =
        rules.filter_map(|rule| rule.split_once(':')).flat_map(|(targets, _)| targets.split_whitespace()).collect();
    let others = ["README.md", "CONTRIBUTING.md", "bindings/python/README.md", "sandbox/README.md"];
    let in_docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let in_docs = in_docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    for document in others.map(|path| root().join(path)).into_iter().chain(in_docs) {
        let text = fs::read_to_string(&document).unwrap();
        let document = document.display();
        for words in
            text.split("    make ").skip(1).chain(text.split("\nmake ").skip(1)).chain(text.split("`make ").skip(1))
        {
            let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let target = words.split(|c: char| !is_part(c)).next().unwrap();
            assert!(targets.contains(&target), "{document} names `make {target}`, which is not in the Makefile");
        }
    }
}
