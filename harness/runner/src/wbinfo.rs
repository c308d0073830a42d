//! `wbinfo` as an administrator on the host would run it.

use ground::{Secret, Trail};
use scenario::{WbinfoCommand, WbinfoSid};
use sim_host::{Output, SambaCommand, Wbinfo};

use crate::{
    steps::{StepError, run_program},
    world::World,
};

/// Runs one command.
pub(crate) async fn run(
    world: &World,
    command: &WbinfoCommand,
    trail: &Trail,
) -> Result<Output, StepError> {
    let (host, question) = match command {
        WbinfoCommand::ChangeSecret(of) => (&of.host, Wbinfo::ChangeSecret),
        WbinfoCommand::GetDcName(of) => (&of.host, Wbinfo::GetDcName { domain: of.domain.clone() }),
        WbinfoCommand::Krb5Auth(login) => {
            let (name, password) = (login.name.clone(), Secret::new(login.password.as_str()));
            (&login.host, Wbinfo::Krb5Auth { name, password })
        }
        WbinfoCommand::NameToSid(of) => (&of.host, Wbinfo::NameToSid { name: of.name.clone() }),
        WbinfoCommand::SidToGid(of) => (&of.host, Wbinfo::SidToGid { sid: sid(world, of) }),
        WbinfoCommand::SidToName(of) => (&of.host, Wbinfo::SidToName { sid: sid(world, of) }),
        WbinfoCommand::SidToUid(of) => (&of.host, Wbinfo::SidToUid { sid: sid(world, of) }),
        WbinfoCommand::UidInfo(of) => (&of.host, Wbinfo::UidInfo { uid: of.uid }),
        WbinfoCommand::UserDomgroups(of) => {
            (&of.host, Wbinfo::UserDomgroups { sid: sid(world, of) })
        }
    };
    run_program(world, host, SambaCommand::Wbinfo(question), trail).await
}

/// The SID of the account that is named, or what stands there.
fn sid(world: &World, of: &WbinfoSid) -> String {
    let (netbios, account) = match of.sid.split_once('\\') {
        Some((netbios, account)) => (Some(netbios), account),
        None => (None, of.sid.as_str()),
    };
    let mut directories = world.domains().map(fake_dc::Domain::directory);
    let domain = match netbios {
        Some(netbios) => directories.find(|domain| domain.netbios_name() == netbios),
        None => directories.next(),
    };
    let found = domain.and_then(|domain| domain.sid_of(account));
    found.map_or_else(|| of.sid.clone(), |sid| sid.to_string())
}
