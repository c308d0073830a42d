//! A cloud whose certificates are uploaded in order (seed-systems.md §2): its world, and what is done
//! to it.

use std::collections::BTreeMap;

use super::{ApplianceRef, ChainRef, DcFault, DomainName, HostName, Kebab, NoParameters};
use crate::{
    Span,
    grammar::{NonEmpty, Reader, Spanned},
    mistake::Mistake,
};

table! {
    /// A management server with its appliances, and the certificates that an operator has for it.
    pub struct CloudWorld {
        /// Chains that an operator may upload.
        pub chains "chain": Vec<Spanned<UploadableChain>>,
        /// Storage appliances.
        pub storage: Vec<Spanned<NewStorage>>,
        /// Console appliances.
        pub consoles "console": Vec<Spanned<NewConsole>>,
        /// The chain that is in the keystore from an earlier release, which knew no order.
        pub earlier_release: Option<Spanned<ChainRef>>,
    }
}

table! {
    /// A root, an intermediate, and a server certificate for all names of a domain.
    pub struct UploadableChain {
        /// Name, unique among the chains; another name has other keys.
        pub name: Spanned<Kebab>,
        /// What the server certificate stands for.
        pub domain: Spanned<DomainName>,
        /// What is wrong with the chain.
        pub faults: Vec<Spanned<DcFault>>,
    }
}

table! {
    /// A storage appliance.
    pub struct NewStorage {
        /// Name, unique among the appliances: `storage1`.
        pub name: Spanned<HostName>,
        /// Its set-up script. Default: `current`.
        pub script: SetUpScript = SetUpScript::Current,
        /// Templates that it stores.
        pub templates: Vec<Spanned<Kebab>>,
    }
}

table! {
    /// A console appliance.
    pub struct NewConsole {
        /// Name, unique among the appliances: `console1`.
        pub name: Spanned<HostName>,
    }
}

words! {
    /// Which `config_ssl.sh` an appliance runs.
    pub enum SetUpScript: "set-up script" {
        /// Installs leaf, key and chain, and imports the root.
        Current = "current",
        /// Of an earlier release: installs leaf and key alone.
        Old = "old",
    }
}

choice! {
    /// Something that is done in a cloud.
    pub enum CloudAction: "action in a cloud" {
        /// Somebody does something to the files of a storage appliance by hand.
        alter => Alter(AlterAppliance),
        /// Calls any other command of the API, which may not know it.
        call => Call(CallApi),
        /// Changes a global setting: `updateConfiguration`.
        configure => Configure(ConfigureCloud),
        /// Has one storage appliance copy a template from another.
        copy_template => CopyTemplate(CopyTemplate),
        /// Creates a console appliance.
        create_console => CreateConsole(NewConsole),
        /// Creates a storage appliance.
        create_storage => CreateStorage(NewStorage),
        /// Removes an appliance with its disk.
        destroy => Destroy(OfAppliance),
        /// An operator looks where the troubleshooting list says to look.
        diagnose => Diagnose(NoParameters),
        /// A user follows the link to a template.
        download => Download(Download),
        /// Asks for the link to a template.
        extract_template => ExtractTemplate(OfTemplate),
        /// Restarts an appliance, which is then set up again.
        restart => Restart(OfAppliance),
        /// Restarts the management server.
        restart_management => RestartManagement(NoParameters),
        /// Calls `uploadCustomCertificate`.
        upload => Upload(UploadCertificate),
        /// Opens the console of an appliance.
        view_console => ViewConsole(ViewConsole),
    }
}

table! {
    /// Parameters of `cloud.upload`. What is absent is as it should be.
    pub struct UploadCertificate {
        /// The chain.
        pub chain: Spanned<ChainRef>,
        /// Which of its certificates.
        pub certificate: ChainPart,
        /// Name of the row. Default: that of the part.
        pub name: Option<String>,
        /// Its place; 0 is none. Default: 1 for the root, 2 for the intermediate, none for the server.
        pub id: Option<u32>,
        /// Default: that of the chain.
        pub domain_suffix: Option<String>,
        /// The key that goes with it. Default: that of the chain with the server certificate, else none.
        pub key: Option<UploadedKey>,
        /// Whether the parameters are URL-encoded.
        pub url_encoded: bool = true,
    }
}

words! {
    /// A certificate of a chain.
    pub enum ChainPart: "part of a chain" {
        /// The intermediate.
        Intermediate = "intermediate",
        /// The root.
        Root = "root",
        /// The server certificate.
        Server = "server",
        /// Another server certificate of the same CA, for a new key.
        RenewedServer = "renewed-server",
        /// One that its own key has signed.
        SelfSigned = "self-signed",
    }
}

words! {
    /// A private key to upload.
    pub enum UploadedKey: "key to upload" {
        /// None at all.
        None = "none",
        /// One that belongs to another certificate.
        Other = "other",
        /// The one of the chain.
        Own = "own",
    }
}

table! {
    /// An appliance.
    pub struct OfAppliance {
        /// Which.
        pub appliance: Spanned<ApplianceRef>,
    }
}

table! {
    /// Parameters of `cloud.alter`.
    pub struct AlterAppliance {
        /// The storage appliance.
        pub appliance: Spanned<ApplianceRef>,
        /// What is done.
        pub deed: ApplianceDeed,
    }
}

words! {
    /// What somebody does to the files of a storage appliance.
    pub enum ApplianceDeed: "deed" {
        /// Comments the line out that names the chain file in the site of the web server.
        ChainCommentedOut = "chain-commented-out",
        /// Sets the clock two years back.
        ClockSetBack = "clock-set-back",
        /// Puts a proxy before it that ends TLS, with a certificate of its owner's CA.
        Proxied = "proxied",
        /// Deletes the uploaded root from the trust store.
        RootDeleted = "root-deleted",
        /// Puts another machine in its place, with a certificate that it has made itself.
        Replaced = "replaced",
    }
}

table! {
    /// Parameters of `cloud.call`.
    pub struct CallApi {
        /// The command: no upload, whose job somebody has to wait for.
        pub command: Spanned<String>,
        /// Its other parameters.
        pub params: BTreeMap<String, String>,
    }
    check no_upload;
}

/// What its job does would be a part of whatever step is done by then.
fn no_upload(call: &CallApi, _: Span, reader: &mut Reader<'_>) -> Option<()> {
    if call.command.value != "uploadCustomCertificate" {
        return Some(());
    }
    let rule = "any command but uploads, for which there is `cloud.upload`";
    let mistake = Mistake::Malformed {
        what: "command",
        text: call.command.value.clone(),
        rule: rule.to_owned(),
    };
    reader.report(call.command.span.clone(), mistake);
    None
}

table! {
    /// Parameters of `cloud.configure`.
    pub struct ConfigureCloud {
        /// Name of the setting, such as `extract.url.expiration.interval`.
        pub setting: String,
        /// Its new value.
        pub value: String,
    }
}

table! {
    /// Parameters of `cloud.copy_template`.
    pub struct CopyTemplate {
        /// The template.
        pub template: Spanned<Kebab>,
        /// The storage appliance that has it.
        pub from: Spanned<ApplianceRef>,
        /// The storage appliance that copies it.
        pub to: Spanned<ApplianceRef>,
    }
}

table! {
    /// A template of a storage appliance.
    pub struct OfTemplate {
        /// The template.
        pub template: Spanned<Kebab>,
        /// The storage appliance that has it.
        pub from: Spanned<ApplianceRef>,
    }
}

table! {
    /// Parameters of `cloud.download`.
    pub struct Download {
        /// The template.
        pub template: Spanned<Kebab>,
        /// The storage appliance that has it.
        pub from: Spanned<ApplianceRef>,
        /// The chains whose roots the user's browser trusts.
        pub trusting: NonEmpty<Spanned<ChainRef>>,
    }
}

table! {
    /// Parameters of `cloud.view_console`.
    pub struct ViewConsole {
        /// The console appliance.
        pub appliance: Spanned<ApplianceRef>,
        /// What the user's browser speaks.
        pub protocol: ConsoleProtocol,
    }
}

words! {
    /// How a console is reached.
    pub enum ConsoleProtocol: "protocol" {
        /// Without TLS.
        Http = "http",
        /// With TLS.
        Https = "https",
    }
}
