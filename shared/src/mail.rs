//! Delivers mail: reads each mail request, and sends the mail if somebody has the address.
//!
//! Only here is a user looked up before a code is proven. No caller waits for it, so it shows in no answer
//! whether there is a user. Only mail requests are written, the same number of times for each outcome.

pub mod events;
mod message;
mod pace;
mod rejection;
mod sender;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::ProvideErrorMetadata as _;
use aws_sdk_sesv2::types::{Destination, EmailContent, Template as SesTemplate};
use futures_util::future::join_all;
use rand::rngs::StdRng;
use serde_json::value::RawValue;
use thiserror::Error;
use tokio::time::{Instant, sleep_until};

use crate::audit::{About, AuditTrail, Event, Mail, Suppressed, Unanswered, Why};
use crate::keys::IndexKeys;
use crate::metrics::{self, Metric};
use crate::payload::Unreadable;
use crate::secrets::{SecretError, Secrets};
use crate::settings::{MailSettings, Settings};
use crate::store::{
    Claim, Claimant, LEASE, MailContent, MailRequest, Mailbox, Outcome, Recipient, Store,
    StoreError, is_mail, mail_session, mail_tag, retried_mail,
};
use crate::stream::{self, BatchResult, StreamBatch, Written, written};
use crate::timestamp::Timestamp;
use crate::user_store::{UserStore, UserStoreError};
use crate::users::unmailable;
use crate::{aws, telemetry};

use message::{automatic, tag};
use rejection::is_final;

pub use message::recipient;

/// The longest that a delivery can take: calls for the claim, the index key, the lookup, the user, two
/// versions of the code key, the release of the claim, and the retry. A delivery that sends takes less, because it starts to send
/// well before its claim ends.
pub const LONGEST: Duration = Duration::from_secs(8 * aws::OPERATION.as_secs());

/// Why a mail was not delivered, and is to be tried again.
#[derive(Debug, Error)]
enum Undelivered {
    /// The only reason that is not tried again.
    #[error("the key is not that of a mail request")]
    NoRequest,
    #[error("another delivery has the mail")]
    Leased,
    #[error("the claim was about to end")]
    TooSlow,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    UserStore(UserStoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the index key could not be fetched")]
    NoIndexKey,
    /// Only the error code is kept, because SES's message names the recipient.
    #[error("SES did not accept the mail: {code}")]
    Ses { code: String, may_be_sent: bool },
    #[error("SES accepted the mail without a message id")]
    NoMessageId,
}

impl From<UserStoreError> for Undelivered {
    fn from(error: UserStoreError) -> Self {
        match error {
            UserStoreError::Table(error) => Self::Store(error),
            error => Self::UserStore(error),
        }
    }
}

impl Undelivered {
    /// Whether this was an attempt that failed. A delivery that finds the mail claimed, or that is too late to
    /// send it, has made no attempt.
    const fn is_failure(&self) -> bool {
        !matches!(self, Self::Leased | Self::TooSlow)
    }

    /// Whether SES may have accepted the mail nevertheless.
    const fn may_be_sent(&self) -> bool {
        matches!(
            self,
            Self::NoMessageId
                | Self::Ses {
                    may_be_sent: true,
                    ..
                }
        )
    }
}

/// The result for a record.
enum RecordResult {
    /// Nothing is left to do, or the mail has a record of its own for the next attempt.
    Done,
    /// Deliver the record with this sequence number again.
    Failed(String),
    /// Deliver the record again. It has no sequence number.
    Unnamed(Unreadable),
}

/// The message tags. By them, SES's events name the mail request and its subject in the audit trail.
const REQUEST_TAG: &str = "mail-request";
const SUBJECT_TAG: &str = "subject";

/// Delivers the mails that were requested.
#[derive(Debug)]
pub struct Delivery {
    store: Store,
    users: UserStore,
    secrets: Secrets,
    ses: Client,
    settings: Settings,
    mail: MailSettings,
    audit: AuditTrail,
}

impl Delivery {
    /// Delivery from a store through SES. The client must not retry, because a send whose answer was lost may
    /// have succeeded.
    #[must_use]
    pub fn new(
        store: Store,
        secrets: Secrets,
        ses: Client,
        settings: Settings,
        mail: MailSettings,
        audit: AuditTrail,
    ) -> Self {
        Self {
            users: UserStore::Table(store.clone()),
            store,
            secrets,
            ses,
            settings,
            mail,
            audit,
        }
    }

    /// The same delivery to users who live elsewhere.
    #[must_use]
    pub fn with_users(self, users: UserStore) -> Self {
        Self { users, ..self }
    }

    /// Delivers the mails of a batch, and returns which records are to be tried again. `now` is read anew for
    /// each mail.
    ///
    /// The records start at fixed offsets and are worked at the same time, and the batch takes a time that
    /// depends on their number only. So the mails behind a mail leave at the same time whether it was sent or
    /// nobody has its address.
    ///
    /// # Errors
    /// When not even the sequence number of a record can be read. Then the whole batch is to be tried again,
    /// which sends no mail twice.
    pub async fn deliver_batch(
        &self,
        batch: StreamBatch,
        now: impl Fn() -> Timestamp,
        rng: &mut StdRng,
    ) -> Result<BatchResult, Unreadable> {
        let records = batch.records.unwrap_or_default();
        // The pace is that of the machine, whatever time the rules are given.
        let begun = Instant::now();
        let deliveries = records.iter().enumerate().map(|(place, record)| {
            let claimant = Claimant::draw(rng);
            let start = begun + pace::offset(place, self.mail.batch);
            let now = &now;
            async move {
                sleep_until(start).await;
                self.deliver_record(record, &claimant, now).await
            }
        });
        let ended = join_all(deliveries).await;
        sleep_until(begun + pace::length(records.len(), self.mail.batch)).await;
        let mut result = BatchResult::default();
        for ended in ended {
            match ended {
                RecordResult::Done => {}
                RecordResult::Failed(sequence_number) => result.fail(sequence_number),
                RecordResult::Unnamed(unreadable) => return Err(unreadable),
            }
        }
        Ok(result)
    }

    /// Delivers the mail that a record of the stream is about.
    async fn deliver_record(
        &self,
        record: &RawValue,
        claimant: &Claimant,
        now: &impl Fn() -> Timestamp,
    ) -> RecordResult {
        let Written {
            pk,
            sequence_number,
        } = match written(record) {
            Ok(Some(written)) => written,
            Ok(None) => return RecordResult::Done,
            Err(unreadable) => {
                metrics::count(Metric::MailsFailed);
                tracing::error!(error = %unreadable, "stream record cannot be read");
                return match stream::sequence_number(record) {
                    Some(sequence_number) => RecordResult::Failed(sequence_number),
                    None => RecordResult::Unnamed(unreadable),
                };
            }
        };
        let retried = retried_mail(&pk);
        let key = retried.unwrap_or(&pk);
        match self.deliver(key, claimant, now).await {
            Ok(Some(outcome)) => tracing::info!(outcome = outcome.name(), "mail closed"),
            Ok(None) => tracing::info!("mail was already closed"),
            Err(Undelivered::NoRequest) => {
                tracing::error!("stream record names no mail request, skipped");
            }
            Err(error) => {
                if error.is_failure() {
                    metrics::count(Metric::MailsFailed);
                }
                tracing::warn!(
                    error = telemetry::causes(&error),
                    "mail failed, will be retried"
                );
                // Lambda delivers nothing behind a record that failed until that is done. So a mail that failed
                // gets a record of its own, which another event source mapping delivers.
                if retried.is_some() || self.retry_later(key, claimant, now()).await.is_err() {
                    return RecordResult::Failed(sequence_number);
                }
            }
        }
        RecordResult::Done
    }

    /// Has a mail that failed delivered again, apart from all others.
    async fn retry_later(
        &self,
        key: &str,
        claimant: &Claimant,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let written = self.store.retry_mail(key, claimant, at).await;
        written.inspect_err(|error| {
            tracing::warn!(
                error = telemetry::causes(error),
                "writing a retry failed, the batch will be retried"
            );
        })
    }

    /// Delivers one mail, unless it has its outcome already.
    async fn deliver(
        &self,
        key: &str,
        claimant: &Claimant,
        now: &impl Fn() -> Timestamp,
    ) -> Result<Option<Outcome>, Undelivered> {
        if !is_mail(key) {
            return Err(Undelivered::NoRequest);
        }
        let at = now();
        let request = match self.store.claim_mail(key, claimant, at).await {
            Ok(Claim::Claimed(request)) => request,
            Ok(Claim::Closed) => return Ok(None),
            Ok(Claim::Leased) => return Err(Undelivered::Leased),
            Ok(Claim::NoRequest) => return Err(Undelivered::NoRequest),
            Err(error @ StoreError::Malformed(_)) => return self.give_up(key, error, at).await,
            Err(error) => return Err(error.into()),
        };
        let keys = self.index_keys().await;
        let subject = keys.as_ref().map(|keys| keys.subject(&request.address));
        let about = About {
            protocol: Some(request.protocol),
            subject,
            session: Some(request.session),
            caller: None,
        };
        let record = |event| self.audit.record(event, &about, now());
        let sent = match self.send(key, &request, keys.as_deref(), at, now).await {
            Err(Undelivered::Store(error @ StoreError::Malformed(_))) => Ok(broken(&error)),
            sent => sent,
        };
        match sent {
            // It may have been sent, so it is tried again only after the claim has ended.
            Err(error) if error.may_be_sent() => {
                record(Event::Unanswered(Unanswered::Mail));
                Err(error)
            }
            Ok(outcome @ Outcome::Sent(_)) => {
                metrics::count(Metric::CodesMailed);
                let latency = now().since(request.requested_at);
                metrics::record(Metric::MailLatency, latency.as_millis());
                // Recorded first: the mail is sent, whether or not its outcome can be stored.
                record(event(&outcome, &request));
                self.store.close_mail(key, &outcome).await?;
                Ok(Some(outcome))
            }
            Ok(outcome) => {
                if matches!(outcome, Outcome::Refused | Outcome::Broken) {
                    metrics::count(Metric::MailsFailed);
                }
                self.store.close_mail(key, &outcome).await?;
                record(event(&outcome, &request));
                Ok(Some(outcome))
            }
            Err(error) => {
                self.store.release_mail(key, claimant, at).await?;
                Err(error)
            }
        }
    }

    /// Closes a mail request that cannot be read.
    async fn give_up(
        &self,
        key: &str,
        error: StoreError,
        at: Timestamp,
    ) -> Result<Option<Outcome>, Undelivered> {
        let outcome = broken(&error);
        metrics::count(Metric::MailsFailed);
        self.store.close_mail(key, &outcome).await?;
        let about = About {
            session: mail_session(key),
            ..About::default()
        };
        self.audit.record(Event::NotMailed(Why::Broken), &about, at);
        Ok(Some(outcome))
    }

    /// The index keys, if they can be fetched. A notice is sent without them.
    async fn index_keys(&self) -> Option<Arc<IndexKeys>> {
        let keys = self.secrets.index().await;
        keys.inspect_err(|error| {
            tracing::warn!(error = %telemetry::causes(error), "fetching the index key failed");
        })
        .ok()
    }

    /// Decides the outcome of a mail, and sends it if it is to be sent.
    async fn send(
        &self,
        key: &str,
        request: &MailRequest,
        keys: Option<&IndexKeys>,
        at: Timestamp,
        now: &impl Fn() -> Timestamp,
    ) -> Result<Outcome, Undelivered> {
        if let MailContent::Code { expires_at, .. } = request.content
            && at >= expires_at
        {
            return Ok(Outcome::Expired);
        }
        let user = match self.recipient(request, keys, at).await? {
            Recipient::User(user) => user,
            Recipient::Nobody => return Ok(Outcome::Nobody),
            Recipient::Suppressed => return Ok(Outcome::Suppressed),
        };
        let to = recipient(&user.email, &request.address);
        // The import stores no such address, but another program may have.
        if unmailable(&to).is_some() {
            tracing::error!("SES cannot mail to the stored address, mail given up");
            return Ok(Outcome::Refused);
        }
        let locale = user.language().unwrap_or(request.locale);
        let secret = self.secret(request, keys, at).await?;
        let data = self.template_data(request, secret.as_ref(), keys, locale, at);
        let template = SesTemplate::builder()
            .template_name(
                request
                    .template
                    .ses_name(&self.mail.template_prefix, locale),
            )
            .template_data(data)
            .headers(automatic()?)
            .build();
        let mut tags = vec![tag(REQUEST_TAG, mail_tag(key))?];
        if let Some(keys) = keys {
            let subject = keys.subject(&request.address);
            tags.push(tag(SUBJECT_TAG, subject.hex())?);
        }
        if now() >= at.plus(LEASE).minus(aws::OPERATION) {
            return Err(Undelivered::TooSlow);
        }
        let sent = self
            .ses
            .send_email()
            .from_email_address(sender::mailbox(
                self.mail.from_name.as_deref(),
                &self.mail.from,
            ))
            .set_reply_to_addresses(self.mail.reply_to.clone().map(|it| vec![it]))
            .destination(Destination::builder().to_addresses(&to).build())
            .set_configuration_set_name(self.mail.configuration_set.clone())
            .set_email_tags(Some(tags))
            .content(EmailContent::builder().template(template).build())
            .send()
            .await;
        match sent {
            Ok(sent) => match sent.message_id {
                Some(id) if !id.is_empty() => Ok(Outcome::Sent(id)),
                _ => Err(Undelivered::NoMessageId),
            },
            Err(error) => {
                let code = error.code().unwrap_or("no answer").to_owned();
                if is_final(&error, &to, &self.mail.from) {
                    tracing::error!(code, "SES refused a mail for good");
                    return Ok(Outcome::Refused);
                }
                // Without an answer, it is not known.
                let may_be_sent = error.as_service_error().is_none();
                Err(Undelivered::Ses { code, may_be_sent })
            }
        }
    }

    /// The recipient of a mail.
    async fn recipient(
        &self,
        request: &MailRequest,
        keys: Option<&IndexKeys>,
        at: Timestamp,
    ) -> Result<Recipient, Undelivered> {
        let (address, content) = (&request.address, &request.content);
        let function = match &self.users {
            UserStore::Table(store) => return Ok(store.recipient(address, content, at).await?),
            UserStore::Function(function) => function,
        };
        let key = keys.ok_or(Undelivered::NoIndexKey)?.address(address);
        let (suppressed, user) = tokio::join!(
            self.store.suppressed(Mailbox::Elsewhere(&key)),
            function.find_by_address(address)
        );
        Ok(match user? {
            None => Recipient::Nobody,
            Some(_) if suppressed?.is_some_and(|it| it.stops(content, at)) => Recipient::Suppressed,
            Some(user) => Recipient::User(user.into()),
        })
    }
}

/// The outcome of a mail if one of its items cannot be read. It is not tried again, because that cannot help
/// and would hold up the retries behind it.
fn broken(error: &StoreError) -> Outcome {
    tracing::error!(error = %telemetry::causes(error), "mail given up, an item cannot be read");
    Outcome::Broken
}

/// The audit event for the outcome of a mail request.
fn event(outcome: &Outcome, request: &MailRequest) -> Event {
    match outcome {
        Outcome::Sent(_) => Event::Mailed(match request.content {
            MailContent::Code { .. } => Mail::Code,
            MailContent::Changed(_) => Mail::Notice,
        }),
        Outcome::Nobody => Event::NotMailed(Why::Nobody),
        Outcome::Suppressed => Event::Suppressed(Suppressed::NotMailed),
        Outcome::Expired => Event::NotMailed(Why::Expired),
        Outcome::Refused => Event::NotMailed(Why::Refused),
        Outcome::Broken => Event::NotMailed(Why::Broken),
    }
}
