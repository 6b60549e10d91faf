//! Asking for codes: sessions begin and are renewed, throttled by address and by caller.

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

/// How long a caller's count outlives its start.
const CALLER_TTL: Duration = Duration::from_hours(2);
/// Clock hours of counts that a write clears away, as many as an address's state may be idle for.
const KEPT_HOURS: i64 = 48;

/// Who asks for a code, and in which language.
#[derive(Clone, Copy, Debug)]
pub struct CodeRequest<'a> {
    /// The keys that name the address's and the caller's items.
    pub keys: &'a IndexKeys,
    /// The caller's network address.
    pub caller: IpAddr,
    /// The language of the mail if the user has none set.
    pub locale: Locale,
    /// The limits.
    pub limits: &'a Limits,
}

/// What asking for a session came to.
#[derive(Debug)]
pub enum Begun {
    /// It began, and its code will be mailed.
    Started,
    /// Another session has its id, which can only be that of the same `Idempotency-Key`; nothing was
    /// written.
    Taken(Box<Session>),
    /// It was throttled; nothing was written.
    Throttled {
        /// When the last of the limits that refused it ends.
        until: Timestamp,
        /// Whom they refused.
        whom: Throttled,
    },
}

/// Who was refused a code, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// When the last of the limits that refused the address ends.
    pub address: Option<Timestamp>,
    /// When the limit that refused the caller ends.
    pub caller: Option<Timestamp>,
}

impl Throttled {
    /// When the last of the limits that refused the code ends, if any did.
    #[must_use]
    pub fn until(self) -> Option<Timestamp> {
        self.address.max(self.caller)
    }
}

/// What asking for another code came to.
#[derive(Debug)]
pub enum Renewed {
    /// It will be mailed.
    Done,
    /// It was throttled; nothing was written.
    Throttled {
        /// When the last of the limits that refused it ends.
        until: Timestamp,
        /// Whom they refused.
        whom: Throttled,
    },
    /// The session or its address is no longer as it was read; nothing was written.
    Changed(Observed),
}

/// What a refused transaction found: only the items whose condition failed are told.
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

    /// The session as found, or as it was `read` where its condition held.
    #[must_use]
    pub fn session(&self, read: Session) -> Session {
        self.session.as_deref().cloned().unwrap_or(read)
    }

    /// The address as found, or one that lets `session` go on where its condition held.
    #[must_use]
    pub fn address(&self, session: &SessionRef) -> AddressState {
        let fine = || AddressState {
            current: Some(*session),
            ..AddressState::default()
        };
        self.address.as_deref().cloned().unwrap_or_else(fine)
    }
}

impl Store {
    /// Begins a session, makes it its address's current one, counts it, and asks for its mail.
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
        // An id drawn at random is never there. One made from an Idempotency-Key may be: its session is
        // replaced once the key's time is over, but never after it was proven, even if it awaits another
        // code since.
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
                let until = whom
                    .until()
                    .ok_or_else(|| StoreError::malformed("a session was refused for no reason"))?;
                Ok(Begun::Throttled { until, whom })
            }
        }
    }

    /// Gives a session that was read as `read` its next code, and asks for its mail.
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
                let as_read = found.session.is_none()
                    && found.address(&info.reference).current == Some(info.reference);
                let whom = throttled(&refused, request.limits, at)?;
                match whom.until() {
                    Some(until) if as_read => Ok(Renewed::Throttled { until, whom }),
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

    /// What is counted about an address.
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

    /// Counts a code for an address, under every throttle of addresses.
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

    /// Counts a code for a caller; nothing is counted where there is no limit.
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

/// What a code does to its address's current session.
#[derive(Clone, Copy)]
enum Current {
    /// Its session becomes it.
    Becomes,
    /// Its session is it, or the code is refused.
    Stays,
}

/// Whom the throttles refused a code: the address at index 1, the caller at index 2.
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
