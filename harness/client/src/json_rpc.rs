//! The JSON-RPC envelopes (xenapi-wire.md §4). serde_json follows 128 levels of nesting.

use crate::{Answer, ApiError, Malformed, Request, Value};

/// What the answer must repeat of the request.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    version: Version,
    id: Value,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Version {
    One,
    Two,
}

/// Reads a request of either version.
///
/// # Errors
///
/// The body holds none.
pub fn read_request(body: &[u8]) -> Result<(Envelope, Request), Malformed> {
    let request: Value = serde_json::from_slice(body)
        .map_err(|error| Malformed::Json { line: error.line(), column: error.column() })?;
    let version = match request.member("jsonrpc") {
        None => Version::One,
        Some(Value::Text(text)) if text == "2.0" => Version::Two,
        Some(_) => return Err(Malformed::Member { name: "jsonrpc" }),
    };
    let Some(Value::Text(method)) = request.member("method") else {
        return Err(Malformed::Member { name: "method" });
    };
    let Some(Value::Array(params)) = request.member("params") else {
        return Err(Malformed::Member { name: "params" });
    };
    let Some(id @ (Value::Int(_) | Value::Text(_))) = request.member("id") else {
        return Err(Malformed::Member { name: "id" });
    };
    let envelope = Envelope { version, id: id.clone() };
    Ok((envelope, Request { method: method.clone(), params: params.clone() }))
}

/// Writes the answer in the version of the request.
pub fn write_answer(envelope: Envelope, answer: Answer) -> String {
    let Envelope { version, id } = envelope;
    let members = match (version, answer) {
        (Version::One, Ok(value)) => vec![("result", value), ("error", Value::Nil)],
        (Version::One, Err(error)) => vec![("result", Value::Nil), ("error", description(error))],
        (Version::Two, Ok(value)) => vec![("jsonrpc", Value::text("2.0")), ("result", value)],
        (Version::Two, Err(ApiError { code, params })) => {
            let error = [
                ("code", Value::Int(1)),
                ("message", Value::Text(code)),
                ("data", Value::texts(params)),
            ];
            vec![("jsonrpc", Value::text("2.0")), ("error", structure(error))]
        }
    };
    let answer = structure(members.into_iter().chain([("id", id)]));
    answer.to_json()
}

/// Writes a request of version 2.0.
pub fn write_request(request: &Request) -> String {
    let members = [
        ("jsonrpc", Value::text("2.0")),
        ("method", Value::text(&request.method)),
        ("params", Value::Array(request.params.clone())),
        ("id", Value::Int(1)),
    ];
    structure(members).to_json()
}

/// Reads the answer to a request of version 2.0.
///
/// # Errors
///
/// The body holds none.
pub fn read_answer(body: &[u8]) -> Result<Answer, Malformed> {
    let answer: Value = serde_json::from_slice(body)
        .map_err(|error| Malformed::Json { line: error.line(), column: error.column() })?;
    let Some(error) = answer.member("error") else {
        let result = answer.member("result").cloned();
        return result.map(Ok).ok_or(Malformed::Member { name: "result" });
    };
    let code = error.member("message").and_then(Value::as_text);
    let params = error.member("data").and_then(Value::as_texts);
    match (code, params) {
        (Some(code), Some(params)) => Ok(Err(ApiError::new(code, params))),
        _ => Err(Malformed::Member { name: "error" }),
    }
}

fn structure(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Struct(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn description(error: ApiError) -> Value {
    Value::texts(std::iter::once(error.code).chain(error.params))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failure() -> Answer {
        Err(ApiError::new("HANDLE_INVALID", ["host", "OpaqueRef:NULL"]))
    }

    #[test]
    fn version_one() {
        let (envelope, request) =
            read_request(br#"{"method":"pool.get_all","params":["OpaqueRef:S"],"id":7}"#).unwrap();
        assert_eq!(request.method, "pool.get_all");
        assert_eq!(request.params, [Value::text("OpaqueRef:S")]);
        assert_eq!(
            write_answer(envelope.clone(), Ok(Value::texts(["OpaqueRef:P"]))),
            r#"{"result":["OpaqueRef:P"],"error":null,"id":7}"#
        );
        assert_eq!(
            write_answer(envelope, failure()),
            r#"{"result":null,"error":["HANDLE_INVALID","host","OpaqueRef:NULL"],"id":7}"#
        );
    }

    #[test]
    fn version_two() {
        let (envelope, _) =
            read_request(br#"{"id":"x","params":[],"jsonrpc":"2.0","method":"a.b"}"#).unwrap();
        assert_eq!(
            write_answer(envelope.clone(), Ok(Value::Int(3))),
            r#"{"jsonrpc":"2.0","result":3,"id":"x"}"#
        );
        let expected = concat!(
            r#"{"jsonrpc":"2.0","error":{"code":1,"message":"HANDLE_INVALID","#,
            r#""data":["host","OpaqueRef:NULL"]},"id":"x"}"#
        );
        assert_eq!(write_answer(envelope, failure()), expected);
    }

    #[test]
    fn requests_and_answers_are_read_as_written() {
        let request =
            Request { method: "host.get_record".to_owned(), params: vec![Value::text("x")] };
        let (envelope, read) = read_request(write_request(&request).as_bytes()).unwrap();
        assert_eq!(read, request);
        for answer in [Ok(Value::Array(vec![Value::Int(1)])), failure()] {
            let written = write_answer(envelope.clone(), answer.clone());
            assert_eq!(read_answer(written.as_bytes()), Ok(answer));
        }
        for body in ["", "{}", "[]", r#"{"error":{}}"#, r#"{"error":null}"#] {
            assert!(read_answer(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn what_is_malformed() {
        for (body, name) in [
            (r#"{"method":"a.b","params":[]}"#, "id"),
            (r#"{"method":"a.b","params":[],"id":null}"#, "id"),
            (r#"{"method":"a.b","params":[],"id":1.5}"#, "id"),
            (r#"{"method":"a.b","params":{},"id":1}"#, "params"),
            (r#"{"params":[],"id":1}"#, "method"),
            (r#"[]"#, "method"),
            (r#"{"jsonrpc":"1.1","method":"a.b","params":[],"id":1}"#, "jsonrpc"),
        ] {
            assert_eq!(read_request(body.as_bytes()), Err(Malformed::Member { name }), "{body}");
        }
        assert!(matches!(read_request(b"{"), Err(Malformed::Json { line: 1, .. })));
        assert!(matches!(read_request(&[b'['; 100_000]), Err(Malformed::Json { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_request(&body);
            let _ = read_answer(&body);
        }
    }
}
