//! DNS questions in, DNS answers out, in the form of an AD-integrated DNS server.
//!
//! Copies the internal DNS server of Samba 4.22 as captured in `fixtures/samba-ad/wire`: no
//! additional section and no OPT record, SOA in the authority section of every answer from a zone,
//! NXDOMAIN with nothing outside the zones. Sockets are in the sibling module.

mod server;
mod zone;

use hickory_proto::{
    op::{Message, MessageType, Metadata, OpCode, Query, ResponseCode},
    rr::{DNSClass, Name, RData, Record, RecordType},
};

pub(crate) use self::{
    server::{answer as answer_bytes, serve_datagrams, serve_stream},
    zone::{Registration, Zone},
};
use crate::facts::DnsQuery;

/// The answer of one DC's DNS server.
///
/// `server` is that DC's name: each AD-integrated server names itself as primary of the zone.
/// `None` if the message is no question that deserves an answer.
pub(crate) fn answer(zone: &Zone, server: &Name, request: &Message) -> Option<Message> {
    if request.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut response = Message::new(request.id, MessageType::Response, request.op_code);
    response.metadata = Metadata::response_from_request(&request.metadata);
    response.metadata.authentic_data = request.authentic_data;
    response.metadata.recursion_available = request.recursion_available;
    response.add_queries(request.queries.iter().cloned());
    let question = match refuse(zone, request) {
        Ok(question) => question,
        Err(code) => {
            response.metadata.response_code = code;
            return Some(response);
        }
    };
    let Some(apex) = zone.apex_of(question.name()) else {
        // A name of another domain that a record of ours leads to, as a forwarder would know it.
        match zone.lookup(question.name()) {
            None => response.metadata.response_code = ResponseCode::NXDomain,
            Some(records) => {
                response.add_answers(answers(zone, question, records));
            }
        }
        return Some(response);
    };
    response.metadata.authoritative = true;
    let soa = zone.soa(apex, server);
    match zone.lookup(question.name()) {
        None => response.metadata.response_code = ResponseCode::NXDomain,
        Some(records) => {
            let wanted = question.query_type();
            let is_apex = question.name() == apex;
            if is_apex && matches!(wanted, RecordType::SOA | RecordType::ANY) {
                let mut answer = soa.clone();
                answer.name = question.name().clone();
                response.add_answer(answer);
            }
            response.add_answers(answers(zone, question, records));
        }
    }
    response.add_authority(soa);
    Some(response)
}

/// The answer to a question that another domain's name server knows, in whose place `zone` stands:
/// who forwards it is no authority.
pub(crate) fn forward(zone: &Zone, server: &Name, request: &Message) -> Option<Message> {
    let mut response = answer(zone, server, request)?;
    response.metadata.authoritative = false;
    response.authorities.clear();
    Some(response)
}

/// The question that `request` asks, or the code of a server that answers none such.
fn refuse<'a>(zone: &Zone, request: &'a Message) -> Result<&'a Query, ResponseCode> {
    let [question] = request.queries.as_slice() else { return Err(ResponseCode::FormErr) };
    match request.op_code {
        OpCode::Query => {}
        OpCode::Update if question.query_type() != RecordType::SOA => {
            return Err(ResponseCode::FormErr);
        }
        // Both products take updates from those alone who sign them (RFC 3645).
        OpCode::Update if zone.apex_of(question.name()) == Some(question.name()) => {
            return Err(ResponseCode::Refused);
        }
        OpCode::Update => return Err(ResponseCode::NotAuth),
        _ => return Err(ResponseCode::NotImp),
    }
    match (question.query_class(), question.query_type()) {
        (DNSClass::NONE, _) => Err(ResponseCode::NotImp),
        // Keys are made by a conversation that begins with an additional record.
        (_, RecordType::Unknown(TKEY)) => Err(ResponseCode::FormErr),
        _ if question.name().is_root() => Err(ResponseCode::FormErr),
        // A question of another class is answered as one of the internet.
        _ => Ok(question),
    }
}

/// The type of a question for a key (RFC 2930).
const TKEY: u16 = 249;

/// Bytes before the first question (RFC 1035, section 4.1.1).
const HEADER: usize = 12;

/// In the third byte of the header.
const IS_RESPONSE: u8 = 0x80;

/// Whether the bytes may be a question: they have a header, and it is not that of an answer.
pub(crate) fn is_question(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER && bytes[2] & IS_RESPONSE == 0
}

/// The answer to bytes that are no DNS message: they come back as an error, as from Samba 4.22.
/// `None` if they cannot be a question.
pub(crate) fn answer_garbage(bytes: &[u8]) -> Option<Vec<u8>> {
    const FORMAT_ERROR: u8 = 1;
    is_question(bytes).then(|| {
        let mut answer = bytes.to_vec();
        answer[2] |= IS_RESPONSE;
        answer[3] = answer[3] & 0xf0 | FORMAT_ERROR;
        answer
    })
}

/// The records of a name that a question wants. A question for an address is led by an alias to
/// what that leads to in the same zones.
fn answers(zone: &Zone, question: &Query, records: &[RData]) -> Vec<Record> {
    let wanted = question.query_type();
    let is_address = matches!(wanted, RecordType::A | RecordType::AAAA);
    let own = |name: &Name, records: &[RData]| -> Vec<Record> {
        let of_kind = records.iter().filter(|data| {
            let kind = data.record_type();
            let leads = kind == RecordType::CNAME && is_address;
            kind == wanted || wanted == RecordType::ANY || leads
        });
        of_kind.map(|data| Record::from_rdata(name.clone(), zone::TTL, data.clone())).collect()
    };
    let mut answers = own(question.name(), records);
    if let [Record { data: RData::CNAME(alias), .. }] = answers.as_slice()
        && is_address
    {
        let target = alias.0.clone();
        answers.extend(own(&target, zone.lookup(&target).unwrap_or_default()));
    }
    answers
}

/// What the ledger keeps of a question and its answer.
pub(crate) fn fact(request: &Message, response: Option<&Message>) -> DnsQuery {
    let question = request.queries.first();
    DnsQuery {
        name: question.map_or_else(String::new, |question| text(question.name())),
        record_type: question.map_or_else(String::new, |asked| asked.query_type().to_string()),
        code: response.map_or_else(|| "none".to_owned(), |sent| code_name(sent.response_code)),
        answers: response
            .map(|sent| sent.answers.iter().filter_map(|record| target(&record.data)).collect())
            .unwrap_or_default(),
    }
}

/// A response code in the capitals of RFC 1035 and RFC 2136.
fn code_name(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => u16::from(other).to_string(),
    }
}

/// Where a record leads to, without its port.
fn target(data: &RData) -> Option<String> {
    match data {
        RData::A(address) => Some(address.0.to_string()),
        RData::SRV(service) => Some(text(&service.target)),
        RData::NS(server) => Some(text(&server.0)),
        RData::CNAME(alias) => Some(text(&alias.0)),
        RData::SOA(authority) => Some(text(&authority.mname)),
        _ => None,
    }
}

fn text(name: &Name) -> String {
    let mut text = name.to_ascii();
    if text.len() > 1 && text.ends_with('.') {
        text.pop();
    }
    text
}
