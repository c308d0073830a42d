//! What of a scenario no event and no report may hold.

use scenario::{
    Action, ClientAction, HostAction, NetCommand, PoolCall, RemoteSession, Scenario, SessionCall,
    WbinfoCommand, XenapiAction,
};

use crate::xenapi;

/// The passwords that the scenario's calls carry.
pub(super) fn secrets_of(scenario: &Scenario) -> Vec<String> {
    let mut secrets: Vec<String> = scenario
        .steps
        .iter()
        .filter_map(|step| password_of(&step.action))
        .map(str::to_owned)
        .collect();
    secrets.sort();
    secrets.dedup();
    secrets
}

fn password_of(action: &Action) -> Option<&str> {
    let config = match action {
        Action::Pool(PoolCall::EnableExternalAuth(call)) => &call.config,
        Action::Pool(PoolCall::DisableExternalAuth(call)) => &call.config,
        Action::Pool(PoolCall::Join(join) | PoolCall::JoinForce(join)) => {
            return join.master_password.as_ref().map(scenario::Password::as_str);
        }
        Action::Pool(PoolCall::SyncTrustedCertificatesFrom(call)) => {
            return match &call.remote_session {
                RemoteSession::Account(account) => Some(account.password.as_str()),
                RemoteSession::Root(_) | RemoteSession::Text(_) => None,
            };
        }
        Action::Host(HostAction::EnableExternalAuth(call)) => &call.config,
        Action::Host(HostAction::DisableExternalAuth(call)) => &call.config,
        Action::Session(SessionCall::LoginWithPassword(login)) => return Some(login.pwd.as_str()),
        Action::Net(NetCommand::AdsSearch(search)) => {
            return search.password.as_ref().map(scenario::Password::as_str);
        }
        Action::Wbinfo(WbinfoCommand::Krb5Auth(login)) => return Some(login.password.as_str()),
        Action::Client(ClientAction::Join(join)) => return Some(join.account.password.as_str()),
        Action::Xenapi(XenapiAction::Call(call)) => return xenapi::password_of(call),
        _ => return None,
    };
    config.0.get("pass").map(String::as_str)
}
