//! Publishes an event on EventBridge for each password that was set.
//!
//! The event is made from the mail request of the notice, which is written in the transaction that sets the
//! password. So no change is without an event. It is published at least once, and is the same each time.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_types::DateTime;
use aws_smithy_types::error::ErrorMetadata;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::audit::Means;
use crate::aws::operation::{Api, Payload, operation};
use crate::ids::UserId;
use crate::payload::Unreadable;
use crate::store::{MailContent, MailRequest, PasswordChange, Store, StoreError, is_notice};
use crate::stream::{self, BatchResult, StreamBatch, Written, written};
use crate::{aws, telemetry};

/// The source of the events.
pub const SOURCE: &str = "regain";
/// The detail type of the events.
pub const DETAIL_TYPE: &str = "Password Changed";
/// The detail type of a test event.
const TEST_DETAIL_TYPE: &str = "Test";
/// The version of an event's detail.
const VERSION: u8 = 1;
/// The most events of one call of `PutEvents`.
const MOST_EVENTS: usize = 10;

/// The longest that a batch of `MOST_EVENTS` can take: its mail requests are read at the same time, and then published.
pub const LONGEST: Duration = Duration::from_secs(2 * aws::OPERATION.as_secs());

/// An operator's request for a test event, which shows whether the bus accepts events: `{"testEvent": true}`.
#[derive(Debug, Deserialize)]
pub struct TestEvent {
    /// Whether to publish one.
    #[serde(rename = "testEvent")]
    pub wanted: bool,
}

/// The reason why an event was not published. The event of a changed password is published again.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The notice of the change could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Only the error code is kept.
    #[error("EventBridge did not take the event: {0}")]
    Refused(String),
}

/// The detail of an event: what `docs/events.md` documents.
#[derive(Serialize)]
struct Detail<'a> {
    version: u8,
    user: &'a UserId,
    #[serde(rename = "credentialsVersion")]
    credentials_version: String,
    at: String,
    means: Means,
    protocol: &'static str,
    subject_id: SubjectId<'a>,
    events: Events,
}

/// Who it is about, as a subject identifier (RFC 9493).
#[derive(Serialize)]
struct SubjectId<'a> {
    format: &'static str,
    id: &'a UserId,
}

/// What happened, as the claim `events` of a security event token (RFC 8417) has it.
#[derive(Serialize)]
struct Events {
    #[serde(rename = "https://schemas.openid.net/secevent/caep/event-type/credential-change")]
    credential_change: CredentialChange,
}

/// A credential change (OpenID CAEP 1.0, 3.3).
#[derive(Serialize)]
struct CredentialChange {
    credential_type: &'static str,
    change_type: &'static str,
    initiating_entity: &'static str,
    /// Seconds since the Unix epoch.
    event_timestamp: i64,
}

/// An event as `PutEvents` takes it.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    source: &'static str,
    detail_type: &'static str,
    /// An object, as JSON.
    detail: String,
    event_bus_name: String,
    /// When it happened, in seconds with a fraction. Without it, EventBridge takes the time of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<f64>,
}

/// The answer to `PutEvents`, as far as it is read. It has one entry for each event, in order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    entries: Vec<EntryAnswer>,
}

/// An event that EventBridge took has an id, any other one an error code.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EntryAnswer {
    event_id: Option<String>,
    error_code: Option<String>,
}

/// The event for a mail request, on a bus. `None` if no password was set, or if the version before this one wrote the
/// request, which did not store how.
fn event(request: &MailRequest, bus: &str) -> Result<Option<Entry>, StoreError> {
    let MailContent::Changed(Some(change)) = &request.content else {
        return Ok(None);
    };
    let PasswordChange {
        user,
        credentials_version,
        means,
    } = change;
    let at = request.requested_at;
    let detail = Detail {
        version: VERSION,
        user,
        credentials_version: credentials_version.to_string(),
        at: at.rfc3339(),
        means: *means,
        protocol: request.protocol.name(),
        subject_id: SubjectId {
            format: "opaque",
            id: user,
        },
        events: Events {
            credential_change: CredentialChange {
                credential_type: "password",
                change_type: "update",
                initiating_entity: "user",
                event_timestamp: at.millis().div_euclid(1000),
            },
        },
    };
    let detail = serde_json::to_string(&detail).map_err(|it| StoreError::Malformed(it.into()))?;
    Ok(Some(Entry {
        source: SOURCE,
        detail_type: DETAIL_TYPE,
        detail,
        event_bus_name: bus.to_owned(),
        time: Some(DateTime::from_millis(at.millis()).as_secs_f64()),
    }))
}

/// The event for a record of the stream.
struct Pending {
    sequence_number: String,
    event: Entry,
}

/// The result of reading a record.
enum Read {
    /// There is no event for it.
    Nothing,
    Pending(Pending),
    /// Deliver the record with this sequence number again.
    Failed(String),
    /// Deliver the record again. It has no sequence number.
    Unnamed(Unreadable),
}

/// Tells of the passwords that were set.
#[derive(Debug)]
pub struct Announcer {
    store: Store,
    put: Operation<Payload, Answer, ErrorMetadata>,
    bus: Option<String>,
}

impl Announcer {
    /// Tells a bus of the changes in a store, or nobody if there is no bus.
    #[must_use]
    pub fn new(store: Store, config: &SdkConfig, bus: Option<String>) -> Self {
        let api = Api {
            service: "EventBridge",
            signing_name: "events",
            operation: "PutEvents",
            path: "/".to_owned(),
            headers: &[
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", "AWSEvents.PutEvents"),
            ],
        };
        let put = operation(config, api, |response| {
            let body = response.body().bytes().unwrap_or_default();
            Ok(serde_json::from_slice(body)?)
        });
        Self { store, put, bus }
    }

    /// Publishes the events of a batch of the stream, and returns which records to try again.
    ///
    /// # Errors
    /// When not even the sequence number of a record can be read. Then the whole batch is to be tried again.
    pub async fn announce_batch(&self, batch: StreamBatch) -> Result<BatchResult, Unreadable> {
        let mut result = BatchResult::default();
        let Some(bus) = &self.bus else {
            return Ok(result);
        };
        let records = batch.records.unwrap_or_default();
        let mut pending = Vec::with_capacity(records.len());
        for read in join_all(records.iter().map(|record| self.read(record, bus))).await {
            match read {
                Read::Nothing => {}
                Read::Pending(event) => pending.push(event),
                Read::Failed(sequence_number) => result.fail(sequence_number),
                Read::Unnamed(unreadable) => return Err(unreadable),
            }
        }
        for pending in pending.chunks(MOST_EVENTS) {
            let events: Vec<_> = pending.iter().map(|it| it.event.clone()).collect();
            let published = self.publish(&events).await;
            for (
                Pending {
                    sequence_number, ..
                },
                published,
            ) in pending.iter().zip(published)
            {
                match published {
                    Ok(()) => tracing::info!("password change announced"),
                    Err(error) => {
                        failed(&error);
                        result.fail(sequence_number.clone());
                    }
                }
            }
        }
        Ok(result)
    }

    /// Publishes a test event, if there is a bus. It has a detail type of its own, so nobody takes it for a changed
    /// password.
    ///
    /// # Errors
    /// When EventBridge does not accept the event.
    pub async fn announce_test(&self) -> Result<(), PublishError> {
        let Some(bus) = &self.bus else {
            return Ok(());
        };
        let event = Entry {
            source: SOURCE,
            detail_type: TEST_DETAIL_TYPE,
            detail: format!(r#"{{"version":{VERSION}}}"#),
            event_bus_name: bus.clone(),
            time: None,
        };
        self.publish(&[event]).await.into_iter().collect()
    }

    /// Reads what a record of the stream is about.
    async fn read(&self, record: &RawValue, bus: &str) -> Read {
        let Written {
            pk,
            sequence_number,
        } = match written(record) {
            // The filter also passes the records by which notices are retried.
            Ok(Some(written)) if is_notice(&written.pk) => written,
            Ok(_) => return Read::Nothing,
            Err(unreadable) => {
                tracing::error!(error = %unreadable, "stream record cannot be read");
                return match stream::sequence_number(record) {
                    Some(sequence_number) => Read::Failed(sequence_number),
                    None => Read::Unnamed(unreadable),
                };
            }
        };
        let event = match self.store.mail_request(&pk).await {
            Ok(Some(request)) => event(&request, bus),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match event {
            Ok(Some(event)) => Read::Pending(Pending {
                sequence_number,
                event,
            }),
            Ok(None) => {
                tracing::warn!("a notice is gone or says nothing of the change, not announced");
                Read::Nothing
            }
            Err(error) => {
                failed(&error.into());
                Read::Failed(sequence_number)
            }
        }
    }

    /// Puts events on the bus, and returns the result for each. EventBridge may accept only some of them.
    async fn publish(&self, events: &[Entry]) -> Vec<Result<(), PublishError>> {
        let asked = json!({ "Entries": events }).to_string();
        let payload = Payload(Zeroizing::new(asked.into_bytes()));
        let refused = |code: Option<&str>, otherwise: &str| {
            let code = code.unwrap_or(otherwise).to_owned();
            Err(PublishError::Refused(code))
        };
        match Box::pin(self.put.invoke(payload)).await {
            Ok(Answer { entries }) => {
                let published = |place: usize| match entries.get(place) {
                    Some(answer) if answer.event_id.is_some() => Ok(()),
                    answer => {
                        let code = answer.and_then(|answer| answer.error_code.as_deref());
                        refused(code, "no id")
                    }
                };
                (0..events.len()).map(published).collect()
            }
            Err(error) => {
                let code = error.as_service_error().and_then(ErrorMetadata::code);
                events.iter().map(|_| refused(code, "no answer")).collect()
            }
        }
    }
}

fn failed(error: &PublishError) {
    tracing::warn!(
        error = telemetry::causes(error),
        "announcing a password change failed, will be retried"
    );
}

#[cfg(test)]
mod tests {
    use regain_password::Address;
    use serde_json::Value;

    use super::*;
    use crate::api::Protocol;
    use crate::ids::SessionRef;
    use crate::locale::Locale;
    use crate::template::Template;
    use crate::timestamp::Timestamp;

    fn notice(change: Option<PasswordChange>) -> MailRequest {
        MailRequest {
            session: SessionRef::from_hex(&"0f".repeat(32)).unwrap(),
            protocol: Protocol::AuthV1,
            address: Address::parse("ann@example.com").unwrap(),
            content: MailContent::Changed(change),
            template: Template::PasswordChanged,
            locale: Locale::En,
            requested_at: Timestamp::from_millis(1_672_986_341_227),
        }
    }

    #[test]
    fn the_documented_event_is_the_one_that_is_published() {
        let page = include_str!("../../docs/events.md");
        let (_, example) = page.split_once("```json\n").unwrap();
        let (example, _) = example.split_once("```").unwrap();
        let example: Value = serde_json::from_str(example).unwrap();
        let change = PasswordChange {
            user: UserId::sent("60115a65c0c6974f894f9ea6"),
            credentials_version: 7.into(),
            means: Means::Code,
        };
        let request = MailRequest {
            requested_at: Timestamp::from_millis(1_767_268_800_227),
            ..notice(Some(change))
        };
        let event = event(&request, "default").unwrap().unwrap();
        let detail: Value = serde_json::from_str(&event.detail).unwrap();
        assert_eq!(detail, example["detail"]);
        assert_eq!(event.source, example["source"]);
        assert_eq!(event.detail_type, example["detail-type"]);
    }

    #[test]
    fn an_event_has_the_documented_detail_and_nothing_else() {
        let change = PasswordChange {
            user: UserId::sent("60115a65c0c6974f894f9ea6"),
            credentials_version: 7.into(),
            means: Means::Link,
        };
        let event = event(&notice(Some(change)), "default").unwrap().unwrap();
        let detail: Value = serde_json::from_str(&event.detail).unwrap();
        let type_of_event = "https://schemas.openid.net/secevent/caep/event-type/credential-change";
        assert_eq!(
            detail,
            json!({
                "version": 1,
                "user": "60115a65c0c6974f894f9ea6",
                "credentialsVersion": "7",
                "at": "2023-01-06T06:25:41.227Z",
                "means": "link",
                "protocol": "auth-v1",
                "subject_id": {"format": "opaque", "id": "60115a65c0c6974f894f9ea6"},
                "events": {type_of_event: {
                    "credential_type": "password",
                    "change_type": "update",
                    "initiating_entity": "user",
                    "event_timestamp": 1_672_986_341,
                }},
            })
        );
        assert_eq!(
            serde_json::to_value(&event).unwrap(),
            json!({
                "Source": "regain",
                "DetailType": "Password Changed",
                "Detail": event.detail,
                "EventBusName": "default",
                "Time": 1_672_986_341.227,
            })
        );
    }

    #[test]
    fn a_notice_of_the_version_before_is_not_published() {
        assert!(event(&notice(None), "default").unwrap().is_none());
    }
}
