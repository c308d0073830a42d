//! What people do to files of a host.

use super::{CertificateSource, DcRef, HostPath, HostRef, MakeDirectory};
use crate::grammar::Spanned;

choice! {
    /// Somebody changes a file on a host by hand.
    pub enum FileAction: "change of a file" {
        /// Creates or replaces a file.
        write => Write(WriteFile),
        /// Replaces a text that must occur in the file.
        edit => Edit(EditFile),
        /// Removes a file, or a directory with all that is in it.
        delete => Delete(DeleteFile),
        /// Makes a directory.
        make_directory => MakeDirectory(MakeDirectory),
    }
}

table! {
    /// Parameters of `file.write`.
    pub struct WriteFile {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Absolute path on the host.
        pub path: Spanned<HostPath>,
        one_of {
            /// What the file holds afterwards.
            pub content: FileContent
        }
    }
}

choice! {
    /// What is written into a file.
    pub enum FileContent: "content" {
        /// This text.
        text => Text(String),
        /// A certificate as PEM.
        cert => Cert(Spanned<CertificateSource>),
        /// The lists of revoked certificates that the CAs of this domain controller publish, as PEM.
        crl => Crl(Spanned<DcRef>),
    }
}

table! {
    /// Parameters of `file.edit`.
    pub struct EditFile {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Absolute path on the host.
        pub path: Spanned<HostPath>,
        /// Text to find; the step fails if it does not occur.
        pub find: Spanned<String>,
        /// Text that replaces every occurrence.
        pub with: String,
    }
}

table! {
    /// Parameters of `file.delete`.
    pub struct DeleteFile {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Absolute path on the host.
        pub path: Spanned<HostPath>,
    }
}
