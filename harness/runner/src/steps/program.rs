//! Programs that somebody runs on a host by hand.

use ground::{Secret, Trail, fact};
use scenario::{AdsSearch, NetCommand};
use serde::Serialize;
use sim_host::{Credentials, Output, SambaCommand, Server};

use super::StepError;
use crate::world::{World, WorldError};

/// A program that somebody ran on a host by hand has ended.
#[derive(Debug, Serialize)]
pub(super) struct ProgramEnded {
    exit: i32,
    stdout: String,
    stderr: String,
}
fact!(ProgramEnded, "program.ended");

/// Runs `net` as an administrator on the host would.
pub(super) async fn run_net(
    world: &World,
    command: &NetCommand,
    trail: &Trail,
) -> Result<Output, StepError> {
    let (host, command) = match command {
        NetCommand::AdsLookup(lookup) => {
            (&lookup.host, SambaCommand::AdsLookup { server: world.dc(&lookup.dc)?.1.ip().into() })
        }
        NetCommand::AdsSearch(search) => (&search.host, search_command(world, search)?),
        NetCommand::LookupKdc(lookup) => {
            (&lookup.host, SambaCommand::LookupKdc { domain: lookup.domain.to_string() })
        }
    };
    run_program(world, host, command, trail).await
}

/// Runs a program of a host, for everybody to see what it says.
pub(crate) async fn run_program(
    world: &World,
    host: &str,
    command: SambaCommand,
    trail: &Trail,
) -> Result<Output, StepError> {
    let output = world.pool_of(host)?.run_program(host, command, trail).await?;
    trail.record(ProgramEnded {
        exit: output.exit,
        stdout: output.stdout.clone(),
        stderr: output.stderr.clone(),
    });
    Ok(output)
}

fn search_command(world: &World, search: &AdsSearch) -> Result<SambaCommand, WorldError> {
    let server = Server::Address(world.dc(&search.dc)?.1.ip().into());
    let credentials = match (&search.user, &search.password) {
        (Some(user), Some(password)) => {
            Credentials::User { user: user.clone(), password: Secret::new(password.as_str()) }
        }
        _ => Credentials::Machine,
    };
    let (filter, attributes) = (search.filter.clone(), search.attributes.clone());
    Ok(SambaCommand::AdsSearch { server, credentials, filter, attributes })
}
