//! What the controls of a search ask for.

use ldap_wire::{
    Control, DecodeError, LdapResult,
    controls::{self, ListView, PagedResults, SortKey},
};

use crate::{config::Flavour, diagnostic::Diagnostics};

/// The controls of a search, read.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) domain_scope: bool,
    /// Flag of the extended DN control: zero for hexadecimal, one for text.
    pub(crate) extended_dn: Option<u32>,
    pub(crate) page: Option<PagedResults>,
    /// Whether naming contexts below the base are searched, too (SERVER_SEARCH_FLAG_PHANTOM_ROOT).
    pub(crate) phantom_root: bool,
    /// The attribute whose values are searched in place of the base.
    pub(crate) scope_attribute: Option<String>,
    /// Which parts of security descriptors are wanted.
    pub(crate) sd_flags: Option<u32>,
    pub(crate) show_deleted: bool,
    pub(crate) sort: Option<Sort>,
    pub(crate) view: Option<ListView>,
    pub(crate) dirsync: bool,
    pub(crate) notification: bool,
}

/// How results are to be sorted.
pub(crate) struct Sort {
    pub(crate) keys: Vec<SortKey>,
    /// Whether an unsorted answer is no answer.
    pub(crate) critical: bool,
}

/// Why a search is refused for its controls.
pub(crate) enum Refusal {
    /// Like a critical control that is not known.
    Unknown,
    /// With this result.
    With(LdapResult),
}

impl Options {
    /// Reads the controls. Samba 4.22 ignores one whose value it cannot read, and takes it for an
    /// unknown one if it is critical.
    pub(crate) fn read(diagnostics: Diagnostics, controls: &[Control]) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for (at, control) in controls.iter().enumerate() {
            // The first of a kind counts.
            if controls[..at].iter().any(|earlier| earlier.oid == control.oid) {
                continue;
            }
            let Err(_) = options.take(control) else { continue };
            match diagnostics.flavour {
                Flavour::Samba4_22 if control.critical => return Err(Refusal::Unknown),
                Flavour::Samba4_22 => {}
                Flavour::WindowsServer2022 => {
                    return Err(Refusal::With(diagnostics.bad_control_value(&control.oid)));
                }
            }
        }
        Ok(options)
    }

    fn take(&mut self, control: &Control) -> Result<(), Unreadable> {
        let value = control.value.as_deref().unwrap_or_default();
        let without_value = || if value.is_empty() { Ok(true) } else { Err(Unreadable) };
        match control.oid.as_str() {
            controls::ATTRIBUTE_SCOPED_QUERY => {
                self.scope_attribute = Some(controls::decode_scope_attribute(value)?);
            }
            controls::DIRSYNC => {
                controls::check_dirsync(value)?;
                self.dirsync = true;
            }
            controls::DOMAIN_SCOPE => self.domain_scope |= without_value()?,
            controls::EXTENDED_DN if value.is_empty() => self.extended_dn = Some(0),
            controls::EXTENDED_DN => self.extended_dn = Some(controls::decode_flags(value)?),
            controls::NOTIFICATION => self.notification = without_value()?,
            controls::PAGED_RESULTS => self.page = Some(PagedResults::decode(value)?),
            controls::SD_FLAGS => self.sd_flags = Some(controls::decode_flags(value)?),
            controls::SEARCH_OPTIONS => {
                let flags = controls::decode_flags(value)?;
                self.domain_scope |= flags & 1 != 0;
                self.phantom_root |= flags & 2 != 0;
            }
            controls::SHOW_DELETED | controls::SHOW_RECYCLED => {
                self.show_deleted |= without_value()?;
            }
            controls::SORT => {
                let keys = SortKey::decode_list(value)?;
                self.sort = Some(Sort { keys, critical: control.critical });
            }
            controls::VERIFY_NAME if !value.is_empty() => controls::check_verify_name(value)?,
            controls::VIRTUAL_LIST_VIEW => self.view = Some(ListView::decode(value)?),
            _ => {}
        }
        Ok(())
    }
}

/// A control whose value is not what it must be.
struct Unreadable;

impl From<DecodeError> for Unreadable {
    fn from(_: DecodeError) -> Self {
        Self
    }
}
