//! Command lines of xapi (xapi-flows.md §6.2).

use crate::{Credentials, SambaCommand, Server};

/// Arguments of `net` and what its environment holds besides the common variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NetCommand {
    pub(super) arguments: Vec<String>,
    /// Account and password, which no command line shows.
    pub(super) credentials: Option<Credentials>,
}

impl NetCommand {
    /// How xapi runs `command`; `None` if that is not `net`, or a part of `net` that needs SMB.
    pub(super) fn of(command: &SambaCommand, debug_level: u8) -> Option<Self> {
        let debug_level = debug_level.to_string();
        let debug = ["-d", &debug_level];
        let mut credentials = None;
        let arguments: Vec<String> = match command {
            SambaCommand::AdsLookup { server } => {
                let server = server.to_string();
                strings(&["ads", "lookup", "-S", &server], &debug)
            }
            SambaCommand::AdsSearch { server, credentials: whose, filter, attributes } => {
                let mut arguments = strings(&["ads", "search"], &debug);
                arguments.extend(bound(server, whose));
                arguments.push(filter.clone());
                arguments.extend(attributes.iter().cloned());
                credentials = Some(whose.clone());
                arguments
            }
            SambaCommand::AdsSid { server, credentials: whose, sid, attributes } => {
                let mut arguments = strings(&["ads", "sid", sid], &debug);
                arguments.extend(bound(server, whose));
                arguments.extend(attributes.iter().cloned());
                credentials = Some(whose.clone());
                arguments
            }
            SambaCommand::CacheFlush => strings(&["cache", "flush"], &[]),
            SambaCommand::LookupKdc { domain } => strings(&["lookup", "kdc", domain], &debug),
            SambaCommand::AdsEnctypesSet { account, types } => {
                credentials = Some(Credentials::Machine);
                let mut arguments = strings(&["ads", "enctypes", "set", "--machine-pass"], &debug);
                arguments.extend([account.clone(), types.to_string()]);
                arguments
            }
            SambaCommand::AdsJoin { .. }
            | SambaCommand::AdsLeave { .. }
            | SambaCommand::RestartWinbind
            | SambaCommand::StartWinbind
            | SambaCommand::StopWinbind
            | SambaCommand::Wbinfo(_)
            | SambaCommand::WinbindIsActive
            | SambaCommand::WipeSecrets => return None,
        };
        Some(Self { arguments, credentials })
    }
}

/// The options that say where to log in, and as whom.
fn bound(server: &Server, whose: &Credentials) -> Vec<String> {
    let mut options = match server {
        Server::Address(address) => strings(&["--server", &address.to_string()], &[]),
        Server::Name(name) => strings(&["--server", name], &[]),
        Server::Unnamed => Vec::new(),
    };
    if *whose == Credentials::Machine {
        options.push("--machine-pass".to_owned());
    }
    options
}

fn strings(first: &[&str], then: &[&str]) -> Vec<String> {
    first.iter().chain(then).map(|text| (*text).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use ground::Secret;

    use super::*;

    #[test]
    fn command_lines_are_those_of_xapi() {
        let server = "192.0.2.10".parse().unwrap();
        let search = |credentials| SambaCommand::AdsSearch {
            server: Server::Address(server),
            credentials,
            filter: "(name=x)".to_owned(),
            attributes: vec!["objectSid".to_owned()],
        };
        let user = Credentials::User { user: "u".to_owned(), password: Secret::new("p") };
        for (command, line) in [
            (
                SambaCommand::LookupKdc { domain: "d.example".to_owned() },
                "lookup kdc d.example -d 2",
            ),
            (SambaCommand::AdsLookup { server }, "ads lookup -S 192.0.2.10 -d 2"),
            (
                search(Credentials::Machine),
                "ads search -d 2 --server 192.0.2.10 --machine-pass (name=x) objectSid",
            ),
            (search(user), "ads search -d 2 --server 192.0.2.10 (name=x) objectSid"),
            (
                SambaCommand::AdsSid {
                    server: Server::Name("dc1.d.example".to_owned()),
                    credentials: Credentials::Machine,
                    sid: "S-1-5-32".to_owned(),
                    attributes: vec!["name".to_owned()],
                },
                "ads sid S-1-5-32 -d 2 --server dc1.d.example --machine-pass name",
            ),
            (SambaCommand::CacheFlush, "cache flush"),
        ] {
            assert_eq!(NetCommand::of(&command, 2).unwrap().arguments.join(" "), line);
        }
        assert_eq!(NetCommand::of(&SambaCommand::RestartWinbind, 2), None);
    }
}
