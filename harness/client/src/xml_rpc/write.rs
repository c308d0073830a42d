//! Writing a `methodCall` or a `methodResponse`. A failure is an ordinary response, never a
//! `fault`.

use std::fmt::Write as _;

use crate::{Answer, Request, Value, value::write_date};

/// Writes a request.
pub fn write_request(request: &Request) -> String {
    let mut xml = String::from("<?xml version=\"1.0\"?><methodCall><methodName>");
    escape(&request.method, &mut xml);
    xml.push_str("</methodName><params>");
    for param in &request.params {
        xml.push_str("<param>");
        write_value(param, &mut xml);
        xml.push_str("</param>");
    }
    xml.push_str("</params></methodCall>");
    xml
}

/// Writes the answer.
pub fn write_answer(answer: Answer) -> String {
    let (status, name, value) = match answer {
        Ok(value) => ("Success", "Value", value),
        Err(error) => {
            let description = std::iter::once(error.code).chain(error.params);
            ("Failure", "ErrorDescription", Value::texts(description))
        }
    };
    let response =
        Value::Struct(vec![("Status".to_owned(), Value::text(status)), (name.to_owned(), value)]);
    let mut xml = String::from("<?xml version=\"1.0\"?><methodResponse><params><param>");
    write_value(&response, &mut xml);
    xml.push_str("</param></params></methodResponse>");
    xml
}

/// Writes a value by itself, as the result of a task.
pub fn write_alone(value: &Value) -> String {
    let mut xml = String::new();
    write_value(value, &mut xml);
    xml
}

fn write_value(value: &Value, xml: &mut String) {
    xml.push_str("<value>");
    match value {
        Value::Array(values) => {
            xml.push_str("<array><data>");
            for value in values {
                write_value(value, xml);
            }
            xml.push_str("</data></array>");
        }
        Value::Bool(value) => {
            xml.push_str(if *value { "<boolean>1</boolean>" } else { "<boolean>0</boolean>" });
        }
        Value::Date(date) => {
            let date = write_date(*date);
            append(xml, format_args!("<dateTime.iso8601>{date}</dateTime.iso8601>"));
        }
        Value::Double(value) => append(xml, format_args!("<double>{value}</double>")),
        // Without a type tag: clients get integers as text.
        Value::Int(value) => append(xml, format_args!("{value}")),
        Value::Nil => xml.push_str("<nil/>"),
        Value::Struct(members) => {
            xml.push_str("<struct>");
            for (name, value) in members {
                xml.push_str("<member><name>");
                escape(name, xml);
                xml.push_str("</name>");
                write_value(value, xml);
                xml.push_str("</member>");
            }
            xml.push_str("</struct>");
        }
        Value::Text(text) => escape(text, xml),
    }
    xml.push_str("</value>");
}

fn append(xml: &mut String, text: std::fmt::Arguments<'_>) {
    xml.write_fmt(text).expect("a string takes all that is written to it");
}

/// Control characters that XML cannot hold are dropped.
fn escape(text: &str, xml: &mut String) {
    for character in text.chars() {
        match character {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            '\t' | '\n' | '\r' => xml.push(character),
            _ if character.is_ascii_control() => {}
            _ => xml.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{read_answer, read_request},
        *,
    };
    use crate::ApiError;

    /// The samples of xenapi-wire.md §3, to the byte.
    #[test]
    fn samples() {
        let success = concat!(
            r#"<?xml version="1.0"?><methodResponse><params><param><value><struct><member>"#,
            r#"<name>Status</name><value>Success</value></member><member><name>Value</name>"#,
            r#"<value></value></member></struct></value></param></params></methodResponse>"#
        );
        assert_eq!(write_answer(Ok(Value::void())), success);
        let failure = concat!(
            r#"<?xml version="1.0"?><methodResponse><params><param><value><struct><member>"#,
            r#"<name>Status</name><value>Failure</value></member><member>"#,
            r#"<name>ErrorDescription</name><value><array><data>"#,
            r#"<value>AUTH_SET_LDAPS_FAILED</value><value>OpaqueRef:HOST</value>"#,
            r#"<value>ldaps is already true</value></data></array></value></member></struct>"#,
            r#"</value></param></params></methodResponse>"#
        );
        let error =
            ApiError::new("AUTH_SET_LDAPS_FAILED", ["OpaqueRef:HOST", "ldaps is already true"]);
        assert_eq!(write_answer(Err(error.clone())), failure);
        assert_eq!(read_answer(success.as_bytes()), Ok(Ok(Value::void())));
        assert_eq!(read_answer(failure.as_bytes()), Ok(Err(error)));
    }

    #[test]
    fn scalars() {
        let written = |value| {
            let mut xml = String::new();
            write_value(&value, &mut xml);
            xml
        };
        assert_eq!(written(Value::Int(-3)), "<value>-3</value>");
        assert_eq!(written(Value::Bool(false)), "<value><boolean>0</boolean></value>");
        assert_eq!(written(Value::Double(1.0)), "<value><double>1</double></value>");
        let date = Value::Date("2026-08-21T02:00:23.5Z".parse().unwrap());
        let expected = "<value><dateTime.iso8601>20260821T02:00:23Z</dateTime.iso8601></value>";
        assert_eq!(written(date), expected);
        assert_eq!(written(Value::text("<a&\"\u{7}\t")), "<value>&lt;a&amp;&quot;\t</value>");
    }

    fn values() -> impl Strategy<Value = Value> {
        // What a request can hold: integers come back as text, so they are left out.
        let text = "[^\\x00-\\x1f\\x7f]{0,12}";
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(|number| Value::Double(f64::from(number) / 8.0)),
            any::<u32>()
                .prop_map(|seconds| Value::Date(ground::Timestamp::from_unix(seconds.into()))),
            Just(Value::Nil),
            text.prop_map(Value::Text),
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::vec((text, inner), 0..6).prop_map(Value::Struct),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in values()) {
            let request = Request { method: "a.b".to_owned(), params: vec![value.clone()] };
            prop_assert_eq!(read_request(write_request(&request).as_bytes()), Ok(request));
            let answer = write_answer(Ok(value.clone()));
            prop_assert_eq!(read_answer(answer.as_bytes()), Ok(Ok(value)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_request(&body);
            let _ = read_answer(&body);
        }

        #[test]
        fn any_markup_is_read_or_refused(
            parts in prop::collection::vec(prop::sample::select(vec![
                "<methodResponse>", "</methodResponse>", "Status", "Success", "Value", "<methodCall>", "</methodCall>", "<methodName>", "</methodName>", "<params>",
                "</params>", "<param>", "</param>", "<value>", "</value>", "<struct>", "</struct>",
                "<member>", "</member>", "<name>", "</name>", "<array>", "</array>", "<data>",
                "</data>", "<int>", "</int>", "<nil/>", "&amp;", "&", "<", ">", "<!--", "-->",
                "<![CDATA[", "]]>", "<?", "?>", "1", " ", "é",
            ]), 0..40),
        ) {
            let body = parts.concat();
            let _ = read_request(body.as_bytes());
            let _ = read_answer(body.as_bytes());
        }
    }
}
