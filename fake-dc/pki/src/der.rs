//! DER as a tree that keeps what it read: any bytes that parse are written back unchanged.
//!
//! Certificates, keys and revocation lists are made, taken apart and edited with it. What is in
//! the elements is not checked; odd lengths (longer than DER allows) are kept, and the content of
//! a constructed element that is no run of elements stays as bytes.

/// Nesting that is looked into. What lies deeper stays as bytes; certificates need about ten.
const DEPTH_MAX: usize = 32;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

const CONSTRUCTED: u8 = 0x20;
const CONTEXT: u8 = 0x80;

/// One element: identifier, length and content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    /// More than one octet for tag numbers from 31.
    identifier: Vec<u8>,
    /// How many octets the length takes at least: 0, unless it was read in a longer form.
    length_width: usize,
    body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    Bytes(Vec<u8>),
    Children(Vec<Element>),
}

impl Element {
    /// The element that `bytes` are from first to last.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (element, rest) = Self::read(bytes, DEPTH_MAX)?;
        rest.is_empty().then_some(element)
    }

    /// The element that `bytes` begin with, and what is behind it.
    pub(crate) fn parse_first(bytes: &[u8]) -> Option<(Self, &[u8])> {
        Self::read(bytes, DEPTH_MAX)
    }

    /// The elements that `bytes` are a run of.
    pub(crate) fn parse_all(bytes: &[u8]) -> Option<Vec<Self>> {
        Self::read_all(bytes, DEPTH_MAX)
    }

    /// An element of bytes. The tag is the first identifier octet.
    pub(crate) fn primitive(tag: u8, content: impl Into<Vec<u8>>) -> Self {
        Self { identifier: vec![tag], length_width: 0, body: Body::Bytes(content.into()) }
    }

    /// An element of elements.
    pub(crate) fn constructed(tag: u8, children: impl Into<Vec<Self>>) -> Self {
        Self { identifier: vec![tag], length_width: 0, body: Body::Children(children.into()) }
    }

    pub(crate) fn sequence(children: impl Into<Vec<Self>>) -> Self {
        Self::constructed(SEQUENCE, children)
    }

    pub(crate) fn set(children: impl Into<Vec<Self>>) -> Self {
        Self::constructed(SET, children)
    }

    pub(crate) fn octet_string(content: impl Into<Vec<u8>>) -> Self {
        Self::primitive(OCTET_STRING, content)
    }

    /// A BIT STRING of whole octets.
    pub(crate) fn bit_string(content: &[u8]) -> Self {
        Self::primitive(BIT_STRING, [&[0], content].concat())
    }

    pub(crate) fn object_identifier(arcs: &[u64]) -> Self {
        Self::primitive(OBJECT_IDENTIFIER, oid_content(arcs))
    }

    /// The INTEGER of an unsigned number, given with its most significant octet first.
    pub(crate) fn unsigned(magnitude: &[u8]) -> Self {
        let zeros = magnitude.iter().take_while(|&&octet| octet == 0).count();
        match &magnitude[zeros..] {
            content @ [0..0x80, ..] => Self::primitive(INTEGER, content),
            content => Self::primitive(INTEGER, [&[0], content].concat()),
        }
    }

    pub(crate) fn integer(value: u64) -> Self {
        Self::unsigned(&value.to_be_bytes())
    }

    pub(crate) fn boolean(value: bool) -> Self {
        Self::primitive(BOOLEAN, [if value { 0xff } else { 0 }])
    }

    pub(crate) fn null() -> Self {
        Self::primitive(NULL, [])
    }

    /// `[number]` around one element (EXPLICIT). The number is below 31.
    pub(crate) fn explicit(number: u8, inner: Self) -> Self {
        Self::constructed(CONTEXT | CONSTRUCTED | number, [inner])
    }

    /// `[number]` in place of the tag of a primitive (IMPLICIT). The number is below 31.
    pub(crate) fn context(number: u8, content: impl Into<Vec<u8>>) -> Self {
        Self::primitive(CONTEXT | number, content)
    }

    /// `[number]` in place of the tag of a SEQUENCE (IMPLICIT). The number is below 31.
    pub(crate) fn context_of(number: u8, children: impl Into<Vec<Self>>) -> Self {
        Self::constructed(CONTEXT | CONSTRUCTED | number, children)
    }

    /// The first identifier octet: class, form and, below 31, number.
    pub(crate) fn tag(&self) -> u8 {
        self.identifier.first().copied().unwrap_or_default()
    }

    /// The elements inside; none in a primitive one.
    pub(crate) fn children(&self) -> &[Self] {
        match &self.body {
            Body::Bytes(_) => &[],
            Body::Children(children) => children,
        }
    }

    /// The elements inside, to be changed; `None` for a primitive one.
    pub(crate) fn children_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.body {
            Body::Bytes(_) => None,
            Body::Children(children) => Some(children),
        }
    }

    /// The element that is reached by taking child `path[0]`, of that child `path[1]`, and so on.
    pub(crate) fn at(&self, path: &[usize]) -> Option<&Self> {
        path.iter().try_fold(self, |element, &index| element.children().get(index))
    }

    /// As [`Element::at`], to be changed.
    pub(crate) fn at_mut(&mut self, path: &[usize]) -> Option<&mut Self> {
        path.iter().try_fold(self, |element, &index| element.children_mut()?.get_mut(index))
    }

    /// What is behind identifier and length.
    pub(crate) fn content(&self) -> Vec<u8> {
        let mut content = Vec::new();
        self.write_content(&mut content);
        content
    }

    /// Replaces what is behind identifier and length by bytes.
    pub(crate) fn set_content(&mut self, content: impl Into<Vec<u8>>) {
        self.body = Body::Bytes(content.into());
    }

    /// The arcs of an OBJECT IDENTIFIER.
    pub(crate) fn arcs(&self) -> Option<Vec<u64>> {
        match &self.body {
            Body::Bytes(content) if self.tag() == OBJECT_IDENTIFIER => oid_arcs(content),
            _ => None,
        }
    }

    /// The octets of a BIT STRING that has no unused bits.
    pub(crate) fn octets_of_bits(&self) -> Option<&[u8]> {
        match &self.body {
            Body::Bytes(content) if self.tag() == BIT_STRING => content.strip_prefix(&[0]),
            _ => None,
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let content = self.content();
        bytes.extend_from_slice(&self.identifier);
        let length = content.len().to_be_bytes();
        let zeros = length.iter().take_while(|&&octet| octet == 0).count();
        let shortest = if content.len() < 0x80 { 1 } else { 1 + length.len() - zeros };
        match self.length_width.max(shortest) - 1 {
            0 => bytes.push(content.len() as u8),
            octets => {
                bytes.push(0x80 | octets as u8);
                let known = octets.min(length.len());
                bytes.resize(bytes.len() + octets - known, 0);
                bytes.extend_from_slice(&length[length.len() - known..]);
            }
        }
        bytes.extend_from_slice(&content);
    }

    fn write_content(&self, bytes: &mut Vec<u8>) {
        match &self.body {
            Body::Bytes(content) => bytes.extend_from_slice(content),
            Body::Children(children) => children.iter().for_each(|child| child.write(bytes)),
        }
    }

    fn read_all(mut bytes: &[u8], depth: usize) -> Option<Vec<Self>> {
        let mut elements = Vec::new();
        while !bytes.is_empty() {
            let (element, rest) = Self::read(bytes, depth)?;
            elements.push(element);
            bytes = rest;
        }
        Some(elements)
    }

    fn read(bytes: &[u8], depth: usize) -> Option<(Self, &[u8])> {
        let (identifier, rest) = bytes.split_at_checked(identifier_width(bytes)?)?;
        let (&first, rest) = rest.split_first()?;
        let (width, length, rest) = match first {
            0..0x80 => (1, usize::from(first), rest),
            // Of indefinite length: BER, and not in DER.
            0x80 | 0xff => return None,
            _ => {
                let octets = usize::from(first & 0x7f);
                let (length, rest) = rest.split_at_checked(octets)?;
                let length = length.iter().try_fold(0_usize, |length, &octet| {
                    Some(length.checked_mul(0x100)? | usize::from(octet))
                })?;
                (1 + octets, length, rest)
            }
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let children = match depth.checked_sub(1) {
            Some(depth) if identifier[0] & CONSTRUCTED != 0 => Self::read_all(content, depth),
            _ => None,
        };
        let mut element = Self {
            identifier: identifier.to_vec(),
            length_width: 0,
            body: children.map_or_else(|| Body::Bytes(content.to_vec()), Body::Children),
        };
        let shortest = match length {
            0..0x80 => 1,
            _ => 1 + (usize::BITS - length.leading_zeros()).div_ceil(8) as usize,
        };
        if width > shortest {
            element.length_width = width;
        }
        Some((element, rest))
    }
}

fn identifier_width(bytes: &[u8]) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    if first & 0x1f < 0x1f {
        return Some(1);
    }
    let further = rest.iter().position(|octet| octet & 0x80 == 0)?;
    Some(2 + further)
}

/// The content of an OBJECT IDENTIFIER. Fewer than two arcs are none.
pub(crate) fn oid_content(arcs: &[u64]) -> Vec<u8> {
    let [first, second, rest @ ..] = arcs else { return Vec::new() };
    let mut content = Vec::new();
    for arc in std::iter::once(first.saturating_mul(40).saturating_add(*second))
        .chain(rest.iter().copied())
    {
        let groups = (u64::BITS - arc.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let octet = (arc >> (7 * group)) as u8 & 0x7f;
            content.push(if group == 0 { octet } else { 0x80 | octet });
        }
    }
    content
}

fn oid_arcs(content: &[u8]) -> Option<Vec<u64>> {
    let mut arcs = Vec::new();
    let mut arc = 0_u64;
    for octet in content {
        arc = arc.checked_mul(0x80)? | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            match arcs.as_slice() {
                [] => arcs.extend([(arc / 40).min(2), arc - 40 * (arc / 40).min(2)]),
                _ => arcs.push(arc),
            }
            arc = 0;
        }
    }
    (content.last()? & 0x80 == 0).then_some(arcs)
}

/// Whether the bytes are one SEQUENCE from first to last.
pub(crate) fn is_whole_sequence(bytes: &[u8]) -> bool {
    Element::parse(bytes).is_some_and(|element| element.tag() == SEQUENCE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_written_as_short_as_they_can_be() {
        for (length, head) in [
            (0, vec![0x04, 0x00]),
            (0x7f, vec![0x04, 0x7f]),
            (0x80, vec![0x04, 0x81, 0x80]),
            (0x100, vec![0x04, 0x82, 0x01, 0x00]),
        ] {
            let written = Element::octet_string(vec![0; length]).to_bytes();
            assert_eq!(written[..head.len()], head);
        }
    }

    #[test]
    fn a_whole_sequence_has_nothing_missing_and_nothing_behind() {
        let whole = Element::sequence([Element::octet_string([0; 300])]).to_bytes();
        assert!(is_whole_sequence(&whole));
        assert!(!is_whole_sequence(&whole[..whole.len() - 1]));
        assert!(!is_whole_sequence(&[whole, vec![0]].concat()));
        assert!(!is_whole_sequence(b"0"));
        assert!(!is_whole_sequence(&[0x30, 0x80, 0, 0]));
    }

    #[test]
    fn odd_forms_are_kept_and_grow_with_their_content() {
        // A length of four octets where one would do; a tag number of two octets; a constructed
        // element that holds no elements.
        for bytes in [
            &[0x30, 0x83, 0, 0, 3, 0x02, 0x01, 0x05][..],
            &[0x9f, 0x85, 0x01, 0x01, 0xff],
            &[0x30, 0x02, 0x05, 0x07],
        ] {
            assert_eq!(Element::parse(bytes).unwrap().to_bytes(), bytes);
        }
        let mut odd = Element::parse(&[0x30, 0x82, 0, 3, 0x02, 0x01, 0x05]).unwrap();
        odd.at_mut(&[0]).unwrap().set_content([1, 0]);
        assert_eq!(odd.to_bytes(), [0x30, 0x82, 0, 4, 0x02, 0x02, 1, 0]);
    }

    #[test]
    fn numbers_are_written_as_der_wants_them() {
        let content = |element: Element| element.content();
        assert_eq!(content(Element::integer(0)), [0]);
        assert_eq!(content(Element::integer(127)), [127]);
        assert_eq!(content(Element::integer(128)), [0, 128]);
        assert_eq!(content(Element::unsigned(&[0, 0, 0x80, 1])), [0, 0x80, 1]);
    }

    #[test]
    fn object_identifiers_there_and_back() {
        for arcs in [
            &[2, 5, 29, 17][..],
            &[1, 2, 840, 113_549, 1, 1, 11],
            &[1, 3, 6, 1, 4, 1, 311, 25, 1],
            &[2, 999, 1],
            &[0, 0],
        ] {
            assert_eq!(Element::object_identifier(arcs).arcs().unwrap(), arcs);
        }
        assert_eq!(oid_content(&[1, 2, 840, 113_549]), [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]);
        assert_eq!(Element::primitive(OBJECT_IDENTIFIER, [0x2a, 0x86]).arcs(), None);
    }

    /// Sequences within sequences, deeper than is looked into.
    #[test]
    fn depth_is_limited() {
        let mut deep = Element::null();
        for _ in 0..2 * DEPTH_MAX {
            deep = Element::sequence([deep]);
        }
        let bytes = deep.to_bytes();
        let read = Element::parse(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        assert_eq!(read.at(&[0; DEPTH_MAX]).unwrap().children(), []);
    }

    proptest! {
        /// Bytes, and bytes that look like DER more often than chance has it.
        #[test]
        fn whatever_parses_is_written_back(
            bytes in prop::collection::vec(
                prop_oneof![any::<u8>(), 0_u8..8, Just(0x30), Just(0x81), Just(0x82)],
                0..40,
            )
        ) {
            if let Some(elements) = Element::parse_all(&bytes) {
                let written: Vec<u8> = elements.iter().flat_map(Element::to_bytes).collect();
                prop_assert_eq!(written, bytes);
            }
        }
    }
}
