//! A certificate or a certificate revocation list, taken apart as far as its outline goes
//! (RFC 5280, sections 4.1 and 5.1). Nothing is checked: fields are found by their places.

use crate::der::{self, Element};

/// What a signed structure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Certificate,
    RevocationList,
}

/// `SEQUENCE { body, algorithm, signature }`, and what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    kind: Kind,
    whole: Element,
    behind: Vec<u8>,
    /// Place of the first field behind the version.
    first: usize,
}

impl Signed {
    /// What the bytes are, if they are one of both; `is_list` says what they are thought to be.
    pub(super) fn read(bytes: &[u8], is_list: bool) -> Option<Self> {
        let readers = [Self::certificate, Self::revocation_list];
        let [likely, other] = if is_list { [readers[1], readers[0]] } else { readers };
        likely(bytes).or_else(|| other(bytes))
    }

    /// A certificate, perhaps with bytes behind it.
    pub(super) fn certificate(bytes: &[u8]) -> Option<Self> {
        let signed = Self::outline(Kind::Certificate, bytes, 0xa0)?;
        let field = |place| signed.body().children().get(signed.first + place);
        let names = [field(2)?, field(4)?];
        let key = field(5)?;
        let found = names.iter().all(|name| name.tag() == der::SEQUENCE)
            && field(0)?.tag() == der::INTEGER
            && key.tag() == der::SEQUENCE
            && key.at(&[1])?.tag() == der::BIT_STRING;
        found.then_some(signed)
    }

    /// A revocation list, perhaps with bytes behind it.
    pub(super) fn revocation_list(bytes: &[u8]) -> Option<Self> {
        let signed = Self::outline(Kind::RevocationList, bytes, der::INTEGER)?;
        let field = |place| signed.body().children().get(signed.first + place);
        let found = field(0)?.tag() == der::SEQUENCE && field(1)?.tag() == der::SEQUENCE;
        found.then_some(signed)
    }

    fn outline(kind: Kind, bytes: &[u8], version: u8) -> Option<Self> {
        let (whole, behind) = Element::parse_first(bytes)?;
        let tags = [der::SEQUENCE, der::SEQUENCE, der::BIT_STRING];
        let fits = whole.tag() == der::SEQUENCE
            && tags
                .iter()
                .enumerate()
                .all(|(at, &tag)| whole.at(&[at]).is_some_and(|part| part.tag() == tag));
        let body = whole.at(&[0])?;
        let first = usize::from(body.at(&[0]).is_some_and(|first| first.tag() == version));
        fits.then_some(Self { kind, first, behind: behind.to_vec(), whole })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        [self.whole.to_bytes(), self.behind.clone()].concat()
    }

    /// What is signed.
    pub(super) fn body(&self) -> &Element {
        &self.whole.children()[0]
    }

    /// The algorithm as it stands beside the signature, and as it stands in the body.
    pub(super) fn algorithms(&self) -> [&Element; 2] {
        let inside = match self.kind {
            Kind::Certificate => self.first + 1,
            Kind::RevocationList => self.first,
        };
        let beside = &self.whole.children()[1];
        [beside, self.body().children().get(inside).unwrap_or(beside)]
    }

    /// The content of the BIT STRING: the number of unused bits, and the octets.
    pub(super) fn signature(&self) -> Vec<u8> {
        self.whole.children()[2].content()
    }

    pub(super) fn set_signature(&mut self, content: Vec<u8>) {
        if let Some(signature) = self.whole.at_mut(&[2]) {
            signature.set_content(content);
        }
    }

    pub(super) fn issuer(&self) -> Vec<u8> {
        let place = match self.kind {
            Kind::Certificate => self.first + 2,
            Kind::RevocationList => self.first + 1,
        };
        self.body().at(&[place]).map(Element::to_bytes).unwrap_or_default()
    }

    /// The subject of a certificate; empty for a list.
    pub(super) fn subject(&self) -> Vec<u8> {
        match self.kind {
            Kind::Certificate => {
                self.body().at(&[self.first + 4]).map(Element::to_bytes).unwrap_or_default()
            }
            Kind::RevocationList => Vec::new(),
        }
    }

    /// SubjectPublicKeyInfo of a certificate.
    pub(super) fn key(&self) -> Option<&Element> {
        match self.kind {
            Kind::Certificate => self.body().at(&[self.first + 5]),
            Kind::RevocationList => None,
        }
    }

    pub(super) fn key_mut(&mut self) -> Option<&mut Element> {
        match self.kind {
            Kind::Certificate => self.whole.at_mut(&[0, self.first + 5]),
            Kind::RevocationList => None,
        }
    }

    pub(super) fn behind(&self) -> &[u8] {
        &self.behind
    }

    pub(super) fn set_behind(&mut self, behind: Vec<u8>) {
        self.behind = behind;
    }

    /// Issuer and subject, to be changed.
    pub(super) fn names_mut(&mut self) -> Vec<&mut Element> {
        let places = match self.kind {
            Kind::Certificate => vec![self.first + 2, self.first + 4],
            Kind::RevocationList => vec![self.first + 1],
        };
        self.fields_mut(|place, _| places.contains(&place))
    }

    /// issuerUniqueID and subjectUniqueID of a certificate, to be changed.
    pub(super) fn unique_ids_mut(&mut self) -> Vec<&mut Element> {
        self.fields_mut(|_, field| matches!(field.tag(), 0x81 | 0x82))
    }

    /// Fields that nobody knows, to be changed.
    pub(super) fn other_fields_mut(&mut self) -> Vec<&mut Element> {
        let (last, wrapper) = (self.first + 5, self.wrapper());
        match self.kind {
            Kind::Certificate => self.fields_mut(|place, field| {
                place > last && !matches!(field.tag(), 0x81 | 0x82) && field.tag() != wrapper
            }),
            Kind::RevocationList => Vec::new(),
        }
    }

    fn fields_mut(&mut self, wanted: impl Fn(usize, &Element) -> bool) -> Vec<&mut Element> {
        let fields = self.whole.at_mut(&[0]).and_then(Element::children_mut);
        let fields = fields.into_iter().flatten().enumerate();
        fields.filter(|(place, field)| wanted(*place, field)).map(|(_, field)| field).collect()
    }

    /// The extensions, each SEQUENCE { id, critical, value }.
    pub(super) fn extensions(&self) -> &[Element] {
        let fields = self.body().children().iter();
        let wrapper = fields.rev().find(|field| field.tag() == self.wrapper());
        wrapper.and_then(|wrapper| wrapper.at(&[0])).map(Element::children).unwrap_or_default()
    }

    pub(super) fn extensions_mut(&mut self) -> &mut [Element] {
        let tag = self.wrapper();
        let fields = self.whole.at_mut(&[0]).and_then(Element::children_mut);
        let wrapper = fields.into_iter().flatten().rev().find(|field| field.tag() == tag);
        let list = wrapper.and_then(|wrapper| wrapper.at_mut(&[0])?.children_mut());
        list.map(Vec::as_mut_slice).unwrap_or_default()
    }

    /// The extensions of the entries of a list.
    pub(super) fn entry_extensions_mut(&mut self) -> Vec<&mut Element> {
        let entries = self.fields_mut(|_, field| field.tag() == der::SEQUENCE).into_iter().skip(2);
        let entries = entries.filter_map(Element::children_mut).flatten();
        let lists = entries.filter_map(|entry| entry.children_mut()?.last_mut()?.children_mut());
        lists.flatten().collect()
    }

    /// The value of the first extension of this id.
    pub(super) fn extension(&self, id: &[u64]) -> Option<Vec<u8>> {
        let found = self.extensions().iter().find(|extension| {
            extension.at(&[0]).and_then(Element::arcs).is_some_and(|arcs| arcs == id)
        })?;
        Some(found.children().last()?.content())
    }

    const fn wrapper(&self) -> u8 {
        match self.kind {
            Kind::Certificate => 0xa3,
            Kind::RevocationList => 0xa0,
        }
    }
}
