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
use crate::keys::{AddressKey, IndexKeys};
use crate::locale::Locale;
use crate::session::{
    AddressState, Awaiting, Decision, IDEMPOTENCY_WINDOW, Session, SessionInfo, Validated,
};
use crate::settings::Limits;
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
    Throttled {
        /// When the last of the limits that were reached ends.
        until: Timestamp,
        /// Whose limits were reached.
        whom: Throttled,
    },
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

/// The result of requesting another code.
#[derive(Debug)]
pub enum Renewed {
    /// The code will be mailed.
    Done,
    /// It was throttled. Nothing was written.
    Throttled {
        /// When the last of the limits that were reached ends.
        until: Timestamp,
        /// Whose limits were reached.
        whom: Throttled,
    },
    /// The session or its address has changed since it was read. Nothing was written.
    Changed(Observed),
}

/// What a refused transaction observed: the items whose conditions failed.
#[derive(Debug, Default)]
pub struct Observed {
    session: Option<Box<Session>>,
    address: Option<Box<AddressState>>,
}

impl Observed {
    /// Reads the session at index 0 and its address at index 1.
    pub(super) fn read(refused: &ConditionFailures, at: Timestamp) -> Result<Self, StoreError> {
        let session = refused.found(0).cloned().map(items::session).transpose()?;
        let address = refused
            .failed(1)
            .then(|| items::address_state(refused.found(1), at))
            .transpose()?;
        Ok(Self {
            session: session.map(Box::new),
            address: address.map(Box::new),
        })
    }

    /// The session as observed, or as it was `read` if its condition held.
    #[must_use]
    pub fn session(&self, read: Session) -> Session {
        self.session.as_deref().cloned().unwrap_or(read)
    }

    /// The address as observed, or a state that permits everything to `session` if its condition held.
    #[must_use]
    pub fn address(&self, session: &SessionRef) -> AddressState {
        let permitting = || AddressState {
            current: Some(*session),
            ..AddressState::default()
        };
        self.address.as_deref().cloned().unwrap_or_else(permitting)
    }
}

impl Store {
    /// Begins a session, makes it the current one of its address, counts its code, and requests the mail.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn begin(
        &self,
        session: &Awaiting,
        origin: &SessionOrigin,
        request: &CodeRequest<'_>,
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
            updated(self.count_code(info, request, at, Current::Becomes))?,
        ];
        transaction.extend(self.count_caller(request, at)?);
        transaction.push(self.put_new(items::code_mail(session, request.locale, at)?)?);
        match self.transact(transaction).await? {
            Transacted::Applied => Ok(Begun::Started),
            Transacted::Refused(refused) => {
                if let Some(item) = refused.found(0) {
                    return Ok(Begun::Taken(Box::new(items::session(item.clone())?)));
                }
                let whom = throttled(&refused, request.limits, at)?;
                let until = whom.until().ok_or_else(|| {
                    StoreError::malformed("a session was refused without a reason")
                })?;
                Ok(Begun::Throttled { until, whom })
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
        at: Timestamp,
    ) -> Result<Renewed, StoreError> {
        let info = &renewed.info;
        let (state, generation) = match read {
            Session::Awaiting(Awaiting { generation, .. }) => (AWAITING, generation),
            Session::Validated(Validated { generation, .. }) => (VALIDATED, generation),
            Session::Used(_) => return Ok(Renewed::Changed(Observed::default())),
        };
        let session = self
            .update(keys::session(&info.reference))
            .update_expression(
                "SET sessionState = :awaiting, generation = :next, nonce = :nonce, \
                 codeExpiresAt = :codeExpiresAt \
                 REMOVE subject, credentialsVersion, proofExpiresAt, tokenDigest, claimedBy, \
                 claimedUntil",
            )
            .condition_expression(
                "sessionState = :state AND generation = :generation AND \
                 sessionExpiresAt > :now AND guesses < :limit",
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
            updated(self.count_code(info, request, at, Current::Stays))?,
        ];
        transaction.extend(self.count_caller(request, at)?);
        transaction.push(self.put_new(items::code_mail(renewed, request.locale, at)?)?);
        match self.transact(transaction).await? {
            Transacted::Applied => Ok(Renewed::Done),
            Transacted::Refused(refused) => {
                let found = Observed::read(&refused, at)?;
                let is_as_read = found.session.is_none()
                    && found.address(&info.reference).current == Some(info.reference);
                let whom = throttled(&refused, request.limits, at)?;
                match whom.until() {
                    Some(until) if is_as_read => Ok(Renewed::Throttled { until, whom }),
                    _ => Ok(Renewed::Changed(found)),
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
        current: Current,
    ) -> UpdateBuilder {
        let limits = request.limits;
        let (hour, day) = (
            items::codes_in_hour(at.hour()),
            items::codes_in_day(at.day()),
        );
        let mut conditions = Vec::new();
        let mut update = self
            .address_update(&request.keys.address(&info.address), at)
            .expression_attribute_values(":session", s(info.reference.hex()))
            .expression_attribute_values(":now", n(at.millis()))
            .expression_attribute_values(":one", n(1));
        let supersede = match current {
            Current::Becomes => ", currentSession = :session",
            Current::Stays => {
                conditions.push("currentSession = :session".to_owned());
                ""
            }
        };
        if !limits.cooldown.is_zero() {
            conditions
                .push("(attribute_not_exists(lastCodeAt) OR lastCodeAt <= :cooled)".to_owned());
            update = update
                .expression_attribute_values(":cooled", n(at.minus(limits.cooldown).millis()));
        }
        for (limit, count, value) in [
            (limits.address_per_hour, &hour, ":perHour"),
            (limits.address_per_day, &day, ":perDay"),
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
                "SET lastCodeAt = :now, expiresAt = :expiresAt{supersede} \
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

/// Which session is the current one of the address.
#[derive(Clone, Copy)]
enum Current {
    /// The code's session becomes it.
    Becomes,
    /// The code's session has to be it already.
    Stays,
}

/// Whose limits refused a transaction with the address at index 1 and the caller at index 2.
fn throttled(
    refused: &ConditionFailures,
    limits: &Limits,
    at: Timestamp,
) -> Result<Throttled, StoreError> {
    let address = if refused.failed(1) {
        let state = items::address_state(refused.found(1), at)?;
        match state.permit_code(limits, at) {
            Decision::Throttled { until } => Some(until),
            Decision::Permitted => None,
        }
    } else {
        None
    };
    let caller = limits.caller_per_hour.filter(|_| refused.failed(2));
    Ok(Throttled {
        address,
        caller: caller.map(|_| at.next_hour()),
    })
}
