//! Faults of the user store and of the table.

use futures_util::future::join_all;
use regain::api::Protocol;

use super::{BEFORE, BOTH, Ready, WAYS, Way, notices, with_ann};
use crate::every_fault::lengths;
use crate::kit::{
    ANN, ElsewhereUser, Failure, Kit, NOON, Outcome, PASSWORD, StoreFault, later, outcome_of,
};

#[tokio::test]
async fn a_fault_of_the_store_at_any_step_is_503_and_the_person_can_go_on() {
    for way in WAYS {
        for fault in BEFORE {
            for from in [1, 2] {
                let kit = with_ann().await;
                let ready = Ready::new(&kit, way).await;
                let what = format!("{way:?}, {fault:?} from {from}");
                kit.users.fail(fault, from, 9);
                let outcome = ready.outcome(&kit, 1).await;
                assert_eq!(outcome, Outcome::Unavailable, "{what}");
                assert_eq!(kit.users.user(ANN).times_set, 0, "{what}");
                assert_eq!(kit.guesses_today(ANN, NOON).await, 0, "{what}");
                let is_lost = matches!(fault, StoreFault::LostBefore | StoreFault::Status(500));
                let asked = match (from, is_lost) {
                    (1, _) => 1,
                    (_, false) => 2,
                    (_, true) => 3,
                };
                assert_eq!(kit.users.questions().len(), asked, "{what}");
                // Only a lost answer leaves it open whether the password is set.
                let told = usize::from(is_lost && from == 2);
                assert_eq!(notices(&kit).await, told, "{what}");

                kit.users.reset();
                assert_eq!(ready.outcome(&kit, 2).await, Outcome::Done, "{what}");
                assert_eq!(kit.users.user(ANN).times_set, 1, "{what}");
                assert_eq!(notices(&kit).await, 1, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_fault_of_the_store_at_any_step_of_a_proof_costs_no_guess() {
    for protocol in BOTH {
        for fault in BEFORE.into_iter().chain([StoreFault::LostAfter]) {
            for from in [1, 2] {
                let kit = with_ann().await;
                kit.users.change_version_by_proofs();
                kit.users
                    .change(ANN, |ann| ann.email_verified = Some(false));
                let started = kit.start(protocol, ANN, NOON).await;
                let code = kit.derived(&started.session).await;
                let what = format!("{protocol:?}, {fault:?} from {from}");
                kit.users.fail(fault, from, 9);
                let guessed = kit.verify(&started, &code, later(1)).await;
                assert_eq!(outcome_of(&guessed), Outcome::Unavailable, "{what}");
                assert_eq!(kit.guesses_today(ANN, NOON).await, 0, "{what}");
                assert_eq!(kit.guesses(&started.session).await, 0, "{what}");
                kit.users.reset();
                let proof = kit.verify(&started, &code, later(2)).await.unwrap();
                let set = kit.set_password(&started, &proof, PASSWORD, later(3)).await;
                assert_eq!(outcome_of(&set), Outcome::Done, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_once_more_and_the_password_set_once() {
    for way in WAYS {
        for fault in [StoreFault::LostBefore, StoreFault::LostAfter] {
            let kit = with_ann().await;
            let ready = Ready::new(&kit, way).await;
            kit.users.fail(fault, 2, 1);
            assert_eq!(ready.outcome(&kit, 1).await, Outcome::Done, "{way:?}");
            let asked = kit.users.questions();
            assert_eq!(asked.len(), 3, "{way:?}");
            assert_eq!(asked[1], asked[2], "the same question");
            assert_eq!(kit.users.user(ANN).times_set, 1, "{way:?}");
            assert_eq!(notices(&kit).await, 1, "{way:?}");
        }
    }
}

#[tokio::test]
async fn a_password_whose_answer_is_lost_twice_is_told_of_and_the_proof_stays_good() {
    for way in WAYS {
        for fault in [StoreFault::LostAfter, StoreFault::LostThenRefused] {
            let kit = with_ann().await;
            let ready = Ready::new(&kit, way).await;
            let what = format!("{way:?}, {fault:?}");
            kit.users.fail(fault, 2, 2);
            let outcome = ready.outcome(&kit, 1).await;
            assert_eq!(outcome, Outcome::Unavailable, "{what}");
            assert_eq!(kit.users.user(ANN).times_set, 1, "{what}");
            let mails = kit.mailed(later(1)).await;
            assert_eq!(mails.len(), 1, "{what}: its owner is told");

            kit.users.reset();
            assert_eq!(ready.outcome(&kit, 2).await, Outcome::Done, "{what}");
            assert_eq!(kit.users.user(ANN).times_set, 1, "{what}: set once");
            assert_eq!(kit.mailed(later(2)).await.len(), 0, "{what}: told once");
            assert_eq!(ready.outcome(&kit, 3).await, Outcome::Over, "{what}");
        }
    }
}

#[tokio::test]
async fn a_password_that_was_set_and_not_recorded_cannot_be_followed_by_another_one() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users.fail(StoreFault::LostAfter, 2, 2);
        ready.set(&kit, PASSWORD, 1).await.unwrap_err();
        kit.users.reset();
        let set = ready.set(&kit, "a copper lantern 9", 2).await;
        let (expected, times) = match way {
            // The proof is used up, as far as the store is concerned.
            Way::Token | Way::Session => (Outcome::Over, 1),
            // The code and the link are not used: they prove the mailbox again.
            Way::Code | Way::Link => (Outcome::Done, 2),
        };
        assert_eq!(outcome_of(&set), expected, "{way:?}");
        assert_eq!(kit.users.user(ANN).times_set, times, "{way:?}");
    }
}

#[tokio::test]
async fn a_fault_of_the_table_anywhere_sets_the_password_once_and_costs_no_guess() {
    // The ways wait for their claims at the same time.
    join_all(WAYS.map(a_fault_of_the_table_anywhere)).await;
}

async fn a_fault_of_the_table_anywhere(way: Way) {
    let kit = with_ann().await;
    let undisturbed = Ready::new(&kit, way).await;
    undisturbed.set(&kit, PASSWORD, 1).await.unwrap();
    let calls = kit.log.calls().len();
    for failure in [
        Failure::ErrorBefore,
        Failure::ResetAfter,
        Failure::Cancelled,
    ] {
        for from in 1..=calls {
            for times in lengths() {
                let kit = with_ann().await;
                let ready = Ready::new(&kit, way).await;
                let what = format!("{way:?}, {failure:?} from {from}, {times} times");
                kit.faults.fail(failure, from, *times);
                let outcome = ready.outcome(&kit, 1).await;
                kit.faults.clear();
                if outcome != Outcome::Done {
                    assert_eq!(outcome, Outcome::Unavailable, "{what}");
                    // After the end of the claim.
                    let again = ready.outcome(&kit, 30).await;
                    let ends = [Outcome::Done, Outcome::Over];
                    assert!(ends.contains(&again), "{what}: {again:?}");
                }
                assert_eq!(kit.users.user(ANN).times_set, 1, "{what}");
                assert_eq!(notices(&kit).await, 1, "{what}");
                assert_eq!(ready.outcome(&kit, 60).await, Outcome::Over, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_lost() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Token).await;
    let mails = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&mails.session).await;
    let before = regain::ambient::now();
    kit.users.fail(StoreFault::Hang, 1, 1);
    let guessed = kit.verify(&mails, &code, NOON).await;
    let find = regain::ambient::now().since(before);
    assert_eq!(outcome_of(&guessed), Outcome::Unavailable);
    kit.users.fail(StoreFault::Hang, 2, 1);
    let before = regain::ambient::now();
    assert_eq!(ready.outcome(&kit, 1).await, Outcome::Done);
    let set = regain::ambient::now().since(before);
    assert!(find.as_millis() >= 3000, "3 s for find");
    assert!(set.as_millis() >= 5000, "5 s for set-password");
    assert!(find.as_millis() < 5000, "find does not wait for 5 s");
    assert_eq!(
        kit.users.operations(),
        ["find", "set-password", "set-password"]
    );
    assert_eq!(kit.users.user(ANN).times_set, 1);
}

#[tokio::test]
async fn a_password_is_not_asked_to_be_set_if_the_answer_could_come_after_the_deadline() {
    let kit = with_ann().await;
    for (seconds, expected) in [(7, Outcome::Unavailable), (6, Outcome::Done)] {
        let ready = Ready::new(&kit, Way::Link).await;
        let now = later(seconds);
        let call = kit.call(NOON).timed_by(move || now);
        let set = ready.set_in(&kit, call, PASSWORD).await;
        assert_eq!(outcome_of(&set), expected, "{seconds} s after the call");
    }
    assert_eq!(kit.users.user(ANN).times_set, 1);
}

#[tokio::test]
async fn a_claim_lasts_longer_than_the_store_may_take() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Token).await;
    kit.faults.fail(Failure::ErrorBefore, 2, 1000);
    assert_eq!(ready.outcome(&kit, 0).await, Outcome::Unavailable);
    kit.faults.clear();
    let until = &kit.session_item(&ready.started.session).await["claimedUntil"];
    let until: i64 = until.as_n().unwrap().parse().unwrap();
    assert_eq!(until, later(20).millis());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_sixteen_parallel_uses_of_a_proof_sets_the_password_elsewhere() {
    const TASKS: usize = 16;
    for way in WAYS {
        for same in [true, false] {
            let kit = Kit::elsewhere(&[("CODE_MAX_ATTEMPTS", "20")]).await;
            kit.users.put(ElsewhereUser::of(ANN));
            let ready = Ready::new(&kit, way).await;
            let uses = (0..TASKS).map(|number| {
                let (kit, ready) = (&kit, &ready);
                async move {
                    let password = if same {
                        PASSWORD.to_owned()
                    } else {
                        format!("{PASSWORD} {number}")
                    };
                    outcome_of(&ready.set(kit, &password, 1).await)
                }
            });
            let answers = join_all(uses).await;
            let what = format!("{way:?}, {same}: {answers:?}");
            let done = answers.iter().filter(|it| **it == Outcome::Done).count();
            assert_eq!(done, 1, "{what}");
            assert!(!answers.contains(&Outcome::Unavailable), "{what}");
            assert_eq!(kit.users.user(ANN).times_set, 1, "{what}");
            let asked = kit.users.operations();
            let sets = asked.iter().filter(|it| *it == "set-password").count();
            assert_eq!(sets, 1, "the claim spares the others: {what}");
            assert_eq!(notices(&kit).await, 1, "{what}");
        }
    }
}

#[tokio::test]
async fn a_user_of_another_id_than_asked_for_is_no_answer() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Token).await;
    let other = r#"{"user": {"id": "7", "email": "ann@example.com", "status": "active", "credentialsVersion": "v0"}}"#;
    kit.users.fail(StoreFault::Nonsense(other), 1, 1);
    assert_eq!(ready.outcome(&kit, 1).await, Outcome::Unavailable);
    assert_eq!(kit.users.operations(), ["find"]);
    kit.users.reset();
    assert_eq!(ready.outcome(&kit, 2).await, Outcome::Done);
}
