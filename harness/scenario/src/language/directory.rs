//! The PKI directory of a client, and its validator, as libvirt's (seed-systems.md §3).

use super::{Advance, DcFault, DcRef, DnsName, Kebab};
use crate::grammar::{NonEmpty, Spanned};

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
        pub directory: Spanned<Kebab>,
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
        server => Server(Spanned<DnsName>),
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
        pub directory: Spanned<Kebab>,
        /// The applications, and the servers of each. No server is there twice: who comes first is
        /// left to the machine.
        pub applications: NonEmpty<Spanned<PkiApplication>>,
    }
}

table! {
    /// An application among others.
    pub struct PkiApplication {
        /// Its name.
        pub name: Spanned<Kebab>,
        /// The servers that it connects to.
        pub servers: NonEmpty<Spanned<DnsName>>,
    }
}

table! {
    /// Parameters of `pki.enrol`.
    pub struct PkiEnrol {
        /// The directory that gets `client/cert.pem` and `client/key.pem`.
        pub directory: Spanned<Kebab>,
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
        /// The server.
        pub server: Spanned<DnsName>,
        /// The CA that issues the certificate. Default: that of the former.
        pub ca: Option<Spanned<String>>,
        /// How long it lasts. Default: 365.
        pub days: u32 = 365,
    }
}

table! {
    /// Parameters of `pki.replace_key`.
    pub struct PkiReplaceKey {
        /// The directory.
        pub directory: Spanned<Kebab>,
    }
}

table! {
    /// Parameters of `pki.set_clock`.
    pub struct PkiSetClock {
        /// The directory.
        pub directory: Spanned<Kebab>,
        /// How far the clock is behind.
        pub behind: Advance,
    }
}

table! {
    /// Parameters of `pki.revoke`.
    pub struct PkiRevoke {
        one_of {
            /// Whose certificate.
            pub holder: PkiHolder
        }
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
    /// Who has a certificate or a list.
    pub enum PkiHolder: "holder" {
        /// A directory.
        directory => Directory(Spanned<Kebab>),
        /// A server.
        server => Server(Spanned<DnsName>),
    }
}
