//! Who may depend on whom. The map is drawn in ARCHITECTURE.md; this holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate of ours, and the crates of ours that it may use. Whoever needs another arrow draws it
/// here and in ARCHITECTURE.md, with a reason.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("platform", &[]),
    ("store", &["domain"]),
    ("proto", &["domain", "platform"]),
    ("program", &["domain", "platform", "proto", "store"]),
    ("simulator", &["domain"]),
    ("extractor", &["domain", "platform", "program", "proto", "store"]),
    ("jira-extractor", &["domain", "extractor", "platform", "program", "store"]),
    ("git-extractor", &["domain", "extractor", "platform", "program", "store"]),
    ("orchestrator", &["domain", "platform", "program", "proto", "store"]),
    ("metrics-service", &["domain", "platform", "program", "proto", "store"]),
    ("gateway", &["domain", "platform", "program", "proto", "store"]),
    (
        "standalone",
        &[
            "domain",
            "extractor",
            "gateway",
            "git-extractor",
            "jira-extractor",
            "metrics-service",
            "orchestrator",
            "platform",
            "program",
            "proto",
            "simulator",
            "store",
        ],
    ),
];

#[test]
fn every_dependency_follows_an_arrow() {
    let allowed: BTreeMap<_, BTreeSet<_>> =
        ARROWS.iter().map(|(from, to)| (*from, to.iter().copied().collect())).collect();
    let drawn = dependencies();

    let members: BTreeSet<_> = drawn.keys().map(String::as_str).collect();
    let known: BTreeSet<_> = allowed.keys().copied().collect();
    assert_eq!(members, known, "every crate of the workspace has its arrows, and no other");

    for (from, to) in &drawn {
        let strangers: Vec<_> =
            to.iter().filter(|name| !allowed[from.as_str()].contains(name.as_str())).collect();
        assert!(strangers.is_empty(), "{from} may not depend on {strangers:?}");
    }
}

/// For each member of the workspace, the members it depends on when it is built, not tested.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let answer = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version=1",
            "--manifest-path",
            manifest,
        ])
        .output()
        .expect("cargo runs");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let metadata: Value = serde_json::from_slice(&answer.stdout).expect("cargo answers JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let names: BTreeSet<_> = packages.iter().map(|package| text(&package["name"])).collect();
    packages
        .iter()
        .map(|package| {
            let uses = package["dependencies"]
                .as_array()
                .expect("a package has a list of dependencies")
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| text(&dependency["name"]))
                .filter(|name| names.contains(name))
                .collect();
            (text(&package["name"]), uses)
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a name is a text").to_owned()
}
