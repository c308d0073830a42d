//! Which classes an entry has, and where its classes let it hang.

use ldap_wire::LdapResult;

use super::Verb;
use crate::{
    config::Flavour,
    directory::Directory,
    dn::Dn,
    entry::Entry,
    schema::{self, Class, ClassKind},
};

/// The classes of an entry.
pub(super) struct Classes {
    /// The structural one.
    pub(super) structural: &'static Class,
    /// The auxiliary ones that the entry names itself.
    auxiliary: Vec<&'static Class>,
}

impl Classes {
    /// The values of `objectClass`: the general before the special.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let chain = &self.structural.chain;
        let mut names: Vec<&str> = chain.iter().take(1).copied().collect();
        for class in &self.auxiliary {
            let new = |name: &&&str| !chain.contains(name);
            names.extend(class.chain.iter().filter(new));
        }
        names.extend(chain.iter().skip(1));
        let mut seen = Vec::new();
        names.retain(|name| {
            !seen.contains(name) && {
                seen.push(*name);
                true
            }
        });
        names
    }

    /// All classes that say what the entry must and may have.
    pub(super) fn all(&self) -> Vec<&'static Class> {
        [self.structural]
            .into_iter()
            .chain(self.auxiliary.iter().copied())
            .flat_map(Class::with_inherited)
            .collect()
    }

    /// The classes of an entry that is there; `None` if the schema does not know them all.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let names = entry.values("objectClass").iter();
        let classes: Vec<&'static Class> = names
            .map(|name| schema::class(std::str::from_utf8(name).ok()?))
            .collect::<Option<_>>()?;
        let structural = most_special(&classes)?;
        let auxiliary = auxiliary(&classes, structural);
        Some(Self { structural, auxiliary })
    }
}

impl Directory {
    /// The classes of an entry for which a request names `names`.
    pub(super) fn classes(&self, dn: &Dn, names: &[Vec<u8>]) -> Result<Classes, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        if names.is_empty() {
            return Err(diagnostics.no_class(dn));
        }
        let mut classes: Vec<&'static Class> = Vec::new();
        for name in names {
            let name = String::from_utf8_lossy(name);
            classes.push(schema::class(&name).ok_or_else(|| diagnostics.unknown_class(&name))?);
        }
        let structural =
            most_special(&classes).ok_or_else(|| diagnostics.no_structural_class(dn))?;
        let stranger = classes.iter().find(|class| {
            class.kind != ClassKind::Auxiliary && !structural.chain.contains(&class.name)
        });
        if let Some(stranger) = stranger {
            return Err(diagnostics.unrelated_class(stranger.name, structural.name));
        }
        let auxiliary = auxiliary(&classes, structural);
        Ok(Classes { structural, auxiliary })
    }

    /// Whether an entry of that class may be called so, and hang there
    /// ([MS-ADTS] 3.1.1.3.1.1.5).
    pub(super) fn check_place(
        &self,
        verb: Verb,
        class: &Class,
        dn: &Dn,
        parent: &Entry,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let naming = dn.first().map(|first| first.attribute).unwrap_or_default();
        // Samba 4.22 is content with the naming attribute of a class above, such as `top`.
        let fits = |class: &Class| naming.eq_ignore_ascii_case(class.naming);
        let above = || class.chain.iter().filter_map(|name| schema::class(name)).any(fits);
        if !fits(class) && (self.domain.flavour == Flavour::WindowsServer2022 || !above()) {
            return Err(diagnostics.wrong_naming(verb, naming, class.name));
        }
        if verb == Verb::Add && class.system_only {
            return Err(diagnostics.system_class(class.name, dn));
        }
        let superiors: Vec<&str> = class
            .with_inherited()
            .iter()
            .flat_map(|class| class.superiors.iter().copied())
            .collect();
        let fits = parent
            .values("objectClass")
            .iter()
            .any(|name| superiors.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name)));
        // What the LDIF made may be of classes that the schema does not know.
        if fits || Classes::of(parent).is_none() {
            return Ok(());
        }
        Err(diagnostics.wrong_parent(verb, class.name, &parent.dn))
    }

    /// The classes after a change of `objectClass`, whose values have become `names`.
    pub(super) fn changed_classes(
        &self,
        entry: &Entry,
        dn: &Dn,
        names: &[Vec<u8>],
    ) -> Result<Classes, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let classes = self.classes(dn, names)?;
        let before = Classes::of(entry).map(|before| before.structural.name);
        match before {
            Some(before) if before != classes.structural.name => {
                Err(diagnostics.other_structural_class(dn, before, classes.structural.name))
            }
            _ => Ok(classes),
        }
    }
}

fn most_special(classes: &[&'static Class]) -> Option<&'static Class> {
    let may_be =
        |class: &&&'static Class| matches!(class.kind, ClassKind::Legacy | ClassKind::Structural);
    classes.iter().filter(may_be).max_by_key(|class| class.chain.len()).copied()
}

fn auxiliary(classes: &[&'static Class], structural: &Class) -> Vec<&'static Class> {
    let mut found = classes.to_vec();
    found.retain(|class| !structural.chain.contains(&class.name));
    found
}
