//! Steps that set and clear faults: of domain controllers, hosts, and the ways between them.

use super::{DcFault, DcRef, HostFault, HostRef, RouteFault};
use crate::grammar::Spanned;

choice! {
    /// A domain controller changes.
    pub enum DcAction: "change of a DC" {
        /// Replaces its faults.
        set_faults => SetFaults(DcFaults),
        /// Adds faults to those it has.
        add_faults => AddFaults(DcFaults),
        /// Takes faults away from those it has.
        remove_faults => RemoveFaults(DcFaults),
        /// Makes it sound.
        clear_faults => ClearFaults(DcOnly),
        /// Gets it a certificate from its domain's CA, which it shows once it looks for it.
        enrol_certificate => EnrolCertificate(EnrolCertificate),
        /// Lets it look for its certificate again, as `renewServerCertificate` does.
        renew_certificate => RenewCertificate(DcOnly),
    }
}

choice! {
    /// The way from one host to one domain controller changes.
    pub enum RouteAction: "change of a route" {
        /// Replaces its faults.
        set_faults => SetFaults(SetRouteFaults),
        /// Makes it sound.
        clear_faults => ClearFaults(ClearRouteFaults),
    }
}

table! {
    /// Parameters of `dc.set_faults`, `dc.add_faults` and `dc.remove_faults`.
    pub struct DcFaults {
        /// The domain controller.
        pub dc: Spanned<DcRef>,
        /// The faults.
        pub faults: Vec<Spanned<DcFault>>,
    }
}

table! {
    /// Parameters of `dc.clear_faults` and `dc.renew_certificate`.
    pub struct DcOnly {
        /// The domain controller.
        pub dc: Spanned<DcRef>,
    }
}

table! {
    /// Parameters of `dc.enrol_certificate`.
    pub struct EnrolCertificate {
        /// The domain controller.
        pub dc: Spanned<DcRef>,
        /// For how many days from now it is valid.
        pub days: u32 = 365,
        /// Whether the former one is left in its store: of the two it shows the one that ends last.
        pub beside: bool = false,
    }
}

table! {
    /// Parameters of `host.set_faults`.
    pub struct SetHostFaults {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Its faults from now on.
        pub faults: Vec<Spanned<HostFault>>,
    }
}

table! {
    /// Parameters of `host.clear_faults`.
    pub struct ClearHostFaults {
        /// The host.
        pub host: Spanned<HostRef>,
    }
}

table! {
    /// Parameters of `route.set_faults`.
    pub struct SetRouteFaults {
        /// The host at one end.
        pub host: Spanned<HostRef>,
        /// The domain controller at the other.
        pub dc: Spanned<DcRef>,
        /// The faults of the way from now on.
        pub faults: Vec<Spanned<RouteFault>>,
    }
}

table! {
    /// Parameters of `route.clear_faults`.
    pub struct ClearRouteFaults {
        /// The host at one end.
        pub host: Spanned<HostRef>,
        /// The domain controller at the other.
        pub dc: Spanned<DcRef>,
    }
}
