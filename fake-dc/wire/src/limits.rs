//! Every quantity of a message that a peer can choose, with its limit.

use std::fmt;

/// What [`decode`](crate::decode()) accepts. Crossing one is an ordinary error that states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message with its header. The default is `MaxReceiveBuffer` of Windows Server
    /// 2022 ([MS-ADTS] 3.1.1.3.4.6).
    pub message_bytes: usize,
    /// Filters within filters.
    pub filter_depth: usize,
    /// Filters in one search, counting inner ones.
    pub filter_items: usize,
    /// Attributes of one entry, names in one attribute list, changes of one modification.
    pub attributes: usize,
    /// Values of one attribute, and parts of one substring filter.
    pub values: usize,
    /// Controls of one message.
    pub controls: usize,
    /// URLs of one referral or reference.
    pub referrals: usize,
}

impl Limits {
    /// Limits that no real client reaches.
    pub const DEFAULT: Self = Self {
        message_bytes: 10_485_760,
        filter_depth: 100,
        filter_items: 10_000,
        attributes: 10_000,
        values: 100_000,
        controls: 100,
        referrals: 100,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Which of the [`Limits`] was crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitName {
    /// [`Limits::attributes`].
    Attributes,
    /// [`Limits::controls`].
    Controls,
    /// [`Limits::filter_depth`].
    FilterDepth,
    /// [`Limits::filter_items`].
    FilterItems,
    /// [`Limits::message_bytes`].
    MessageBytes,
    /// [`Limits::referrals`].
    Referrals,
    /// [`Limits::values`].
    Values,
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attributes => "attributes",
            Self::Controls => "controls",
            Self::FilterDepth => "levels of nested filters",
            Self::FilterItems => "filters in one search",
            Self::MessageBytes => "bytes in one message",
            Self::Referrals => "referral URLs",
            Self::Values => "values of one attribute",
        })
    }
}
