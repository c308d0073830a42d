//! The four shapes of a type of the language.

/// Declares a table with fixed keys: a struct.
///
/// A key is required unless its type says what absence means (`Option`, `Vec`, maps) or a default
/// follows `=`. A literal after the field's name is its key, where that differs. `one_of` adds the
/// keys of a `choice!` to the table. `check` names a function for rules between fields.
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident {
            $(
                $(#[doc = $field_doc:literal])+
                pub $field:ident $($key:literal)?: $type:ty $(= $default:expr)?,
            )*
            $(one_of {
                $(#[doc = $choice_doc:literal])+
                pub $choice:ident: $choice_type:ty $(= $choice_default:expr)?
            })?
        }
        $(check $check:path;)?
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $field_doc])+ pub $field: $type,)*
            $($(#[doc = $choice_doc])+ pub $choice: $choice_type,)?
        }

        impl $crate::grammar::Read for $name {
            fn read(
                value: &$crate::grammar::Value<'_>,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                const FIELDS: &[&str] =
                    &[$($crate::grammar::key(&[stringify!($field) $(, $key)?]),)*];
                const CHOICES: &[&str] = table!(@keys $($choice_type)?);
                #[allow(unused_variables, reason = "a table may have no keys")]
                let table = reader.table(value, FIELDS, CHOICES)?;
                $(
                    let $field = table.field::<$type>(
                        $crate::grammar::key(&[stringify!($field) $(, $key)?]),
                        table!(@default $($default)?),
                        reader,
                    );
                )*
                $(
                    let $choice = table.choice::<$choice_type>(
                        table!(@default $($choice_default)?),
                        reader,
                    );
                )?
                let read = Self { $($field: $field?,)* $($choice: $choice?,)? };
                $($check(&read, value.span(), reader)?;)?
                Some(read)
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            #[allow(unused_variables, reason = "a table may have no keys")]
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                #[allow(unused_mut, reason = "a table may have no keys")]
                let mut table = $crate::schema::Table::new(&[$($doc),+]);
                $(
                    let default: Option<$type> = table!(@default $($default)?);
                    let optional = default.is_some()
                        || <$type as $crate::grammar::Read>::absent().is_some();
                    let schema = <$type as $crate::grammar::Read>::schema(generator);
                    table.field(
                        $crate::grammar::key(&[stringify!($field) $(, $key)?]),
                        &[$($field_doc),+],
                        schema,
                        optional,
                    );
                )*
                $(
                    let optional: Option<$choice_type> = table!(@default $($choice_default)?);
                    let options = <$choice_type as $crate::grammar::Choice>::options(generator);
                    table.choice(options, optional.is_some());
                )?
                table.finish()
            }
        }
    };
    (@keys) => { &[] };
    (@keys $choice_type:ty) => { <$choice_type as $crate::grammar::Choice>::KEYS };
    (@default) => { None };
    (@default $default:expr) => { Some($default) };
}

/// Declares a table with exactly one of several keys: an enum.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])+
        pub enum $name:ident: $what:literal {
            $(
                $(#[doc = $option_doc:literal])+
                $key:ident => $variant:ident($type:ty),
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $option_doc])+ $variant($type),)+
        }

        impl $name {
            /// The key as it stands in the text.
            pub fn key(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($key),)+
                }
            }
        }

        impl $crate::grammar::Choice for $name {
            const WHAT: &'static str = $what;
            const KEYS: &'static [&'static str] = &[$(stringify!($key)),+];

            fn read_chosen(
                key: &str,
                value: &$crate::grammar::Value<'_>,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                match key {
                    $(
                        stringify!($key) => <$type as $crate::grammar::Read>::read(value, reader)
                            .map(Self::$variant),
                    )+
                    _ => None,
                }
            }

            fn options(
                generator: &mut schemars::SchemaGenerator,
            ) -> Vec<(&'static str, schemars::Schema)> {
                vec![$((
                    stringify!($key),
                    $crate::schema::described(
                        <$type as $crate::grammar::Read>::schema(generator),
                        &[$($option_doc),+],
                    ),
                )),+]
            }
        }

        impl $crate::grammar::Read for $name {
            fn read(
                value: &$crate::grammar::Value<'_>,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                let keys = <Self as $crate::grammar::Choice>::KEYS;
                reader.table(value, &[], keys)?.choice::<Self>(None, reader)
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut table = $crate::schema::Table::new(&[$($doc),+]);
                table.choice(<Self as $crate::grammar::Choice>::options(generator), false);
                table.finish()
            }
        }
    };
}

/// Declares a string out of a list: an enum.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        pub enum $name:ident: $what:literal {
            $(
                $(#[doc = $word_doc:literal])+
                $variant:ident = $word:literal,
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $word_doc])+ $variant,)+
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in the text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::grammar::Read for $name {
            fn read(
                value: &$crate::grammar::Value<'_>,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                let text = reader.string(value)?;
                let read = Self::ALL.iter().copied().find(|word| word.as_str() == text);
                if read.is_none() {
                    let known = [$($word),+];
                    reader.report(
                        value.span(),
                        $crate::mistake::Mistake::unknown($what, text, known),
                    );
                }
                read
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::schema::described(
                    schemars::json_schema!({ "type": "string", "enum": [$($word),+] }),
                    &[$($doc),+],
                )
            }
        }
    };
}

/// Declares a string that follows a rule: a newtype.
///
/// `rule` is a function from the text, its place and the reader to what is wrong with it; `pattern` says as
/// much of the rule as a regular expression can.
macro_rules! text {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident: $rule:path $(, pattern = $pattern:literal)?;
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl $crate::grammar::Key for $name {
            fn read_key(
                text: &str,
                span: $crate::Span,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                match $rule(text, &span, reader) {
                    Ok(()) => Some(Self(text.to_owned())),
                    Err(wrong) => {
                        let wrong = $crate::grammar::Wrong::from(wrong);
                        reader.report(wrong.place(text, span), wrong.mistake);
                        None
                    }
                }
            }
        }

        impl $crate::grammar::Read for $name {
            fn read(
                value: &$crate::grammar::Value<'_>,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                let text = reader.string(value)?;
                $crate::grammar::Key::read_key(text, value.span(), reader)
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::schema::described(
                    schemars::json_schema!({ "type": "string" $(, "pattern": $pattern)? }),
                    &[$($doc),+],
                )
            }
        }
    };
}
