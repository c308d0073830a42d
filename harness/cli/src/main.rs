//! The `trustrig` program: arguments in, exit code out. All else is in the libraries.
//!
//! Exit codes, fixed for ever: 0 everything held; 1 some expectation did not hold or a snapshot
//! waits for review; 2 the input was wrong; 3 we broke. `verify` has its own, see
//! [`verify::VerifyExit`].

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod bench;
mod client;
mod compare_models;
mod explore;
mod faults;
mod output;
mod review;
mod run;
mod verify;
mod xapi;

use std::{env, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use runner::Exit;

use crate::output::line;

/// Runs scenarios of LDAPS trust between simulated XenServer hosts and a fake Active Directory.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXITS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXITS: &str = "Exit codes: 0 everything held; 1 something did not hold, or a changed \
                     snapshot waits for review; 2 the input was wrong; 3 trustrig broke.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs scenarios.
    Run(run::RunArguments),
    /// Shows the snapshots that a run has proposed; on a terminal, asks about each.
    Review {
        /// Folders to look in.
        #[arg(default_value = "scenarios")]
        paths: Vec<PathBuf>,
    },
    /// Accepts every proposed snapshot.
    Accept {
        /// Folders to look in.
        #[arg(default_value = "scenarios")]
        paths: Vec<PathBuf>,
    },
    /// Measures how a host would fare.
    Bench(bench::BenchArguments),
    /// Does what a client of two pools does, call by call, against any XenAPI servers.
    Client(client::ClientArguments),
    /// Lists the error codes of xapi and the scenarios that end with them.
    Codes(xapi::XapiArguments),
    /// Compares what becomes of a connection under each model of trust when the world changes.
    CompareModels(compare_models::CompareModelsArguments),
    /// Plays random sequences of steps, with the invariants as judge.
    Explore(explore::ExploreArguments),
    /// Lists everything that can be wrong with a DC, the way to it, or a host.
    Faults(faults::FaultsArguments),
    /// Lists the quirks of xapi, which a scenario can turn on and off, and the scenarios that show them.
    Quirks(xapi::XapiArguments),
    /// Prints the JSON Schema of scenario files.
    Schema,
    /// Judges a certificate chain, or a live server, as Samba and GnuTLS judge it.
    #[command(after_help = verify::AFTER_HELP)]
    Verify(Box<verify::VerifyArguments>),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return complain(&error),
    };
    match arguments.command {
        Command::Run(arguments) => run::run(&arguments).into(),
        Command::Review { paths } => review::review(&paths).into(),
        Command::Accept { paths } => review::accept(&paths).into(),
        Command::Bench(arguments) => bench::bench(&arguments).into(),
        Command::Client(arguments) => client::client(&arguments).into(),
        Command::Codes(arguments) => xapi::codes(&arguments).into(),
        Command::CompareModels(arguments) => compare_models::compare_models(&arguments).into(),
        Command::Explore(arguments) => explore::explore(&arguments).into(),
        Command::Faults(arguments) => faults::faults(&arguments).into(),
        Command::Quirks(arguments) => xapi::quirks(&arguments).into(),
        Command::Schema => schema().into(),
        Command::Verify(arguments) => verify::verify(&arguments).into(),
    }
}

/// Prints help, or what is wrong with the arguments. To `verify`, 2 is a verdict.
fn complain(error: &clap::Error) -> ExitCode {
    if error.print().is_err() {
        return Exit::Broke.into();
    }
    if !error.use_stderr() {
        Exit::Held.into()
    } else if env::args_os().nth(1).is_some_and(|command| command == "verify") {
        verify::VerifyExit::WrongInput.into()
    } else {
        Exit::WrongInput.into()
    }
}

fn schema() -> Exit {
    match serde_json::to_string_pretty(&scenario::schema()) {
        Ok(text) => {
            line(format_args!("{text}"));
            Exit::Held
        }
        Err(error) => {
            eprintln!("failed to write the schema: {error}");
            Exit::Broke
        }
    }
}
