//! Steps that move certificates between pools.

use ground::Secret;
use scenario::{
    InstalledCertificate, PoolCall, RemoteSession, Spanned, SyncTrustedCertificates,
    WantedCertificates,
};
use sim_host::{
    ApiError, Call, DownloadVariant, ExchangeCall, Pool, Reference, RemotePool, Wanted,
};

use crate::{
    calls::Request,
    certificate_steps,
    steps::{StepError, installed},
    world::{ROOT_PASSWORD, World, WorldError},
};

/// What a host shows to clients, and its key.
pub(crate) const IDENTITY: &str = "/etc/xensource/xapi-ssl.pem";

/// Gives a pool the calls that it is to have.
pub(crate) fn prepare(pool: &Pool, plan: &scenario::World, name: &str) {
    pool.set_download_variant(match plan.download {
        scenario::DownloadVariant::D1 => DownloadVariant::D1,
        scenario::DownloadVariant::D2 => DownloadVariant::D2,
        scenario::DownloadVariant::D3 => DownloadVariant::D3,
    });
    pool.set_missing_calls(plan.lacked_by(name));
    // The language has the words of the same enumeration.
    let purposes = plan.purposes_lacked_by(name).filter_map(|purpose| purpose.parse().ok());
    pool.set_unknown_purposes(purposes);
}

/// What a step asks for; `None` if it moves nothing between pools.
pub(crate) async fn request(
    world: &mut World,
    call: &PoolCall,
) -> Result<Option<Request>, StepError> {
    let call = match call {
        PoolCall::DownloadTrustedCertificate(call) => ExchangeCall::DownloadTrustedCertificate {
            pool: None,
            certificate: installed(world, &call.certificate)?,
        },
        PoolCall::DownloadTrustedCertificates(call) => ExchangeCall::DownloadTrustedCertificates {
            pool: None,
            wanted: match &call.wanted {
                WantedCertificates::Certificates(list) => {
                    Wanted::Certificates(references(world, list)?)
                }
                WantedCertificates::Purpose(purpose) => Wanted::Purpose(purpose.clone()),
            },
        },
        PoolCall::ExchangeCaCertificates(call) => ExchangeCall::ExchangeCaCertificatesOnJoin {
            import: call
                .import
                .iter()
                .map(|(name, source)| Ok((name.clone(), world.certificate(source)?)))
                .collect::<Result<_, WorldError>>()?,
            export: references(world, &call.export)?,
        },
        PoolCall::ExchangeCertificates(call) => ExchangeCall::ExchangeCertificatesOnJoin {
            uuid: call.uuid.clone(),
            certificate: world.certificate(&call.cert)?,
        },
        PoolCall::ExchangeCrls(call) => ExchangeCall::ExchangeCrlsOnJoin {
            pool: None,
            import: call
                .import
                .iter()
                .map(|(name, list)| Ok((name.clone(), certificate_steps::content(world, list)?)))
                .collect::<Result<_, WorldError>>()?,
            export: call.export.clone(),
        },
        PoolCall::ExchangeTrustedCertificates(call) => {
            ExchangeCall::ExchangeTrustedCertificatesOnJoin {
                pool: None,
                ca: call.ca,
                import: call
                    .import
                    .iter()
                    .map(|one| Ok((world.certificate(&one.cert)?, one.purpose.clone())))
                    .collect::<Result<_, WorldError>>()?,
                export: references(world, &call.export)?,
            }
        }
        PoolCall::SyncTrustedCertificatesFrom(call) => match remote(world, call).await? {
            Ok(remote) => {
                ExchangeCall::SyncTrustedCertificatesFrom { pool: None, remote, ca: call.ca }
            }
            Err(error) => return Ok(Some(Request::Refused(error))),
        },
        _ => return Ok(None),
    };
    Ok(Some(Request::Call(Call::Exchange(call))))
}

fn references(
    world: &World,
    certificates: &[Spanned<InstalledCertificate>],
) -> Result<Vec<Reference>, StepError> {
    certificates.iter().map(|one| installed(world, one)).collect()
}

/// Whom a sync asks, with a session that is opened there; or why there is no session.
async fn remote(
    world: &mut World,
    call: &SyncTrustedCertificates,
) -> Result<Result<RemotePool, ApiError>, StepError> {
    let host = match &call.remote_pool {
        scenario::RemotePool::Address(_) => None,
        scenario::RemotePool::Host(host) => Some(world.host(host)?),
    };
    let address = match (&call.remote_pool, &host) {
        (scenario::RemotePool::Address(address), _) => address.clone(),
        (_, Some(host)) => world.record_of(host.name())?.address,
        (_, None) => String::new(),
    };
    let certificate = match (&call.remote_certificate, &host) {
        (Some(source), _) => world.certificate(source)?,
        (None, Some(host)) => shown_by(host)?,
        (None, None) => String::new(),
    };
    let (user, password) = match &call.remote_session {
        RemoteSession::Text(text) => {
            return Ok(Ok(RemotePool { address, session: Secret::new(text), certificate }));
        }
        RemoteSession::Account(account) => (account.user.as_str(), account.password.as_str()),
        RemoteSession::Root(_) => ("root", ROOT_PASSWORD),
    };
    let pool = host.and_then(|host| world.rig.pool_of(host.name()));
    let session = match pool {
        Some(pool) => {
            let login = pool.login(user, &Secret::new(password), "trustrig", &world.trail).await;
            let session = match login {
                Ok(session) => session.to_string(),
                Err(error) => return Ok(Err(error)),
            };
            world.secrets.push(session.clone());
            session
        }
        // No secret: many fields hold it.
        None => Reference::null().to_string(),
    };
    Ok(Ok(RemotePool { address, session: Secret::new(session), certificate }))
}

/// The certificates of the file, which holds the key, too.
fn shown_by(host: &sim_host::Host) -> Result<String, StepError> {
    const END: &str = "-----END CERTIFICATE-----\n";

    let text = host.root().read_text_if_present(IDENTITY)?.unwrap_or_default();
    let certificates = text.split("-----BEGIN CERTIFICATE-----").skip(1).filter_map(|block| {
        let end = block.find(END.trim_end())?;
        Some(format!("-----BEGIN CERTIFICATE-----{}{END}", &block[..end]))
    });
    Ok(certificates.collect())
}
