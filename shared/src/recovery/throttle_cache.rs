//! Remembers throttled addresses and callers, so that repeated requests are refused without a call to the
//! store.
//!
//! It keeps keyed digests of addresses and callers, so that known and unknown addresses are treated alike. What
//! an address refuses is remembered for each network, because a network that has proven it may use more.
//! A throttle that has refused refuses until it ends, unless an operator clears it or the network proves the
//! address. So nothing is remembered for longer than [`REMEMBERED`].

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::keys::{AddressKey, CallerKey};
use crate::store::Throttled;
use crate::timestamp::Timestamp;

/// For how long a refusal is remembered at most, and so how late a cleared throttle is noticed.
const REMEMBERED: Duration = Duration::from_mins(1);
/// How many throttles are kept, of about a hundred octets each. The store is asked about all others.
const CAPACITY: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Throttle {
    /// An address's limits, as they are for one network: known networks may use more of them.
    Address(AddressKey, CallerKey),
    Caller(CallerKey),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    since: Timestamp,
    until: Timestamp,
}

impl Entry {
    /// Whether it still refuses at that time. If the clock was set back, it does not.
    fn holds(&self, at: Timestamp) -> bool {
        self.since <= at && at < self.until.min(self.since.plus(REMEMBERED))
    }
}

/// The throttles that one instance remembers.
#[derive(Debug, Default)]
pub(super) struct ThrottleCache(Mutex<HashMap<Throttle, Entry>>);

impl ThrottleCache {
    fn kept(&self) -> MutexGuard<'_, HashMap<Throttle, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The remembered limits of the address and the caller, if any.
    pub(super) fn find(
        &self,
        address: AddressKey,
        caller: CallerKey,
        at: Timestamp,
    ) -> Option<Throttled> {
        let kept = self.kept();
        let [address, caller] =
            [Throttle::Address(address, caller), Throttle::Caller(caller)].map(|throttle| {
                let entry = kept.get(&throttle)?;
                entry.holds(at).then_some(entry.until)
            });
        (address.is_some() || caller.is_some()).then_some(Throttled { address, caller })
    }

    /// Remembers the limits that the store has just refused a request for.
    pub(super) fn insert(
        &self,
        throttled: Throttled,
        address: AddressKey,
        caller: CallerKey,
        at: Timestamp,
    ) {
        let mut kept = self.kept();
        for (throttle, until) in [
            (Throttle::Address(address, caller), throttled.address),
            (Throttle::Caller(caller), throttled.caller),
        ] {
            let Some(until) = until else { continue };
            if kept.len() >= CAPACITY {
                kept.retain(|_, entry| entry.holds(at));
            }
            if kept.len() < CAPACITY {
                kept.insert(throttle, Entry { since: at, until });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use regain_password::Address;

    use super::*;
    use crate::keys::IndexKeys;

    const AT: Timestamp = Timestamp::from_millis(1_773_144_000_000);

    fn address(text: &str) -> AddressKey {
        IndexKeys::new(b"secret").address(&Address::parse(text).unwrap())
    }

    fn caller(last: u8) -> CallerKey {
        IndexKeys::new(b"secret").caller(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
    }

    fn seconds(seconds: u64) -> Timestamp {
        AT.plus(Duration::from_secs(seconds))
    }

    fn refused(address: Option<Timestamp>, caller: Option<Timestamp>) -> Throttled {
        Throttled { address, caller }
    }

    fn ends(
        cache: &ThrottleCache,
        address: AddressKey,
        caller: CallerKey,
        at: Timestamp,
    ) -> Option<Timestamp> {
        cache.find(address, caller, at).and_then(Throttled::until)
    }

    #[test]
    fn only_a_throttled_address_or_caller_is_remembered() {
        let (ann, bob) = (address("ann@example.com"), address("bob@example.com"));
        let cache = ThrottleCache::default();
        cache.insert(refused(Some(seconds(30)), None), ann, caller(1), AT);
        assert_eq!(ends(&cache, ann, caller(1), AT), Some(seconds(30)));
        assert_eq!(ends(&cache, ann, caller(2), AT), None, "another network");
        assert_eq!(ends(&cache, bob, caller(1), AT), None);
        cache.insert(refused(None, Some(seconds(40))), ann, caller(1), AT);
        assert_eq!(ends(&cache, bob, caller(1), AT), Some(seconds(40)));
        assert_eq!(ends(&cache, bob, caller(2), AT), None);
        let both = ends(&cache, ann, caller(1), AT);
        assert_eq!(both, Some(seconds(40)), "what lasts longest");
        let whom = cache.find(ann, caller(1), AT);
        assert_eq!(whom, Some(refused(Some(seconds(30)), Some(seconds(40)))));
    }

    #[test]
    fn a_refusal_is_forgotten_when_it_ends_and_after_a_minute() {
        let (ann, who) = (address("ann@example.com"), caller(1));
        let last = Duration::from_millis(1);
        for (until, end) in [(30, 30), (60, 60), (3600, 60)] {
            let cache = ThrottleCache::default();
            cache.insert(refused(Some(seconds(until)), None), ann, who, AT);
            let before = ends(&cache, ann, who, seconds(end).minus(last));
            assert_eq!(before, Some(seconds(until)));
            assert_eq!(ends(&cache, ann, who, seconds(end)), None);
            assert_eq!(ends(&cache, ann, who, AT.minus(last)), None);
        }
    }

    #[test]
    fn a_full_cache_takes_no_more_until_entries_have_ended() {
        let cache = ThrottleCache::default();
        let who = caller(1);
        let of = |number: usize| address(&format!("user{number}@example.com"));
        for number in 0..CAPACITY + 10 {
            cache.insert(refused(Some(seconds(30)), None), of(number), who, AT);
        }
        assert_eq!(cache.kept().len(), CAPACITY);
        assert_eq!(ends(&cache, of(CAPACITY), who, AT), None, "asked again");
        let (next, later) = (of(CAPACITY), seconds(30));
        cache.insert(refused(Some(seconds(90)), None), next, who, later);
        assert_eq!(cache.kept().len(), 1);
        assert_eq!(ends(&cache, next, who, later), Some(seconds(90)));
    }
}
