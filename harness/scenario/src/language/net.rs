//! `net`, as somebody runs it on a host by hand.

use super::{DcRef, DomainRef, HostAndDc, HostRef, Password};
use crate::{
    Span,
    grammar::{Reader, Spanned},
    mistake::Mistake,
};

choice! {
    /// Samba's `net`, run as an administrator on the host would run it (xapi-flows.md §6.2).
    pub enum NetCommand: "command of net" {
        /// `net ads lookup -S DC`: what the DC answers to a netlogon ping.
        ads_lookup => AdsLookup(HostAndDc),
        /// `net ads search --server DC FILTER ATTRIBUTE…`.
        ads_search => AdsSearch(AdsSearch),
        /// `net lookup kdc DOMAIN`: the domain controllers that DNS names.
        lookup_kdc => LookupKdc(LookupKdc),
    }
}

table! {
    /// Parameters of `net.lookup_kdc`.
    pub struct LookupKdc {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The domain.
        pub domain: Spanned<DomainRef>,
    }
}

table! {
    /// Parameters of `net.ads_search`.
    pub struct AdsSearch {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The domain controller to ask.
        pub dc: Spanned<DcRef>,
        /// Account to bind with. Default: the machine account of the host.
        pub user: Option<String>,
        /// Password of `user`.
        pub password: Option<Password>,
        /// Filter in the form of RFC 4515. Default: the toolstack's own question (§6.5),
        /// `(|(sAMAccountName=KRBTGT)(name=KRBTGT))`.
        pub filter: String = "(|(sAMAccountName=KRBTGT)(name=KRBTGT))".to_owned(),
        /// Attributes to print. Default: `objectSid`.
        pub attributes: Vec<String> = vec!["objectSid".to_owned()],
    }
    check user_has_a_password;
}

fn user_has_a_password(search: &AdsSearch, span: Span, reader: &mut Reader<'_>) -> Option<()> {
    let key = match (&search.user, &search.password) {
        (Some(_), None) => "password",
        (None, Some(_)) => "user",
        _ => return Some(()),
    };
    reader.report(span, Mistake::MissingKey { key });
    None
}
