//! Delivering mail: a mail request becomes a mail to the address that the user has, or to nobody.
//!
//! Only here is a user looked up before a code is proven, and nobody waits for it: whether there is one
//! shows neither in an answer nor in what is written. Nothing but mail requests is written, the same
//! number of times whatever becomes of them.

pub mod events;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, Template as SesTemplate};
use rand::rngs::StdRng;
use regain_password::Address;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::audit::{About, AuditTrail, Event, Mail, Suppressed, Unanswered, Why};
use crate::code::{Code, CodeInput};
use crate::keys::IndexKeys;
use crate::locale::Locale;
use crate::metrics::{self, Metric};
use crate::payload::Unreadable;
use crate::secrets::{SecretError, Secrets};
use crate::settings::{MailSettings, Settings};
use crate::store::{
    Claim, Claimant, LEASE, MailContent, MailRequest, Outcome, Recipient, Store, StoreError,
    is_mail, mail_session, mail_tag,
};
use crate::timestamp::Timestamp;
use crate::users::unmailable;
use crate::{aws, telemetry};

/// How long a delivery can take: the claim, the index key, the lookup, the user, two versions of the code
/// key, and the outcome, each as long as a call to AWS may be. One that sends takes less: it begins to
/// send before its claim is about to end.
pub const LONGEST: Duration = Duration::from_secs(7 * aws::OPERATION.as_secs());

/// A batch of the table's stream, as far as it matters here. Its records are read one by one, so that
/// one that cannot be read holds no other up.
#[derive(Debug, Default, Deserialize)]
pub struct StreamBatch {
    #[serde(rename = "Records", default)]
    records: Option<Vec<Box<RawValue>>>,
}

#[derive(Debug, Deserialize)]
struct StreamRecord {
    dynamodb: Change,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    keys: BTreeMap<String, KeyValue>,
    sequence_number: String,
}

/// A key's value, of one of the three types that DynamoDB knows for keys.
#[derive(Debug, Deserialize)]
enum KeyValue {
    S(String),
    N(IgnoredAny),
    B(IgnoredAny),
}

/// The change that a record tells of.
struct Written {
    pk: String,
    sequence_number: String,
}

/// Where a record comes from. Only the test events of other services say another source.
#[derive(Debug, Deserialize)]
struct Origin {
    #[serde(rename = "eventSource", alias = "EventSource", default)]
    source: Option<String>,
}

/// What names a record whose change cannot be read.
#[derive(Debug, Deserialize)]
struct NumberedRecord {
    dynamodb: Number,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Number {
    sequence_number: String,
}

/// Reads a record's change; `None` if the record is of another service, or of another table: ours has a
/// text as its key `pk`. Only test events have such records.
fn change(record: &RawValue) -> Result<Option<Written>, Unreadable> {
    let origin: Origin = serde_json::from_str(record.get())?;
    if origin.source.is_some_and(|source| source != "aws:dynamodb") {
        return Ok(None);
    }
    let record: StreamRecord = serde_json::from_str(record.get())?;
    let Change {
        mut keys,
        sequence_number,
    } = record.dynamodb;
    Ok(match keys.remove("pk") {
        Some(KeyValue::S(pk)) => Some(Written {
            pk,
            sequence_number,
        }),
        Some(KeyValue::N(_) | KeyValue::B(_)) | None => None,
    })
}

/// The records of a batch that are to be tried again; the others are done.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResult {
    batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure {
    item_identifier: String,
}

impl BatchResult {
    fn fail(&mut self, sequence_number: String) {
        self.batch_item_failures.push(BatchItemFailure {
            item_identifier: sequence_number,
        });
    }
}

/// Why a mail request is still open and to be tried again.
#[derive(Debug, Error)]
enum Undelivered {
    /// The one reason that no trying again can mend.
    #[error("the key is no mail request's")]
    NoRequest,
    #[error("another delivery has the mail")]
    Leased,
    #[error("the claim was about to end")]
    TooSlow,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the index key is not at hand")]
    NoIndexKey,
    /// Told by its code only: what SES says in words names the recipient.
    #[error("SES did not take the mail: {code}")]
    Ses { code: String, may_be_sent: bool },
    #[error("SES took the mail without a message id")]
    NoMessageId,
}

impl Undelivered {
    /// Whether the mail failed. A delivery that has another's mail before it, or that began too late to
    /// send, has not tried.
    const fn is_failure(&self) -> bool {
        !matches!(self, Self::Leased | Self::TooSlow)
    }

    /// Whether SES may have taken the mail all the same.
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

/// The message tags by which SES's events name the mail request, and whom it is about in the audit trail.
const REQUEST_TAG: &str = "mail-request";
const SUBJECT_TAG: &str = "subject";

/// Delivers the mails that the store was left.
#[derive(Debug)]
pub struct Delivery {
    store: Store,
    secrets: Secrets,
    ses: Client,
    settings: Settings,
    mail: MailSettings,
    audit: AuditTrail,
}

impl Delivery {
    /// Delivery from a store through SES. The client must not retry by itself: a send whose answer was
    /// lost may have been a mail.
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
            store,
            secrets,
            ses,
            settings,
            mail,
            audit,
        }
    }

    /// Delivers the mails of a batch, and tells which are to be tried again. Each mail is judged by
    /// the time at which its turn comes.
    ///
    /// # Errors
    /// When a record cannot be read and not even be named: the whole batch is to be tried again, in
    /// which the mails that went out are done.
    pub async fn deliver_batch(
        &self,
        batch: StreamBatch,
        now: impl Fn() -> Timestamp,
        rng: &mut StdRng,
    ) -> Result<BatchResult, Unreadable> {
        let mut result = BatchResult::default();
        let mut nameless = None;
        for record in batch.records.unwrap_or_default() {
            let Written {
                pk,
                sequence_number,
            } = match change(&record) {
                Ok(Some(change)) => change,
                Ok(None) => continue,
                Err(unreadable) => {
                    metrics::count(Metric::MailsFailed);
                    tracing::error!(error = %unreadable, "a record of the stream cannot be read");
                    match serde_json::from_str::<NumberedRecord>(record.get()) {
                        Ok(record) => result.fail(record.dynamodb.sequence_number),
                        Err(_) => nameless = Some(unreadable),
                    }
                    continue;
                }
            };
            let claimant = Claimant::draw(rng);
            match self.deliver(&pk, &claimant, &now).await {
                Ok(Some(outcome)) => tracing::info!(outcome = outcome.name(), "mail closed"),
                Ok(None) => tracing::info!("mail was closed before"),
                Err(Undelivered::NoRequest) => {
                    tracing::error!("a record names no mail request, nothing was written");
                }
                Err(error) => {
                    if error.is_failure() {
                        metrics::count(Metric::MailsFailed);
                    }
                    tracing::warn!(
                        error = telemetry::causes(&error),
                        "mail failed, will be retried"
                    );
                    result.fail(sequence_number);
                }
            }
        }
        nameless.map_or(Ok(result), Err)
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
            // It may be on its way: the claim runs out before it is tried again.
            Err(error) if error.may_be_sent() => {
                record(Event::Unanswered(Unanswered::Mail));
                Err(error)
            }
            Ok(outcome @ Outcome::Sent(_)) => {
                metrics::count(Metric::CodesMailed);
                let latency = now().since(request.requested_at);
                metrics::record(Metric::MailLatency, latency.as_millis());
                // It has gone out, whether or not that can be written down.
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

    /// Closes a mail request that is none.
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

    /// What names whom a mail is about, and what codes are derived for. A notice goes out without it.
    async fn index_keys(&self) -> Option<Arc<IndexKeys>> {
        let keys = self.secrets.index().await;
        keys.inspect_err(|error| {
            tracing::warn!(error = %telemetry::causes(error), "index key not at hand yet");
        })
        .ok()
    }

    /// Decides what becomes of a mail, and sends it if it is to be sent.
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
        let user = match self
            .store
            .recipient(&request.address, &request.content, at)
            .await?
        {
            Recipient::User(user) => user,
            Recipient::Nobody => return Ok(Outcome::Nobody),
            Recipient::Suppressed => return Ok(Outcome::Suppressed),
        };
        let to = recipient(&user.email, &request.address);
        // No import stores such an address, but another program may have.
        if unmailable(&to).is_some() {
            tracing::error!("SES does not mail to a stored address, the mail is given up");
            return Ok(Outcome::Refused);
        }
        let locale = user.language().unwrap_or(request.locale);
        let code = self.code(request, keys, at).await?;
        let data = self.template_data(request, code.as_ref(), locale, at);
        let template = SesTemplate::builder()
            .template_name(
                request
                    .template
                    .ses_name(&self.mail.template_prefix, locale),
            )
            .template_data(data)
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
            .from_email_address(&self.mail.from)
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
                // Without an answer nobody knows.
                let may_be_sent = error.as_service_error().is_none();
                Err(Undelivered::Ses { code, may_be_sent })
            }
        }
    }

    /// The code to write, if it is a code that is asked for. It is derived for the mailbox that is
    /// really written to: the user was found by this address and has it still.
    async fn code(
        &self,
        request: &MailRequest,
        keys: Option<&IndexKeys>,
        at: Timestamp,
    ) -> Result<Option<Code>, Undelivered> {
        let MailContent::Code {
            generation, nonce, ..
        } = &request.content
        else {
            return Ok(None);
        };
        let input = CodeInput {
            protocol: request.protocol,
            session: &request.session,
            generation: *generation,
            address: &keys
                .ok_or(Undelivered::NoIndexKey)?
                .address(&request.address),
            nonce,
        };
        let codes = self.secrets.code(at).await?;
        Ok(Some(codes.derive(&input, self.settings.code_length)))
    }

    /// The template's variables. SES does not escape what it puts into HTML, so what goes there comes
    /// escaped.
    fn template_data(
        &self,
        request: &MailRequest,
        code: Option<&Code>,
        locale: Locale,
        at: Timestamp,
    ) -> String {
        let name = &self.settings.service_name;
        let name_html = html_escape::encode_safe(name);
        let longest = self.settings.limits.code_ttl;
        let data = match (code, &request.content) {
            (Some(code), MailContent::Code { expires_at, .. }) => json!({
                "code": code.reveal(),
                // Never more than the setting allows, so that it cannot be a number as long as a code.
                "validFor": valid_for(expires_at.since(at).min(longest), locale),
                "serviceName": name,
                "serviceNameHtml": name_html,
            }),
            _ => json!({ "serviceName": name, "serviceNameHtml": name_html }),
        };
        data.to_string()
    }
}

/// What becomes of a mail that an item speaks against which cannot be read: no trying again can help,
/// and it would hold up those behind it.
fn broken(error: &StoreError) -> Outcome {
    tracing::error!(error = %telemetry::causes(error), "a mail cannot be written");
    Outcome::Broken
}

/// The event that the end of a mail request is.
fn event(outcome: &Outcome, request: &MailRequest) -> Event {
    match outcome {
        Outcome::Sent(_) => Event::Mailed(match request.content {
            MailContent::Code { .. } => Mail::Code,
            MailContent::Changed => Mail::Notice,
        }),
        Outcome::Nobody => Event::NotMailed(Why::Nobody),
        Outcome::Suppressed => Event::Suppressed(Suppressed::NotMailed),
        Outcome::Expired => Event::NotMailed(Why::Expired),
        Outcome::Refused => Event::NotMailed(Why::Refused),
        Outcome::Broken => Event::NotMailed(Why::Broken),
    }
}

fn tag(name: &str, value: String) -> Result<MessageTag, StoreError> {
    let tag = MessageTag::builder().name(name).value(value).build();
    tag.map_err(|error| StoreError::Malformed(error.into()))
}

/// How long a code is still good, in words: rounded down to minutes, or in seconds below one minute.
/// The second that has begun counts as a whole one, or a code of ten minutes would always promise nine.
fn valid_for(lifetime: Duration, locale: Locale) -> String {
    let seconds = lifetime.as_millis().div_ceil(1000);
    let (count, unit) = if seconds < 60 {
        (seconds, ["second", "detik"])
    } else {
        (seconds / 60, ["minute", "menit"])
    };
    let [english, indonesian] = unit;
    match locale {
        Locale::En if count == 1 => format!("{count} {english}"),
        Locale::En => format!("{count} {english}s"),
        Locale::Id => format!("{count} {indonesian}"),
    }
}

/// The address as SES takes it: as the user has it, but with an international domain in its ASCII form
/// (RFC 5890).
#[must_use]
pub fn recipient(stored: &str, canonical: &Address) -> String {
    let domain = canonical
        .as_str()
        .rsplit_once('@')
        .map(|(_, domain)| domain);
    let stored = Address::trim(stored);
    match (stored.rsplit_once('@'), domain) {
        (Some((local, typed)), Some(domain)) if !typed.is_ascii() => format!("{local}@{domain}"),
        _ => stored.to_owned(),
    }
}

/// Whether trying again can change nothing: SES objects to the recipient. What ails the account, the
/// sender, the template or the configuration set can be mended meanwhile, and the mail goes out then.
fn is_final(error: &SdkError<SendEmailError>, recipient: &str, sender: &str) -> bool {
    let objection = match error.as_service_error() {
        Some(SendEmailError::BadRequestException(refused)) => refused.message(),
        Some(SendEmailError::MessageRejected(refused)) => refused.message(),
        _ => None,
    };
    objection.is_some_and(|objection| is_to_recipient(objection, recipient, sender))
}

/// How SES words what is wrong with an address. It does not say with which one.
const ADDRESS_FAULTS: [&str; 10] = [
    "address blacklisted",
    "domain contains",
    "domain ends with",
    "domain starts with",
    "illegal address",
    "invalid email address",
    "local address",
    "missing domain",
    "missing final",
    "missing local name",
];

/// Whether an objection of SES's is to the recipient's address, and not to the sender's.
fn is_to_recipient(objection: &str, recipient: &str, sender: &str) -> bool {
    let sender = match sender.rsplit_once('<') {
        Some((_, address)) => address.trim_end_matches(['>', ' ']),
        None => sender.trim(),
    };
    // In the sandbox recipients have to be verified as well. Where not all fit in, "…" ends the list.
    if objection.contains("not verified") {
        let listed = objection.split_once("in region ");
        let listed = listed.and_then(|(_, rest)| rest.split_once(": "));
        return listed.is_some_and(|(_, identities)| {
            let is_recipient = |identity: &str| identity.trim().eq_ignore_ascii_case(recipient);
            identities.split(',').all(is_recipient) && !recipient.eq_ignore_ascii_case(sender)
        });
    }
    let objection = objection.to_ascii_lowercase();
    let is_sound = Address::parse(sender).is_ok() && sender.is_ascii();
    is_sound
        && !objection.contains(&sender.to_ascii_lowercase())
        && ADDRESS_FAULTS.iter().any(|fault| objection.contains(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_objection_to_the_recipient_is_for_good() {
        let not_verified = |identities: &str| {
            format!(
                "Email address is not verified. The following identities failed the check in region \
                 EU-CENTRAL-1: {identities}"
            )
        };
        for (objection, is_final) in [
            (not_verified("ann@example.net"), true),
            (not_verified("Ann@Example.net"), true),
            (not_verified("no-reply@example.com"), false),
            (not_verified("example.com"), false),
            (not_verified("Shop <no-reply@example.com>"), false),
            (not_verified("no-reply@example.com, ann@example.net"), false),
            (not_verified("ann@example.net, no-reply@example.com"), false),
            (not_verified("ann@example.net, ..."), false),
            (not_verified(""), false),
            ("Email address is not verified.".to_owned(), false),
            ("Address blacklisted.".to_owned(), true),
            (
                "Local address contains control or whitespace".to_owned(),
                true,
            ),
            ("Local address ends with dot".to_owned(), true),
            ("Domain contains illegal character".to_owned(), true),
            ("Missing final '@domain'".to_owned(), true),
            ("Illegal address".to_owned(), true),
            ("Invalid email address <ann@example.net>.".to_owned(), true),
            (
                "Invalid email address: no-reply@example.com".to_owned(),
                false,
            ),
            ("Template stack-changed-en does not exist".to_owned(), false),
            (
                "Configuration set stack-mail does not exist".to_owned(),
                false,
            ),
            ("Sending suspended for this account.".to_owned(), false),
            ("Email sending has been paused.".to_owned(), false),
            ("Invalid template data".to_owned(), false),
            ("refused".to_owned(), false),
            (String::new(), false),
        ] {
            for sender in ["no-reply@example.com", "Shop, Inc. <no-reply@example.com>"] {
                let told = is_to_recipient(&objection, "ann@example.net", sender);
                assert_eq!(told, is_final, "{objection:?} from {sender}");
            }
        }
    }

    #[test]
    fn a_sender_at_fault_is_not_taken_for_a_recipient() {
        let objection = "Domain contains illegal character";
        for sender in [
            "no-reply",
            "no-reply@exa mple.com",
            "b\u{fc}ro@example.com",
            "",
        ] {
            assert!(
                !is_to_recipient(objection, "ann@example.net", sender),
                "{sender}"
            );
        }
        let to_oneself = "Email address is not verified. The following identities failed the check in \
                          region US-EAST-1: me@example.com";
        assert!(!is_to_recipient(
            to_oneself,
            "me@example.com",
            "Me <me@example.com>"
        ));
    }

    #[test]
    fn a_lifetime_is_told_in_the_readers_language() {
        for (millis, english, indonesian) in [
            (600_000, "10 minutes", "10 menit"),
            (599_400, "10 minutes", "10 menit"),
            (3_600_000, "60 minutes", "60 menit"),
            (3_599_000, "59 minutes", "59 menit"),
            (598_000, "9 minutes", "9 menit"),
            (179_000, "2 minutes", "2 menit"),
            (120_000, "2 minutes", "2 menit"),
            (119_000, "1 minute", "1 menit"),
            (91_000, "1 minute", "1 menit"),
            (89_000, "1 minute", "1 menit"),
            (60_000, "1 minute", "1 menit"),
            (59_000, "59 seconds", "59 detik"),
            (1_001, "2 seconds", "2 detik"),
            (1_000, "1 second", "1 detik"),
        ] {
            assert_eq!(
                valid_for(Duration::from_millis(millis), Locale::En),
                english
            );
            assert_eq!(
                valid_for(Duration::from_millis(millis), Locale::Id),
                indonesian
            );
        }
    }
}
