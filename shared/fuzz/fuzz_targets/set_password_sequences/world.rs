//! The sessions of one address in a store without failures or races, and the ledger.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use regain::api::Protocol;
use regain::code::{Code, CodeInput, CodeKeys, CodeLength, Nonce};
use regain::ids::{ResetToken, SessionId, UserId, UserIdFormat};
use regain::keys::{AddressKey, IndexKeys};
use regain::recovery::{RecoveryError, Started};
use regain::session::{
    AddressState, AnsweredId, Awaiting, Decision, Generation, Session, SessionInfo,
};
use regain::settings::{Limits, Settings, Share};
use regain::store::Throttled;
use regain::template::Template;
use regain::timestamp::Timestamp;
use regain_password::Address;

use testkit::model::{Answer, Model};

/// The longest code, so that no wrong code is right by chance.
const LENGTH: CodeLength = CodeLength::new(10).unwrap();

/// The state of the address, its user and its sessions.
pub(crate) struct World {
    rng: StdRng,
    limits: Limits,
    index: IndexKeys,
    address: Address,
    user: UserId,
    credentials_version: u64,
    sessions: Vec<Session>,
    changed_at: Option<Timestamp>,
    known: bool,
    codes: Vec<Timestamp>,
    charged: Vec<Timestamp>,
    secrets: usize,
    /// The previous code of each session.
    stale: Vec<Option<String>>,
    ledger: Vec<Entry>,
    judged: Vec<Timestamp>,
}

/// The ledger's entry for one session. It does not look at the session's own state.
#[derive(Default)]
struct Entry {
    /// Wrong codes that were compared.
    judged_wrong: u32,
    /// Generations whose code was accepted.
    accepted: BTreeSet<u64>,
    proven_at: Option<Timestamp>,
    used: bool,
}

impl World {
    pub(crate) fn new(settings: &[(&str, &str)], at: Timestamp) -> Self {
        let get = |name: &str| {
            let set = settings.iter().find(|(set, _)| *set == name)?;
            Some(set.1.to_owned())
        };
        let entropy = at.millis().to_be_bytes();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&entropy);
        Self {
            rng: StdRng::seed_from_u64(1),
            limits: Settings::read(&get).unwrap().limits,
            index: IndexKeys::new(b"index"),
            address: Address::parse("ann@example.com").unwrap(),
            user: UserIdFormat::ObjectId.id_from(id),
            credentials_version: 0,
            sessions: Vec::new(),
            changed_at: None,
            known: false,
            codes: Vec::new(),
            charged: Vec::new(),
            secrets: 1,
            stale: Vec::new(),
            ledger: Vec::new(),
            judged: Vec::new(),
        }
    }

    pub(crate) fn rotate(&mut self) {
        self.secrets += 1;
    }

    /// The code that a version of the code key makes of a session's generation.
    pub(crate) fn code(&self, number: usize, secret: usize) -> String {
        let session = &self.sessions[number];
        let address = self.index.address(&self.address);
        let input = input(session.info(), session.generation(), &address);
        let keys = CodeKeys::new(&secret.to_be_bytes(), &[]);
        keys.derive(&input, LENGTH).reveal().to_owned()
    }

    pub(crate) fn stale_code(&self, number: usize) -> Option<String> {
        self.stale[number].clone()
    }

    pub(crate) fn request(&mut self, protocol: Protocol, at: Timestamp) -> Answer {
        let whom = self.throttled(at);
        if let Some(until) = whom.until() {
            return refused(RecoveryError::Throttled { until, whom });
        }
        let id = SessionId::draw(&mut self.rng);
        let user = (protocol == Protocol::Directory).then(|| self.user.clone());
        let info = SessionInfo {
            reference: id.reference(),
            protocol,
            template: Template::AuthV1ForgotPassword,
            address: self.address.clone(),
            answered_id: user.clone().map(AnsweredId::User),
            started_at: at,
            expires_at: at.plus(self.limits.session_ttl),
        };
        let begun = Awaiting::begin(info, Nonce::draw(&mut self.rng), &self.limits);
        self.codes.push(at);
        self.sessions.push(Session::Awaiting(begun));
        self.stale.push(None);
        self.ledger.push(Entry::default());
        Answer {
            started: Some(Started {
                session: id,
                user,
                at,
            }),
            ..done()
        }
    }

    /// Requests another code. The previous one was derived from version `secret` of the code key.
    pub(crate) fn resend(&mut self, number: usize, secret: usize, at: Timestamp) -> Answer {
        let stale = self.code(number, secret);
        let before = guesses(&self.sessions[number]);
        let nonce = Nonce::draw(&mut self.rng);
        let session = self.sessions[number].clone();
        let renewed = match session.renew(&self.limits, nonce, at) {
            Ok(renewed) => renewed,
            Err(why) => return refused(why.into()),
        };
        let whom = self.throttled(at);
        if let Some(until) = whom.until() {
            return refused(RecoveryError::Throttled { until, whom });
        }
        assert_eq!(Some(renewed.guesses), before, "a resend refills nothing");
        let ends = renewed.generation.expires_at;
        assert!(at < ends && ends <= renewed.info.expires_at);
        self.codes.push(at);
        self.stale[number] = Some(stale);
        self.ledger[number].proven_at = None;
        self.sessions[number] = Session::Awaiting(renewed);
        done()
    }

    pub(crate) fn verify(&mut self, number: usize, code: Option<String>, at: Timestamp) -> Answer {
        let guessed = match self.guess(number, code, at) {
            Ok(guessed) => guessed,
            Err(refusal) => return refused(refusal),
        };
        let auth = guessed.info.protocol == Protocol::AuthV1;
        let token = auth.then(|| ResetToken::draw(&SessionId::draw(&mut self.rng), &mut self.rng));
        let digest = token.as_ref().map(ResetToken::digest);
        let proven = guessed.prove(
            self.user.clone(),
            self.credentials_version.into(),
            digest,
            at,
        );
        self.ledger[number].proven_at = Some(at);
        self.sessions[number] = Session::Validated(proven);
        Answer { token, ..done() }
    }

    pub(crate) fn set_with_code(
        &mut self,
        number: usize,
        code: Option<String>,
        at: Timestamp,
    ) -> Answer {
        match self.guess(number, code, at) {
            Ok(guessed) => {
                self.password_set(number, Session::Used(guessed.use_up()), at);
                done()
            }
            Err(refusal) => refused(refusal),
        }
    }

    pub(crate) fn set(
        &mut self,
        number: usize,
        token: Option<ResetToken>,
        at: Timestamp,
    ) -> Answer {
        let session = self.sessions[number].clone();
        let info = session.info().clone();
        if info.protocol == Protocol::AuthV1 {
            let kept = match &session {
                Session::Awaiting(_) => None,
                Session::Validated(session) => session.proof.token,
                Session::Used(session) => session.token,
            };
            if kept.is_none() || kept != token.map(|token| token.digest()) {
                return refused(RecoveryError::TokenUnknown);
            }
        }
        let validated = match session.live(at) {
            Err(why) => return refused(why.into()),
            Ok(Session::Validated(session)) => session,
            Ok(_) => return refused(RecoveryError::CodeWrong),
        };
        if let Err(why) = validated.permit_use(at) {
            return refused(why.into());
        }
        if validated.proof.credentials_version != self.credentials_version
            || validated.generation.is_void(self.changed_at)
        {
            return refused(RecoveryError::SessionOver);
        }
        let proven_at = self.ledger[number].proven_at.unwrap();
        assert!(at.since(proven_at) < Duration::from_mins(10), "for 600 s");
        assert!(at < info.expires_at);
        self.password_set(number, Session::Used(validated.use_up()), at);
        done()
    }

    /// Charges a guess, then compares it.
    fn guess(
        &mut self,
        number: usize,
        code: Option<String>,
        at: Timestamp,
    ) -> Result<Awaiting, RecoveryError> {
        let session = self.sessions[number].clone();
        let state = self.state(at);
        let Some(code) = code else {
            session.permit_malformed_guess(&self.limits, at)?;
            return Err(RecoveryError::CodeWrong);
        };
        let permitted = session.permit_guess(&self.limits, at)?;
        if let Decision::Throttled { until } = state.permit_guess(&self.limits, self.share(), at) {
            let until = Some(until);
            return Err(RecoveryError::GuessesSpent { until });
        }
        assert!(!self.ledger[number].used, "used is final");
        assert!(at < permitted.generation.expires_at && at < permitted.info.expires_at);
        let generation = permitted.generation;
        let (current, previous) = (self.secrets - 1, self.secrets.saturating_sub(2));
        let versions = [current.to_be_bytes(), previous.to_be_bytes()];
        let [current, previous] = versions.each_ref().map(<[u8; 8]>::as_slice);
        let keys = CodeKeys::new(current, &[current, previous]);
        let address = self.index.address(&self.address);
        let input = input(&permitted.info, &generation, &address);
        let guess = Code::parse(&code, LENGTH).unwrap();
        let right = keys.matches(&guess, &input, LENGTH);
        let entry = &mut self.ledger[number];
        if right {
            if generation.is_void(self.changed_at) {
                return Err(RecoveryError::CodeExpired);
            }
            assert!(
                entry.accepted.insert(generation.number),
                "one code, one use"
            );
            self.known = true;
            return Ok(permitted);
        }
        self.charged.push(at);
        entry.judged_wrong += 1;
        assert!(entry.judged_wrong <= self.limits.session_guesses);
        self.judged.push(at);
        let today = self.judged.iter().filter(|it| it.day() == at.day()).count();
        assert!(today <= self.limits.daily_guesses.try_into().unwrap());
        self.sessions[number] = Session::Awaiting(Awaiting {
            guesses: permitted.guesses + 1,
            ..permitted
        });
        Err(RecoveryError::CodeWrong)
    }

    fn password_set(&mut self, number: usize, used: Session, at: Timestamp) {
        let entry = &mut self.ledger[number];
        assert!(
            !std::mem::replace(&mut entry.used, true),
            "one session, one password"
        );
        self.sessions[number] = used;
        self.credentials_version += 1;
        self.changed_at = Some(at);
    }

    /// How much of the address's limits its one caller may use.
    const fn share(&self) -> Share {
        if self.known {
            Share::Whole
        } else {
            Share::Strangers
        }
    }

    fn state(&self, at: Timestamp) -> AddressState {
        let count = |times: &[Timestamp], same: &dyn Fn(&Timestamp) -> bool| {
            u32::try_from(times.iter().filter(|it| same(it)).count()).unwrap()
        };
        AddressState {
            last_code_at: self.codes.last().copied(),
            codes_this_hour: count(&self.codes, &|it| it.hour() == at.hour()),
            codes_today: count(&self.codes, &|it| it.day() == at.day()),
            guesses_today: count(&self.charged, &|it| it.day() == at.day()),
        }
    }

    /// Until when the address and its one caller may have no code.
    fn throttled(&self, at: Timestamp) -> Throttled {
        let state = self.state(at);
        let address = match state.permit_code(&self.limits, self.share(), at) {
            Decision::Permitted => None,
            Decision::Throttled { until } => Some(until),
        };
        let of_caller = self.limits.caller_per_hour;
        let caller = of_caller.filter(|most| state.codes_this_hour >= *most);
        Throttled {
            address,
            caller: caller.map(|_| at.next_hour()),
        }
    }

    /// Compares the stored state with the model.
    pub(crate) fn check(&self, model: &Model) {
        assert_eq!([self.known, false], model.known);
        assert_eq!(self.credentials_version, model.version);
        assert_eq!(self.state(model.now).guesses_today, model.guesses_today());
        assert_eq!(self.codes, model.codes);
        for (session, expected) in self.sessions.iter().zip(&model.sessions) {
            let reference = expected.started.session.reference();
            assert_eq!(session.info().reference, reference);
            let (name, guesses) = match session {
                Session::Awaiting(session) => ("awaiting", Some(session.guesses)),
                Session::Validated(session) => ("validated", Some(session.guesses)),
                Session::Used(_) => ("used", None),
            };
            assert_eq!(name, expected.state.name());
            assert_eq!(guesses.unwrap_or(expected.guesses), expected.guesses);
        }
    }
}

fn input<'a>(
    info: &'a SessionInfo,
    generation: &'a Generation,
    address: &'a AddressKey,
) -> CodeInput<'a> {
    CodeInput {
        protocol: info.protocol,
        session: &info.reference,
        generation: generation.number,
        address,
        nonce: &generation.nonce,
    }
}

fn guesses(session: &Session) -> Option<u32> {
    match session {
        Session::Awaiting(session) => Some(session.guesses),
        Session::Validated(session) => Some(session.guesses),
        Session::Used(_) => None,
    }
}

fn done() -> Answer {
    Answer::of(&Ok(()))
}

fn refused(refusal: RecoveryError) -> Answer {
    Answer::of(&Err::<(), _>(refusal))
}
