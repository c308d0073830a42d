//! `message.create`, `message.destroy` and `message.destroy_many` (xenapi-wire.md §7.5;
//! xen-api, `ocaml/xapi/xapi_message.ml`).

use ground::Trail;
use uuid::Uuid;

use crate::{
    ApiError, CallResult, Message, MessageClass, Records, Reference,
    xapi::{
        Call, Pool,
        pool::{begin, end},
    },
};

impl Pool {
    /// A call of the class `message`.
    pub(super) fn call_message(&self, call: &Call, trail: &Trail) -> Result<CallResult, ApiError> {
        let trail = begin(call, None, trail);
        let result = self.run_message(call, &trail);
        end(call.name(), &trail, &result);
        result
    }

    fn run_message(&self, call: &Call, trail: &Trail) -> Result<CallResult, ApiError> {
        match call {
            Call::MessageCreate { name, priority, class, obj_uuid, body } => {
                if !is_text(body) {
                    return Err(ApiError::new("INVALID_VALUE", ["UTF8 expected"]));
                }
                let object = self.database().read(|records| records.object(*class, obj_uuid));
                let object = object.ok_or_else(|| {
                    ApiError::new("UUID_INVALID", [class.name(), obj_uuid.as_str()])
                })?;
                self.create_message(name, *priority, *class, object, body, trail)
                    .map(CallResult::Reference)
            }
            Call::MessageDestroy { message } => {
                self.destroy_message(message, trail).map(|()| CallResult::Void)
            }
            Call::MessageDestroyMany { messages } => messages
                .iter()
                .try_for_each(|message| self.destroy_message(message, trail))
                .map(|()| CallResult::Void),
            _ => Err(ApiError::internal(format!("{} is no call of a message", call.name()))),
        }
    }

    pub(super) fn create_message(
        &self,
        name: &str,
        priority: i64,
        class: MessageClass,
        obj_uuid: Uuid,
        body: &str,
        trail: &Trail,
    ) -> Result<Reference, ApiError> {
        let timestamp = self.coordinator().clock().now();
        let reference = self.database().change(trail, |draft| {
            let (reference, uuid) = draft.identity();
            draft.records.messages.push(Message {
                reference: reference.clone(),
                uuid,
                name: name.to_owned(),
                priority,
                class,
                obj_uuid,
                timestamp,
                body: body.to_owned(),
            });
            reference
        })?;
        Ok(reference)
    }

    pub(super) fn destroy_message(
        &self,
        reference: &Reference,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        self.database().change(trail, |draft| {
            let messages = &mut draft.records.messages;
            let at = messages.iter().position(|message| message.reference == *reference);
            messages.remove(at.ok_or_else(|| ApiError::handle_invalid("message", reference))?);
            Ok(())
        })?
    }
}

impl Records {
    /// The uuid of an object of `class`, if it exists. Classes that are not modelled have none.
    pub fn object(&self, class: MessageClass, uuid: &str) -> Option<Uuid> {
        let is_it = |known: &Uuid| known.to_string() == uuid;
        match class {
            MessageClass::Certificate => self.certificates.iter().map(|row| row.uuid).find(is_it),
            MessageClass::Host => self.hosts.iter().map(|row| row.uuid).find(is_it),
            MessageClass::Pool => Some(self.pool.uuid).filter(is_it),
            MessageClass::PvsProxy
            | MessageClass::Sr
            | MessageClass::Vdi
            | MessageClass::Vm
            | MessageClass::Vmpp
            | MessageClass::Vmss => None,
        }
    }
}

/// What xapi takes for text: all that XML can hold. Any string is UTF-8 here; control characters
/// are what can still be wrong with it.
fn is_text(body: &str) -> bool {
    body.chars().all(|character| match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        _ => character >= ' ',
    })
}
