//! Any bytes as an event that functions are invoked with: from API Gateway, the table's stream, SES or CloudWatch
//! Logs.

#![no_main]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a finding is a panic"
)]

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use libfuzzer_sys::{Corpus, fuzz_target};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use regain::api::Protocol;
use regain::audit::AuditTrail;
use regain::audit::forward::{self, LogEvent};
use regain::code::CodeLength;
use regain::mail::events::MailEvent;
use regain::protocol::{Call, Malformed, auth_v1, directory};
use regain::recovery::RecoveryError;
use regain::settings::DirectorySession;
use regain::stream::StreamBatch;
use regain::timestamp::Timestamp;
use regain_fuzz::call::{answered, block_on};
use regain_fuzz::envelope::Answer;
use regain_fuzz::table::EmptyTable;
use serde_json::Value;

const NOON: Timestamp = Timestamp::from_millis(1_773_144_000_000);

fuzz_target!(|event: &[u8]| -> Corpus {
    let read = [
        check_call(event),
        check_stream(event),
        check_ses(event),
        check_logs(event),
    ];
    if read.contains(&true) {
        Corpus::Keep
    } else {
        Corpus::Reject
    }
});

/// How an endpoint reads its call, before it asks the engine.
type Reader = fn(&Call) -> Result<(), Malformed>;

/// Every endpoint answers every event of API Gateway.
fn check_call(event: &[u8]) -> bool {
    const SIX: CodeLength = CodeLength::new(6).unwrap();
    let readers: [(Protocol, Reader); 7] = [
        (Protocol::Directory, |call| {
            directory::resend(call).map(drop)
        }),
        (Protocol::Directory, |call| {
            directory::set_password(call, SIX, DirectorySession::Latest).map(drop)
        }),
        (Protocol::AuthV1, |call| {
            auth_v1::forgot_password(call).map(drop)
        }),
        (Protocol::AuthV1, |call| {
            auth_v1::verify_otp(call, SIX).map(drop)
        }),
        (Protocol::AuthV1, |call| auth_v1::resend_otp(call).map(drop)),
        (Protocol::AuthV1, |call| {
            auth_v1::set_password(call).map(drop)
        }),
        (Protocol::AuthV1, |call| auth_v1::not_me(call).map(drop)),
    ];
    let Ok(event) = serde_json::from_slice::<ApiGatewayV2httpRequest>(event) else {
        return false;
    };
    let source = event.request_context.http.source_ip.as_deref();
    let source = source.and_then(|ip| ip.parse().ok());
    let source = source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    for (protocol, reader) in readers {
        let mut caller = None;
        let response = answered(
            protocol,
            async |call| {
                caller = Some(call.context.caller.network);
                reader(&call)?;
                Err(RecoveryError::NoSession.into())
            },
            event.clone(),
        );
        assert_eq!(caller, Some(source));
        Answer::of(response).check_refusal(protocol);
    }
    true
}

/// deliver-mail asks the table once for each mail request of a batch, in order. A record whose mail request is gone
/// is done, and one that cannot be read is tried again.
fn check_stream(event: &[u8]) -> bool {
    let Ok(batch) = serde_json::from_slice::<StreamBatch>(event) else {
        return false;
    };
    let table = EmptyTable::default();
    let mut rng = StdRng::seed_from_u64(7);
    let delivered = block_on(table.delivery().deliver_batch(batch, || NOON, &mut rng));
    let asked = asked(&table);
    // The parts that the batch's reader skips may hold invalid escapes.
    if let Ok(sent) = serde_json::from_slice::<Value>(event) {
        let records = sent["Records"].as_array().map_or(&[][..], Vec::as_slice);
        let mut keys = records
            .iter()
            .filter_map(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str());
        // The key of a retry ends with that of its mail request.
        let is_sent = |asked: &Value| {
            let asked = asked["Key"]["pk"]["S"].as_str().unwrap();
            keys.any(|key| key == asked || key.ends_with(&format!("#{asked}")))
        };
        assert!(asked.iter().all(is_sent));
        let failed = serde_json::to_value(delivered.unwrap_or_default()).unwrap();
        let failed = failed["batchItemFailures"].as_array().unwrap().len();
        assert!(failed + asked.len() <= records.len());
    }
    true
}

/// mail-events changes only items that exist, and writes no text that could be an address.
fn check_ses(event: &[u8]) -> bool {
    let Ok(event) = serde_json::from_slice::<MailEvent>(event) else {
        return false;
    };
    let table = EmptyTable::default();
    let lines = Lines::default();
    let events = table.mail_events(AuditTrail::new(lines.clone()));
    block_on(events.handle(event, NOON)).unwrap();
    let lines = lines.0.lock().unwrap().clone();
    for record in lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let record: Value = serde_json::from_slice(record).unwrap();
        assert_eq!(record["event"], "suppressed");
        assert!(!record.to_string().contains('@'), "{record}");
    }
    for asked in asked(&table) {
        let key = asked["Key"]["pk"]["S"].as_str().unwrap();
        assert!(
            key.starts_with("EMAIL#") || key.starts_with("MAIL#"),
            "{key}"
        );
        let written = asked["ExpressionAttributeValues"].to_string();
        assert!(!written.contains('@'), "{written}");
    }
    true
}

/// audit-trail writes whole lines, or fails and writes nothing, so that the event is delivered again.
fn check_logs(event: &[u8]) -> bool {
    let Ok(event) = serde_json::from_slice::<LogEvent>(event) else {
        return false;
    };
    let mut lines = Vec::new();
    if forward::keep(&event, None, &mut lines).is_err() {
        assert!(lines.is_empty());
    }
    assert!(lines.last().is_none_or(|last| *last == b'\n'));
    true
}

/// A writer that keeps what is written to it.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The requests that the table got. None of them may create an item.
fn asked(table: &EmptyTable) -> Vec<Value> {
    let asked = table.asked();
    for asked in &asked {
        let condition = asked["ConditionExpression"].as_str().unwrap();
        let is_of_an_item = [
            "attribute_exists(pk) AND ",
            "attribute_exists(requestedAt) AND ",
        ]
        .iter()
        .any(|part| condition.starts_with(part));
        assert!(is_of_an_item, "{condition}");
    }
    asked
}
