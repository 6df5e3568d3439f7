//! JSON (RFC 8259) with the place of every value. A key that stands twice in an object is an error. [`super::yaml`]
//! makes the same of YAML.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Fault, MAX_DEPTH, MAX_ELEMENTS, quoted};

#[derive(Debug, Clone)]
pub(super) struct Json<'a> {
    /// The byte at which it begins.
    pub at: usize,
    pub value: Value<'a>,
}

impl Json<'_> {
    pub fn is_collection(&self) -> bool {
        match self.value {
            Value::List(_) | Value::Object(_) => true,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => false,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    /// As it is written.
    Number(Cow<'a, str>),
    Text(String),
    List(Vec<Json<'a>>),
    Object(Vec<Member<'a>>),
}

#[derive(Debug, Clone)]
pub(super) struct Member<'a> {
    /// The byte at which the key begins.
    pub at: usize,
    pub key: String,
    pub value: Json<'a>,
}

pub(super) fn parse(text: &str) -> Result<Json<'_>, Fault> {
    let mut parser = Parser { text, at: 0, depth: 0, values: 0 };
    let json = parser.value()?;
    parser.blank();
    if parser.at < text.len() { Err(parser.wrong("something follows after its end")) } else { Ok(json) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    values: usize,
}

impl<'a> Parser<'a> {
    fn wrong(&self, what: &str) -> Fault {
        wrong(self.at, what)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes on if this byte is next.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Json<'a>, Fault> {
        self.blank();
        self.values += 1;
        if self.values > MAX_ELEMENTS {
            return Err(Fault::new(self.at, None, format!("it has more than {MAX_ELEMENTS} values")));
        }
        let at = self.at;
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => self.word()?,
            None => return Err(self.wrong("it ends where a value should stand")),
        };
        Ok(Json { at, value })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value<'a>, Fault>) -> Result<Value<'a>, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} objects and lists within each other");
            return Err(Fault::new(self.at, None, message));
        }
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value<'a>, Fault> {
        let mut members = Vec::new();
        let mut keys = HashSet::new();
        self.blank();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.blank();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a key in double quotes should stand here"));
            }
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                return Err(Fault::new(at, None, format!("the key {} stands twice in its object", quoted(&key))));
            }
            self.blank();
            if !self.take(b':') {
                return Err(self.wrong("a colon should stand here"));
            }
            let value = self.value()?;
            members.push(Member { at, key, value });
            self.blank();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.wrong("a comma or the end of the object should stand here"));
            }
        }
    }

    fn list(&mut self) -> Result<Value<'a>, Fault> {
        let mut values = Vec::new();
        self.blank();
        if self.take(b']') {
            return Ok(Value::List(values));
        }
        loop {
            values.push(self.value()?);
            self.blank();
            if self.take(b']') {
                return Ok(Value::List(values));
            }
            if !self.take(b',') {
                return Err(self.wrong("a comma or the end of the list should stand here"));
            }
        }
    }

    fn word(&mut self) -> Result<Value<'a>, Fault> {
        for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong("a value should stand here"))
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.wrong("a digit should stand here")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Ok(Value::Number(Cow::Borrowed(&self.text[start..self.at])))
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                return Err(wrong(start, "a text without closing quotes"));
            };
            text.push_str(&rest[..end]);
            self.at += end;
            match rest.as_bytes()[end] {
                b'"' => {
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => text.push(self.escaped()?),
                _ => return Err(self.wrong("a control character in a text")),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.at += 1;
        let escape = self.peek();
        self.at += 1;
        Ok(match escape {
            Some(sign @ (b'"' | b'\\' | b'/')) => char::from(sign),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let mut units = vec![self.unit(start)?];
                if (0xD800..0xDC00).contains(&units[0]) && self.take(b'\\') && self.take(b'u') {
                    units.push(self.unit(start)?);
                }
                match char::decode_utf16(units).collect::<Result<Vec<_>, _>>().as_deref() {
                    Ok([character]) => *character,
                    _ => return Err(wrong(start, "half a character")),
                }
            }
            _ => return Err(wrong(start, "an escape that JSON does not know")),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self, start: usize) -> Result<u16, Fault> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        self.at += 4;
        unit.ok_or_else(|| wrong(start, "\\u without four hexadecimal digits"))
    }
}

fn wrong(at: usize, what: &str) -> Fault {
    Fault::new(at, None, format!("it is not JSON: {what}"))
}
