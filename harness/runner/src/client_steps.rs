//! The step `client.join`: the client of xapi-flows.md §12.3, against the services of two pools.

use ground::{Secret, Trail};
use scenario::ClientJoin;
use sim_host::{ApiError, CallResult, DownloadVariant, Profile};
use xenapi_client::{
    CallError as Refusal, Client, Trust,
    joining::{self, Copying, DomainAccount, Download, JoinError, JoinPlan, Login},
};

use crate::{
    world::{ROOT_PASSWORD, World},
    xenapi::{self, CallError},
};

/// Lets the client try. What it answers is why it gave up.
pub(crate) async fn join(
    world: &mut World,
    step: &ClientJoin,
    trail: &Trail,
) -> Result<Result<CallResult, ApiError>, CallError> {
    let pool = world.pool_of(&step.coordinator)?;
    let copying = match (pool.profile(), pool.download_variant()) {
        (Profile::DesignV1, DownloadVariant::D1) => Copying::Download(Download::One),
        (Profile::DesignV1, DownloadVariant::D2) => Copying::Download(Download::List),
        (Profile::DesignV1, DownloadVariant::D3) => Copying::Download(Download::ByPurpose),
        (Profile::Landed, _) => Copying::Sync,
    };
    let plan = JoinPlan {
        joiner: login(world, &step.joiner).await?,
        pool: login(world, &step.coordinator).await?,
        coordinator: world.record_of(&step.coordinator)?.address,
        copying,
        force: step.force,
    };
    let account = DomainAccount {
        user: step.account.user.clone(),
        password: Secret::new(step.account.password.as_str()),
    };
    let mut ask = |_: &str| Some(account.clone());
    // The ledger has every call.
    let outcome = joining::join(&plan, &mut ask, &mut |_| {}, trail).await;
    xenapi::quiet(world).await?;
    match outcome.map_err(|failure| failure.error) {
        Ok(()) => Ok(Ok(CallResult::Void)),
        Err(JoinError::Call { error: Refusal::Api(error), .. }) => Ok(Err(error)),
        Err(JoinError::Call { method, error: Refusal::Client(error), .. }) => {
            Err(CallError::Client { method, error })
        }
        Err(error) => Err(CallError::Join(error)),
    }
}

/// How `root` logs in to a host's service. The client has been given the host's certificate.
async fn login(world: &mut World, host: &str) -> Result<Login, CallError> {
    let address = xenapi::service_of(world, host).await?;
    let host = world.rig.host(host);
    let pem = host.and_then(|host| host.certificate_and_key(None).ok()).unwrap_or_default();
    let trust =
        Trust::leaf_of_pem(&String::from_utf8_lossy(&pem)).unwrap_or(Trust::Bundle(String::new()));
    Ok(Login {
        client: Client::new(address).tls(trust),
        user: xenapi::ROOT.to_owned(),
        password: Secret::new(ROOT_PASSWORD),
    })
}
