//! How long a claim of a session lasts, and how long other calls wait for it.

use std::time::Duration;

use super::Recovery;
use crate::function::{DEADLINE_ELSEWHERE, TIMEOUT_ELSEWHERE};
use crate::store::{StoreError, chance};
use crate::user_store::{SET, UserStore};

/// How long a call that finds the session claimed waits before it looks again: at first about as long as
/// a hash takes, then up to twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// How long claims last, and how long calls wait for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How long a claim lasts. A process that dies holds its session up for this long.
    pub(super) claim: Duration,
    /// How long a call waits in all that finds its session claimed.
    pub(super) wait: Duration,
    /// Until when after the call came a password may begin to be set.
    pub(super) begin: Duration,
}

/// With users in the table, a call waits longer than the claim of a process that died, and short enough to set
/// the password itself before the function's deadline.
const IN_TABLE: Patience = Patience {
    claim: Duration::from_secs(3),
    wait: Duration::from_millis(3500),
    begin: Duration::MAX,
};

/// With users elsewhere, a claim lasts as long as its function lives, so that no two calls set a password with
/// one proof at once. What has begun can be asked for twice and recorded before the function's deadline.
const ELSEWHERE: Patience = Patience {
    claim: TIMEOUT_ELSEWHERE,
    wait: Duration::from_secs(15),
    begin: DEADLINE_ELSEWHERE
        .saturating_sub(SET)
        .saturating_sub(SET)
        .saturating_sub(RECORD),
};

/// How long it takes to record that a password was set elsewhere.
const RECORD: Duration = Duration::from_secs(3);

/// The wait of a call that finds its session claimed by another.
pub(super) struct ClaimWait {
    /// How long it waits in all.
    patience: Duration,
    waited: Duration,
    pause: Duration,
}

impl ClaimWait {
    /// How long it has waited.
    pub(super) const fn waited(&self) -> Duration {
        self.waited
    }

    /// Waits before the next look at the session.
    ///
    /// # Errors
    /// [`StoreError::Contended`] if it has waited long enough.
    pub(super) async fn pause(&mut self) -> Result<(), StoreError> {
        if self.waited >= self.patience {
            return Err(StoreError::Contended);
        }
        let next = self.pause.mul_f64(0.5 + chance()? / 2.0);
        tokio::time::sleep(next).await;
        self.waited += next;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

impl Recovery {
    /// How long claims last and are waited for.
    pub(super) const fn patience(&self) -> Patience {
        match self.users {
            UserStore::Table(_) => IN_TABLE,
            UserStore::Function(_) => ELSEWHERE,
        }
    }

    /// The wait for claims of other calls.
    pub(super) const fn claim_wait(&self) -> ClaimWait {
        ClaimWait {
            patience: self.patience().wait,
            waited: Duration::ZERO,
            pause: FIRST_PAUSE,
        }
    }
}
