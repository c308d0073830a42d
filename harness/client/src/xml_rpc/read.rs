//! Reading a `methodCall` or a `methodResponse`.
//!
//! Markup is strict, spaces between elements are not looked at, and text is taken as it stands,
//! with line ends as XML has them (a carriage return sent as such becomes a line feed).

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};

use crate::{Answer, ApiError, Malformed, Request, Value, value::read_date};

/// Arrays and structs inside each other.
pub(super) const DEPTH_MAX: usize = 64;

/// Reads a request.
///
/// # Errors
///
/// The body holds none.
pub fn read_request(body: &[u8]) -> Result<Request, Malformed> {
    let mut source = Source::of(body)?;
    source.open("methodCall")?;
    source.open("methodName")?;
    let method = source.content()?.trim().to_owned();
    let params = match source.markup()? {
        Token::Open(name) if name == "params" => {
            let params = source.params()?;
            source.close()?;
            params
        }
        Token::Close => Vec::new(),
        other => return Err(other.instead_of("<params> or </methodCall>")),
    };
    source.end()?;
    Ok(Request { method, params })
}

/// Reads what a call came to.
///
/// # Errors
///
/// The body holds no answer of XenAPI, which is one struct with the member `Status`.
pub fn read_answer(body: &[u8]) -> Result<Answer, Malformed> {
    let mut source = Source::of(body)?;
    source.open("methodResponse")?;
    source.open("params")?;
    let params = source.params()?;
    source.close()?;
    source.end()?;
    let [Value::Struct(response)] = <[Value; 1]>::try_from(params).unwrap_or([Value::Nil]) else {
        return Err(Malformed::Member { name: "Status" });
    };
    let mut status = None;
    let mut value = None;
    let mut description = None;
    for (name, content) in response {
        match name.as_str() {
            "Status" => status = Some(content),
            "Value" => value = Some(content),
            "ErrorDescription" => description = Some(content),
            _ => {}
        }
    }
    match status.as_ref().and_then(Value::as_text) {
        Some("Success") => value.map(Ok).ok_or(Malformed::Member { name: "Value" }),
        Some("Failure") => {
            let texts = description.as_ref().and_then(Value::as_texts);
            let error = texts.as_ref().and_then(|texts| texts.split_first());
            let (code, params) = error.ok_or(Malformed::Member { name: "ErrorDescription" })?;
            Ok(Err(ApiError::new(*code, params.iter().copied())))
        }
        _ => Err(Malformed::Member { name: "Status" }),
    }
}

struct Source<'a> {
    reader: Reader<&'a [u8]>,
    /// What stood after the text that was read last.
    pending: Option<Token>,
}

#[derive(Debug)]
enum Token {
    Close,
    End,
    Open(String),
    Text(String),
}

impl Token {
    fn instead_of(self, expected: &'static str) -> Malformed {
        let found = match self {
            Self::Close => "the end of an element".to_owned(),
            Self::End => "the end".to_owned(),
            Self::Open(name) => format!("<{name}>"),
            // It may be a secret.
            Self::Text(_) => "text".to_owned(),
        };
        Malformed::Element { expected, found }
    }
}

impl<'a> Source<'a> {
    fn of(body: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self { reader, pending: None })
    }

    fn params(&mut self) -> Result<Vec<Value>, Malformed> {
        let mut params = Vec::new();
        while self.open_or_close("param")? {
            self.open("value")?;
            params.push(self.value(0)?);
            self.close()?;
        }
        Ok(params)
    }

    /// A value whose element is open, to its end.
    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        if depth > DEPTH_MAX {
            return Err(Malformed::Depth { max: DEPTH_MAX });
        }
        let kind = match self.next()? {
            Token::Close => return Ok(Value::void()),
            Token::Open(kind) => kind,
            Token::Text(text) => match self.next()? {
                Token::Close => return Ok(Value::Text(text)),
                Token::Open(kind) if is_blank(&text) => kind,
                other => return Err(other.instead_of("</value>")),
            },
            Token::End => return Err(Token::End.instead_of("a value")),
        };
        let value = self.typed(&kind, depth)?;
        self.close()?;
        Ok(value)
    }

    fn typed(&mut self, kind: &str, depth: usize) -> Result<Value, Malformed> {
        let value = match kind {
            "array" => {
                self.open("data")?;
                let mut values = Vec::new();
                while self.open_or_close("value")? {
                    values.push(self.value(depth + 1)?);
                }
                self.close()?;
                Some(Value::Array(values))
            }
            "boolean" => match self.content()?.trim() {
                "1" => Some(Value::Bool(true)),
                "0" => Some(Value::Bool(false)),
                _ => None,
            },
            "dateTime.iso8601" => read_date(self.content()?.trim()).map(Value::Date),
            "double" => {
                let number = self.content()?.trim().parse().ok();
                number.filter(|number: &f64| number.is_finite()).map(Value::Double)
            }
            "i4" | "i8" | "int" => self.content()?.trim().parse().ok().map(Value::Int),
            "nil" => {
                self.close()?;
                Some(Value::Nil)
            }
            "string" => Some(Value::Text(self.content()?)),
            "struct" => Some(Value::Struct(self.members(depth)?)),
            other => return Err(Token::Open(other.to_owned()).instead_of("a type of XML-RPC")),
        };
        let kind = match kind {
            "boolean" => "boolean",
            "double" => "double",
            "dateTime.iso8601" => "dateTime.iso8601",
            _ => "64-bit int",
        };
        value.ok_or(Malformed::Content { kind })
    }

    fn members(&mut self, depth: usize) -> Result<Vec<(String, Value)>, Malformed> {
        let mut members = Vec::new();
        while self.open_or_close("member")? {
            self.open("name")?;
            let name = self.content()?;
            self.open("value")?;
            members.push((name, self.value(depth + 1)?));
            self.close()?;
        }
        Ok(members)
    }

    /// The text of an open element that holds nothing else, to its end.
    fn content(&mut self) -> Result<String, Malformed> {
        match self.next()? {
            Token::Close => Ok(String::new()),
            Token::Text(text) => match self.next()? {
                Token::Close => Ok(text),
                other => Err(other.instead_of("the end of an element")),
            },
            other => Err(other.instead_of("text")),
        }
    }

    /// True at the start of that element, false at the end of the one around it.
    fn open_or_close(&mut self, wanted: &'static str) -> Result<bool, Malformed> {
        match self.markup()? {
            Token::Open(name) if name == wanted => Ok(true),
            Token::Close => Ok(false),
            other => Err(other.instead_of(wanted)),
        }
    }

    fn open(&mut self, wanted: &'static str) -> Result<(), Malformed> {
        match self.markup()? {
            Token::Open(name) if name == wanted => Ok(()),
            other => Err(other.instead_of(wanted)),
        }
    }

    fn close(&mut self) -> Result<(), Malformed> {
        match self.markup()? {
            Token::Close => Ok(()),
            other => Err(other.instead_of("the end of an element")),
        }
    }

    fn end(&mut self) -> Result<(), Malformed> {
        match self.markup()? {
            Token::End => Ok(()),
            other => Err(other.instead_of("the end")),
        }
    }

    /// The next token that is not blank text.
    fn markup(&mut self) -> Result<Token, Malformed> {
        match self.next()? {
            Token::Text(text) if is_blank(&text) => self.next(),
            token => Ok(token),
        }
    }

    /// The next token. Text is whole: no two texts follow each other.
    fn next(&mut self) -> Result<Token, Malformed> {
        if let Some(token) = self.pending.take() {
            return Ok(token);
        }
        let mut text = String::new();
        let token = loop {
            let event = self.reader.read_event().map_err(|_| self.broken())?;
            match event {
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Text(part) => {
                    text.push_str(&part.xml10_content().map_err(|_| self.broken())?);
                }
                Event::CData(part) => {
                    text.push_str(&part.xml10_content().map_err(|_| self.broken())?);
                }
                Event::GeneralRef(reference) => self.resolve(&reference, &mut text)?,
                Event::DocType(_) => return Err(Malformed::DocumentType),
                Event::Start(element) | Event::Empty(element) => {
                    let name = element.name();
                    break Token::Open(String::from_utf8_lossy(name.as_ref()).into_owned());
                }
                Event::End(_) => break Token::Close,
                Event::Eof => break Token::End,
            }
        };
        if text.is_empty() {
            return Ok(token);
        }
        self.pending = Some(token);
        Ok(Token::Text(text))
    }

    fn resolve(&self, reference: &BytesRef<'_>, text: &mut String) -> Result<(), Malformed> {
        if let Some(character) = reference.resolve_char_ref().map_err(|_| self.broken())? {
            text.push(character);
            return Ok(());
        }
        let name = reference.decode().map_err(|_| self.broken())?;
        let unknown = || Malformed::Entity { name: name.clone().into_owned() };
        text.push_str(resolve_predefined_entity(&name).ok_or_else(unknown)?);
        Ok(())
    }

    fn broken(&self) -> Malformed {
        Malformed::Xml { at: self.reader.error_position() }
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|character| matches!(character, ' ' | '\t' | '\r' | '\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(params: &str) -> String {
        format!(
            "<?xml version='1.0'?>\n<methodCall>\n<methodName>pool.get_all</methodName>\n\
             <params>\n{params}</params>\n</methodCall>\n"
        )
    }

    fn value(text: &str) -> Result<Value, Malformed> {
        let mut params =
            read_request(call(&format!("<param>\n{text}\n</param>")).as_bytes())?.params;
        assert_eq!(params.len(), 1);
        Ok(params.remove(0))
    }

    #[test]
    fn scalars() {
        for (text, expected) in [
            ("<value>text</value>", Value::text("text")),
            ("<value> \n </value>", Value::text(" \n ")),
            ("<value/>", Value::void()),
            ("<value></value>", Value::void()),
            ("<value><string/></value>", Value::void()),
            ("<value>\n <string> a </string>\n</value>", Value::text(" a ")),
            ("<value>&lt;&amp;&#65;&#x42;<![CDATA[<c>]]></value>", Value::text("<&AB<c>")),
            ("<value>a\r\nb\rc&#13;d</value>", Value::text("a\nb\nc\rd")),
            ("<value><!-- no --><int>3</int></value>", Value::Int(3)),
            ("<value><i4>-3</i4></value>", Value::Int(-3)),
            ("<value><i8>9223372036854775807</i8></value>", Value::Int(i64::MAX)),
            ("<value><boolean>1</boolean></value>", Value::Bool(true)),
            ("<value><boolean>0</boolean></value>", Value::Bool(false)),
            ("<value><double>2.5</double></value>", Value::Double(2.5)),
            ("<value><nil/></value>", Value::Nil),
            (
                "<value><dateTime.iso8601>2026-08-21T04:00:23+02:00</dateTime.iso8601></value>",
                Value::Date("2026-08-21T02:00:23Z".parse().unwrap()),
            ),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn members_repeat_in_order() {
        let found = value(
            "<value><struct><member><name>b</name><value>1</value></member> <member><name>a</name>\
             <value><array><data><value>x</value></data></array></value></member>\
             <member><name>b</name><value>2</value></member></struct></value>",
        );
        let member = |name: &str, value| (name.to_owned(), value);
        let expected = Value::Struct(vec![
            member("b", Value::text("1")),
            member("a", Value::texts(["x"])),
            member("b", Value::text("2")),
        ]);
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn calls_without_parameters() {
        for rest in ["", "<params/>", "<params></params>"] {
            let body = format!("<methodCall><methodName> a.b </methodName>{rest}</methodCall>");
            let expected = Request { method: "a.b".to_owned(), params: Vec::new() };
            assert_eq!(read_request(body.as_bytes()), Ok(expected));
        }
    }

    #[test]
    fn what_is_malformed() {
        let content = |kind| Malformed::Content { kind };
        let element =
            |expected, found: &str| Malformed::Element { expected, found: found.to_owned() };
        for (text, expected) in [
            ("<value><boolean>true</boolean></value>", content("boolean")),
            ("<value><int></int></value>", content("64-bit int")),
            ("<value><double>inf</double></value>", content("double")),
            (
                "<value><dateTime.iso8601>now</dateTime.iso8601></value>",
                content("dateTime.iso8601"),
            ),
            ("<value><base64>AA==</base64></value>", element("a type of XML-RPC", "<base64>")),
            ("<value>a<int>3</int></value>", element("</value>", "<int>")),
            ("<value><int>3</int>a</value>", element("the end of an element", "text")),
            ("<value>&who;</value>", Malformed::Entity { name: "who".to_owned() }),
        ] {
            assert_eq!(value(text), Err(expected), "{text}");
        }
        assert_eq!(read_request(b"\xff"), Err(Malformed::NotUtf8));
        assert!(matches!(read_request(b"<methodCall></x>"), Err(Malformed::Xml { .. })));
        assert_eq!(read_request(b""), Err(element("methodCall", "the end")));
        let twice = call("").replace("</methodCall>", "</methodCall><methodCall/>");
        assert_eq!(read_request(twice.as_bytes()), Err(element("the end", "<methodCall>")));
        let entities = format!("<!DOCTYPE x [<!ENTITY a 'b'>]>{}", call(""));
        assert_eq!(
            read_request(entities.trim_start_matches("<?xml version='1.0'?>").as_bytes()),
            Err(Malformed::DocumentType)
        );
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth| {
            format!(
                "{}{}",
                "<value><array><data>".repeat(depth),
                "</data></array></value>".repeat(depth)
            )
        };
        assert!(value(&nested(DEPTH_MAX)).is_ok());
        let deep = Malformed::Depth { max: DEPTH_MAX };
        assert_eq!(value(&nested(DEPTH_MAX + 2)), Err(deep.clone()));
        assert_eq!(value(&nested(10_000)), Err(deep));
    }
}
