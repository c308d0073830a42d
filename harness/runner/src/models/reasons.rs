//! The reasons that `expect.refused` can name: those of the code, and those that the page of the language lists.

use std::collections::BTreeSet;

use trust_models::{directory, ordered, pinned};

const PAGE: &str = include_str!("../../../scenario/LANGUAGE.md");

/// The reasons in the table of a chapter.
fn listed(title: &str) -> BTreeSet<String> {
    let is_wanted = |chapter: &&str| chapter.lines().next() == Some(title);
    let chapter = PAGE.split("\n## ").find(is_wanted).unwrap();
    let (_, table) = chapter.split_once("| Reason |").unwrap();
    let cells = table.lines().filter_map(|row| row.strip_prefix("| `")?.split_once("` |"));
    cells.flat_map(|(cell, _)| cell.split("`, `")).map(str::to_owned).collect()
}

#[test]
fn those_of_ordered_upload_are_listed() {
    let mut reasons = ordered::reasons();
    reasons.insert("refusal-with-effect".to_owned());
    assert_eq!(listed("Ordered upload"), reasons);
}

#[test]
fn those_of_pki_directories_are_listed() {
    let of_the_runner = ["data", "external-refused", "no-answer", "refusal-with-effect"];
    let reasons = directory::REASONS.iter().chain(&of_the_runner).map(|&reason| reason.to_owned());
    assert_eq!(listed("PKI directories"), reasons.collect());
}

#[test]
fn those_of_pinned_keys_are_listed() {
    let reasons = pinned::REASONS.iter().map(|&reason| reason.to_owned());
    assert_eq!(listed("Pinned keys"), reasons.collect());
}
