//! The ten changes of the world.

/// Something that changes after two ends have come to trust each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The certificate of the end that is called runs out.
    LeafExpires,
    /// The CA's own certificate runs out.
    CaExpires,
    /// The end that is called gets a new key, and a certificate for it as it got the former.
    KeyRotated,
    /// The end that is called shows a certificate for another name than it is called by.
    NameChanged,
    /// The end that is called is taken out of service by those who say so, and goes on all the same.
    HostRemoved,
    /// Somebody who has the CA's key answers in the place of the end that is called.
    CaCompromised,
    /// A proxy that ends TLS comes in between, with a certificate of its owner's CA.
    ProxyInserted,
    /// The clock of the end that calls is two years behind.
    ClockWrong,
    /// The end that is called no longer sends the intermediate.
    IntermediateMissing,
    /// Another machine answers in the place of the end that is called, with a certificate it made itself.
    PeerReplaced,
}

/// Who answers after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partner {
    /// The one that was trusted, and still is.
    Same,
    /// Somebody whom nobody wanted to trust, or wants to any more.
    Other,
}

impl Change {
    /// All, in the order of the request.
    pub const ALL: [Self; 10] = [
        Self::LeafExpires,
        Self::CaExpires,
        Self::KeyRotated,
        Self::NameChanged,
        Self::HostRemoved,
        Self::CaCompromised,
        Self::ProxyInserted,
        Self::ClockWrong,
        Self::IntermediateMissing,
        Self::PeerReplaced,
    ];

    /// Its name in ids.
    pub fn id(self) -> &'static str {
        match self {
            Self::LeafExpires => "leaf-expires",
            Self::CaExpires => "ca-expires",
            Self::KeyRotated => "key-rotated",
            Self::NameChanged => "name-changed",
            Self::HostRemoved => "host-removed",
            Self::CaCompromised => "ca-compromised",
            Self::ProxyInserted => "proxy-inserted",
            Self::ClockWrong => "clock-wrong",
            Self::IntermediateMissing => "intermediate-missing",
            Self::PeerReplaced => "peer-replaced",
        }
    }

    /// What it is, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::LeafExpires => "The certificate expires",
            Self::CaExpires => "The CA expires",
            Self::KeyRotated => "The key is rotated",
            Self::NameChanged => "The certificate is for another name",
            Self::HostRemoved => "The host is removed",
            Self::CaCompromised => "The CA is compromised",
            Self::ProxyInserted => "A proxy is inserted",
            Self::ClockWrong => "The caller's clock is wrong",
            Self::IntermediateMissing => "The intermediate is missing",
            Self::PeerReplaced => "The peer is replaced",
        }
    }

    /// Who answers afterwards.
    pub fn partner(self) -> Partner {
        match self {
            Self::LeafExpires
            | Self::CaExpires
            | Self::KeyRotated
            | Self::NameChanged
            | Self::ClockWrong
            | Self::IntermediateMissing => Partner::Same,
            Self::HostRemoved | Self::CaCompromised | Self::ProxyInserted | Self::PeerReplaced => {
                Partner::Other
            }
        }
    }
}
