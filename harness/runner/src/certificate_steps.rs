//! Steps about legacy CAs, revocation lists and what goes on in a pool meanwhile.

use ground::Trail;
use scenario::{FileContent, PoolCall, XapiAction};
use sim_host::{Call, PoolOperation};

use crate::{
    steps::StepError,
    world::{World, WorldError},
};

/// The call of a step about certificates; `None` if it is about something else.
pub(crate) fn call(world: &World, call: &PoolCall) -> Result<Option<Call>, WorldError> {
    Ok(Some(match call {
        PoolCall::CertificateInstall(call) => Call::PoolCertificateInstall {
            name: call.name.clone(),
            certificate: world.certificate(&call.cert)?,
        },
        PoolCall::CertificateList(_) => Call::PoolCertificateList,
        PoolCall::CertificateSync(_) => Call::PoolCertificateSync,
        PoolCall::CertificateUninstall(call) => {
            Call::PoolCertificateUninstall { name: call.name.clone() }
        }
        PoolCall::CrlInstall(call) => {
            Call::PoolCrlInstall { name: call.name.clone(), crl: content(world, &call.content)? }
        }
        PoolCall::CrlList(_) => Call::PoolCrlList,
        PoolCall::CrlUninstall(call) => Call::PoolCrlUninstall { name: call.name.clone() },
        PoolCall::InstallCaCertificate(call) => Call::PoolInstallCaCertificate {
            name: call.name.clone(),
            certificate: world.certificate(&call.cert)?,
        },
        PoolCall::UninstallCaCertificate(call) => {
            Call::PoolUninstallCaCertificate { name: call.name.clone(), force: call.force }
        }
        _ => return Ok(None),
    }))
}

/// What a step writes into a file.
pub(crate) fn content(world: &World, content: &FileContent) -> Result<String, WorldError> {
    match content {
        FileContent::Text(text) => Ok(text.clone()),
        FileContent::Cert(source) => world.certificate(source),
        FileContent::Crl(dc) => Ok(world.dc(dc)?.1.chain().crl_pem()),
    }
}

/// Does what somebody does to the toolstack's operations.
pub(crate) fn change_operations(
    world: &World,
    action: &XapiAction,
    trail: &Trail,
) -> Result<(), StepError> {
    match action {
        XapiAction::BeginOperation(begin) => {
            let lasting = begin.lasting.map(|lasting| lasting.0);
            world.pool()?.begin_operation(operation(begin.operation), lasting, trail);
        }
        XapiAction::EndOperation(end) => {
            world.pool()?.end_operation(operation(end.operation), trail);
        }
        XapiAction::RotatePoolSecret(rotate) => {
            world.pool()?.set_secret_rotation_pending(rotate.pending, trail)?;
        }
        XapiAction::Restart(_) => {}
    }
    Ok(())
}

fn operation(named: scenario::PoolOperation) -> PoolOperation {
    use scenario::PoolOperation as Named;
    match named {
        Named::ApplyUpdates => PoolOperation::ApplyUpdates,
        Named::CertRefresh => PoolOperation::CertRefresh,
        Named::ClusterCreate => PoolOperation::ClusterCreate,
        Named::ConfigureRepositories => PoolOperation::ConfigureRepositories,
        Named::CopyPrimaryHostCerts => PoolOperation::CopyPrimaryHostCerts,
        Named::DesignateNewMaster => PoolOperation::DesignateNewMaster,
        Named::Eject => PoolOperation::Eject,
        Named::ExchangeCaCertificatesOnJoin => PoolOperation::ExchangeCaCertificatesOnJoin,
        Named::ExchangeCertificatesOnJoin => PoolOperation::ExchangeCertificatesOnJoin,
        Named::ExchangeCrlsOnJoin => PoolOperation::ExchangeCrlsOnJoin,
        Named::GetUpdates => PoolOperation::GetUpdates,
        Named::HaDisable => PoolOperation::HaDisable,
        Named::HaEnable => PoolOperation::HaEnable,
        Named::SyncBundle => PoolOperation::SyncBundle,
        Named::SyncUpdates => PoolOperation::SyncUpdates,
        Named::TlsVerificationEnable => PoolOperation::TlsVerificationEnable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_have_one_name() {
        let named = scenario::PoolOperation::ALL;
        assert_eq!(named.len(), PoolOperation::ALL.len());
        for name in named {
            assert_eq!(operation(*name).name(), name.as_str());
        }
    }
}
