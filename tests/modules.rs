//! Tests that module dependencies have no cycles. All modules below `ffi` count as one module, because the generated
//! tables in `ffi` name the structs of those modules.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Module = Vec<String>;
type Dependencies = BTreeMap<Module, BTreeSet<Module>>;

/// Adds the modules below `folder` to `found`, each with its code without tests and comments.
fn modules(folder: &Path, parent: &Module, found: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let module = || [parent.as_slice(), &[name.to_owned()]].concat();
        if path.is_dir() {
            modules(&path, &module(), found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests" {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let is_code = |line: &&str| !line.trim_start().starts_with("//");
            let code = code.lines().filter(is_code).collect::<Vec<_>>().join("\n");
            found.insert(if matches!(name, "mod" | "lib") { parent.clone() } else { module() }, code);
        }
    }
}

/// Returns the paths in `code` that begin with `crate`, `super` or `self`, with each `{...}` expanded.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(root) {
            let is_middle =
                code[..at].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | ':'));
            if !is_middle {
                expand(String::new(), &code[at..], &mut found);
            }
        }
    }
    found
}

/// Parses a path or a tree of paths at the beginning of `code`, and adds the paths, with `prefix`, to `found`. Returns
/// the rest of `code`.
fn expand<'a>(prefix: String, code: &'a str, found: &mut Vec<String>) -> &'a str {
    let end = code.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':'))).unwrap_or(code.len());
    let path = prefix + &code[..end];
    let mut rest = &code[end..];
    if !(path.ends_with("::") && rest.starts_with('{')) {
        found.push(path);
        return rest;
    }
    while let Some(item) = rest.strip_prefix(['{', ',']) {
        rest = expand(path.clone(), item.trim_start(), found).trim_start();
    }
    rest.strip_prefix('}').unwrap_or(rest)
}

/// Returns the module that contains the item at `path`, which is used in `module`.
fn target(path: &str, module: &Module, modules: &BTreeMap<Module, String>) -> Module {
    let mut base = module.clone();
    let mut segments: Vec<&str> = path.split("::").filter(|segment| !segment.is_empty()).collect();
    if segments[0] == "crate" {
        base.clear();
    }
    while matches!(segments.first(), Some(&("crate" | "self" | "super"))) {
        if segments.remove(0) == "super" {
            base.pop();
        }
    }
    base.extend(segments.into_iter().map(str::to_owned));
    while !modules.contains_key(&base) {
        base.pop();
    }
    base
}

/// Returns `ffi` if `module` is `ffi` or a module below it, otherwise `module`.
fn merged(module: &Module) -> Module {
    if module.first().is_some_and(|first| first == "ffi") { vec!["ffi".to_owned()] } else { module.clone() }
}

fn dependencies(modules: &BTreeMap<Module, String>) -> Dependencies {
    let mut found = Dependencies::new();
    for (module, code) in modules {
        let from = merged(module);
        for path in paths(code) {
            let to = merged(&target(&path, module, modules));
            // A dependency between a module and a module below it does not count.
            if !from.starts_with(&to) && !to.starts_with(&from) {
                found.entry(from.clone()).or_default().insert(to);
            }
        }
    }
    found
}

/// Returns a cycle that begins and ends with `module`, if there is one.
fn cycle(dependencies: &Dependencies, module: &Module) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![module.clone()]];
    while let Some(way) = ways.pop() {
        for next in dependencies.get(way.last().unwrap()).into_iter().flatten() {
            if next == module {
                return Some(way.iter().chain([next]).map(|module| module.join("::")).collect());
            }
            if seen.insert(next.clone()) {
                ways.push(way.iter().chain([next]).cloned().collect());
            }
        }
    }
    None
}

#[test]
fn module_dependencies_have_no_cycles() {
    let mut found = BTreeMap::new();
    modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &Module::new(), &mut found);
    let dependencies = dependencies(&found);
    assert!(
        found.len() > 80 && dependencies.len() > 60,
        "only {} modules were found, {} of them with dependencies",
        found.len(),
        dependencies.len()
    );
    let cycles: Vec<_> = dependencies.keys().filter_map(|module| cycle(&dependencies, module)).collect();
    assert!(cycles.is_empty(), "modules depend on each other: {cycles:#?}");
}

#[test]
fn a_cycle_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let code =
        [("a", "use super::b::{self, C};"), ("b", "use crate::{x::Y, c::D};"), ("c", "fn f() { super::a::g(); }")];
    let modules = code.into_iter().map(|(name, code)| (module(name), code.to_owned()));
    let modules = modules.chain([(Module::new(), String::new())]).collect();
    assert_eq!(cycle(&dependencies(&modules), &module("a")).unwrap(), ["a", "b", "c", "a"]);
}
