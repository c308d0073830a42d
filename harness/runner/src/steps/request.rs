//! What a step asks a pool or a host for.

use ground::Secret;
use scenario::{HostAction, InstalledCertificate, JoinPool, PoolCall, Spanned};
use sim_host::{AuthConfig, Call, CertificateType, ExtAuthSetting, JoinParameters, Reference};

use super::StepError;
use crate::{
    calls::Request,
    certificate_steps, exchange_steps,
    world::{ROOT_PASSWORD, World},
};

/// `None` if nothing is to be called.
pub(super) async fn pool_request(
    world: &mut World,
    call: &PoolCall,
) -> Result<Option<Request>, StepError> {
    if let Some(request) = exchange_steps::request(world, call).await? {
        return Ok(Some(request));
    }
    let call = match call {
        PoolCall::Eject(call) => {
            Call::PoolEject { host: world.host(&call.host)?.reference().clone() }
        }
        PoolCall::Join(join) => Call::PoolJoin(join_parameters(world, join, false)),
        PoolCall::JoinForce(join) => Call::PoolJoin(join_parameters(world, join, true)),
        PoolCall::InstallTrustedCertificate(call) => Call::PoolInstallTrustedCertificate {
            pool: None,
            ca: call.ca,
            certificate: world.certificate(&call.cert)?,
            purpose: call.purpose.iter().map(ToString::to_string).collect(),
        },
        PoolCall::UninstallTrustedCertificate(call) => Call::PoolUninstallTrustedCertificate {
            pool: None,
            certificate: installed(world, &call.certificate)?,
        },
        PoolCall::DetectNonhomogeneousExternalAuth(_) => {
            Call::PoolDetectNonhomogeneousExternalAuth { pool: None }
        }
        PoolCall::EnableExternalAuth(call) => Call::PoolEnableExternalAuth {
            pool: None,
            config: config(&call.config),
            service_name: call.service_name.clone(),
            auth_type: call.auth_type.clone(),
        },
        PoolCall::DisableExternalAuth(call) => {
            Call::PoolDisableExternalAuth { pool: None, config: config(&call.config) }
        }
        PoolCall::ExternalAuthSetLdaps(call) => {
            Call::PoolExternalAuthSetLdaps { pool: None, ldaps: call.ldaps, force: call.force }
        }
        PoolCall::SetExtAuthCacheEnabled(set) => {
            Call::PoolSetExtAuth { setting: ExtAuthSetting::CacheEnabled(set.value) }
        }
        PoolCall::SetExtAuthCacheExpiry(set) => {
            Call::PoolSetExtAuth { setting: ExtAuthSetting::CacheExpiry(set.value) }
        }
        PoolCall::SetExtAuthCacheSize(set) => {
            Call::PoolSetExtAuth { setting: ExtAuthSetting::CacheSize(set.value) }
        }
        PoolCall::SetExtAuthMaxThreads(set) => {
            Call::PoolSetExtAuth { setting: ExtAuthSetting::MaxThreads(set.value) }
        }
        other => match certificate_steps::call(world, other)? {
            Some(call) => call,
            None => return Ok(None),
        },
    };
    Ok(Some(Request::Call(call)))
}

fn join_parameters(world: &World, join: &JoinPool, force: bool) -> JoinParameters {
    let host = world.record_of(&join.master_address).map(|host| host.address);
    let password = join.master_password.as_ref().map_or(ROOT_PASSWORD, |own| own.as_str());
    JoinParameters {
        master_address: host.unwrap_or_else(|_| join.master_address.clone()),
        master_username: join.master_username.clone(),
        master_password: Secret::new(password),
        force,
    }
}

/// `None` if it is no call.
pub(super) fn host_request(
    world: &World,
    action: &HostAction,
) -> Result<Option<Request>, StepError> {
    let reference = |host: &str| world.host(host).map(|host| host.reference().clone());
    let call = match action {
        HostAction::DisableExternalAuth(call) => Call::HostDisableExternalAuth {
            host: reference(&call.host)?,
            config: config(&call.config),
            force: call.force,
        },
        HostAction::EnableExternalAuth(call) => Call::HostEnableExternalAuth {
            host: reference(&call.host)?,
            config: config(&call.config),
            service_name: call.service_name.clone(),
            auth_type: call.auth_type.clone(),
        },
        HostAction::ExternalAuthSetLdaps(call) => Call::HostExternalAuthSetLdaps {
            host: reference(&call.host)?,
            ldaps: call.ldaps,
            force: call.force,
        },
        HostAction::GetServerCertificate(call) => {
            Call::HostGetServerCertificate { host: reference(&call.host)? }
        }
        HostAction::ClearFaults(_)
        | HostAction::HoldProgram(_)
        | HostAction::ReleaseProgram(_)
        | HostAction::SetFaults(_)
        | HostAction::SetLiveness(_) => return Ok(None),
    };
    Ok(Some(Request::Call(call)))
}

fn config(config: &scenario::AuthConfig) -> AuthConfig {
    config.0.clone().into_iter().collect()
}

/// The reference of a certificate that a step names.
pub(crate) fn installed(
    world: &World,
    certificate: &Spanned<InstalledCertificate>,
) -> Result<Reference, StepError> {
    match &certificate.value {
        InstalledCertificate::InstalledBy(step) => world
            .installed
            .get(step.as_str())
            .cloned()
            .ok_or_else(|| StepError::NothingInstalled { step: step.to_string() }),
        InstalledCertificate::Cert(source) => {
            let pem = world.certificate(source)?;
            Ok(world.pool()?.certificate_by_pem(&pem).unwrap_or_else(Reference::null))
        }
        InstalledCertificate::IdentityOf(host) => {
            let host = world.host(host)?;
            let rows = world.pool()?.database_view().certificates;
            let own = rows
                .into_iter()
                .find(|row| row.kind == CertificateType::Host && row.host == *host.reference());
            Ok(own.map_or_else(Reference::null, |row| row.reference))
        }
    }
}
