//! Requests for codes: sessions begin and get new codes, throttled by address and by caller.

use std::net::IpAddr;
use std::time::Duration;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};

use super::items::{self, AWAITING, SessionOrigin, VALIDATED};
use super::{
    ConditionFailures, KEPT_DAYS, Store, StoreError, Transacted, keys, n, put, s, stale, updated,
};
use crate::ids::SessionRef;
use crate::keys::{AddressKey, IndexKeys, LatestKey};
use crate::locale::Locale;
use crate::session::{
    AddressState, Awaiting, Decision, IDEMPOTENCY_WINDOW, Session, SessionInfo, Validated,
};
use crate::settings::{Limits, Share};
use crate::timestamp::Timestamp;

/// How long a caller's count is kept after its last write.
const CALLER_TTL: Duration = Duration::from_hours(2);
/// For how many past hours a write removes the counts: as long as an address's state may be idle.
const KEPT_HOURS: i64 = 48;

/// The circumstances of a request for a code.
#[derive(Clone, Copy, Debug)]
pub struct CodeRequest<'a> {
    /// The keys that name the items of the address and the caller.
    pub keys: &'a IndexKeys,
    /// The caller's network address.
    pub caller: IpAddr,
    /// The language of the mail, if the user has set none.
    pub locale: Locale,
    /// The limits.
    pub limits: &'a Limits,
    /// How much of the address's limits the caller may use.
    pub share: Share,
}

/// The result of beginning a session.
#[derive(Debug)]
pub enum Begun {
    /// It began, and its code will be mailed.
    Started,
    /// A session has this id already, from an earlier request with the same `Idempotency-Key`. Nothing was
    /// written.
    Taken(Box<Session>),
    /// It was throttled. Nothing was written.
    Throttled(LimitsReached),
}

/// Whose limits of codes were reached, and when they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// When the last of the address's limits that were reached ends.
    pub address: Option<Timestamp>,
    /// When the caller's limit ends, if it was reached.
    pub caller: Option<Timestamp>,
}

impl Throttled {
    /// When the last of them ends.
    #[must_use]
    pub fn until(self) -> Option<Timestamp> {
        self.address.max(self.caller)
    }
}

/// The limits that a throttled request for a code reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitsReached {
    /// The limits that were reached, under the share that was asked for.
    pub limits: Throttled,
    /// Those that a network would have reached that may use the whole.
    pub whole: Throttled,
}

/// The result of requesting another code.
#[derive(Debug)]
pub enum Renewed {
    /// The code will be mailed.
    Done,
    /// It was throttled. Nothing was written.
    Throttled(LimitsReached),
    /// The session has changed since it was read, and nothing was written. Has it as it stands, if it is
    /// still there.
    Changed(Option<Box<Session>>),
}

impl Store {
    /// Begins a session, counts its code, and requests the mail. `latest` leads to the session from now on, in
    /// place of the one that was the newest before.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn begin(
        &self,
        session: &Awaiting,
        origin: &SessionOrigin,
        request: &CodeRequest<'_>,
        latest: Option<&LatestKey>,
    ) -> Result<Begun, StoreError> {
        let info = &session.info;
        let at = info.started_at;
        // A random id is never taken. An id made from an Idempotency-Key may be. Its session is replaced once
        // the key has expired, but never after it was proven, even if it awaits another code since.
        let put_session = Put::builder()
            .table_name(&self.table)
            .set_item(Some(items::new_session(session, origin)?))
            .condition_expression(
                "(attribute_not_exists(pk) OR startedAt <= :windowStart) AND \
                 (attribute_not_exists(pk) OR sessionState = :awaiting) AND \
                 attribute_not_exists(proven)",
            )
            .expression_attribute_values(":windowStart", n(at.minus(IDEMPOTENCY_WINDOW).millis()))
            .expression_attribute_values(":awaiting", s(AWAITING))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut transaction = vec![
            put(put_session)?,
            updated(self.count_code(info, request, at))?,
        ];
        transaction.extend(self.count_caller(request, at)?);
        transaction.push(self.put_new(items::code_mail(session, request.locale, at)?)?);
        if let Some(key) = latest {
            let latest = items::latest(key, info)?;
            let latest = Put::builder()
                .table_name(&self.table)
                .set_item(Some(latest));
            transaction.push(put(latest)?);
        }
        match self.transact(transaction).await? {
            Transacted::Applied => Ok(Begun::Started),
            Transacted::Refused(refused) => {
                if let Some(item) = refused.found(0) {
                    return Ok(Begun::Taken(Box::new(items::session(item.clone())?)));
                }
                match throttled(&refused, request, at)? {
                    Some(throttled) => Ok(Begun::Throttled(throttled)),
                    None => Err(StoreError::malformed(
                        "a session was refused without a reason",
                    )),
                }
            }
        }
    }

    /// Gives a session, which was read as `read`, its next code, and requests the mail.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn renew(
        &self,
        read: &Session,
        renewed: &Awaiting,
        request: &CodeRequest<'_>,
        ends_claim: bool,
        at: Timestamp,
    ) -> Result<Renewed, StoreError> {
        let info = &renewed.info;
        let (state, generation) = match read {
            Session::Awaiting(Awaiting { generation, .. }) => (AWAITING, generation),
            Session::Validated(Validated { generation, .. }) => (VALIDATED, generation),
            Session::Used(_) => return Ok(Renewed::Changed(Some(Box::new(read.clone())))),
        };
        let claim = if ends_claim {
            ", claimedBy, claimedUntil"
        } else {
            ""
        };
        let session = self
            .update(keys::session(&info.reference))
            .update_expression(format!(
                "SET sessionState = :awaiting, generation = :next, nonce = :nonce, askedAt = :now, \
                 codeExpiresAt = :codeExpiresAt \
                 REMOVE subject, credentialsVersion, proofExpiresAt, provenBy, tokenDigest{claim}"
            ))
            .condition_expression(
                "sessionState = :state AND generation = :generation AND \
                 sessionExpiresAt > :now AND (attribute_not_exists(tries) OR size(tries) < :limit)",
            )
            .expression_attribute_values(":awaiting", s(AWAITING))
            .expression_attribute_values(":next", n(renewed.generation.number))
            .expression_attribute_values(":nonce", s(renewed.generation.nonce.hex()))
            .expression_attribute_values(
                ":codeExpiresAt",
                n(renewed.generation.expires_at.millis()),
            )
            .expression_attribute_values(":state", s(state))
            .expression_attribute_values(":generation", n(generation.number))
            .expression_attribute_values(":now", n(at.millis()))
            .expression_attribute_values(":limit", n(request.limits.session_guesses));
        let mut transaction = vec![
            updated(session)?,
            updated(self.count_code(info, request, at))?,
        ];
        transaction.extend(self.count_caller(request, at)?);
        transaction.push(self.put_new(items::code_mail(renewed, request.locale, at)?)?);
        match self.transact(transaction).await? {
            Transacted::Applied => Ok(Renewed::Done),
            Transacted::Refused(refused) => {
                if refused.failed(0) {
                    let found = refused.found(0).cloned().map(items::session);
                    return Ok(Renewed::Changed(found.transpose()?.map(Box::new)));
                }
                match throttled(&refused, request, at)? {
                    Some(throttled) => Ok(Renewed::Throttled(throttled)),
                    None => Err(StoreError::malformed("a code was refused without a reason")),
                }
            }
        }
    }

    /// The session of that key.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn session(&self, reference: &SessionRef) -> Result<Option<Session>, StoreError> {
        self.get_item(keys::session(reference))
            .await?
            .map(items::session)
            .transpose()
    }

    /// The newest session that was answered with a user id, if the table has it.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn latest_session(&self, key: &LatestKey) -> Result<Option<SessionRef>, StoreError> {
        let item = self.get_item(keys::latest(key)).await?;
        item.map(items::latest_session).transpose()
    }

    /// What is counted for an address.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn address_state(
        &self,
        key: &AddressKey,
        at: Timestamp,
    ) -> Result<AddressState, StoreError> {
        items::address_state(self.get_item(keys::address(key)).await?.as_ref(), at)
    }

    /// Counts a code for an address, if none of its limits is reached.
    fn count_code(
        &self,
        info: &SessionInfo,
        request: &CodeRequest<'_>,
        at: Timestamp,
    ) -> UpdateBuilder {
        let limits = request.limits;
        let (hour, day) = (
            items::codes_in_hour(at.hour()),
            items::codes_in_day(at.day()),
        );
        let mut conditions = Vec::new();
        let mut update = self
            .address_update(&request.keys.address(&info.address), at)
            .expression_attribute_values(":now", n(at.millis()))
            .expression_attribute_values(":one", n(1));
        if !limits.cooldown.is_zero() {
            conditions
                .push("(attribute_not_exists(lastCodeAt) OR lastCodeAt <= :cooled)".to_owned());
            update = update
                .expression_attribute_values(":cooled", n(at.minus(limits.cooldown).millis()));
        }
        for (limit, count, value) in [
            (limits.codes_an_hour(request.share), &hour, ":perHour"),
            (limits.codes_a_day(request.share), &day, ":perDay"),
        ] {
            if let Some(limit) = limit {
                conditions.push(format!(
                    "(attribute_not_exists({count}) OR {count} < {value})"
                ));
                update = update.expression_attribute_values(value, n(limit));
            }
        }
        let stale_hours = stale(at.hour(), KEPT_HOURS, items::codes_in_hour);
        let stale_days = stale(at.day(), KEPT_DAYS, items::codes_in_day);
        update
            .update_expression(format!(
                "SET lastCodeAt = :now, expiresAt = :expiresAt \
                 ADD {hour} :one, {day} :one REMOVE {stale_hours}, {stale_days}"
            ))
            .set_condition_expression((!conditions.is_empty()).then(|| conditions.join(" AND ")))
    }

    /// Counts a code for a caller, if the caller's limit is not reached. Without a limit nothing is counted.
    fn count_caller(
        &self,
        request: &CodeRequest<'_>,
        at: Timestamp,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(limit) = request.limits.caller_per_hour else {
            return Ok(None);
        };
        let caller = self
            .update(keys::caller(&request.keys.caller(request.caller), at))
            .update_expression("SET expiresAt = :expiresAt ADD requests :one")
            .condition_expression("attribute_not_exists(requests) OR requests < :limit")
            .expression_attribute_values(":expiresAt", n(at.plus(CALLER_TTL).ttl_seconds()))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":limit", n(limit));
        updated(caller).map(Some)
    }
}

/// Whose limits refused a transaction with the address at index 1 and the caller at index 2, if any did.
fn throttled(
    refused: &ConditionFailures,
    request: &CodeRequest<'_>,
    at: Timestamp,
) -> Result<Option<LimitsReached>, StoreError> {
    let state = refused
        .failed(1)
        .then(|| items::address_state(refused.found(1), at))
        .transpose()?;
    let caller = request.limits.caller_per_hour;
    let caller = caller.filter(|_| refused.failed(2)).map(|_| at.next_hour());
    let under = |share| Throttled {
        address: state.as_ref().and_then(|state| {
            match state.permit_code(request.limits, share, at) {
                Decision::Throttled { until } => Some(until),
                Decision::Permitted => None,
            }
        }),
        caller,
    };
    let limits = under(request.share);
    Ok(limits.until().map(|_| LimitsReached {
        limits,
        whole: under(Share::Whole),
    }))
}
