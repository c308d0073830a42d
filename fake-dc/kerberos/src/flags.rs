//! Sets of bits with names.

/// Declares a set of bits: an open newtype over `u32` with a constant for each known one.
macro_rules! flags {
    ($(#[$doc:meta])* $type:ident { $($(#[$flag_doc:meta])* $name:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $type(pub u32);

        impl $type {
            $($(#[$flag_doc])* pub const $name: Self = Self($value);)*

            /// True if all of `flags` are set.
            pub const fn has(self, flags: Self) -> bool {
                self.0 & flags.0 == flags.0
            }

            /// These and `flags`.
            #[must_use]
            pub const fn with(self, flags: Self) -> Self {
                Self(self.0 | flags.0)
            }
        }
    };
}

pub(crate) use flags;
