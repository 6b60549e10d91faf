//! Publishes an event on EventBridge for each password that was set.
//!
//! The event is made from the mail request of the notice, which is written in the transaction that sets the
//! password. So no change is without an event. It is published at least once, and is the same each time.

use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::ProvideErrorMetadata as _;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::audit::Means;
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

/// The event for a mail request, on a bus. `None` if no password was set, or if the version before this one wrote the
/// request, which did not store how.
fn event(request: &MailRequest, bus: &str) -> Result<Option<PutEventsRequestEntry>, StoreError> {
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
    let event = PutEventsRequestEntry::builder()
        .source(SOURCE)
        .detail_type(DETAIL_TYPE)
        .detail(detail)
        .event_bus_name(bus)
        .time(DateTime::from_millis(at.millis()))
        .build();
    Ok(Some(event))
}

/// The event for a record of the stream.
struct Pending {
    sequence_number: String,
    event: PutEventsRequestEntry,
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
    events: Client,
    bus: Option<String>,
}

impl Announcer {
    /// Tells a bus of the changes in a store, or nobody if there is no bus.
    #[must_use]
    pub fn new(store: Store, events: Client, bus: Option<String>) -> Self {
        Self { store, events, bus }
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
            let events = pending.iter().map(|it| it.event.clone()).collect();
            let published = self.publish(events).await;
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
        let event = PutEventsRequestEntry::builder()
            .source(SOURCE)
            .detail_type(TEST_DETAIL_TYPE)
            .detail(format!(r#"{{"version":{VERSION}}}"#))
            .event_bus_name(bus)
            .build();
        self.publish(vec![event]).await.into_iter().collect()
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
    async fn publish(&self, events: Vec<PutEventsRequestEntry>) -> Vec<Result<(), PublishError>> {
        let count = events.len();
        let put = self.events.put_events().set_entries(Some(events));
        match Box::pin(put.send()).await {
            Ok(answer) => {
                let answers = answer.entries.unwrap_or_default();
                let published = |place: usize| match answers.get(place) {
                    Some(answer) if answer.event_id.is_some() => Ok(()),
                    answer => {
                        let code = answer.and_then(|answer| answer.error_code.clone());
                        Err(PublishError::Refused(
                            code.unwrap_or_else(|| "no id".to_owned()),
                        ))
                    }
                };
                (0..count).map(published).collect()
            }
            Err(error) => {
                let code = error.code().unwrap_or("no answer");
                let refused = |_| Err(PublishError::Refused(code.to_owned()));
                (0..count).map(refused).collect()
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
    use serde_json::{Value, json};

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
        let detail: Value = serde_json::from_str(event.detail.as_deref().unwrap()).unwrap();
        assert_eq!(detail, example["detail"]);
        assert_eq!(event.source.as_deref(), example["source"].as_str());
        assert_eq!(
            event.detail_type.as_deref(),
            example["detail-type"].as_str()
        );
    }

    #[test]
    fn an_event_has_the_documented_detail_and_nothing_else() {
        let change = PasswordChange {
            user: UserId::sent("60115a65c0c6974f894f9ea6"),
            credentials_version: 7.into(),
            means: Means::Link,
        };
        let event = event(&notice(Some(change)), "default").unwrap().unwrap();
        let detail: Value = serde_json::from_str(event.detail.as_deref().unwrap()).unwrap();
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
        assert_eq!(event.source.as_deref(), Some("regain"));
        assert_eq!(event.detail_type.as_deref(), Some("Password Changed"));
        assert_eq!(event.event_bus_name.as_deref(), Some("default"));
        assert_eq!(event.time, Some(DateTime::from_millis(1_672_986_341_227)));
    }

    #[test]
    fn a_notice_of_the_version_before_is_not_published() {
        assert!(event(&notice(None), "default").unwrap().is_none());
    }
}
