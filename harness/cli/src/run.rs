//! `trustrig run`: one line for each case, a picture for each failure.

use std::{
    env,
    io::IsTerminal as _,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use runner::{
    CaseReport, Exit, Outcome, RunOptions, SambaClient, Selection, SnapshotMode, Suite,
    SuiteReport,
    report::{Timeline, write_events, write_junit},
};
use scenario::Colour;
use sim_host::real;

use crate::output::{line, write_whole, wrong_input};

/// Arguments of `trustrig run`.
#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    /// Scenario files, or folders with `scenario.toml` files below.
    #[arg(default_value = "scenarios")]
    paths: Vec<PathBuf>,
    /// Run only cases whose name (`scenario@profile`) holds this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Run only scenarios with this tag; may be given several times.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Drives every choice: the same seed gives the same bytes and events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cases at a time [default: twice the number of processors].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Who runs the hosts' Samba commands: the model, or the real `net` of Samba 4.22 with each
    /// host's own files in a network of its own.
    #[arg(long, value_name = "WHO", default_value = "model")]
    samba_client: Who,
    /// With `--samba-client net`: how long a program may run. A case in which one takes longer is
    /// skipped.
    #[arg(long, value_name = "SECONDS", default_value_t = runner::PATIENCE.as_secs())]
    patience: u64,
    /// Write a JUnit report.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write all events as line-delimited JSON.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Print what happened, step by step and cause by cause over virtual time. Without this, only
    /// the steps that did not hold are told so.
    #[arg(long)]
    timeline: bool,
    /// Only list the cases.
    #[arg(long)]
    list: bool,
    /// Never write a snapshot proposal. The default when the environment has CI.
    #[arg(long)]
    check: bool,
}

/// Who runs the hosts' Samba commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Who {
    /// The model: fast, the same everywhere, tells everything.
    Model,
    /// The real programs: what they conclude is the truth. A case that needs to be told more than
    /// they tell is skipped.
    Net,
}

/// Runs scenarios.
pub(crate) fn run(arguments: &RunArguments) -> Exit {
    match try_run(arguments) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_run(arguments: &RunArguments) -> Result<Exit, Exit> {
    let colour = if std::io::stderr().is_terminal() { Colour::Ansi } else { Colour::Plain };
    let suite = Suite::load(&arguments.paths).map_err(|errors| {
        eprint!("{}", errors.render(colour));
        Exit::WrongInput
    })?;
    let selection = Selection { filter: arguments.filter.clone(), tags: arguments.tags.clone() };
    let suite = suite.select(&selection);
    if suite.cases().is_empty() {
        return Err(wrong_input(
            "no case is selected\n  help: `trustrig run --list` shows all cases",
        ));
    }
    if arguments.list {
        for case in suite.cases() {
            line(format_args!("{}  {}", case.name, case.scenario.title));
        }
        return Ok(Exit::Held);
    }
    let in_ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
    let snapshots =
        if arguments.check || in_ci { SnapshotMode::Check } else { SnapshotMode::Propose };
    let mut options = RunOptions { seed: arguments.seed, snapshots, ..RunOptions::default() };
    if arguments.samba_client == Who::Net {
        if let Some(exit) = run_inside()? {
            return Ok(exit);
        }
        options.samba_client =
            SambaClient::Net { patience: Duration::from_secs(arguments.patience) };
        // The programs wait more than they work.
        options.jobs = options.jobs.saturating_mul(NET_JOBS);
    }
    if let Some(jobs) = arguments.jobs {
        options.jobs = jobs;
    }
    let report = run_suite(&suite, &options, arguments.timeline)?;
    if let Some(path) = &arguments.junit {
        write_whole(path, |mut out| write_junit(&report, &mut out))?;
    }
    if let Some(path) = &arguments.events {
        write_whole(path, |mut out| write_events(&report, &mut out))?;
    }
    Ok(conclude(&report))
}

/// Cases at a time with the real programs, for each with the model.
const NET_JOBS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

/// Runs this program once more, with the rights that the real programs need, and says how that
/// ended; `None` if that has been done.
fn run_inside() -> Result<Option<Exit>, Exit> {
    if let Some(lacking) = real::unavailable() {
        eprintln!("error: the real programs cannot be run: {lacking}");
        eprintln!("  help: {}; or leave out `--samba-client net`", lacking.remedy());
        return Err(Exit::Broke);
    }
    let Some(mut inside) = real::inside() else { return Ok(None) };
    let status = inside.args(env::args_os().skip(1)).status().map_err(|error| {
        eprintln!("error: this program cannot be run once more: {error}");
        Exit::Broke
    })?;
    Ok(Some(match status.code() {
        Some(0) => Exit::Held,
        Some(1) => Exit::DidNotHold,
        Some(2) => Exit::WrongInput,
        _ => Exit::Broke,
    }))
}

fn run_suite(suite: &Suite, options: &RunOptions, timeline: bool) -> Result<SuiteReport, Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        eprintln!("error: no threads to run on: {error}");
        Exit::Broke
    })?;
    let bar = progress_bar(suite.cases().len());
    line(format_args!("running {} with seed {}", count(suite.cases().len(), "case"), options.seed));
    let report = runtime.block_on(runner::run(suite, options, &mut |case| {
        bar.suspend(|| print_case(case, options, timeline));
        bar.inc(1);
    }));
    bar.finish_and_clear();
    Ok(report)
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar(length: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX));
    match ProgressStyle::with_template("[{bar:40}] {pos}/{len}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

fn print_case(case: &CaseReport, options: &RunOptions, whole: bool) {
    let word = match &case.outcome {
        Outcome::Broken(_) => "BROKEN",
        Outcome::Failed(_) => "FAILED",
        Outcome::Passed => "ok    ",
        Outcome::Skipped(_) => "SKIPPED:",
        Outcome::WrongInput(_) => "WRONG ",
    };
    line(format_args!("{word} {} ({} ms)", case.name, case.wall.as_millis()));
    match &case.outcome {
        Outcome::Passed => {}
        Outcome::Skipped(what) | Outcome::Broken(what) | Outcome::WrongInput(what) => {
            print_inside(what);
        }
        Outcome::Failed(failures) => failures.iter().for_each(print_inside),
    }
    let timeline = if whole { Timeline::of(case) } else { Timeline::of_failure(case) };
    print_inside(&timeline);
    if !matches!(case.outcome, Outcome::Passed | Outcome::Skipped(_)) {
        line(format_args!("  repeat: {}", repeat(case, options)));
    }
}

/// Prints what belongs to the line before.
fn print_inside(text: &impl ToString) {
    for shown in text.to_string().lines() {
        line(format_args!("  {shown}"));
    }
}

/// The command that repeats a case.
fn repeat(case: &CaseReport, options: &RunOptions) -> String {
    let path = shell_word(&case.path);
    let with = match options.samba_client {
        SambaClient::Model => String::new(),
        SambaClient::Net { patience } => {
            format!(" --samba-client net --patience {}", patience.as_secs())
        }
    };
    format!("trustrig run {path} --filter {} --seed {}{with}", case.name, options.seed)
}

fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

fn conclude(report: &SuiteReport) -> Exit {
    let of = |is: fn(&Outcome) -> bool| report.cases.iter().filter(|c| is(&c.outcome)).count();
    let passed = of(|outcome| matches!(outcome, Outcome::Passed));
    let failed = of(|outcome| matches!(outcome, Outcome::Failed(_)));
    let broken = of(|outcome| matches!(outcome, Outcome::Broken(_)));
    let mut parts = vec![format!("{passed} passed"), format!("{failed} failed")];
    let wrong = of(|outcome| matches!(outcome, Outcome::WrongInput(_)));
    if wrong > 0 {
        parts.push(format!("{wrong} with wrong input"));
    }
    let skipped = of(|outcome| matches!(outcome, Outcome::Skipped(_)));
    if skipped > 0 {
        parts.push(format!("{skipped} skipped"));
    }
    if broken > 0 {
        parts.push(format!("{broken} broken"));
    }
    line(format_args!("{} in {:.1} s", parts.join(", "), report.wall.as_secs_f64()));
    if report.broke() {
        Exit::Broke
    } else if report.wrong_input() {
        Exit::WrongInput
    } else if report.held() {
        Exit::Held
    } else {
        Exit::DidNotHold
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
