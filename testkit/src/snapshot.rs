//! An answer as its snapshot shows it: everything except random values and times.

use std::fmt::Write as _;

use data_encoding::BASE64URL_NOPAD;
use local::mail::store::Mail;
use serde_json::Value as Json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// The answer to an event, and the mails and events that were sent meanwhile.
pub fn text(event: &str, answer: &Json, mails: &[Mail], events: &[Json]) -> String {
    let mut text = if let Some(status) = answer.get("statusCode") {
        http(event, status, answer)
    } else {
        let mut answer = answer.clone();
        redact(event, &mut answer);
        pretty(&answer)
    };
    // Mails of one batch are under way at the same time, and may arrive in any order.
    let mut mails: Vec<_> = mails.iter().collect();
    mails.sort_by_key(|mail| (&mail.to, &mail.template));
    for Mail {
        to,
        from,
        subject,
        template,
        text: words,
        ..
    } in mails
    {
        let words = without_validity(words);
        write!(
            text,
            "\n\nTo: {to}\nFrom: {from}\nSubject: {subject}\nTemplate: {template}\n\n{words}"
        )
        .unwrap();
    }
    for event in events {
        write!(text, "\n\nEvent: {}", pretty(event)).unwrap();
    }
    text
}

fn http(event: &str, status: &Json, answer: &Json) -> String {
    let mut text = format!("HTTP {status}\n");
    let fields = answer.as_object().unwrap().iter();
    for (name, value) in
        fields.filter(|(name, _)| !["statusCode", "headers", "body"].contains(&name.as_str()))
    {
        writeln!(text, "({name}: {value})").unwrap();
    }
    for (name, value) in answer.get("headers").and_then(Json::as_object).unwrap() {
        let value = value.as_str().unwrap();
        let value = match name.as_str() {
            "retry-after" if value.parse::<u32>().is_ok() => "[seconds]".to_owned(),
            _ => redacted(event, value),
        };
        writeln!(text, "{name}: {value}").unwrap();
    }
    let body = answer.get("body").and_then(Json::as_str).unwrap();
    if answer["headers"]["content-type"] != "application/json" {
        return text + "\n" + body;
    }
    let mut body = serde_json::from_str(body).unwrap();
    redact(event, &mut body);
    text + "\n" + &pretty(&body)
}

/// JSON as snapshots show it.
pub fn pretty(value: &Json) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// Gives a name to ids, tokens and times in an answer, unless the event had them.
pub fn redact(event: &str, value: &mut Json) {
    match value {
        Json::String(text) => *text = redacted(event, text),
        Json::Array(values) => values.iter_mut().for_each(|it| redact(event, it)),
        Json::Object(fields) => fields.values_mut().for_each(|it| redact(event, it)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// A name for ids, tokens and times, unless the event had them: then that they come back is what
/// the snapshot shows.
fn redacted(event: &str, text: &str) -> String {
    if text.is_empty() || event.contains(text) {
        return text.to_owned();
    }
    let is_token = || {
        BASE64URL_NOPAD
            .decode(text.as_bytes())
            .is_ok_and(|token| token.len() == 48)
    };
    if Uuid::try_parse(text).is_ok_and(|id| id.to_string() == text) {
        "[uuid]".to_owned()
    } else if OffsetDateTime::parse(text, &Rfc3339).is_ok() {
        "[time]".to_owned()
    } else if is_token() {
        "[token]".to_owned()
    } else {
        text.to_owned()
    }
}

/// The text of a mail without how many minutes are left until the seeded code ends.
fn without_validity(text: &str) -> String {
    let following = text.split(' ').skip(1).chain([""]);
    let words = text.split(' ').zip(following).map(|(word, next)| {
        let counts = matches!(next, "minutes" | "menit") && word.parse::<u64>().is_ok();
        if counts { "[count]" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}
