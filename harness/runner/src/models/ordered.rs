//! The cloud of a world, whose certificates are uploaded in order (seed-systems.md §2).

use std::{collections::BTreeMap, fs, path::Path};

use fake_dc_pki::{ChainFault, PkiError};
use ground::{Clock, Ledger, Secret, Seed, Trail};
use scenario::{
    ApplianceDeed, ChainPart, CloudAction, CloudWorld, ConsoleProtocol, NewStorage, SetUpScript,
    UploadCertificate, UploadedKey,
};
use tempfile::TempDir;
use trust_models::ordered::{
    Cloud, CloudError, CloudOptions, CopyError, Deed, Keystore, Material, Protocol, RefusedCall,
    RefusedUpload, Script, ServerCertificate, Upload,
};

use super::{Refusal, secret_lines};
use crate::{steps::StepError, world::WorldError};

/// How far a clock is set back, in seconds: two years.
const CLOCK_SET_BACK: i64 = 730 * 86_400;

/// A refusal that has changed the table, which none may.
const WITH_EFFECT: &str = "refusal-with-effect";

/// The database of a cloud, below its directory.
const DATABASE: &str = "cloud.db";

/// A cloud with the certificates that its operator has.
#[derive(Debug)]
pub(crate) struct OrderedWorld {
    cloud: Cloud,
    chains: BTreeMap<String, Chains>,
    seed: Seed,
    clock: Clock,
    _directory: TempDir,
}

/// A chain, the same with a new key of the server, and another that differs from it in nothing but its keys.
#[derive(Debug)]
struct Chains {
    own: Material,
    renewed: Material,
    other: Material,
}

impl OrderedWorld {
    /// Starts the management server and all appliances.
    pub(crate) async fn build(
        plan: &CloudWorld,
        seed: Seed,
        clock: Clock,
        ledger: Ledger,
        trail: &Trail,
    ) -> Result<Self, WorldError> {
        let mut chains = BTreeMap::new();
        for chain in &plan.chains {
            let faults = chain.faults.iter().map(|fault| fault.parse::<ChainFault>());
            let faults = faults.collect::<Result<Vec<_>, PkiError>>()?;
            let (name, domain, now) = (chain.name.as_str(), chain.domain.as_str(), clock.now());
            let own = Material::issue(&seed, name, domain, now, &faults)?;
            let longer =
                faults.iter().copied().chain(["algorithm.rsa-3072".parse::<ChainFault>()?]);
            let renewed = Material::issue(&seed, name, domain, now, &longer.collect::<Vec<_>>())?;
            let other = Material::issue(&seed, &format!("not {name}"), domain, now, &[])?;
            chains.insert(name.to_owned(), Chains { own, renewed, other });
        }
        let directory = tempfile::tempdir().map_err(WorldError::Roots)?;
        if let Some(left) = &plan.earlier_release {
            leave_earlier_release(directory.path(), &chains, left)?;
        }
        let options = CloudOptions {
            seed,
            directory: directory.path().to_owned(),
            clock: clock.clone(),
            ledger,
        };
        let cloud = Cloud::start(options).await?;
        let world = Self { cloud, chains, seed, clock, _directory: directory };
        for storage in &plan.storage {
            world.create_storage(storage, trail).await?;
        }
        for console in &plan.consoles {
            world.cloud.create_console(&console.name, trail).await?;
        }
        Ok(world)
    }

    /// Time has moved.
    pub(crate) fn clean_up(&self, trail: &Trail) {
        self.cloud.clean_up(trail);
    }

    /// Every private key that there is, line by line: what no event may hold.
    pub(crate) fn secrets(&self) -> Result<Vec<String>, WorldError> {
        let given = self.chains.values();
        let given =
            given.flat_map(|chains| [&chains.own.key, &chains.renewed.key, &chains.other.key]);
        let keys = self.cloud.private_keys()?;
        Ok(given.chain(&keys).flat_map(|key| secret_lines(key.expose())).collect())
    }

    /// Stops the management server and all appliances.
    pub(crate) async fn stop(self) {
        self.cloud.stop().await;
    }

    /// Carries out an action. What is refused is looked into as an operator would, and the refusal
    /// says what there was to be concluded.
    pub(super) async fn act(
        &self,
        action: &CloudAction,
        trail: &Trail,
    ) -> Result<Option<Refusal>, StepError> {
        let changes_the_table =
            matches!(action, CloudAction::Configure(_) | CloudAction::Upload(_));
        let table = || fs::read(self.cloud.database()).map_err(WorldError::Roots);
        let before = changes_the_table.then(table).transpose()?;
        let refused = match self.try_to(action, trail).await {
            Ok(()) => return Ok(None),
            Err(Failed::Step(error)) => return Err(error),
            Err(Failed::Refused(refused)) => refused,
        };
        if before.is_some() && before != changes_the_table.then(table).transpose()? {
            return Ok(Some(Refusal {
                reason: WITH_EFFECT.to_owned(),
                words: "the refusal has changed the keystore".to_owned(),
                diagnosis: Vec::new(),
            }));
        }
        let findings = self.cloud.diagnose(trail).await.map_err(WorldError::from)?;
        let diagnosis = findings.iter().map(ToString::to_string).collect();
        Ok(Some(Refusal { diagnosis, ..refused }))
    }

    async fn try_to(&self, action: &CloudAction, trail: &Trail) -> Result<(), Failed> {
        let cloud = &self.cloud;
        match action {
            CloudAction::Alter(alter) => {
                let deed = match alter.deed {
                    ApplianceDeed::ChainCommentedOut => Deed::ChainCommentedOut,
                    ApplianceDeed::ClockSetBack => Deed::ClockSetBack(CLOCK_SET_BACK),
                    ApplianceDeed::Proxied => Deed::Shows(Box::new(self.somebody_else(false)?)),
                    ApplianceDeed::Replaced => Deed::Shows(Box::new(self.somebody_else(true)?)),
                    ApplianceDeed::RootDeleted => Deed::RootDeleted,
                };
                cloud.suffer(&alter.appliance, deed).await?;
            }
            CloudAction::Call(call) => {
                let params = call.params.iter();
                let params = params.map(|(name, value)| (name.as_str(), value.as_str()));
                cloud.call_api(&call.command, params, trail).await?;
            }
            CloudAction::Configure(change) => {
                let params = [("name", change.setting.as_str()), ("value", change.value.as_str())];
                cloud.call_api("updateConfiguration", params, trail).await?;
            }
            CloudAction::CopyTemplate(copy) => {
                cloud.copy_template(&copy.template, &copy.from, &copy.to, trail).await?;
            }
            CloudAction::CreateConsole(console) => {
                cloud.create_console(&console.name, trail).await?;
            }
            CloudAction::CreateStorage(storage) => self.create_storage(storage, trail).await?,
            CloudAction::Destroy(of) => cloud.destroy(&of.appliance).await?,
            CloudAction::Diagnose(_) => {
                cloud.diagnose(trail).await?;
            }
            CloudAction::Download(download) => {
                let link = cloud.extract_template(&download.from, &download.template, trail)?;
                let roots = download.trusting.iter().map(|chain| self.chain(chain));
                let roots = roots.map(|chain| Ok(chain?.own.root.clone()));
                let roots: String = roots.collect::<Result<_, StepError>>()?;
                cloud.download(&link, &roots, trail).await?;
            }
            CloudAction::ExtractTemplate(of) => {
                cloud.extract_template(&of.from, &of.template, trail)?;
            }
            CloudAction::Restart(of) => cloud.restart(&of.appliance, trail).await?,
            CloudAction::RestartManagement(_) => cloud.restart_management(trail).await?,
            CloudAction::Upload(upload) => {
                let built = self.upload(upload)?;
                cloud.call_upload(&built, upload.url_encoded, trail).await?;
            }
            CloudAction::ViewConsole(view) => {
                let protocol = match view.protocol {
                    ConsoleProtocol::Http => Protocol::Http,
                    ConsoleProtocol::Https => Protocol::Https,
                };
                let roots: String =
                    self.chains.values().map(|chains| chains.own.root.as_str()).collect();
                cloud.view_console(&view.appliance, protocol, &roots, trail).await?;
            }
        }
        Ok(())
    }

    async fn create_storage(&self, plan: &NewStorage, trail: &Trail) -> Result<(), CloudError> {
        let script = match plan.script {
            SetUpScript::Current => Script::Current,
            SetUpScript::Old => Script::Old,
        };
        let appliance = self.cloud.create_storage(&plan.name, script, trail).await?;
        for template in &plan.templates {
            let content = format!("the template {}", template.as_str());
            appliance.store_template(template, content.as_bytes()).map_err(|source| {
                CloudError::Io { what: format!("template `{}`", template.as_str()), source }
            })?;
        }
        Ok(())
    }

    /// What somebody shows who has no certificate of the operator's: one of his own CA, or one that he has made himself.
    fn somebody_else(&self, self_made: bool) -> Result<ServerCertificate, StepError> {
        let domain = self.cloud.domain().map_err(WorldError::from)?;
        let faults: &[ChainFault] = if self_made {
            &["anchor.self-signed-leaf".parse().map_err(WorldError::Pki)?]
        } else {
            &[]
        };
        let material = Material::issue(
            &self.seed.child("somebody else"),
            "own",
            &domain,
            self.clock.now(),
            faults,
        );
        let Material { root, intermediate, server, key, .. } = material.map_err(WorldError::Pki)?;
        let chain = if self_made { Vec::new() } else { vec![root, intermediate] };
        Ok(ServerCertificate { certificate: server, key, chain })
    }

    fn upload(&self, wanted: &UploadCertificate) -> Result<Upload, StepError> {
        let chains = self.chain(&wanted.chain)?;
        let Chains { own, renewed, other } = chains;
        let mut upload = match wanted.certificate {
            ChainPart::Root => own.root_upload(),
            ChainPart::Intermediate => own.intermediate_upload(),
            ChainPart::Server => own.server_upload(),
            ChainPart::RenewedServer => renewed.server_upload(),
            // A root is signed by its own key, too.
            ChainPart::SelfSigned => {
                Upload { certificate: own.root.clone(), ..own.server_upload() }
            }
        };
        if let Some(name) = &wanted.name {
            upload.name.clone_from(name);
        }
        if let Some(id) = wanted.id {
            upload.id = i32::try_from(id).ok().filter(|id| *id > 0);
        }
        if let Some(domain) = &wanted.domain_suffix {
            upload.domain_suffix.clone_from(domain);
        }
        let key = |material: &Material| -> Option<Secret> { Some(material.key.clone()) };
        match wanted.key {
            None => {}
            Some(UploadedKey::None) => upload.private_key = None,
            Some(UploadedKey::Other) => upload.private_key = key(other),
            Some(UploadedKey::Own) => upload.private_key = key(own),
        }
        Ok(upload)
    }

    fn chain(&self, name: &str) -> Result<&Chains, StepError> {
        let unknown = || WorldError::Unknown { what: "chain", name: name.to_owned() };
        Ok(self.chains.get(name).ok_or_else(unknown)?)
    }
}

fn leave_earlier_release(
    directory: &Path,
    chains: &BTreeMap<String, Chains>,
    left: &str,
) -> Result<(), WorldError> {
    let unknown = || WorldError::Unknown { what: "chain", name: left.to_owned() };
    let chain = chains.get(left).ok_or_else(unknown)?;
    Keystore::leave_earlier_release(&directory.join(DATABASE), &chain.own.uploads())
        .map_err(CloudError::from)?;
    Ok(())
}

/// Why an action came to nothing.
enum Failed {
    /// Somebody refuses.
    Refused(Refusal),
    /// It cannot be tried.
    Step(StepError),
}

impl Failed {
    fn refused(reason: impl Into<String>, words: String) -> Self {
        Self::Refused(Refusal { reason: reason.into(), words, diagnosis: Vec::new() })
    }
}

impl From<CloudError> for Failed {
    fn from(error: CloudError) -> Self {
        Self::Step(WorldError::from(error).into())
    }
}

impl From<CopyError> for Failed {
    fn from(error: CopyError) -> Self {
        Self::refused(error.reason, error.words)
    }
}

impl From<RefusedCall> for Failed {
    fn from(refused: RefusedCall) -> Self {
        Self::refused(refused.reason(), refused.words)
    }
}

impl From<RefusedUpload> for Failed {
    fn from(refused: RefusedUpload) -> Self {
        Self::refused(refused.reason, refused.words)
    }
}

impl From<StepError> for Failed {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}
