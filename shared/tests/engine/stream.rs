//! The stream of mail requests under random faults: no mail is lost silently, and none is sent twice, unless nobody
//! could record that it was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt as _, SeedableRng};
use regain::api::Protocol;
use regain::timestamp::Timestamp;

use crate::kit::{Failure, Kit, Mail, NOBODY, NOON, PASSWORD, SesAnswer, later};

/// As the template has it.
const BATCH: usize = 10;
const RECORD_AGE: Duration = Duration::from_hours(1);
/// Between two tries of a batch: longer than a delivery's claim lasts.
const PAUSE: Duration = Duration::from_secs(30);

/// A shard of the stream as Lambda reads it: in order, again from the first record that failed, and
/// what has grown too old goes to the dead-letter queue.
struct Shard {
    records: Vec<String>,
    dead: Vec<String>,
    now: Timestamp,
}

impl Shard {
    fn new(records: Vec<String>) -> Self {
        Self {
            records,
            dead: Vec::new(),
            now: NOON,
        }
    }

    /// Hands a batch over; what comes after its first failure comes again.
    async fn deliver(&mut self, kit: &Kit) {
        if self.now >= NOON.plus(RECORD_AGE) {
            self.dead.append(&mut self.records);
            return;
        }
        let batch: Vec<String> = self.records.iter().take(BATCH).cloned().collect();
        let failed = kit.deliver_keys(&batch, self.now).await;
        let first = batch.iter().position(|key| failed.contains(key));
        self.records.drain(..first.unwrap_or(batch.len()));
        if first.is_some() {
            self.now = self.now.plus(PAUSE);
        }
    }

    async fn run(&mut self, kit: &Kit) {
        while !self.records.is_empty() {
            self.deliver(kit).await;
        }
    }
}

/// The outcome of each mail request that is recorded.
async fn outcomes(kit: &Kit) -> BTreeMap<String, String> {
    let mails = kit.dump().await.into_iter();
    let mails = mails.filter(|(key, _)| key.starts_with("MAIL#"));
    mails
        .filter_map(|(key, item)| Some((key, item.get("outcome")?.as_s().ok()?.clone())))
        .collect()
}

fn request_of(mail: &Mail) -> String {
    format!("MAIL#{}", mail.tag.replace('-', "#"))
}

/// How often SES took the mail of each request.
fn taken(kit: &Kit) -> BTreeMap<String, usize> {
    let mut taken = BTreeMap::new();
    for mail in kit.ses.taken() {
        *taken.entry(request_of(&mail)).or_default() += 1;
    }
    taken
}

/// Some who asked for a code, one whose password was changed, and one whom nobody knows.
async fn asked(kit: &Kit) -> Vec<String> {
    for number in 0..4 {
        let email = format!("user{number}@example.com");
        kit.user(&email).await;
        let protocol = [Protocol::AuthV1, Protocol::Directory][number % 2];
        let started = kit.start(protocol, &email, NOON).await;
        if number == 3 {
            let code = kit.derived(&started.session).await;
            kit.set_with_code(&started, &code, PASSWORD, NOON)
                .await
                .unwrap();
        }
    }
    kit.start(Protocol::AuthV1, NOBODY, NOON).await;
    kit.keys("MAIL#").await
}

#[tokio::test]
async fn no_mail_is_lost_or_sent_twice_while_ses_is_down_for_ten_minutes() {
    let kit = Kit::with(&[("CODE_TTL_SECONDS", "3600")]).await;
    let mut shard = Shard::new(asked(&kit).await);
    kit.ses.set_down(true);
    while shard.now < later(600) {
        shard.deliver(&kit).await;
    }
    assert_eq!(taken(&kit).len(), 0);
    kit.ses.set_down(false);
    shard.run(&kit).await;
    let taken = taken(&kit);
    assert!(taken.len() == 5 && taken.values().all(|times| *times == 1));
    assert_eq!(shard.dead, Vec::<String>::new());
    let outcomes = outcomes(&kit).await;
    let of = |outcome: &str| outcomes.values().filter(|it| *it == outcome).count();
    assert_eq!((of("sent"), of("nobody")), (5, 1));
}

#[tokio::test]
async fn mail_that_cannot_be_sent_is_kept_for_the_operator_or_closed_as_expired() {
    let kit = Kit::new().await;
    let all = asked(&kit).await;
    let mut shard = Shard::new(all.clone());
    kit.ses.set_down(true);
    shard.run(&kit).await;
    let outcomes = outcomes(&kit).await;
    for key in all {
        let outcome = outcomes.get(&key).map(String::as_str);
        let is_dead = shard.dead.contains(&key);
        assert!(
            matches!(
                (outcome, is_dead),
                (Some("expired" | "nobody"), _) | (None, true)
            ),
            "{key}: {outcome:?}"
        );
        assert_eq!(
            key.ends_with("#changed"),
            outcome.is_none(),
            "a notice does not expire"
        );
    }
}

/// Puts a few records of every harmful kind among the others, some of them twice and in any order.
async fn stirred(kit: &Kit, mut records: Vec<String>, rng: &mut StdRng) -> Vec<String> {
    let torn = format!("MAIL#{}#1", "1".repeat(64));
    kit.change(&torn, "template", AttributeValue::S("none".to_owned()))
        .await;
    let gone = format!("MAIL#{}#1", "0".repeat(64));
    let doubled: Vec<_> = records.sample(rng, 3).cloned().collect();
    records.extend(doubled);
    records.extend([torn, gone, "MAIL#poison".to_owned()]);
    records.shuffle(rng);
    records
}

/// Breaks something for a round: the table from some attempt on, as for a process that dies, or SES.
fn disturb(kit: &Kit, rng: &mut StdRng) {
    if rng.random_bool(0.5) {
        let failures = [
            Failure::TimeoutBefore,
            Failure::TimeoutAfter,
            Failure::ResetAfter,
            Failure::ErrorBefore,
            Failure::Throttled,
        ];
        let failure = *failures.choose(rng).unwrap();
        kit.faults.fail(failure, rng.random_range(1..20), 1000);
    }
    for _ in 0..3 {
        kit.ses.answer(match rng.random_range(0..4) {
            0 => SesAnswer::Failure(500, "InternalServiceErrorException"),
            1 => SesAnswer::Failure(429, "TooManyRequestsException"),
            _ => SesAnswer::Accepted,
        });
    }
}

#[tokio::test]
async fn a_mail_is_sent_twice_only_if_its_outcome_could_not_be_recorded() {
    let mut doubled = 0;
    for seed in 0..12 {
        let kit = Kit::new().await;
        let mut rng = StdRng::seed_from_u64(seed);
        let all = asked(&kit).await;
        let mut shard = Shard::new(stirred(&kit, all.clone(), &mut rng).await);
        if seed == 0 {
            // Takes a mail, and answers too late.
            kit.ses.answer(SesAnswer::Silence);
        }
        let mut unrecorded: BTreeMap<String, usize> = BTreeMap::new();
        let mut before = BTreeMap::new();
        for _ in 0..6 {
            disturb(&kit, &mut rng);
            shard.deliver(&kit).await;
            kit.faults.clear();
            let (after, closed) = (taken(&kit), outcomes(&kit).await);
            for (key, times) in &after {
                let new = times - before.get(key).unwrap_or(&0);
                if new > 0 && !closed.contains_key(key) {
                    *unrecorded.entry(key.clone()).or_default() += new;
                }
            }
            before = after;
        }
        kit.ses.forget_answers();
        shard.run(&kit).await;

        assert_eq!(shard.dead, Vec::<String>::new(), "seed {seed}");
        let (taken, closed) = (taken(&kit), outcomes(&kit).await);
        for key in &all {
            let sent = usize::from(closed[key] == "sent");
            let expected = sent + unrecorded.get(key).unwrap_or(&0);
            let times = *taken.get(key).unwrap_or(&0);
            assert_eq!(times, expected, "seed {seed}: {key} is {}", closed[key]);
            doubled += usize::from(times > 1);
        }
        let sent = closed.values().filter(|outcome| *outcome == "sent");
        assert_eq!(sent.count(), 5, "seed {seed}: none is gone");
        let mails = kit.ses.taken();
        let codes: BTreeSet<_> = mails
            .iter()
            .filter_map(|mail| mail.data["code"].as_str())
            .collect();
        assert_eq!(
            codes.len(),
            4,
            "seed {seed}: a mail sent again has the same code"
        );
    }
    assert!(
        doubled > 0,
        "some process died between SES's answer and the record"
    );
}
