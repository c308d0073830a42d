//! Bytes to messages, within limits.

use crate::{
    ber::{Header, Reader, tag},
    controls::Control,
    error::{DecodeError, DecodeErrorKind},
    filter::Filter,
    limits::{LimitName, Limits},
    message::{
        AddRequest, Attribute, Authentication, BindRequest, BindResponse, Change, CompareRequest,
        DerefAliases, ExtendedRequest, ExtendedResponse, IntermediateResponse, LdapMessage,
        ModifyDnRequest, ModifyOperation, ModifyRequest, ProtocolOp, Scope, SearchRequest,
        SearchResultEntry,
    },
    result::{LdapResult, ResultCode},
};

/// What the front of a buffer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A whole message.
    Message {
        /// The message.
        message: LdapMessage,
        /// How many bytes it took.
        consumed: usize,
    },
    /// The beginning of a message.
    Incomplete {
        /// The buffer must hold at least this many bytes before it is worth asking again.
        at_least: usize,
    },
}

/// Decodes the message at the front of `bytes`.
///
/// A claimed size over the limit is an error at once, before the bytes have come.
///
/// # Errors
/// If the bytes are no LDAP message, or cross a limit. The stream cannot be read on after that:
/// close it, with or without [`DecodeError::notice_of_disconnection`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    if let Some(&found) = bytes.first()
        && found != tag::SEQUENCE
    {
        let kind = DecodeErrorKind::UnexpectedTag { expected: "LDAP message", found };
        return Err(DecodeError::new(0, kind));
    }
    let Some(header) = Header::read(bytes, 0)? else {
        return Ok(Decoded::Incomplete { at_least: bytes.len().max(1) + 1 });
    };
    let consumed = header.size.saturating_add(header.content);
    if consumed > limits.message_bytes {
        return Err(crossed(0, LimitName::MessageBytes, limits.message_bytes));
    }
    let Some(content) = bytes.get(header.size..consumed) else {
        return Ok(Decoded::Incomplete { at_least: consumed });
    };
    let decoder = Decoder { limits };
    let message = decoder.message(Reader::at(content, header.size))?;
    Ok(Decoded::Message { message, consumed })
}

fn crossed(offset: usize, name: LimitName, limit: usize) -> DecodeError {
    DecodeError::new(offset, DecodeErrorKind::LimitCrossed { name, limit })
}

struct Decoder<'a> {
    limits: &'a Limits,
}

impl Decoder<'_> {
    fn message(&self, mut reader: Reader<'_>) -> Result<LdapMessage, DecodeError> {
        let id = reader.unsigned(tag::INTEGER, "message id")?;
        let offset = reader.offset();
        let (tag, content) = reader.element("protocol operation")?;
        let op = self.operation(tag, content, offset)?;
        let controls = match reader.optional(tag::CONTEXT_CONSTRUCTED, "controls")? {
            Some(controls) => {
                self.list(controls, LimitName::Controls, self.limits.controls, |controls| {
                    control(controls.sequence("control")?)
                })?
            }
            None => Vec::new(),
        };
        reader.end("controls")?;
        Ok(LdapMessage { id, op, controls })
    }

    fn operation(
        &self,
        tag: u8,
        mut content: Reader<'_>,
        offset: usize,
    ) -> Result<ProtocolOp, DecodeError> {
        let op = match tag {
            0x60 => ProtocolOp::BindRequest(bind_request(&mut content)?),
            0x61 => ProtocolOp::BindResponse(BindResponse {
                result: self.result(&mut content)?,
                server_sasl_credentials: octets(content.optional(0x87, "SASL credentials")?),
            }),
            0x42 => {
                content.end("unbind request")?;
                ProtocolOp::UnbindRequest
            }
            0x63 => ProtocolOp::SearchRequest(self.search_request(&mut content)?),
            0x64 => ProtocolOp::SearchResultEntry(SearchResultEntry {
                dn: content.text(tag::OCTET_STRING, "entry name")?,
                attributes: self.attributes(&mut content)?,
            }),
            0x65 => ProtocolOp::SearchResultDone(self.result(&mut content)?),
            0x73 => ProtocolOp::SearchResultReference(self.urls(content.clone())?),
            0x66 => ProtocolOp::ModifyRequest(self.modify_request(&mut content)?),
            0x67 => ProtocolOp::ModifyResponse(self.result(&mut content)?),
            0x68 => ProtocolOp::AddRequest(AddRequest {
                entry: content.text(tag::OCTET_STRING, "entry name")?,
                attributes: self.attributes(&mut content)?,
            }),
            0x69 => ProtocolOp::AddResponse(self.result(&mut content)?),
            0x4a => ProtocolOp::DelRequest(content.clone().into_text("entry name")?),
            0x6b => ProtocolOp::DelResponse(self.result(&mut content)?),
            0x6c => ProtocolOp::ModifyDnRequest(ModifyDnRequest {
                entry: content.text(tag::OCTET_STRING, "entry name")?,
                new_rdn: content.text(tag::OCTET_STRING, "new RDN")?,
                delete_old_rdn: content.boolean(tag::BOOLEAN, "delete old RDN")?,
                new_superior: text(content.optional(0x80, "new superior")?, "new superior")?,
            }),
            0x6d => ProtocolOp::ModifyDnResponse(self.result(&mut content)?),
            0x6e => ProtocolOp::CompareRequest(compare_request(&mut content)?),
            0x6f => ProtocolOp::CompareResponse(self.result(&mut content)?),
            0x50 => ProtocolOp::AbandonRequest(content.clone().into_unsigned("message id")?),
            0x77 => ProtocolOp::ExtendedRequest(ExtendedRequest {
                name: content.text(0x80, "request name")?,
                value: octets(content.optional(0x81, "request value")?),
            }),
            0x78 => ProtocolOp::ExtendedResponse(ExtendedResponse {
                result: self.result(&mut content)?,
                name: text(content.optional(0x8a, "response name")?, "response name")?,
                value: octets(content.optional(0x8b, "response value")?),
            }),
            0x79 => ProtocolOp::IntermediateResponse(IntermediateResponse {
                name: text(content.optional(0x80, "response name")?, "response name")?,
                value: octets(content.optional(0x81, "response value")?),
            }),
            _ => {
                return Err(DecodeError::new(offset, DecodeErrorKind::UnknownOperation { tag }));
            }
        };
        Ok(op)
    }

    fn search_request(&self, reader: &mut Reader<'_>) -> Result<SearchRequest, DecodeError> {
        let base = reader.text(tag::OCTET_STRING, "search base")?;
        let offset = reader.offset();
        let scope = match reader.unsigned(tag::ENUMERATED, "scope")? {
            0 => Scope::BaseObject,
            1 => Scope::SingleLevel,
            2 => Scope::WholeSubtree,
            _ => return Err(out_of_range(offset, "scope")),
        };
        let offset = reader.offset();
        let deref = match reader.unsigned(tag::ENUMERATED, "alias dereferencing")? {
            0 => DerefAliases::Never,
            1 => DerefAliases::InSearching,
            2 => DerefAliases::FindingBase,
            3 => DerefAliases::Always,
            _ => return Err(out_of_range(offset, "alias dereferencing")),
        };
        let size_limit = reader.unsigned(tag::INTEGER, "size limit")?;
        let time_limit = reader.unsigned(tag::INTEGER, "time limit")?;
        let types_only = reader.boolean(tag::BOOLEAN, "types only")?;
        let mut items = 0;
        let filter = self.filter(reader, 1, &mut items)?;
        let names = reader.sequence("attribute list")?;
        let attributes =
            self.list(names, LimitName::Attributes, self.limits.attributes, |names| {
                names.text(tag::OCTET_STRING, "attribute name")
            })?;
        Ok(SearchRequest {
            base,
            scope,
            deref,
            size_limit,
            time_limit,
            types_only,
            filter,
            attributes,
        })
    }

    fn filter(
        &self,
        reader: &mut Reader<'_>,
        depth: usize,
        items: &mut usize,
    ) -> Result<Filter, DecodeError> {
        let offset = reader.offset();
        if depth > self.limits.filter_depth {
            return Err(crossed(offset, LimitName::FilterDepth, self.limits.filter_depth));
        }
        *items += 1;
        if *items > self.limits.filter_items {
            return Err(crossed(offset, LimitName::FilterItems, self.limits.filter_items));
        }
        let (found, mut content) = reader.element("filter")?;
        let mut filters = |content: &mut Reader<'_>| {
            let mut filters = Vec::new();
            while !content.is_empty() {
                filters.push(self.filter(content, depth + 1, items)?);
            }
            Ok(filters)
        };
        match found {
            0xa0 => filters(&mut content).map(Filter::And),
            0xa1 => filters(&mut content).map(Filter::Or),
            0xa2 => {
                let inner = self.filter(&mut content, depth + 1, items)?;
                content.end("not filter")?;
                Ok(Filter::Not(Box::new(inner)))
            }
            0xa3 => {
                assertion(content).map(|(attribute, value)| Filter::Equality { attribute, value })
            }
            0xa4 => self.substrings(content),
            0xa5 => assertion(content)
                .map(|(attribute, value)| Filter::GreaterOrEqual { attribute, value }),
            0xa6 => assertion(content)
                .map(|(attribute, value)| Filter::LessOrEqual { attribute, value }),
            0x87 => content.into_text("attribute name").map(Filter::Present),
            0xa8 => {
                assertion(content).map(|(attribute, value)| Filter::Approx { attribute, value })
            }
            0xa9 => extensible(content),
            _ => Err(DecodeError::new(
                offset,
                DecodeErrorKind::UnexpectedTag { expected: "filter", found },
            )),
        }
    }

    fn substrings(&self, mut reader: Reader<'_>) -> Result<Filter, DecodeError> {
        let attribute = reader.text(tag::OCTET_STRING, "attribute name")?;
        let mut parts = reader.sequence("substrings")?;
        reader.end("substring filter")?;
        if parts.is_empty() {
            let kind = DecodeErrorKind::Empty { what: "substring filter" };
            return Err(DecodeError::new(parts.offset(), kind));
        }
        let initial = octets(parts.optional(0x80, "initial substring")?);
        let mut any = Vec::new();
        while let Some(part) = parts.optional(0x81, "inner substring")? {
            if any.len() == self.limits.values {
                return Err(crossed(part.offset(), LimitName::Values, self.limits.values));
            }
            any.push(part.into_octets().to_vec());
        }
        let last = octets(parts.optional(0x82, "final substring")?);
        parts.end("final substring")?;
        Ok(Filter::Substrings { attribute, initial, any, last })
    }

    fn modify_request(&self, reader: &mut Reader<'_>) -> Result<ModifyRequest, DecodeError> {
        let object = reader.text(tag::OCTET_STRING, "entry name")?;
        let changes = reader.sequence("changes")?;
        let changes =
            self.list(changes, LimitName::Attributes, self.limits.attributes, |changes| {
                let mut change = changes.sequence("change")?;
                let offset = change.offset();
                let operation = match change.unsigned(tag::ENUMERATED, "change operation")? {
                    0 => ModifyOperation::Add,
                    1 => ModifyOperation::Delete,
                    2 => ModifyOperation::Replace,
                    3 => ModifyOperation::Increment,
                    _ => return Err(out_of_range(offset, "change operation")),
                };
                Ok(Change { operation, modification: self.attribute(&mut change)? })
            })?;
        Ok(ModifyRequest { object, changes })
    }

    fn attributes(&self, reader: &mut Reader<'_>) -> Result<Vec<Attribute>, DecodeError> {
        let attributes = reader.sequence("attributes")?;
        self.list(attributes, LimitName::Attributes, self.limits.attributes, |attributes| {
            self.attribute(attributes)
        })
    }

    fn attribute(&self, reader: &mut Reader<'_>) -> Result<Attribute, DecodeError> {
        let mut attribute = reader.sequence("attribute")?;
        let name = attribute.text(tag::OCTET_STRING, "attribute name")?;
        let values = attribute.tagged(tag::SET, "attribute values")?;
        let values = self.list(values, LimitName::Values, self.limits.values, |values| {
            Ok(values.octets(tag::OCTET_STRING, "attribute value")?.to_vec())
        })?;
        Ok(Attribute { name, values })
    }

    fn result(&self, reader: &mut Reader<'_>) -> Result<LdapResult, DecodeError> {
        let code = ResultCode(reader.unsigned(tag::ENUMERATED, "result code")?);
        let matched_dn = reader.text(tag::OCTET_STRING, "matched DN")?;
        let diagnostic = reader.octets(tag::OCTET_STRING, "diagnostic message")?;
        let diagnostic = String::from_utf8_lossy(diagnostic).into_owned();
        let referrals = match reader.optional(0xa3, "referral")? {
            Some(urls) => self.urls(urls)?,
            None => Vec::new(),
        };
        Ok(LdapResult { code, matched_dn, diagnostic, referrals })
    }

    fn urls(&self, reader: Reader<'_>) -> Result<Vec<String>, DecodeError> {
        self.list(reader, LimitName::Referrals, self.limits.referrals, |urls| {
            urls.text(tag::OCTET_STRING, "referral URL")
        })
    }

    /// Reads elements until the end, at most `limit`.
    fn list<'r, T>(
        &self,
        mut reader: Reader<'r>,
        name: LimitName,
        limit: usize,
        mut one: impl FnMut(&mut Reader<'r>) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let mut list = Vec::new();
        while !reader.is_empty() {
            if list.len() == limit {
                return Err(crossed(reader.offset(), name, limit));
            }
            list.push(one(&mut reader)?);
        }
        Ok(list)
    }
}

fn control(mut reader: Reader<'_>) -> Result<Control, DecodeError> {
    let oid = reader.text(tag::OCTET_STRING, "control type")?;
    let critical = match reader.optional(tag::BOOLEAN, "criticality")? {
        Some(critical) => critical.into_boolean("criticality")?,
        None => false,
    };
    let value = octets(reader.optional(tag::OCTET_STRING, "control value")?);
    reader.end("control")?;
    Ok(Control { oid, critical, value })
}

fn bind_request(reader: &mut Reader<'_>) -> Result<BindRequest, DecodeError> {
    let version = reader.unsigned(tag::INTEGER, "protocol version")?;
    let name = reader.text(tag::OCTET_STRING, "bind name")?;
    let offset = reader.offset();
    let (found, mut content) = reader.element("authentication choice")?;
    let authentication = match found {
        0x80 => Authentication::Simple(content.into_octets().to_vec()),
        0xa3 => Authentication::Sasl {
            mechanism: content.text(tag::OCTET_STRING, "SASL mechanism")?,
            credentials: octets(content.optional(tag::OCTET_STRING, "SASL credentials")?),
        },
        _ if found & 0xc0 == tag::CONTEXT => {
            Authentication::Other { tag: found, content: content.into_octets().to_vec() }
        }
        _ => {
            let kind = DecodeErrorKind::UnexpectedTag { expected: "authentication choice", found };
            return Err(DecodeError::new(offset, kind));
        }
    };
    Ok(BindRequest { version, name, authentication })
}

fn compare_request(reader: &mut Reader<'_>) -> Result<CompareRequest, DecodeError> {
    let entry = reader.text(tag::OCTET_STRING, "entry name")?;
    let (attribute, value) = assertion(reader.sequence("assertion")?)?;
    Ok(CompareRequest { entry, attribute, value })
}

fn assertion(mut reader: Reader<'_>) -> Result<(String, Vec<u8>), DecodeError> {
    let attribute = reader.text(tag::OCTET_STRING, "attribute name")?;
    let value = reader.octets(tag::OCTET_STRING, "assertion value")?.to_vec();
    reader.end("assertion")?;
    Ok((attribute, value))
}

fn extensible(mut reader: Reader<'_>) -> Result<Filter, DecodeError> {
    let rule = text(reader.optional(0x81, "matching rule")?, "matching rule")?;
    let attribute = text(reader.optional(0x82, "attribute name")?, "attribute name")?;
    let value = reader.octets(0x83, "match value")?.to_vec();
    let dn_attributes = match reader.optional(0x84, "DN attributes")? {
        Some(truth) => truth.into_boolean("DN attributes")?,
        None => false,
    };
    reader.end("extensible match")?;
    Ok(Filter::Extensible { rule, attribute, value, dn_attributes })
}

fn octets(reader: Option<Reader<'_>>) -> Option<Vec<u8>> {
    reader.map(|reader| reader.into_octets().to_vec())
}

fn text(reader: Option<Reader<'_>>, field: &'static str) -> Result<Option<String>, DecodeError> {
    reader.map(|reader| reader.into_text(field)).transpose()
}

fn out_of_range(offset: usize, field: &'static str) -> DecodeError {
    DecodeError::new(offset, DecodeErrorKind::OutOfRange { field })
}
