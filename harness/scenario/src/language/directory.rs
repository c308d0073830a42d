//! The PKI directory of a client, and its validator, as libvirt's (seed-systems.md §3).

use std::collections::BTreeSet;

use super::{Advance, DcFault, DcRef, DnsName, HostRef, Kebab, PkiDirectoryRef, PkiServerRef};
use crate::{
    Span,
    grammar::{NonEmpty, Reader, Spanned},
    mistake::Mistake,
};

table! {
    /// A PKI directory, which applications keep their certificates in and may share.
    pub struct PkiDirectory {
        /// Its name.
        pub name: Spanned<Kebab>,
        /// The CA whose certificate is `ca/cert.pem`: a name of one that is then there, or a domain.
        pub ca: Spanned<String>,
    }
}

table! {
    /// A server of TLS that may ask its clients for a certificate.
    pub struct PkiServer {
        /// What clients call it, and what its certificate is for.
        pub name: Spanned<DnsName>,
        /// The CA that it has its certificate of.
        pub ca: Spanned<String>,
        /// Whether it asks clients for a certificate of that CA.
        pub client_certificates: ClientCertificates = ClientCertificates::No,
    }
}

words! {
    /// Whether clients are asked for a certificate.
    pub enum ClientCertificates: "demand of client certificates" {
        /// They are not.
        No = "no",
        /// They are, and need not have one.
        Requested = "requested",
        /// They are, and must have one that is good.
        Required = "required",
    }
}

choice! {
    /// What is done in the model of PKI directory and validator.
    pub enum PkiAction: "action of a PKI directory" {
        /// An application connects to a server.
        connect => Connect(PkiConnect),
        /// Applications connect to servers at the same time.
        connect_at_once => ConnectAtOnce(PkiConnectAtOnce),
        /// A directory gets a client certificate and its key.
        enrol => Enrol(PkiEnrol),
        /// Somebody gets the newest revocation list of a CA.
        fetch_list => FetchList(PkiFetchList),
        /// A proxy that ends TLS stands before somebody from now on.
        insert_proxy => InsertProxy(PkiInsertProxy),
        /// A server gets another certificate.
        renew => Renew(PkiRenew),
        /// The client key of a directory is replaced by another.
        replace_key => ReplaceKey(PkiReplaceKey),
        /// A CA revokes a certificate, which its next list says.
        revoke => Revoke(PkiRevoke),
        /// Somebody sets the clock of the machine that has a directory.
        set_clock => SetClock(PkiSetClock),
    }
}

table! {
    /// Parameters of `pki.connect`.
    pub struct PkiConnect {
        /// Who connects. Default: `application`.
        pub application: Option<Spanned<Kebab>>,
        /// The directory that it takes its data from.
        pub directory: Spanned<PkiDirectoryRef>,
        /// How the data comes in. Default: `files`.
        pub data: PkiData = PkiData::Files,
        /// What the application answers about the server. Absent: it is not asked, and strict.
        pub answer: Option<PkiAnswer>,
        /// Whether it wants to be asked about a server that did not pass.
        pub asks_about_untrusted: bool = false,
        /// Whether it refuses a server of which no list says that it is not revoked.
        pub demands_current_lists: bool = false,
        /// Whether it judges its own certificate before it shows it. Default: `true`.
        pub checks_own_certificate: bool = true,
        one_of {
            /// Where it connects to.
            pub peer: PkiPeer
        }
    }
}

choice! {
    /// Whom an application connects to.
    pub enum PkiPeer: "peer" {
        /// A domain controller by LDAPS; it is asked who the client is.
        ldaps => Ldaps(Spanned<DcRef>),
        /// A server.
        server => Server(Spanned<PkiServerRef>),
        /// A domain controller by LDAP and StartTLS; the client binds with EXTERNAL.
        starttls => StartTls(Spanned<DcRef>),
    }
}

words! {
    /// How an application hands its data over.
    pub enum PkiData: "way of data" {
        /// As the files of the directory.
        Files = "files",
        /// From memory, with the same contents.
        Memory = "memory",
    }
}

words! {
    /// What an application answers about a server.
    pub enum PkiAnswer: "answer" {
        /// For this connection.
        AcceptOnce = "accept-once",
        /// From now on.
        AcceptPermanently = "accept-permanently",
        /// No.
        Reject = "reject",
    }
}

table! {
    /// Parameters of `pki.connect_at_once`. Everybody accepts permanently.
    pub struct PkiConnectAtOnce {
        /// The directory that they share.
        pub directory: Spanned<PkiDirectoryRef>,
        /// The applications, and the servers of each. No server is there twice: who comes first is
        /// left to the machine.
        pub applications: NonEmpty<Spanned<PkiApplication>>,
    }
    check no_server_is_there_twice;
}

fn no_server_is_there_twice(
    connect: &PkiConnectAtOnce,
    _: Span,
    reader: &mut Reader<'_>,
) -> Option<()> {
    let mut seen = BTreeSet::new();
    let servers = connect.applications.iter().flat_map(|application| application.servers.iter());
    let again: Vec<_> = servers.filter(|server| !seen.insert(server.as_str())).collect();
    for server in &again {
        let rule = "one that nobody else here connects to: who comes first is left to the machine";
        let mistake =
            Mistake::Malformed { what: "server", text: server.to_string(), rule: rule.to_owned() };
        reader.report(server.span.clone(), mistake);
    }
    again.is_empty().then_some(())
}

table! {
    /// An application among others.
    pub struct PkiApplication {
        /// Its name.
        pub name: Spanned<Kebab>,
        /// The servers that it connects to.
        pub servers: NonEmpty<Spanned<PkiServerRef>>,
    }
}

table! {
    /// Parameters of `pki.enrol`.
    pub struct PkiEnrol {
        /// The directory that gets `client/cert.pem` and `client/key.pem`.
        pub directory: Spanned<PkiDirectoryRef>,
        /// The CA that issues the certificate. Default: that of the directory.
        pub ca: Option<Spanned<String>>,
        /// How long it lasts. Default: 365.
        pub days: u32 = 365,
        /// The `userPrincipalName` in it.
        pub user_principal_name: Option<String>,
    }
}

table! {
    /// Parameters of `pki.renew`.
    pub struct PkiRenew {
        /// What is wrong with the chain.
        pub faults: Vec<Spanned<DcFault>>,
        /// The CA that issues the certificate. Default: that of the former.
        pub ca: Option<Spanned<String>>,
        /// How long it lasts. Default: 365.
        pub days: u32 = 365,
        /// Whether it is for the key of the former. Default: for a new key.
        pub keep_key: bool = false,
        one_of {
            /// Who gets it.
            pub owner: PkiRenewed
        }
    }
    check first_certificate_of_a_host_has_a_ca;
}

choice! {
    /// Who gets another certificate.
    pub enum PkiRenewed: "owner" {
        /// A host of a pool, for its clients: somebody puts it there by hand.
        host => Host(Spanned<HostRef>),
        /// A server.
        server => Server(Spanned<PkiServerRef>),
    }
}

/// What a host has made for itself has no CA.
fn first_certificate_of_a_host_has_a_ca(
    renew: &PkiRenew,
    _: Span,
    reader: &mut Reader<'_>,
) -> Option<()> {
    let (PkiRenewed::Host(host), None) = (&renew.owner, &renew.ca) else { return Some(()) };
    let rule = "a host with the key `ca`: what it has made for itself has no CA";
    let mistake =
        Mistake::Malformed { what: "owner", text: host.to_string(), rule: rule.to_owned() };
    reader.report(host.span.clone(), mistake);
    None
}

table! {
    /// Parameters of `pki.insert_proxy`.
    pub struct PkiInsertProxy {
        /// The CA that the proxy has a certificate of, for the name of whom it stands before.
        pub ca: Spanned<String>,
        one_of {
            /// Before whom.
            pub before: PkiProxied
        }
    }
}

choice! {
    /// Before whom a proxy stands.
    pub enum PkiProxied: "other end" {
        /// A domain controller: on the way of every host and application to its port for LDAPS.
        dc => Dc(Spanned<DcRef>),
        /// A host of a pool: on the way of hosts of other pools to its service.
        host => Host(Spanned<HostRef>),
        /// A server.
        server => Server(Spanned<PkiServerRef>),
    }
}

table! {
    /// Parameters of `pki.replace_key`.
    pub struct PkiReplaceKey {
        /// The directory.
        pub directory: Spanned<PkiDirectoryRef>,
    }
}

table! {
    /// Parameters of `pki.set_clock`.
    pub struct PkiSetClock {
        /// The directory.
        pub directory: Spanned<PkiDirectoryRef>,
        /// How far the clock is behind.
        pub behind: Advance,
    }
}

table! {
    /// Parameters of `pki.revoke`.
    pub struct PkiRevoke {
        one_of {
            /// Whose certificate.
            pub owner: PkiOwner
        }
    }
}

choice! {
    /// Whose certificate is revoked.
    pub enum PkiOwner: "owner" {
        /// A directory.
        directory => Directory(Spanned<PkiDirectoryRef>),
        /// A host of a pool, which has got one of a CA.
        host => Host(Spanned<HostRef>),
        /// A server.
        server => Server(Spanned<PkiServerRef>),
    }
}

table! {
    /// Parameters of `pki.fetch_list`.
    pub struct PkiFetchList {
        /// The CA. Default: that of the directory, or of the server.
        pub ca: Option<Spanned<String>>,
        one_of {
            /// Who gets it: it is `ca/ca-crl.pem` of a directory, and what a server judges clients
            /// by.
            pub holder: PkiHolder
        }
    }
}

choice! {
    /// Who has a list.
    pub enum PkiHolder: "holder" {
        /// A directory.
        directory => Directory(Spanned<PkiDirectoryRef>),
        /// A server.
        server => Server(Spanned<PkiServerRef>),
    }
}
