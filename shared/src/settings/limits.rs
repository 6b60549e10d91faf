//! The limits of sessions, guesses and requests, and the share of them that strangers may use.

use std::time::Duration;

/// The limits of sessions and guesses, and the throttles.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `CODE_TTL_SECONDS`: how long a code is good.
    pub code_ttl: Duration,
    /// `SESSION_TTL_SECONDS`: how long a session lives from its start.
    pub session_ttl: Duration,
    /// `CODE_MAX_ATTEMPTS`: wrong guesses a session survives.
    pub session_guesses: u32,
    /// `ACCOUNT_GUESSES_PER_DAY`: wrong guesses an address survives in a UTC day.
    pub daily_guesses: u32,
    /// `RESEND_COOLDOWN_SECONDS`: the shortest time between two codes for one address. Zero is no limit.
    pub cooldown: Duration,
    /// `EMAIL_REQUESTS_PER_HOUR`: codes for one address in a UTC clock hour. `None` is no limit.
    pub address_per_hour: Option<u32>,
    /// `EMAIL_REQUESTS_PER_DAY`: codes for one address in a UTC day. `None` is no limit.
    pub address_per_day: Option<u32>,
    /// `IP_REQUESTS_PER_HOUR`: codes for one caller in a UTC clock hour. `None` is no limit.
    pub caller_per_hour: Option<u32>,
    /// `KNOWN_NETWORK_DAYS`: for how long a network that proved an address is known to it. Zero keeps nothing
    /// back for known networks.
    pub known_network: Duration,
}

/// How much of an address's limits a caller may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// The part that every network may use.
    Strangers,
    /// All of it, which only a network may use that proved the address.
    Whole,
}

impl Limits {
    /// Whether anything is kept back for known networks. Without, no network is remembered.
    #[must_use]
    pub const fn keeps_reserve(&self) -> bool {
        !self.known_network.is_zero()
    }

    /// The guesses of an address in a UTC day.
    #[must_use]
    pub const fn guesses_a_day(&self, share: Share) -> u32 {
        self.part(self.daily_guesses, share)
    }

    /// The codes of an address in a UTC clock hour. `None` is no limit.
    #[must_use]
    pub fn codes_an_hour(&self, share: Share) -> Option<u32> {
        self.address_per_hour.map(|all| self.part(all, share))
    }

    /// The codes of an address in a UTC day. `None` is no limit.
    #[must_use]
    pub fn codes_a_day(&self, share: Share) -> Option<u32> {
        self.address_per_day.map(|all| self.part(all, share))
    }

    /// A third, rounded down, is kept for known networks.
    const fn part(&self, all: u32, share: Share) -> u32 {
        match share {
            Share::Strangers if self.keeps_reserve() => all - all / 3,
            Share::Strangers | Share::Whole => all,
        }
    }
}
