//! The goals of issue 8 that are ratios, memory or sums, in one run: a table, or JSON with `--json`.
//!
//! `cargo bench -p benches --bench goals -- [--json] [PART…]`, with the parts `probe`, `dc`, `hosts`,
//! `day` and `suite`; without any, all of them. Ratios are of processor time in interleaved pairs on
//! one core. Memory is that of processes of their own: this program starts itself again.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod child;
mod day;
mod dc;
mod hosts;
mod probe;
mod suite;

use std::{env, process::ExitCode};

use benches::{Failure, Report};

/// A part of the run, and what it adds to the report.
type Part = (&'static str, fn(&mut Report) -> Result<(), Failure>);

/// In the order of the table.
const PARTS: [Part; 5] = [
    ("probe", probe::measure),
    ("dc", dc::measure),
    ("hosts", hosts::measure),
    ("day", day::measure),
    ("suite", suite::measure),
];

fn main() -> ExitCode {
    // `cargo bench` says so to everybody.
    let arguments: Vec<String> = env::args().skip(1).filter(|given| given != "--bench").collect();
    let outcome = match arguments.split_first() {
        Some((first, rest)) if first == child::FLAG => child::serve(rest),
        _ => all(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn all(arguments: &[String]) -> Result<(), Failure> {
    let json = arguments.iter().any(|given| given == "--json");
    let wanted: Vec<&String> = arguments.iter().filter(|given| *given != "--json").collect();
    if let Some(unknown) = wanted.iter().find(|part| !PARTS.iter().any(|(name, _)| name == **part))
    {
        let known = PARTS.map(|(name, _)| name).join(", ");
        return Err(format!("there is no part `{unknown}`; there are {known}").into());
    }
    let mut report = Report::default();
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|part| *part == name) {
            eprintln!("measuring {name}");
            measure(&mut report)?;
        }
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
