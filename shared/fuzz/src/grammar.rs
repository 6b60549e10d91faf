//! A JSON parser by the grammar of RFC 8259, independent of `serde_json`: it reads character by character, keeps
//! texts as UTF-16, and does not recurse.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// The fields of an object, by name. If a name is given twice, the last value counts.
pub type Object = BTreeMap<Vec<u16>, Value>;

/// A value, as deep as endpoints look into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// A text, in UTF-16: an escape may stand for half a surrogate pair.
    Text(Vec<u16>),
    /// A number, as it is written.
    Number(String),
    /// The object that is the body, or an object in it.
    Object(Object),
    /// Anything else.
    Other,
}

impl Value {
    /// The text, if it has no half surrogate pair.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(units) => String::from_utf16(units).ok(),
            _ => None,
        }
    }

    /// The text, with U+FFFD for half surrogate pairs.
    #[must_use]
    pub fn kept(&self) -> Option<String> {
        match self {
            Self::Text(units) => Some(String::from_utf16_lossy(units)),
            _ => None,
        }
    }
}

/// A field of an object; `null` counts as absent.
#[must_use]
pub fn field<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    let name: Vec<u16> = name.encode_utf16().collect();
    object.get(&name).filter(|value| **value != Value::Null)
}

/// The body as an object, if it is one.
#[must_use]
pub fn object(body: &[u8]) -> Option<Object> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader(
        text.strip_prefix('\u{feff}')
            .unwrap_or(text)
            .chars()
            .peekable(),
    );
    let value = reader.value()?;
    reader.skip_blanks();
    match value {
        Value::Object(object) if reader.0.next().is_none() => Some(object),
        _ => None,
    }
}

struct Reader<'a>(Peekable<Chars<'a>>);

/// An array or object that is not closed yet.
enum Open {
    Array,
    Object(Object, Vec<u16>),
}

impl Reader<'_> {
    fn take(&mut self, c: char) -> bool {
        self.0.next_if_eq(&c).is_some()
    }

    fn skip_blanks(&mut self) {
        while self.0.next_if(|c| " \t\n\r".contains(*c)).is_some() {}
    }

    fn value(&mut self) -> Option<Value> {
        let mut open = Vec::new();
        loop {
            self.skip_blanks();
            let mut value = match *self.0.peek()? {
                '{' => {
                    self.0.next();
                    self.skip_blanks();
                    if !self.take('}') {
                        open.push(Open::Object(Object::new(), self.name()?));
                        continue;
                    }
                    Value::Object(Object::new())
                }
                '[' => {
                    self.0.next();
                    self.skip_blanks();
                    if !self.take(']') {
                        open.push(Open::Array);
                        continue;
                    }
                    Value::Other
                }
                '"' => Value::Text(self.text()?),
                '-' | '0'..='9' => Value::Number(self.number()?),
                _ => self.word()?,
            };
            loop {
                self.skip_blanks();
                match open.pop() {
                    None => return Some(value),
                    Some(Open::Array) => {
                        if self.take(',') {
                            open.push(Open::Array);
                            break;
                        }
                        if !self.take(']') {
                            return None;
                        }
                        value = Value::Other;
                    }
                    Some(Open::Object(mut fields, name)) => {
                        fields.insert(name, value);
                        if self.take(',') {
                            self.skip_blanks();
                            open.push(Open::Object(fields, self.name()?));
                            break;
                        }
                        if !self.take('}') {
                            return None;
                        }
                        // No endpoint looks deeper, and a deeply nested value would overflow the stack on drop.
                        value = if open.len() < 2 {
                            Value::Object(fields)
                        } else {
                            Value::Other
                        };
                    }
                }
            }
        }
    }

    /// A field's name and the colon behind it.
    fn name(&mut self) -> Option<Vec<u16>> {
        let name = self.text()?;
        self.skip_blanks();
        self.take(':').then_some(name)
    }

    fn text(&mut self) -> Option<Vec<u16>> {
        if !self.take('"') {
            return None;
        }
        let mut units = Vec::new();
        loop {
            let c = match self.0.next()? {
                '"' => return Some(units),
                '\0'..='\u{1f}' => return None,
                '\\' => match self.0.next()? {
                    c @ ('"' | '\\' | '/') => c,
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let mut unit = 0;
                        for _ in 0..4 {
                            unit = unit * 16 + self.0.next()?.to_digit(16)?;
                        }
                        units.push(u16::try_from(unit).ok()?);
                        continue;
                    }
                    _ => return None,
                },
                c => c,
            };
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }

    fn number(&mut self) -> Option<String> {
        let mut number = String::new();
        number.extend(self.0.next_if_eq(&'-'));
        match self.0.next_if_eq(&'0') {
            Some(zero) => number.push(zero),
            None => self.digits(&mut number)?,
        }
        if let Some(point) = self.0.next_if_eq(&'.') {
            number.push(point);
            self.digits(&mut number)?;
        }
        if let Some(exponent) = self.0.next_if(|c| "eE".contains(*c)) {
            number.push(exponent);
            number.extend(self.0.next_if(|c| "+-".contains(*c)));
            self.digits(&mut number)?;
        }
        Some(number)
    }

    /// One digit or more.
    fn digits(&mut self, number: &mut String) -> Option<()> {
        number.push(self.0.next_if(char::is_ascii_digit)?);
        while let Some(digit) = self.0.next_if(char::is_ascii_digit) {
            number.push(digit);
        }
        Some(())
    }

    fn word(&mut self) -> Option<Value> {
        let mut word = String::new();
        while let Some(letter) = self.0.next_if(char::is_ascii_lowercase) {
            word.push(letter);
        }
        match word.as_str() {
            "null" => Some(Value::Null),
            "true" | "false" => Some(Value::Other),
            _ => None,
        }
    }
}
