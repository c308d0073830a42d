use fake_dc_directory::Reply;
use ldap_wire::ProtocolOp;

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// Every value of every attribute that a search brings is the same three bytes, which are no text,
/// no SID and no number.
#[derive(Debug)]
pub(crate) struct GarbageAttribute;

const GARBAGE: [u8; 3] = [0x01, 0xff, 0x80];

impl ServerFault for GarbageAttribute {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.garbage-attribute",
            "values of attributes are bytes that are no values",
            "the DC's database is damaged, or a virtual directory maps attributes wrongly",
            "client → DC   search below DC=…, attribute objectSid\n\
             DC → client   CN=krbtgt,CN=Users,DC=…, objectSid: 01 ff 80\n\
             DC → client   0 success",
        )
    }

    fn on_reply(&self, asked: &Asked<'_>, reply: &mut Reply) {
        if asked.search().is_none() {
            return;
        }
        for message in &mut reply.messages {
            if let ProtocolOp::SearchResultEntry(entry) = &mut message.op {
                let values = entry.attributes.iter_mut().flat_map(|found| &mut found.values);
                values.for_each(|value| *value = GARBAGE.to_vec());
            }
        }
    }
}
