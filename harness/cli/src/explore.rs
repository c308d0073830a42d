//! `trustrig explore`: random sequences of steps, and a scenario for everything that is found.

use std::{num::NonZeroUsize, path::PathBuf, thread, time::Duration};

use clap::{Args, ValueEnum};
use runner::{Exit, Exploration, ExploreReport, Progress, SEQUENCE_LENGTH_MAX};

use crate::output::{line, wrong_input};

/// Arguments of `trustrig explore`.
#[derive(Args, Debug)]
pub(crate) struct ExploreArguments {
    /// Drives every choice: the same seed finds the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many steps to play in all.
    #[arg(long, value_name = "M", default_value_t = 1_000)]
    steps: u64,
    /// How many of them in one world.
    #[arg(long, value_name = "L", default_value = "50")]
    sequence_length: NonZeroUsize,
    /// Only this profile [default: both].
    #[arg(long, value_name = "P")]
    profile: Option<Profile>,
    /// Hosts of each pool [default: one to four].
    #[arg(long, value_name = "N")]
    hosts: Option<NonZeroUsize>,
    /// Find what quirks break, too: by default a breach is accepted where a quirk that is on is
    /// declared to cause it.
    #[arg(long)]
    no_excuses: bool,
    /// Sequences at a time [default: twice the number of processors].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Folder for the scenarios of what is found.
    #[arg(long, value_name = "DIR", default_value = "explored")]
    out: PathBuf,
}

/// Behaviour of the toolstack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    DesignV1,
    Landed,
}

/// Real time between two lines about the progress.
const REPORT_EVERY: Duration = Duration::from_secs(30);

/// Explores.
pub(crate) fn explore(arguments: &ExploreArguments) -> Exit {
    if arguments.sequence_length.get() > SEQUENCE_LENGTH_MAX {
        return wrong_input(format_args!(
            "a sequence of {} steps is too long\n  help: `--sequence-length` may be {SEQUENCE_LENGTH_MAX}",
            arguments.sequence_length
        ));
    }
    let processors = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let twice = processors.saturating_mul(NonZeroUsize::MIN.saturating_add(1));
    let exploration = Exploration {
        seed: arguments.seed,
        steps: arguments.steps,
        sequence_length: arguments.sequence_length,
        profile: arguments.profile.map(|profile| match profile {
            Profile::DesignV1 => scenario::Profile::DesignV1,
            Profile::Landed => scenario::Profile::Landed,
        }),
        hosts: arguments.hosts,
        excuses: !arguments.no_excuses,
        jobs: arguments.jobs.unwrap_or(twice),
        out: arguments.out.clone(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no threads to run on: {error}");
            return Exit::Broke;
        }
    };
    line(format_args!("exploring {} steps with seed {}", exploration.steps, exploration.seed));
    let mut next = REPORT_EVERY;
    let explored = runtime.block_on(runner::explore(&exploration, &mut |progress| {
        // Whoever breaks off a long run keeps what it has found.
        for found in &progress.fresh {
            line(format_args!("found in {found}"));
        }
        if progress.wall >= next {
            next = progress.wall + REPORT_EVERY;
            print_progress(progress);
        }
    }));
    match explored {
        Ok(report) => {
            print_report(&report);
            if report.held() { Exit::Held } else { Exit::DidNotHold }
        }
        Err(error) => wrong_input(format_args!(
            "{}: cannot be written: {error}\n  help: name a folder that can be written with `--out`",
            exploration.out.display()
        )),
    }
}

fn print_progress(progress: &Progress) {
    line(format_args!(
        "{} s: {} steps in {} of {} sequences, {:.0} steps/s, {} findings",
        progress.wall.as_secs(),
        progress.steps,
        progress.sequences,
        progress.of,
        progress.rate(),
        progress.found
    ));
}

fn print_report(report: &ExploreReport) {
    line("how often each action ended how:");
    for ((action, code), count) in &report.ends {
        let code = if code.is_empty() { "done" } else { code };
        line(format_args!("  {count:>8} {action}: {code}"));
    }
    for (quirk, count) in &report.excuses {
        line(format_args!("  {count:>8} breaches excused by {quirk}"));
    }
    for found in &report.found {
        line(format_args!("FOUND in {} sequences: {}", found.times, found.what));
        for shown in found.how.lines() {
            line(format_args!("  {shown}"));
        }
        let steps = found.steps;
        let repeats = if found.repeats { "repeat" } else { "NOT repeated by" };
        line(format_args!("  {repeats}: trustrig run {} ({steps} steps)", found.path.display()));
    }
    line(format_args!(
        "{} steps in {} sequences, {} findings, {:.1} s, {:.0} steps/s",
        report.steps,
        report.sequences,
        report.found.len(),
        report.wall.as_secs_f64(),
        report.rate()
    ));
}
