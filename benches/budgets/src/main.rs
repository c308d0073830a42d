//! Counts the instructions of the hot paths under valgrind's callgrind, and compares them with the
//! budgets in `budgets.txt`. What it is called with is described in `benches/README.md`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the report of a program, and its mistakes"
)]

mod callgrind;
mod paths;
mod report;

use std::{env, error::Error, process::ExitCode};

use self::report::Report;

/// Whatever goes wrong: it ends the program.
type Failure = Box<dyn Error + Send + Sync>;

/// A hot path: its name, and a function that goes it once.
struct HotPath {
    name: &'static str,
    go: Box<dyn FnMut() -> Result<(), Failure>>,
}

impl HotPath {
    fn new(name: &'static str, go: impl FnMut() -> Result<(), Failure> + 'static) -> Self {
        Self { name, go: Box::new(go) }
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] => check(),
        ["accept"] => accept(None),
        ["accept", names @ ..] => accept(Some(names)),
        ["self-check"] => self_check(),
        [callgrind::GO] => go_all(),
        _ => Err("budgets takes no word, `accept [PATH …]` or `self-check`".into()),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("budgets: {failure}");
            ExitCode::from(2)
        }
    }
}

fn check() -> Result<ExitCode, Failure> {
    let report = Report::new(report::budgets()?, callgrind::count()?);
    println!("{report}");
    Ok(if report.is_within() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes what has been measured the budget of these paths, or of all.
fn accept(names: Option<&[&str]>) -> Result<ExitCode, Failure> {
    let report = Report::new(report::budgets()?, callgrind::count()?);
    report.accept(names)?;
    println!("{}", Report::new(report::budgets()?, report.into_counts()));
    Ok(ExitCode::SUCCESS)
}

/// Shows that the check can fail: a budget a tenth too low is crossed, and so is a path that has
/// none; and that two counts agree as well as a budget needs.
fn self_check() -> Result<ExitCode, Failure> {
    let counts = callgrind::count()?;
    let tight = counts.iter().map(|(name, count)| (name.clone(), count.ours * 10 / 11)).collect();
    let crossed = Report::new(tight, counts.clone());
    println!("{crossed}");
    let missing = Report::new(report::Budgets::new(), counts.clone());
    let same = counts.iter().map(|(name, count)| (name.clone(), count.ours)).collect();
    let again = Report::new(same, callgrind::count()?);
    println!("{again}");
    if crossed.crossed() != counts.len() || missing.is_within() || !again.is_within() {
        return Err("the check does not tell what is within a budget from what is not".into());
    }
    println!(
        "budgets: every budget is crossed when it is a tenth too low, none when counted again"
    );
    Ok(ExitCode::SUCCESS)
}

/// Goes every path twice, and has the second time counted. Runs under callgrind.
fn go_all() -> Result<ExitCode, Failure> {
    for mut path in paths::all()? {
        (path.go)().map_err(|failure| format!("{}: {failure}", path.name))?;
        measured(&mut path.go)?;
        println!("{}", path.name);
    }
    Ok(ExitCode::SUCCESS)
}

/// What callgrind counts, by this name.
#[inline(never)]
fn measured(go: &mut dyn FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
    go()
}
