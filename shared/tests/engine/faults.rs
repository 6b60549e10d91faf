//! A store that fails in the middle: nothing is half done or done twice, and the caller gets an
//! error.

use regain::api::Protocol;
use regain::recovery::{RecoveryError, SessionName};

use crate::kit::{
    ANN, Dump, Fault, Kit, NOON, Outcome, PASSWORD, Verified, later, named, outcome_of, request,
};
use regain::recovery::Started;
use regain::timestamp::Timestamp;

/// A use case, ready to be carried out.
#[derive(Debug)]
struct Ready {
    kit: Kit,
    case: &'static str,
    started: Option<Started>,
    code: String,
    proof: Option<Verified>,
}

const CASES: [&str; 8] = [
    "forgot-password",
    "users/resend",
    "resend-otp",
    "verify-otp",
    "setPassword with otp",
    "set-password",
    "setPassword with password",
    "setPassword with both",
];

impl Ready {
    async fn new(case: &'static str) -> Self {
        let kit = Kit::throttled(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
        kit.user(ANN).await;
        let protocol = if case.starts_with("set-") || case.contains("otp") && !case.contains("set")
        {
            Protocol::AuthV1
        } else {
            Protocol::Directory
        };
        let (mut started, mut code, mut proof) = (None, String::new(), None);
        if case != "forgot-password" && case != "users/resend" {
            let session = kit.start(protocol, ANN, NOON).await;
            code = kit.code(NOON).await;
            if case == "set-password" || case == "setPassword with password" {
                proof = Some(kit.verify(&session, &code, NOON).await.unwrap());
            }
            started = Some(session);
        }
        // The keys are fetched already, as in an instance that is warm.
        kit.recovery.warm(NOON).await;
        kit.log.reset();
        Self {
            kit,
            case,
            started,
            code,
            proof,
        }
    }

    async fn carry_out(&self) -> Outcome {
        self.carry_out_at(later(1)).await
    }

    /// Tries again once the claim of an attempt that failed has ended by itself.
    async fn carry_out_again(&self) -> Outcome {
        self.carry_out_at(later(5)).await
    }

    async fn carry_out_at(&self, at: Timestamp) -> Outcome {
        let kit = &self.kit;
        let started = self.started.as_ref();
        match self.case {
            "forgot-password" => outcome_of(&kit.request(request(Protocol::AuthV1, ANN), at).await),
            "users/resend" => outcome_of(&kit.request(request(Protocol::Directory, ANN), at).await),
            "resend-otp" => outcome_of(&kit.resend(&started.unwrap().session, at).await),
            "setPassword with both" => outcome_of(
                &kit.set_with_code(started.unwrap(), &self.code, PASSWORD, at)
                    .await,
            ),
            "set-password" | "setPassword with password" => {
                let proof = self.proof.as_ref().unwrap();
                outcome_of(
                    &kit.set_password(started.unwrap(), proof, PASSWORD, at)
                        .await,
                )
            }
            _ => outcome_of(&kit.verify(started.unwrap(), &self.code, at).await),
        }
    }
}

/// The table without the guesses and claims that could not be given back, because it never answered again.
fn without_traces(mut dump: Dump) -> Dump {
    for item in dump.values_mut() {
        item.retain(|name, _| {
            !name.starts_with("tries") && !name.starts_with("claimed") && name != "expiresAt"
        });
    }
    dump
}

/// How many calls a use case makes when nothing goes wrong, and what the table holds then. What is written
/// beside a move is not counted: the answer does not depend on it.
async fn undisturbed(case: &'static str) -> (usize, Dump) {
    let ready = Ready::new(case).await;
    assert_eq!(ready.carry_out().await, Outcome::Done, "{case}");
    let shapes = ready.kit.log.shapes();
    let beside = ["UpdateItem NETWORK", "UpdateItem USER"];
    let calls = shapes
        .iter()
        .rposition(|shape| !beside.contains(&shape.as_str()));
    (calls.map_or(0, |last| last + 1), ready.kit.dump().await)
}

#[tokio::test]
async fn a_store_that_fails_midway_leaves_nothing_half_done_and_the_call_can_be_repeated() {
    for case in CASES {
        let (calls, _) = undisturbed(case).await;
        for from in 1..=calls {
            let ready = Ready::new(case).await;
            let before = ready.kit.dump().await;
            ready.kit.log.fail(Fault::Down(from));
            assert_eq!(
                ready.carry_out().await,
                Outcome::Unavailable,
                "{case}, call {from}"
            );
            let after = ready.kit.dump().await;
            assert_eq!(
                without_traces(after),
                without_traces(before),
                "{case}, call {from}"
            );
            ready.kit.log.reset();
            let again = ready.carry_out_again().await;
            assert_eq!(again, Outcome::Done, "{case}, call {from}");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_nothing_is_done_twice() {
    for case in CASES {
        let (calls, expected) = undisturbed(case).await;
        for call in 1..=calls {
            let ready = Ready::new(case).await;
            ready.kit.log.fail(Fault::AnswerLost(call));
            assert_eq!(
                ready.carry_out().await,
                Outcome::Done,
                "{case}, call {call}"
            );
            assert_eq!(
                ready.kit.log.calls()[call - 1].sent,
                2,
                "{case}, call {call}"
            );
            assert_eq!(ready.kit.dump().await, expected, "{case}, call {call}");
        }
    }
}

/// The number of the call of a use case that writes last.
async fn last_write(case: &'static str) -> usize {
    let ready = Ready::new(case).await;
    ready.carry_out().await;
    let calls = ready.kit.log.calls();
    1 + calls
        .iter()
        .rposition(|call| call.operation != "GetItem")
        .unwrap()
}

#[tokio::test]
async fn a_conflict_with_another_transaction_is_waited_out() {
    // A condition that failed beside a conflict is no answer yet.
    let mixed: &[&str] = &[
        "TransactionConflict",
        "ConditionalCheckFailed",
        "None",
        "None",
    ];
    for reasons in [&["TransactionConflict", "None", "None", "None"], mixed] {
        for case in CASES {
            let write = last_write(case).await;
            let ready = Ready::new(case).await;
            ready.kit.log.fail(Fault::Cancelled(write, 2, reasons));
            assert_eq!(ready.carry_out().await, Outcome::Done, "{case}");
        }
    }
}

/// A crowd behind one address: its count is one item, and each of its requests writes it.
#[tokio::test]
async fn a_request_survives_many_conflicting_transactions() {
    for case in ["forgot-password", "resend-otp", "set-password"] {
        let write = last_write(case).await;
        let mut ready = Ready::new(case).await;
        ready.kit.recovery = ready.kit.deployed_instance();
        ready.kit.recovery.warm(NOON).await;
        let fault = Fault::Cancelled(write, 9, &["TransactionConflict", "None", "None"]);
        ready.kit.log.fail(fault);
        assert_eq!(ready.carry_out().await, Outcome::Done, "{case}");
    }
}

#[tokio::test]
async fn a_lasting_conflict_is_reported_and_nothing_is_written() {
    for case in ["forgot-password", "resend-otp", "set-password"] {
        let write = last_write(case).await;
        let ready = Ready::new(case).await;
        let before = ready.kit.dump().await;
        let fault = Fault::Cancelled(write, 100, &["TransactionConflict", "None", "None"]);
        ready.kit.log.fail(fault);
        assert_eq!(ready.carry_out().await, Outcome::Unavailable, "{case}");
        assert_eq!(ready.kit.dump().await, before, "{case}");
    }
}

#[tokio::test]
async fn a_throttled_table_is_reported_and_nothing_is_written() {
    for reason in [
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "ValidationError",
    ] {
        let ready = Ready::new("forgot-password").await;
        let before = ready.kit.dump().await;
        let reasons: &'static [&'static str] = match reason {
            "ThrottlingError" => &["ThrottlingError"],
            "ValidationError" => &["ValidationError"],
            _ => &["ProvisionedThroughputExceeded"],
        };
        ready.kit.log.fail(Fault::Cancelled(1, 100, reasons));
        assert_eq!(ready.carry_out().await, Outcome::Unavailable, "{reason}");
        assert_eq!(ready.kit.dump().await, before, "{reason}");
    }
}

#[tokio::test]
async fn an_unreadable_item_is_a_bug_and_not_an_outage() {
    let ready = Ready::new("verify-otp").await;
    let started = ready.started.as_ref().unwrap();
    let key = format!("SESSION#{}", started.session.reference().hex());
    let nonsense = aws_sdk_dynamodb::types::AttributeValue::S("no nonce".to_owned());
    ready.kit.change(&key, "nonce", nonsense).await;
    let verified = ready.kit.verify(started, &ready.code, NOON).await;
    assert!(matches!(verified, Err(RecoveryError::Broken(_))));
    assert!(matches!(named(started).session, SessionName::Id(_)));
}

#[tokio::test]
async fn a_mail_is_retried_when_the_store_fails_and_sent_once_if_its_claim_is_known() {
    for (from, sent) in [(1, 0), (2, 0), (3, 0), (4, 1)] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        kit.start(Protocol::AuthV1, ANN, NOON).await;
        kit.log.fail(Fault::Down(from));
        let keys = kit.keys("MAIL#").await;
        assert_eq!(kit.deliver(NOON).await, keys, "call {from}");
        assert_eq!(kit.ses.mails().len(), sent);
        kit.log.reset();
        // The claim ends by itself; what was sent but not recorded is sent again, the same.
        assert_eq!(kit.deliver(later(60)).await, Vec::<String>::new());
        let mails = kit.ses.mails();
        assert_eq!(mails.len(), sent + 1);
        let codes: std::collections::BTreeSet<_> =
            mails.iter().map(crate::kit::Mail::code).collect();
        assert_eq!(codes.len(), 1);
    }
}
