use std::collections::{BTreeMap, BTreeSet};

use super::*;

const PAGE: &str = include_str!("../../../docs/audit.md");

fn keys() -> IndexKeys {
    IndexKeys::new(b"a secret of sixty-four letters and digits")
}

/// Every event. A new one does not compile until it is listed here.
fn all() -> Vec<Event> {
    let means = [Means::Session, Means::Token, Means::Code, Means::Link];
    let mut all = Vec::new();
    for first in [
        Event::Requested(Asked::NewSession),
        Event::Throttled(Whom::Address),
        Event::Mailed(Mail::Code),
        Event::NotMailed(Why::Nobody),
        Event::Suppressed(Suppressed::NotMailed),
        Event::WrongGuess(FailedGuess::Wrong),
        Event::Exhausted(Budget::Session),
        Event::Proven(Means::Session),
        Event::Blocked(Means::Session),
        Event::PasswordSet(Means::Session),
        Event::NotMe(NotMe::Blocked),
        Event::Unanswered(Unanswered::Guess),
    ] {
        match first {
            Event::Requested(_) => all.extend(
                [Asked::NewSession, Asked::AnotherCode, Asked::Repeated].map(Event::Requested),
            ),
            Event::Throttled(_) => {
                all.extend([Whom::Address, Whom::Caller, Whom::Both].map(Event::Throttled));
            }
            Event::Mailed(_) => all.extend([Mail::Code, Mail::Notice].map(Event::Mailed)),
            Event::NotMailed(_) => all.extend(
                [Why::Nobody, Why::Expired, Why::Refused, Why::Broken].map(Event::NotMailed),
            ),
            Event::Suppressed(_) => all.extend(
                [
                    Suppressed::NotMailed,
                    Suppressed::Bounced,
                    Suppressed::Complained,
                ]
                .map(Event::Suppressed),
            ),
            Event::WrongGuess(_) => {
                all.extend(
                    [
                        FailedGuess::Wrong,
                        FailedGuess::Nobody,
                        FailedGuess::Overtaken,
                        FailedGuess::Void,
                    ]
                    .map(Event::WrongGuess),
                );
            }
            Event::Exhausted(_) => {
                all.extend([Budget::Session, Budget::Day].map(Event::Exhausted));
            }
            Event::Proven(_) => all.extend(means.map(Event::Proven)),
            Event::Blocked(_) => all.extend(means.map(Event::Blocked)),
            Event::PasswordSet(_) => all.extend(means.map(Event::PasswordSet)),
            Event::NotMe(_) => {
                all.extend([NotMe::Blocked, NotMe::Repeated].map(Event::NotMe));
            }
            Event::Unanswered(_) => all.extend(
                [
                    Unanswered::Request,
                    Unanswered::Guess,
                    Unanswered::Proof,
                    Unanswered::Password,
                    Unanswered::Mail,
                    Unanswered::Block,
                ]
                .map(Event::Unanswered),
            ),
        }
    }
    all
}

/// The cells of the table on the page that has this first column.
fn table(first: &str) -> Vec<Vec<&'static str>> {
    let start = format!("| {first}");
    let rows = PAGE.lines().skip_while(|line| !line.starts_with(&start));
    rows.skip(2)
        .map_while(|line| line.strip_prefix("| "))
        .map(|line| line.split(" | ").collect())
        .collect()
}

/// The words in backticks.
fn named(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// The record of an event, with every field.
fn whole(event: Event) -> String {
    let lines = std::sync::Arc::new(Mutex::new(Vec::new()));
    let trail = AuditTrail::new(Shared(lines.clone()));
    let caller = Caller {
        network: IpAddr::from([192, 0, 2, 7]),
        device: Some("ann@example.com's phone".to_owned()),
        request: "8f507cfd-2f5b-4f5b-9a41-3d1f8a0b7c11".to_owned(),
    };
    let keys = keys();
    let address = Address::parse("ann@example.com").unwrap();
    let session = SessionRef::from_hex(&"ab".repeat(32));
    let about = About::call(Protocol::AuthV1, Some(&address), session, &caller, &keys);
    trail.record(event, &about, Timestamp::from_millis(1_773_144_002_000));
    let lines = lines.lock().unwrap().clone();
    String::from_utf8(lines).unwrap()
}

struct Shared(std::sync::Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The names of a record's fields, in order.
fn fields(line: &str) -> Vec<String> {
    let fields = line.strip_prefix("{\"").unwrap().split(",\"");
    let names: Vec<_> = fields
        .map(|field| field.split('"').next().unwrap().to_owned())
        .collect();
    let record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
    assert_eq!(names.len(), record.len(), "{line}");
    names
}

#[test]
fn a_record_is_one_line_of_digests() {
    assert_eq!(
        whole(Event::Proven(Means::Token)),
        "{\"audit\":1,\"level\":\"INFO\",\"timestamp\":\"2026-03-10T12:00:02.000Z\",\
         \"event\":\"proven\",\"outcome\":\"token\",\"protocol\":\"auth-v1\",\
         \"subject\":\"ecb14817216a348efe26b41a56b74c26\",\
         \"session\":\"abababababababababababababababababababababababababababababababab\",\
         \"caller\":\"26c75b014920bb1df82c06db76c2aa02\",\"device\":\"41001c4064741bd044779d3e36b0d6e5\",\
         \"request\":\"8f507cfd-2f5b-4f5b-9a41-3d1f8a0b7c11\"}\n"
    );
}

#[test]
fn a_record_leaves_out_what_is_not_known() {
    let lines = std::sync::Arc::new(Mutex::new(Vec::new()));
    let trail = AuditTrail::new(Shared(lines.clone()));
    let at = Timestamp::from_millis(1_773_144_002_000);
    trail.record(Event::NotMailed(Why::Broken), &About::default(), at);
    let lines = lines.lock().unwrap().clone();
    assert_eq!(
        String::from_utf8(lines).unwrap(),
        "{\"audit\":1,\"level\":\"INFO\",\"timestamp\":\"2026-03-10T12:00:02.000Z\",\
         \"event\":\"not-mailed\",\"outcome\":\"broken\"}\n"
    );
}

#[test]
fn the_page_tells_every_event_with_every_outcome() {
    let mut told = BTreeMap::new();
    for row in table("event |") {
        let [event, outcomes, meaning] = row.as_slice() else {
            panic!("{row:?}");
        };
        assert!(meaning.len() > 10, "{row:?}");
        let event = named(event).next().unwrap();
        told.insert(event, named(outcomes).collect::<BTreeSet<_>>());
    }
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in all() {
        let event = serde_json::to_value(event).unwrap();
        let word = |name: &str| event[name].as_str().unwrap().to_owned();
        known
            .entry(word("event"))
            .or_default()
            .insert(word("outcome"));
    }
    assert_eq!(told, known);
}

#[test]
fn the_page_tells_every_field_and_shows_them_in_its_example() {
    let told = table("field |").into_iter().flat_map(|row| named(row[0]));
    let told: Vec<String> = told.collect();
    let record = whole(Event::Proven(Means::Token));
    let record = forward::attested(record.trim_end(), "/aws/lambda/regain").unwrap();
    assert_eq!(
        BTreeSet::from_iter(told),
        BTreeSet::from_iter(fields(&record))
    );
    let example = PAGE.lines().find(|line| line.starts_with("{\"audit\""));
    assert_eq!(fields(example.unwrap()), fields(&record));
}

#[test]
fn an_address_has_another_digest_here_than_in_the_table() {
    let address = Address::parse("ann@example.com").unwrap();
    let keys = keys();
    assert_ne!(
        keys.subject(&address).hex(),
        keys.address(&address).hex()[..32]
    );
    let network = IpAddr::from([192, 0, 2, 7]);
    assert_ne!(
        keys.audited_caller(network).hex(),
        keys.caller(network).hex()[..32]
    );
}

#[test]
fn one_text_has_another_digest_as_a_device_than_as_an_address() {
    let keys = keys();
    let device = keys.audited_device("ann@example.com");
    let address = Address::parse("ann@example.com").unwrap();
    assert_ne!(device, keys.subject(&address));
}

#[test]
fn a_digest_comes_back_from_its_text_and_from_no_other() {
    let digest = keys().audited_device("phone");
    assert_eq!(AuditKey::from_hex(&digest.hex()), Some(digest));
    for text in [
        "",
        "ab",
        "zz",
        &digest.hex()[1..],
        &digest.hex().to_uppercase(),
    ] {
        assert_eq!(AuditKey::from_hex(text), None, "{text}");
    }
}
