//! Condition mutants: the store's writes with one part of a condition or an update left out.
//!
//! Conditions and updates are text, so the compiler does not notice when a part of one is lost: only a test
//! does. A part is named by the store's operation and the kind of item.
//!
//! ```text
//! begin ADDRESS: IF attribute_not_exists(codesDay#) OR codesDay# < :perDay
//! begin ADDRESS: OR codesDay# < :perDay
//! begin ADDRESS: ADD codesDay# :one
//! ```
//!
//! `IF` is a requirement of the condition, `OR` is one of several ways to meet a requirement, and the rest are
//! clauses of the update. `condition_mutants.txt` lists every part with a test that fails without it. Every test
//! that sends a write checks that the list is complete; [`crate::condition_mutants`] checks that the tests fail.
//!
//! With `REGAIN_CONDITION_MUTANT='charge SESSION: IF codeExpiresAt > :now'` the engine's tests run without that part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use serde_json::{Value, json};

/// The variable that names the part to leave out.
pub(crate) const MUTANT: &str = "REGAIN_CONDITION_MUTANT";
/// The exit code of a run in which the table rejects what is left of a write as invalid.
pub(crate) const INVALID: i32 = 3;

/// Every part of every write, and what detects the mutant without it.
pub(crate) static PARTS: LazyLock<BTreeMap<String, Detected>> =
    LazyLock::new(|| listed(include_str!("../condition_mutants.txt")));

static LEFT_OUT: LazyLock<Option<String>> = LazyLock::new(left_out);

/// Writes whose parts were all found in the list. To compare at each call would take a tenth of the tests' time.
static LISTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

#[expect(
    clippy::disallowed_methods,
    reason = "chooses a mutant, which is no setting of the service"
)]
fn left_out() -> Option<String> {
    let part = std::env::var(MUTANT).ok()?;
    assert!(PARTS.contains_key(&part), "no part is named {part:?}");
    Some(part)
}

/// How a mutant is detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detected {
    /// The test of that name.
    ByTest(&'static str),
    /// No test can, for the reason that is given.
    ByNoTest,
}

/// Reads the list: an item at the margin, under it its parts, and under each part its test.
fn listed(text: &'static str) -> BTreeMap<String, Detected> {
    let mut parts = BTreeMap::new();
    let (mut item, mut part) = ("", "");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match (line.len() - line.trim_start().len(), line.trim()) {
            (_, "") => {}
            (0, name) => item = name,
            (4, name) => part = name,
            (8, who) => {
                let missed = match who.strip_prefix("nobody: ") {
                    Some(_) => Detected::ByNoTest,
                    None => Detected::ByTest(who),
                };
                let twice = parts.insert(format!("{item}: {part}"), missed);
                assert_eq!(twice, None, "{item}: {part} is listed twice");
            }
            _ => panic!("{line:?} is no item, no part and no test"),
        }
    }
    parts
}

/// The store's operations: the name of each there, a kind of item that its call writes besides, and how
/// its first item begins.
const OPERATIONS: [(&str, &str, &str); 33] = [
    ("begin", "", "Put SESSION"),
    ("renew", "", "SESSION SET sessionState = :awaiting"),
    ("charge", "", "SESSION ADD tries"),
    ("charge", "", "ADDRESS ADD triesDay"),
    ("give_back", "", "SESSION DELETE tries"),
    ("give_back", "", "ADDRESS DELETE triesDay"),
    ("prove", "", "SESSION SET sessionState = :validated"),
    ("mark_mailbox", "", "USER SET isEmailValidate"),
    ("remember_network", "", "NETWORK SET expiresAt"),
    (
        "record_password",
        "ADDRESS",
        "SESSION SET sessionState = :used",
    ),
    ("record_password", "", "ADDRESS SET voidSince"),
    ("request_notice", "", "Put MAIL"),
    ("set_password", "MAIL", "SESSION SET sessionState = :used"),
    ("close", "", "SESSION SET sessionState = :used"),
    ("claim", "", "SESSION SET claimedBy"),
    ("give_up_claim", "", "SESSION REMOVE claimedBy"),
    ("claim_mail", "", "MAIL SET leasedUntil"),
    ("close_mail", "", "MAIL SET outcome"),
    ("report", "", "MAIL SET #report"),
    ("release_mail", "", "MAIL REMOVE leasedUntil"),
    ("retry_mail", "", "RETRY SET expiresAt"),
    ("suppress", "", "EMAIL SET suppressed"),
    ("suppress", "", "SUPPRESSED SET suppressed"),
    ("clear_suppression", "", "SUPPRESSED REMOVE suppressed"),
    ("clear_suppression", "", "EMAIL REMOVE suppressed"),
    ("clear_throttle", "", "ADDRESS REMOVE"),
    ("put_user", "", "Put USER"),
    ("put_user", "", "USER SET email"),
    ("delete_user", "", "Delete USER"),
    ("block", "", "USER SET statusBeforeBlock"),
    ("disown", "", "USER SET credentialsVersion"),
    ("unblock", "", "USER SET #status"),
    ("unblock", "", "USER REMOVE #status"),
];

/// Names that end in an hour, a day or another number, which is not part of a part's name.
const COUNTS: [&str; 5] = ["codesHour", "codesDay", "triesDay", "#field", ":field"];

/// The keywords of an update's sections.
const KEYWORDS: [&str; 4] = ["SET", "ADD", "DELETE", "REMOVE"];

const CONDITION: &str = "ConditionExpression";
const UPDATE: &str = "UpdateExpression";

/// The items that a call writes, each with what is done to it.
fn items<'a>(target: &str, sent: &'a mut Value) -> Vec<(String, &'a mut Value)> {
    match target.rsplit('.').next() {
        Some("UpdateItem") => vec![("Update".to_owned(), sent)],
        Some("TransactWriteItems") => sent["TransactItems"]
            .as_array_mut()
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_object_mut()?.iter_mut().next())
            .map(|(action, item)| (action.clone(), item))
            .collect(),
        _ => Vec::new(),
    }
}

/// The kind of an item, with what is done to it unless that is an update.
fn kind(action: &str, item: &Value) -> String {
    let key = if action == "Put" { "Item" } else { "Key" };
    let key = item[key]["pk"]["S"].as_str().unwrap_or_default();
    let kind = key.split('#').next().unwrap_or_default();
    match action {
        "Update" => kind.to_owned(),
        _ => format!("{action} {kind}"),
    }
}

/// The name of the operation that writes these items; `None` if it is not the store's.
fn operation(items: &[(String, &mut Value)]) -> Option<&'static str> {
    let kinds: Vec<String> = items.iter().map(|(done, item)| kind(done, item)).collect();
    let update = items.first()?.1[UPDATE].as_str().unwrap_or_default();
    let first = format!("{} {update}", kinds[0]);
    let found = OPERATIONS.iter().find(|(_, besides, begins)| {
        first.starts_with(begins) && kinds.iter().any(|kind| kind.ends_with(besides))
    });
    let (name, ..) = found.unwrap_or_else(|| panic!("an operation without a name: {first}"));
    Some(name)
}

/// The condition and the update of one item, in parts.
#[derive(Clone, Default)]
struct Expressions {
    /// The requirements of the condition, each as the ways to meet it.
    requirements: Vec<Vec<String>>,
    /// The clauses of the update, each with its keyword.
    clauses: Vec<(String, String)>,
}

impl Expressions {
    fn of(item: &Value) -> Self {
        let condition = item[CONDITION].as_str();
        let update = item[UPDATE].as_str().unwrap_or_default();
        let mut clauses: Vec<(String, String)> = Vec::new();
        let mut keyword = "";
        for word in update.split_whitespace() {
            if KEYWORDS.contains(&word) {
                keyword = word;
                clauses.push((keyword.to_owned(), String::new()));
                continue;
            }
            let (_, clause) = clauses.last_mut().unwrap();
            *clause = format!("{clause} {word}").trim().to_owned();
            if let Some(ended) = clause.strip_suffix(',').map(str::to_owned) {
                *clause = ended;
                clauses.push((keyword.to_owned(), String::new()));
            }
        }
        Self {
            requirements: condition.map(requirements).unwrap_or_default(),
            clauses,
        }
    }

    /// The names of all parts.
    fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        for ways in &self.requirements {
            parts.push(required(ways));
            if ways.len() > 1 {
                parts.extend(ways.iter().map(|way| alternative(way)));
            }
        }
        parts.extend(self.clauses.iter().map(done));
        parts
    }

    /// The expressions without one part.
    fn without(mut self, part: &str) -> Self {
        self.requirements.retain(|ways| required(ways) != part);
        for ways in &mut self.requirements {
            ways.retain(|way| alternative(way) != part);
        }
        self.clauses.retain(|clause| done(clause) != part);
        self
    }

    fn condition(&self) -> Option<String> {
        let all: Vec<String> = self
            .requirements
            .iter()
            .map(|ways| format!("({})", ways.join(" OR ")))
            .collect();
        (!all.is_empty()).then(|| all.join(" AND "))
    }

    fn update(&self) -> Option<String> {
        let mut sections = Vec::new();
        for keyword in KEYWORDS {
            let clauses = self.clauses.iter().filter(|(of, _)| of == keyword);
            let clauses: Vec<&str> = clauses.map(|(_, clause)| clause.as_str()).collect();
            if !clauses.is_empty() {
                sections.push(format!("{keyword} {}", clauses.join(", ")));
            }
        }
        (!sections.is_empty()).then(|| sections.join(" "))
    }
}

fn required(ways: &[String]) -> String {
    undated(&format!("IF {}", ways.join(" OR ")))
}

fn alternative(way: &str) -> String {
    undated(&format!("OR {way}"))
}

fn done((keyword, clause): &(String, String)) -> String {
    undated(&format!("{keyword} {clause}"))
}

/// A text with `#` in place of the hour, the day or the number that a name ends in.
fn undated(text: &str) -> String {
    let mut text = text.to_owned();
    for count in COUNTS {
        let mut pieces = text.split(count);
        let first = pieces.next().unwrap_or_default().to_owned();
        let undated = pieces.map(|piece| {
            let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{count}#{rest}")
        });
        text = first + &undated.collect::<String>();
    }
    text
}

/// The requirements of a condition, each as the ways to meet it.
fn requirements(condition: &str) -> Vec<Vec<String>> {
    let owned = |pieces: Vec<&str>| pieces.into_iter().map(str::to_owned).collect();
    let ways = split(condition, " OR ");
    if ways.len() > 1 {
        return vec![owned(ways)];
    }
    split(condition, " AND ")
        .into_iter()
        .map(|requirement| {
            let inner = requirement.strip_prefix('(');
            let inner = inner.and_then(|inner| inner.strip_suffix(')'));
            owned(inner.map_or(vec![requirement], |inner| split(inner, " OR ")))
        })
        .collect()
}

/// Cuts a text wherever the separator stands outside of parentheses.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let (mut depth, mut from) = (0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && text[at..].starts_with(separator) => {
                pieces.push(text[from..at].trim());
                from = at + separator.len();
            }
            _ => {}
        }
    }
    pieces.push(text[from..].trim());
    pieces
}

/// Writes what is left into an item.
fn rewrite(item: &mut Value, left: &Expressions) {
    let said = item.as_object_mut().unwrap();
    let mut used = String::new();
    for (name, expression) in [(CONDITION, left.condition()), (UPDATE, left.update())] {
        said.remove(name);
        if let Some(expression) = expression {
            used += &expression;
            said.insert(name.to_owned(), json!(expression));
        }
    }
    // The table refuses what an expression does not use.
    let of_a_name = |c: char| c.is_alphanumeric() || "_#:".contains(c);
    let used: Vec<&str> = used.split(|c| !of_a_name(c)).collect();
    for bound in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        if let Some(values) = said.get_mut(bound).and_then(Value::as_object_mut) {
            values.retain(|name, _| used.contains(&name.as_str()));
            if values.is_empty() {
                said.remove(bound);
            }
        }
    }
}

/// Sees that every part of a call is listed, and returns the call without the part to be left out if
/// it has that.
fn leave_out(target: &str, body: &[u8]) -> Option<Value> {
    let mut sent: Value = serde_json::from_slice(body).ok()?;
    let mut items = items(target, &mut sent);
    let operation = operation(&items)?;
    let mut is_left_out = false;
    for (action, item) in &mut items {
        let kind = kind(action, item);
        let written = format!("{operation} {kind} {} {}", item[CONDITION], item[UPDATE]);
        if LEFT_OUT.is_none() && LISTED.lock().unwrap().contains(&written) {
            continue;
        }
        let expressions = Expressions::of(item);
        for part in expressions.parts() {
            let name = format!("{operation} {kind}: {part}");
            assert!(
                PARTS.contains_key(&name),
                "shared/tests/engine/condition_mutants.txt lists no test for {name:?}"
            );
            if LEFT_OUT.as_ref() == Some(&name) {
                rewrite(item, &expressions.clone().without(&part));
                is_left_out = true;
            }
        }
        LISTED.lock().unwrap().insert(written);
    }
    if !is_left_out {
        return None;
    }
    // An update that does nothing is none, in a transaction.
    for item in sent["TransactItems"].as_array_mut().into_iter().flatten() {
        if item["Update"].is_object() && item["Update"][UPDATE].is_null() {
            let check = item["Update"].take();
            *item = json!({ "ConditionCheck": check });
        }
    }
    Some(sent)
}

/// Leaves the part out of the store's calls on their way to the table.
#[derive(Debug)]
pub(crate) struct ConditionMutants;

impl Intercept for ConditionMutants {
    fn name(&self) -> &'static str {
        "ConditionMutants"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        if let Some(left) = leave_out(target, body) {
            let left = left.to_string();
            let length = left.len().to_string();
            request.headers_mut().insert("content-length", length);
            *request.body_mut() = left.into();
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(part), Err(error)) = (LEFT_OUT.as_ref(), context.output_or_error()) {
            let error = format!("{error:?}");
            if error.contains("ValidationException") {
                eprintln!("without {part:?} the table rejects the write: {error}");
                std::process::exit(INVALID);
            }
        }
        Ok(())
    }
}
