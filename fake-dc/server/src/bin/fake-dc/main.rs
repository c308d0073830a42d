//! `fake-dc`: a fake Active Directory domain for any client. Arguments in, exit code out.

mod announce;
mod behind;
mod ca_file;
mod chain_files;
mod clone;
mod control;
mod ctl;
mod descriptors;
mod error;
mod exit;
mod export;
mod health;
mod input;
mod ports;
mod record;
mod serve;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// A fake Active Directory domain: DNS, CLDAP, LDAP and LDAPS of any number of DCs, each wrong in
/// its own way.
///
/// Exit codes: 0 all is well, 2 the input was wrong, 3 the program failed. (1 is kept for
/// expectations that do not hold; this program has none.)
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Changes a domain that `fake-dc serve --control-port` serves.
    Ctl(ctl::Options),
    /// Makes a chain like a real one, under new keys.
    Clone(Box<clone::Options>),
    /// Writes a whole directory as LDIF.
    Export(Box<export::Options>),
    /// Lists the faults that a DC can have.
    Faults,
    /// Starts a domain and serves it until SIGINT or SIGTERM.
    Serve(Box<serve::Options>),
}

fn main() -> ExitCode {
    let exit = match Arguments::parse().command {
        Command::Ctl(options) => ctl::run(options),
        Command::Export(options) => export::run(&options),
        Command::Faults => list_faults(),
        Command::Clone(options) => clone::run(&options),
        Command::Serve(options) => serve::run(*options),
    };
    exit.into()
}

fn list_faults() -> Exit {
    let catalogue = fake_dc::faults::catalogue();
    let width = catalogue.iter().map(|fault| fault.id.len()).max().unwrap_or_default();
    let mut out = io::stdout().lock();
    for fault in catalogue {
        // A reader that has seen enough, such as `head`, ends the list.
        if writeln!(out, "{:width$}  {}", fault.id, fault.summary).is_err() {
            break;
        }
    }
    Exit::Held
}
