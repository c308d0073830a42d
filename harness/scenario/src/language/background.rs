//! Calls that go on while other steps are done.

use super::EarlierStep;
use crate::grammar::Spanned;

choice! {
    /// What concerns a step that goes on in the background.
    pub enum BackgroundAction: "action on a step in the background" {
        /// Its call must have ended; what is expected of that call is expected here.
        ended => Ended(InBackground),
    }
}

table! {
    /// A step in the background.
    pub struct InBackground {
        /// Its name.
        pub step: Spanned<EarlierStep>,
    }
}
