//! Messages to bytes, in the style of Samba 4.22's AD DC: shortest lengths, defaults left out.

use crate::{
    ber::{Writer, tag},
    controls::Control,
    filter::Filter,
    message::{Attribute, Authentication, LdapMessage, ProtocolOp, SearchRequest},
    result::LdapResult,
};

impl LdapMessage {
    /// The bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        self.encode_into(&mut bytes);
        bytes
    }

    /// Appends the bytes of the message.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        let mut writer = Writer::with_bytes(std::mem::take(bytes));
        writer.nest(tag::SEQUENCE, |writer| {
            writer.unsigned(tag::INTEGER, self.id);
            operation(writer, &self.op);
            if !self.controls.is_empty() {
                writer.nest(tag::CONTEXT_CONSTRUCTED, |writer| {
                    self.controls.iter().for_each(|each| control(writer, each));
                });
            }
        });
        *bytes = writer.into_bytes();
    }
}

fn control(writer: &mut Writer, control: &Control) {
    writer.nest(tag::SEQUENCE, |writer| {
        writer.text(&control.oid);
        if control.critical {
            writer.boolean(tag::BOOLEAN, true);
        }
        if let Some(value) = &control.value {
            writer.octets(tag::OCTET_STRING, value);
        }
    });
}

fn operation(writer: &mut Writer, op: &ProtocolOp) {
    match op {
        ProtocolOp::BindRequest(bind) => writer.nest(0x60, |writer| {
            writer.unsigned(tag::INTEGER, bind.version);
            writer.text(&bind.name);
            authentication(writer, &bind.authentication);
        }),
        ProtocolOp::BindResponse(response) => writer.nest(0x61, |writer| {
            result_fields(writer, &response.result);
            optional(writer, 0x87, response.server_sasl_credentials.as_deref());
        }),
        ProtocolOp::UnbindRequest => writer.octets(0x42, &[]),
        ProtocolOp::SearchRequest(search) => writer.nest(0x63, |w| search_request(w, search)),
        ProtocolOp::SearchResultEntry(entry) => writer.nest(0x64, |writer| {
            writer.text(&entry.dn);
            attributes(writer, &entry.attributes);
        }),
        ProtocolOp::SearchResultDone(done) => result(writer, 0x65, done),
        ProtocolOp::SearchResultReference(urls) => writer.nest(0x73, |writer| {
            urls.iter().for_each(|url| writer.text(url));
        }),
        ProtocolOp::ModifyRequest(modify) => writer.nest(0x66, |writer| {
            writer.text(&modify.object);
            writer.nest(tag::SEQUENCE, |writer| {
                for change in &modify.changes {
                    writer.nest(tag::SEQUENCE, |writer| {
                        writer.unsigned(tag::ENUMERATED, change.operation as u32);
                        attribute(writer, &change.modification);
                    });
                }
            });
        }),
        ProtocolOp::ModifyResponse(done) => result(writer, 0x67, done),
        ProtocolOp::AddRequest(add) => writer.nest(0x68, |writer| {
            writer.text(&add.entry);
            attributes(writer, &add.attributes);
        }),
        ProtocolOp::AddResponse(done) => result(writer, 0x69, done),
        ProtocolOp::DelRequest(entry) => writer.octets(0x4a, entry.as_bytes()),
        ProtocolOp::DelResponse(done) => result(writer, 0x6b, done),
        ProtocolOp::ModifyDnRequest(rename) => writer.nest(0x6c, |writer| {
            writer.text(&rename.entry);
            writer.text(&rename.new_rdn);
            writer.boolean(tag::BOOLEAN, rename.delete_old_rdn);
            optional(writer, 0x80, rename.new_superior.as_deref().map(str::as_bytes));
        }),
        ProtocolOp::ModifyDnResponse(done) => result(writer, 0x6d, done),
        ProtocolOp::CompareRequest(compare) => writer.nest(0x6e, |writer| {
            writer.text(&compare.entry);
            assertion(writer, tag::SEQUENCE, &compare.attribute, &compare.value);
        }),
        ProtocolOp::CompareResponse(done) => result(writer, 0x6f, done),
        ProtocolOp::AbandonRequest(id) => writer.unsigned(0x50, *id),
        ProtocolOp::ExtendedRequest(request) => writer.nest(0x77, |writer| {
            writer.octets(0x80, request.name.as_bytes());
            optional(writer, 0x81, request.value.as_deref());
        }),
        ProtocolOp::ExtendedResponse(response) => writer.nest(0x78, |writer| {
            result_fields(writer, &response.result);
            optional(writer, 0x8a, response.name.as_deref().map(str::as_bytes));
            optional(writer, 0x8b, response.value.as_deref());
        }),
        ProtocolOp::IntermediateResponse(response) => writer.nest(0x79, |writer| {
            optional(writer, 0x80, response.name.as_deref().map(str::as_bytes));
            optional(writer, 0x81, response.value.as_deref());
        }),
    }
}

fn authentication(writer: &mut Writer, authentication: &Authentication) {
    match authentication {
        Authentication::Simple(password) => writer.octets(0x80, password),
        Authentication::Sasl { mechanism, credentials } => writer.nest(0xa3, |writer| {
            writer.text(mechanism);
            optional(writer, tag::OCTET_STRING, credentials.as_deref());
        }),
        Authentication::Other { tag, content } => writer.octets(*tag, content),
    }
}

fn search_request(writer: &mut Writer, search: &SearchRequest) {
    writer.text(&search.base);
    writer.unsigned(tag::ENUMERATED, search.scope as u32);
    writer.unsigned(tag::ENUMERATED, search.deref as u32);
    writer.unsigned(tag::INTEGER, search.size_limit);
    writer.unsigned(tag::INTEGER, search.time_limit);
    writer.boolean(tag::BOOLEAN, search.types_only);
    filter(writer, &search.filter);
    writer.nest(tag::SEQUENCE, |writer| {
        search.attributes.iter().for_each(|name| writer.text(name));
    });
}

fn filter(writer: &mut Writer, this: &Filter) {
    match this {
        Filter::And(filters) => {
            writer.nest(0xa0, |writer| filters.iter().for_each(|each| filter(writer, each)));
        }
        Filter::Or(filters) => {
            writer.nest(0xa1, |writer| filters.iter().for_each(|each| filter(writer, each)));
        }
        Filter::Not(inner) => writer.nest(0xa2, |writer| filter(writer, inner)),
        Filter::Equality { attribute, value } => assertion(writer, 0xa3, attribute, value),
        Filter::Substrings { attribute, initial, any, last } => writer.nest(0xa4, |writer| {
            writer.text(attribute);
            writer.nest(tag::SEQUENCE, |writer| {
                optional(writer, 0x80, initial.as_deref());
                any.iter().for_each(|part| writer.octets(0x81, part));
                optional(writer, 0x82, last.as_deref());
            });
        }),
        Filter::GreaterOrEqual { attribute, value } => assertion(writer, 0xa5, attribute, value),
        Filter::LessOrEqual { attribute, value } => assertion(writer, 0xa6, attribute, value),
        Filter::Present(attribute) => writer.octets(0x87, attribute.as_bytes()),
        Filter::Approx { attribute, value } => assertion(writer, 0xa8, attribute, value),
        Filter::Extensible { rule, attribute, value, dn_attributes } => {
            writer.nest(0xa9, |writer| {
                optional(writer, 0x81, rule.as_deref().map(str::as_bytes));
                optional(writer, 0x82, attribute.as_deref().map(str::as_bytes));
                writer.octets(0x83, value);
                if *dn_attributes {
                    writer.boolean(0x84, true);
                }
            });
        }
    }
}

fn assertion(writer: &mut Writer, tag: u8, attribute: &str, value: &[u8]) {
    writer.nest(tag, |writer| {
        writer.text(attribute);
        writer.octets(tag::OCTET_STRING, value);
    });
}

fn attributes(writer: &mut Writer, attributes: &[Attribute]) {
    writer.nest(tag::SEQUENCE, |writer| attributes.iter().for_each(|each| attribute(writer, each)));
}

fn attribute(writer: &mut Writer, attribute: &Attribute) {
    writer.nest(tag::SEQUENCE, |writer| {
        writer.text(&attribute.name);
        writer.nest(tag::SET, |writer| {
            attribute.values.iter().for_each(|value| writer.octets(tag::OCTET_STRING, value));
        });
    });
}

fn result(writer: &mut Writer, tag: u8, result: &LdapResult) {
    writer.nest(tag, |writer| result_fields(writer, result));
}

fn result_fields(writer: &mut Writer, result: &LdapResult) {
    writer.unsigned(tag::ENUMERATED, result.code.0);
    writer.text(&result.matched_dn);
    writer.text(&result.diagnostic);
    if !result.referrals.is_empty() {
        writer.nest(0xa3, |writer| result.referrals.iter().for_each(|url| writer.text(url)));
    }
}

fn optional(writer: &mut Writer, tag: u8, octets: Option<&[u8]>) {
    if let Some(octets) = octets {
        writer.octets(tag, octets);
    }
}
