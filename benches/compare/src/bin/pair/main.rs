//! One LDAP client, and two servers that it measures in turn: A B, B A, A B and so on, so that what
//! the machine does meanwhile happens to both.
//!
//! A server is a file that says how it is started and asked (`target.rs`); the client starts it, waits
//! for the first answer, and ends it. Every connection is LDAPS in xapi's policy (TLS 1.2,
//! ECDHE-RSA-AES256-GCM-SHA384, secp384r1), whole, never resumed, with the chain and the name checked.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of the command line")]

mod ldaps;
mod measure;
mod process;
mod report;
mod target;

use std::{error::Error, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;

use crate::{measure::What, report::Report, target::Target};

/// Whatever went wrong.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Measures two LDAP servers in turn.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure.
    #[arg(value_enum)]
    what: What,
    /// The file of the server that is measured.
    first: PathBuf,
    /// The file of the server that it is compared with.
    second: PathBuf,
    /// Clients that work at once, each in a thread of its own.
    #[arg(long, default_value_t = 1)]
    clients: usize,
    /// How often each of the two is measured.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// How long a measurement lasts, in milliseconds.
    #[arg(long, default_value_t = 300)]
    slice: u64,
    /// Print one JSON object with every single measurement.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("pair: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let targets = [Target::read(&options.first)?, Target::read(&options.second)?];
    let measured = match options.what {
        What::Start => measure::start(&targets, options.rounds)?,
        what => measure::rates(
            what,
            &targets,
            options.clients,
            options.rounds,
            Duration::from_millis(options.slice),
        )?,
    };
    let report = Report::new(options.what, options.clients, &targets, measured);
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
