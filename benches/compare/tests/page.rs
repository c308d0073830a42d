//! `docs/performance.md` and the file that it is made from say the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Settings {
    sections: Vec<String>,
    goal: Vec<Goal>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Goal {
    what: String,
    goal: String,
    figure: String,
    at_most: Option<f64>,
    at_least: Option<f64>,
    #[serde(rename = "holds_back")]
    _holds_back: String,
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap()
}

fn settings() -> Settings {
    toml::from_str(&read("benches/compare/page.toml")).unwrap()
}

/// What is between the markers of a section.
fn section<'a>(page: &'a str, name: &str) -> &'a str {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->\n"));
    let text = page.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end));
    text.unwrap_or_else(|| panic!("no section {name}: run benches/compare/run --only {name}")).0
}

#[test]
fn the_page_has_each_section_once_and_in_order() {
    let page = read("docs/performance.md");
    let sections = settings().sections;
    let markers: Vec<&str> = page.lines().filter(|line| line.starts_with("<!-- ")).collect();
    let expected: Vec<String> = sections
        .iter()
        .flat_map(|name| [format!("<!-- begin {name} -->"), format!("<!-- end {name} -->")])
        .collect();
    assert_eq!(markers, expected);
    for name in &sections {
        assert!(!section(&page, name).trim().is_empty(), "section {name} is empty");
    }
}

#[test]
fn every_goal_is_in_the_page_with_a_verdict() {
    let page = read("docs/performance.md");
    let table = section(&page, "goals");
    let settings = settings();
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(2).count();
    assert_eq!(rows, settings.goal.len(), "run benches/compare/run --only goals");
    for Goal { what, goal, figure, at_most, at_least, .. } in &settings.goal {
        assert!(at_most.is_some() != at_least.is_some(), "{what}: one bound");
        assert!(figure.contains('/'), "{what}: a figure is named by its section and more");
        let start = format!("| {what} | {goal} | ");
        let row = table.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("{what}: run benches/compare/run --only goals"));
        let verdict = row.trim_end_matches('|').trim_end().rsplit(" | ").next().unwrap_or("");
        let verdicts = ["reached", "**not reached**", "not measured"];
        assert!(verdicts.iter().any(|known| verdict.starts_with(known)), "{row}");
    }
}
