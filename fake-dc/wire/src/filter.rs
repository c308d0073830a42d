//! Search filters as data (RFC 4511 §4.5.1.7).

/// A search filter. Its text form is that of RFC 4515: [`Filter::parse`] and `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of them; true if there are none (RFC 4526).
    And(Vec<Filter>),
    /// Any of them; false if there are none (RFC 4526).
    Or(Vec<Filter>),
    /// Not this one.
    Not(Box<Filter>),
    /// The attribute has the value.
    Equality {
        /// The attribute.
        attribute: String,
        /// The value, any bytes.
        value: Vec<u8>,
    },
    /// The attribute has a value with these parts in this order.
    Substrings {
        /// The attribute.
        attribute: String,
        /// How the value begins.
        initial: Option<Vec<u8>>,
        /// What lies between.
        any: Vec<Vec<u8>>,
        /// How the value ends.
        last: Option<Vec<u8>>,
    },
    /// The attribute has a value not below this one.
    GreaterOrEqual {
        /// The attribute.
        attribute: String,
        /// The bound.
        value: Vec<u8>,
    },
    /// The attribute has a value not above this one.
    LessOrEqual {
        /// The attribute.
        attribute: String,
        /// The bound.
        value: Vec<u8>,
    },
    /// The attribute has any value.
    Present(String),
    /// The attribute has about this value.
    Approx {
        /// The attribute.
        attribute: String,
        /// The value.
        value: Vec<u8>,
    },
    /// A matching rule named by the client.
    Extensible {
        /// Object identifier or name of the rule.
        rule: Option<String>,
        /// The attribute; without it, all that know the rule.
        attribute: Option<String>,
        /// The value to match with.
        value: Vec<u8>,
        /// Whether the attributes of the DN count too.
        dn_attributes: bool,
    },
}

impl Filter {
    /// The test of equality.
    pub fn equality(attribute: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self::Equality { attribute: attribute.into(), value: value.into() }
    }
}
