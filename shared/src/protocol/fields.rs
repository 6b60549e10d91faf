//! The fields of a JSON body, each taken once by the one who reads it.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Malformed;
use crate::address::Address;
use crate::code::{Code, CodeLength};
use crate::recovery::CodeGuess;

/// The fields of a body that is a JSON object. `null` counts as absent, unknown fields are ignored.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn read(body: &[u8]) -> Result<Self, Malformed> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(Malformed::field("body")),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Malformed> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Malformed::field(name)),
        }
    }

    pub(super) fn required(&mut self, name: &'static str) -> Result<String, Malformed> {
        self.text(name)?.ok_or(Malformed::field(name))
    }

    /// A text of at most so many characters.
    pub(super) fn short(
        &mut self,
        name: &'static str,
        max: usize,
    ) -> Result<Option<String>, Malformed> {
        let text = self.text(name)?;
        if text.as_ref().is_some_and(|text| text.chars().count() > max) {
            return Err(Malformed::field(name));
        }
        Ok(text)
    }

    pub(super) fn address(&mut self, name: &'static str) -> Result<Address, Malformed> {
        Address::parse(&self.required(name)?).map_err(|_| Malformed::field(name))
    }

    /// A code, as text or as a number that lost its leading zeros. A number that is no integer is at
    /// fault; any text, and any integer, is a guess.
    pub(super) fn code(
        &mut self,
        name: &'static str,
        length: CodeLength,
    ) -> Result<Option<CodeGuess>, Malformed> {
        let code = match self.take(name) {
            None => return Ok(None),
            Some(Value::String(text)) => Code::parse(&Zeroizing::new(text), length),
            Some(Value::Number(number)) => {
                let number = Zeroizing::new(number.to_string());
                Code::from_number(&number, length).map_err(|_| Malformed::field(name))?
            }
            Some(_) => return Err(Malformed::field(name)),
        };
        Ok(Some(code.map_or(CodeGuess::Malformed, CodeGuess::Code)))
    }

    pub(super) fn password(&mut self) -> Result<Option<Zeroizing<String>>, Malformed> {
        Ok(self.text("password")?.map(Zeroizing::new))
    }
}
