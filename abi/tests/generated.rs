//! Checks that the generated files are up to date, and that compilers lay out structs as the generator computes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Returns the C compiler for this machine.
fn own_compiler() -> String {
    env::var("CC").unwrap_or_else(|_| "cc".into())
}

/// Returns a command that runs `compiler`, which may include options, with `arguments`.
fn compile(compiler: &str, arguments: &[&str]) -> Command {
    let mut words = compiler.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["-std=c89", "-pedantic", "-Wall", "-Wextra", "-Werror"]);
    command.args(arguments).arg("-I").arg(root().join("include"));
    command
}

/// Runs the command, asserts that it succeeds and returns its output.
fn is_done(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Compiles and runs `tests/abi/layout.c` and returns its output.
fn printed(compiler: &str, name: &str) -> String {
    let source = root().join("tests/abi/layout.c");
    let program = scratch(name);
    is_done(compile(compiler, &[]).arg(source).arg("-o").arg(&program));
    String::from_utf8(is_done(&mut Command::new(program))).unwrap()
}

#[test]
fn the_committed_files_are_up_to_date() {
    let differing = nexmo_abi::differing(root()).unwrap();
    let paths: Vec<&str> = differing.iter().map(|file| file.path).collect();
    assert!(paths.is_empty(), "out of date: {paths:?}; run make generate");
}

#[test]
fn the_compiler_finds_every_field_and_constant_where_the_generator_says() {
    let width = if size_of::<usize>() == 8 { 64 } else { 32 };
    let printed = printed(&own_compiler(), "layout-own");
    assert_eq!(printed, nexmo_abi::printed_layout(root(), width).unwrap());
}

#[test]
#[ignore = "needs NEXMO_CC_32, a compiler for 32 bits; make check-32 sets it"]
fn a_32_bit_compiler_finds_every_field_and_constant_where_the_generator_says() {
    let printed = printed(&env::var("NEXMO_CC_32").unwrap(), "layout-32");
    assert_eq!(printed, nexmo_abi::printed_layout(root(), 32).unwrap());
}

#[test]
fn the_ffi_header_compiles_after_the_headers_of_the_integer_types() {
    let source = scratch("ffi.c");
    let alone = "#include <stddef.h>\n#include <stdint.h>\n#include \"nexmo_conversion.ffi.h\"\n";
    fs::write(&source, alone).unwrap();
    is_done(compile(&own_compiler(), &["-fsyntax-only"]).arg(&source));
}

#[test]
fn the_ffi_header_has_no_preprocessor_directives() {
    let text = fs::read_to_string(root().join("include/nexmo_conversion.ffi.h")).unwrap();
    assert!(!text.contains('#'));
}
