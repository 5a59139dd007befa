//! What we take from others: how many packages, from where, and under which licences.
//!
//! The counts are a ratchet: a package more is a decision, to be taken here and in `Cargo.toml`, where each has a
//! sentence saying what it is for.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// The packages of the protocol core, and of the whole program; ourselves not counted.
const CORE: usize = 13;
const PROGRAM: usize = 71;

/// Licences that ask for no more than their text being kept.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What we are proud not to need.
const NOT_NEEDED: &[&str] =
    &["async-std", "futures", "hyper", "native-tls", "openssl", "openssl-sys", "smol", "tokio", "url"];

#[test]
fn the_number_of_packages_is_known() {
    assert_eq!(
        packages(&["--no-default-features"]).len(),
        CORE,
        "{:#?}",
        packages(&["--no-default-features"])
    );
    assert_eq!(packages(&[]).len(), PROGRAM, "{:#?}", packages(&[]));
}

#[test]
fn every_licence_is_one_of_the_plain_ones() {
    let metadata = cargo(&["metadata", "--format-version", "1", "--locked"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    assert!(packages.len() > PROGRAM, "all of Cargo.lock, the tests' packages too");
    let wrong: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(allowed))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_package_comes_from_a_registry() {
    let lock = include_str!("../Cargo.lock");
    let sources: Vec<&str> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    assert!(sources.len() > PROGRAM);
    assert!(sources.iter().all(|source| source.starts_with("source = \"registry+")), "{sources:#?}");
    for name in NOT_NEEDED {
        assert!(!lock.contains(&format!("\nname = \"{name}\"\n")), "{name} is in Cargo.lock");
    }
}

/// The packages that are compiled for Linux on x86-64, with their versions.
fn packages(features: &[&str]) -> BTreeSet<String> {
    let tree =
        ["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--no-dedupe", "--format", "{p}"];
    let target = ["--target", "x86_64-unknown-linux-gnu"];
    let lines = cargo(&[&tree[..], &target, features].concat());
    let names = lines.lines().filter(|line| !line.starts_with("wiretail "));
    names.map(|line| line.trim_end_matches(" (proc-macro)").to_owned()).collect()
}

fn cargo(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    let output = command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// Whether an SPDX expression leaves us a way: each part of an AND must, one part of an OR suffices. Older packages
/// write `/` for OR.
fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    // OR binds more loosely than AND, so it is split first; what stands in brackets stays whole.
    if let parts @ [_, _, ..] = split_outside_brackets(expression, " OR ").as_slice() {
        return parts.iter().any(|part| allowed(part));
    }
    if let parts @ [_, _, ..] = split_outside_brackets(expression, " AND ").as_slice() {
        return parts.iter().all(|part| allowed(part));
    }
    match expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => allowed(inner),
        None => LICENCES.contains(&expression),
    }
}

fn split_outside_brackets<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 && text[at..].starts_with(separator) => {
                parts.push(&text[start..at]);
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    for fine in [
        "MIT",
        "MIT OR GPL-3.0",
        "MIT/Apache-2.0",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        "GPL-3.0 AND MIT OR Zlib",
    ] {
        assert!(allowed(fine), "{fine}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Zlib) AND GPL-3.0", "", "GPL-3.0 OR MIT AND AGPL-3.0"]
    {
        assert!(!allowed(bad), "{bad}");
    }
}
