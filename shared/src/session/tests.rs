//! Property tests: the pure core keeps its rules in any order of steps.

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::ids::{ResetToken, SessionId, UserIdFormat};

const NOON: Timestamp = Timestamp::from_millis(1_773_144_000_000);

const LIMITS: Limits = Limits {
    code_ttl: Duration::from_mins(10),
    session_ttl: Duration::from_mins(30),
    session_guesses: 5,
    daily_guesses: 12,
    cooldown: Duration::from_mins(1),
    address_per_hour: Some(5),
    address_per_day: Some(20),
    caller_per_hour: None,
    known_network: Duration::from_hours(24),
};

fn info(rng: &mut StdRng, at: Timestamp) -> SessionInfo {
    SessionInfo {
        reference: SessionId::draw(rng).reference(),
        protocol: Protocol::AuthV1,
        template: Template::AuthV1ForgotPassword,
        address: Address::parse("ann@example.com").unwrap(),
        answered_id: None,
        started_at: at,
        expires_at: at.plus(LIMITS.session_ttl),
    }
}

fn begun(rng: &mut StdRng, at: Timestamp) -> Awaiting {
    Awaiting::begin(info(rng, at), Nonce::draw(rng), &LIMITS)
}

fn proven(session: Awaiting, rng: &mut StdRng, at: Timestamp) -> Validated {
    let token = ResetToken::draw(&SessionId::draw(rng), rng).digest();
    let subject = UserId::draw(UserIdFormat::ObjectId, rng);
    session.prove(subject, 0.into(), Some(token), at)
}

/// A step in the life of the sessions of one address. A session is named by its place, modulo their number.
#[derive(Clone, Copy, Debug)]
enum Step {
    Begin,
    Guess { session: usize, right: bool },
    Renew { session: usize },
    Use { session: usize },
    Wait { millis: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => Just(Step::Begin),
        6 => (0_usize..4, prop::bool::weighted(0.15))
            .prop_map(|(session, right)| Step::Guess { session, right }),
        3 => (0_usize..4).prop_map(|session| Step::Renew { session }),
        1 => (0_usize..4).prop_map(|session| Step::Use { session }),
        2 => prop_oneof![0_u64..1000, 0_u64..700_000, Just(43_200_000_u64)]
            .prop_map(|millis| Step::Wait { millis }),
    ];
    prop::collection::vec(step, 1..120)
}

/// The sessions of one address, as a store that is never in two minds keeps them.
struct World {
    rng: StdRng,
    now: Timestamp,
    sessions: Vec<Session>,
    address: AddressState,
    wrong_of_session: Vec<u32>,
    wrong_today: u32,
    used: Vec<bool>,
}

impl World {
    fn new() -> Self {
        Self {
            rng: StdRng::seed_from_u64(1),
            now: NOON,
            sessions: Vec::new(),
            address: AddressState::default(),
            wrong_of_session: Vec::new(),
            wrong_today: 0,
            used: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Wait { millis } => {
                let day = self.now.day();
                self.now = self.now.plus(Duration::from_millis(millis));
                if self.now.day() != day {
                    self.address.guesses_today = 0;
                    self.wrong_today = 0;
                }
            }
            Step::Begin => {
                let session = begun(&mut self.rng, self.now);
                self.sessions.push(Session::Awaiting(session));
                self.wrong_of_session.push(0);
                self.used.push(false);
            }
            _ if self.sessions.is_empty() => {}
            Step::Guess { session, right } => self.guess(session % self.sessions.len(), right)?,
            Step::Renew { session } => self.renew(session % self.sessions.len())?,
            Step::Use { session } => {
                let number = session % self.sessions.len();
                if let Session::Validated(session) = self.sessions[number].clone()
                    && session.permit_use(self.now).is_ok()
                {
                    prop_assert!(!self.used[number], "a session is used once");
                    self.sessions[number] = Session::Used(session.use_up());
                    self.used[number] = true;
                }
            }
        }
        Ok(())
    }

    fn guess(&mut self, number: usize, right: bool) -> Result<(), TestCaseError> {
        let session = self.sessions[number].clone();
        let Ok(permitted) = session.permit_guess(&LIMITS, self.now) else {
            return Ok(());
        };
        let share = if number.is_multiple_of(2) {
            Share::Whole
        } else {
            Share::Strangers
        };
        if self.address.permit_guess(&LIMITS, share, self.now) != Decision::Permitted {
            return Ok(());
        }
        prop_assert!(!self.used[number], "a used session takes no guess");
        prop_assert!(self.now < permitted.generation.expires_at);
        prop_assert!(self.now < permitted.info.expires_at);
        if right {
            let proven = proven(permitted, &mut self.rng, self.now);
            prop_assert!(proven.proof.expires_at <= proven.info.expires_at);
            self.sessions[number] = Session::Validated(proven);
        } else {
            self.wrong_of_session[number] += 1;
            self.wrong_today += 1;
            self.address.guesses_today += 1;
            if share == Share::Strangers {
                prop_assert!(self.wrong_today <= 8, "two thirds of twelve");
            }
            self.sessions[number] = Session::Awaiting(Awaiting {
                guesses: permitted.guesses + 1,
                ..permitted
            });
        }
        prop_assert!(self.wrong_of_session[number] <= LIMITS.session_guesses);
        prop_assert!(self.wrong_today <= LIMITS.daily_guesses);
        Ok(())
    }

    fn renew(&mut self, number: usize) -> Result<(), TestCaseError> {
        let nonce = Nonce::draw(&mut self.rng);
        let session = self.sessions[number].clone();
        let Ok(renewed) = session.renew(&LIMITS, nonce, self.now) else {
            return Ok(());
        };
        prop_assert!(!self.used[number], "a used session gets no other code");
        prop_assert_eq!(renewed.generation.asked_at, self.now);
        prop_assert_eq!(
            renewed.guesses,
            self.wrong_of_session[number],
            "guesses stay spent"
        );
        prop_assert!(renewed.generation.expires_at <= renewed.info.expires_at);
        prop_assert!(renewed.generation.expires_at > self.now);
        self.sessions[number] = Session::Awaiting(renewed);
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_order_of_steps_beats_the_budgets_or_brings_a_session_back(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.take(step)?;
        }
    }

    #[test]
    fn a_code_never_outlives_its_session(begin in 0_u64..10_000_000, waits in prop::collection::vec(0_u64..900_000, 0..10)) {
        let mut rng = StdRng::seed_from_u64(begin);
        let mut now = NOON.plus(Duration::from_millis(begin));
        let mut session = begun(&mut rng, now);
        for wait in waits {
            now = now.plus(Duration::from_millis(wait));
            let read = Session::Awaiting(session.clone());
            match read.renew(&LIMITS, Nonce::draw(&mut rng), now) {
                Ok(renewed) => {
                    prop_assert_eq!(renewed.generation.number, session.generation.number + 1);
                    prop_assert!(renewed.generation.expires_at <= renewed.info.expires_at);
                    session = renewed;
                }
                Err(refused) => {
                    prop_assert_eq!(refused, TransitionError::Over);
                    prop_assert!(now >= session.info.expires_at);
                }
            }
        }
    }

    #[test]
    fn a_throttled_address_may_go_on_at_the_time_it_is_told(
        since in 0_u64..200_000,
        hour in 0_u32..7,
        day in 0_u32..25,
        now in 0_u64..86_400_000,
        share in prop_oneof![Just(Share::Strangers), Just(Share::Whole)],
    ) {
        let now = NOON.plus(Duration::from_millis(now));
        let mut address = AddressState {
            last_code_at: Some(now.minus(Duration::from_millis(since))),
            codes_this_hour: hour,
            codes_today: day,
            guesses_today: 0,
        };
        if let Decision::Throttled { until } = address.permit_code(&LIMITS, share, now) {
            prop_assert!(until > now);
            if until.hour() != now.hour() {
                address.codes_this_hour = 0;
            }
            if until.day() != now.day() {
                address.codes_today = 0;
            }
            prop_assert_eq!(address.permit_code(&LIMITS, share, until), Decision::Permitted);
        }
    }
}

#[test]
fn a_session_and_its_code_are_good_before_their_millisecond_and_not_at_it() {
    let mut rng = StdRng::seed_from_u64(1);
    let session = begun(&mut rng, NOON);
    let end_of_code = NOON.plus(LIMITS.code_ttl);
    let end = NOON.plus(LIMITS.session_ttl);
    let before = |at: Timestamp| at.minus(Duration::from_millis(1));
    for (at, expected) in [
        (before(end_of_code), None),
        (end_of_code, Some(TransitionError::CodeExpired)),
        (before(end), Some(TransitionError::CodeExpired)),
        (end, Some(TransitionError::Over)),
    ] {
        let read = Session::Awaiting(session.clone());
        assert_eq!(read.permit_guess(&LIMITS, at).err(), expected);
    }
    let validated = proven(session, &mut rng, NOON);
    assert_eq!(validated.permit_use(before(NOON.plus(PROOF_TTL))), Ok(()));
    assert_eq!(
        validated.permit_use(NOON.plus(PROOF_TTL)),
        Err(TransitionError::Over)
    );
}

#[test]
fn an_address_has_no_other_code_before_its_cooldown_ends_and_a_cooldown_of_zero_is_none() {
    let off = Limits {
        cooldown: Duration::ZERO,
        ..LIMITS
    };
    let address = AddressState {
        last_code_at: Some(NOON),
        ..AddressState::default()
    };
    let until = NOON.plus(LIMITS.cooldown);
    // An instance whose clock is behind asks before the last code was.
    let early = NOON.minus(Duration::from_secs(1));
    for (limits, at, expected) in [
        (&LIMITS, early, Decision::Throttled { until }),
        (&LIMITS, NOON, Decision::Throttled { until }),
        (&LIMITS, until, Decision::Permitted),
        (&off, early, Decision::Permitted),
        (&off, NOON, Decision::Permitted),
    ] {
        assert_eq!(address.permit_code(limits, Share::Whole, at), expected);
    }
}

#[test]
fn a_proof_ends_with_its_session() {
    let mut rng = StdRng::seed_from_u64(1);
    let session = begun(&mut rng, NOON);
    let end = session.info.expires_at;
    let late = proven(session, &mut rng, end.minus(Duration::from_secs(5)));
    assert_eq!(late.proof.expires_at, end);
}

#[test]
fn reasons_against_a_guess_are_told_in_order() {
    let mut rng = StdRng::seed_from_u64(1);
    let fresh = begun(&mut rng, NOON);
    let spent = Awaiting {
        guesses: LIMITS.session_guesses,
        ..fresh.clone()
    };
    let late = NOON.plus(LIMITS.code_ttl);
    let over = NOON.plus(LIMITS.session_ttl);
    for (session, at, expected) in [
        (&spent, over, TransitionError::Over),
        (&spent, late, TransitionError::Spent(None)),
        (&fresh, late, TransitionError::CodeExpired),
    ] {
        let read = Session::Awaiting(session.clone());
        assert_eq!(read.clone().permit_guess(&LIMITS, at), Err(expected));
        let before_its_form = expected != TransitionError::CodeExpired;
        assert_eq!(
            read.permit_malformed_guess(&LIMITS, at).err(),
            before_its_form.then_some(expected),
            "a malformed code is told so before anything that speaks against a guess"
        );
    }
    let validated = Session::Validated(proven(fresh.clone(), &mut rng, NOON));
    assert_eq!(
        validated.permit_guess(&LIMITS, NOON),
        Err(TransitionError::CodeUsed)
    );
    let used = Session::Used(fresh.use_up());
    assert_eq!(
        used.clone().permit_guess(&LIMITS, NOON),
        Err(TransitionError::Over)
    );
    assert_eq!(
        used.renew(&LIMITS, Nonce::draw(&mut rng), NOON),
        Err(TransitionError::Over)
    );
}

#[test]
fn strangers_may_use_two_thirds_of_an_addresss_limits_and_known_networks_all() {
    for (daily_guesses, share, days, permitted) in [
        (12, Share::Strangers, 1, 8),
        (12, Share::Whole, 1, 12),
        (12, Share::Strangers, 0, 12),
        (2, Share::Strangers, 1, 2),
        (3, Share::Strangers, 1, 2),
    ] {
        let limits = Limits {
            daily_guesses,
            known_network: Duration::from_hours(24 * days),
            ..LIMITS
        };
        for guesses_today in [permitted - 1, permitted] {
            let address = AddressState {
                guesses_today,
                ..AddressState::default()
            };
            let expected = if guesses_today < permitted {
                Decision::Permitted
            } else {
                Decision::Throttled {
                    until: NOON.next_day(),
                }
            };
            assert_eq!(address.permit_guess(&limits, share, NOON), expected);
        }
    }
}

#[test]
fn a_password_voids_what_was_asked_for_before_it_or_in_its_millisecond() {
    let mut rng = StdRng::seed_from_u64(1);
    let generation = begun(&mut rng, NOON).generation;
    let millisecond = Duration::from_millis(1);
    for (changed_at, is_void) in [
        (None, false),
        (Some(NOON.minus(millisecond)), false),
        (Some(NOON), true),
        (Some(NOON.plus(millisecond)), true),
    ] {
        assert_eq!(generation.is_void(changed_at), is_void, "{changed_at:?}");
    }
}
