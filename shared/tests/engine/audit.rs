//! The audit trail: each event is recorded once, with its outcome and its account, and with no text
//! of a caller.

mod mails;

use std::collections::BTreeSet;

use regain::api::Protocol;
use regain::audit::Caller;
use regain::keys::IndexKeys;
use serde_json::{Value, json};

use crate::kit::{
    ANN, CALLER, CODE_SECRET, Failure, INDEX_SECRET, Kit, NOBODY, NOON, Outcome, PASSWORD,
    Verified, address, blocked, in_directory, keyed, later, new_password, outcome_of, request,
    typed, wrong,
};
use crate::races::{at_once, count, guess, instances};

const BOTH: [Protocol; 2] = [Protocol::AuthV1, Protocol::Directory];

fn keys() -> IndexKeys {
    IndexKeys::new(INDEX_SECRET.as_bytes())
}

/// The records since the last call of this.
fn news(kit: &Kit) -> Vec<String> {
    let events = kit.records.events();
    kit.records.reset();
    events
}

#[tokio::test]
async fn a_recovery_is_recorded_step_by_step() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    assert_eq!(news(&kit), ["requested new-session"]);
    kit.code(NOON).await;
    assert_eq!(news(&kit), ["mailed code"]);
    kit.resend(&started.session, later(1)).await.unwrap();
    assert_eq!(news(&kit), ["requested another-code"]);
    let code = kit.code(later(1)).await;
    kit.records.reset();
    kit.verify(&started, &wrong(&code), later(2))
        .await
        .unwrap_err();
    assert_eq!(news(&kit), ["wrong-guess wrong"]);
    let proof = kit.verify(&started, &code, later(3)).await.unwrap();
    assert_eq!(news(&kit), ["proven token"]);
    kit.set_password(&started, &proof, PASSWORD, later(4))
        .await
        .unwrap();
    assert_eq!(news(&kit), ["password-set token"]);
    kit.mailed(later(4)).await;
    assert_eq!(news(&kit), ["mailed notice"]);
}

#[tokio::test]
async fn each_way_to_set_a_password_is_told_from_the_others() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.records.reset();
    let proof = kit.verify(&started, &code, NOON).await.unwrap();
    kit.set_password(&started, &proof, PASSWORD, later(1))
        .await
        .unwrap();
    assert_eq!(news(&kit), ["proven session", "password-set session"]);

    kit.mailed(later(1)).await;
    let started = kit.start(Protocol::Directory, ANN, later(2)).await;
    let code = kit.code(later(2)).await;
    kit.records.reset();
    kit.set_with_code(&started, &code, PASSWORD, later(2))
        .await
        .unwrap();
    assert_eq!(news(&kit), ["proven code", "password-set code"]);
}

#[tokio::test]
async fn a_proof_whose_password_is_in_the_profile_is_recorded_as_a_proof() {
    let kit = Kit::new().await;
    let profile = json!({ "email": ANN, "profile": { "firstName": "Wilhelmina" } });
    kit.user_like(profile).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.records.reset();
    let set = kit
        .set_with_code(&started, &code, "wilhelmina1", NOON)
        .await;
    assert!(matches!(outcome_of(&set), Outcome::Password(_)));
    assert_eq!(news(&kit), ["proven session"]);
}

#[tokio::test]
async fn a_throttled_request_is_recorded_with_the_throttle_that_refused_it() {
    let throttles = [
        ("RESEND_COOLDOWN_SECONDS", "60"),
        ("IP_REQUESTS_PER_HOUR", "1"),
        ("EMAIL_REQUESTS_PER_HOUR", "0"),
        ("EMAIL_REQUESTS_PER_DAY", "0"),
    ];
    for (email, network, whom) in [
        (ANN, "192.0.2.8", "address"),
        (NOBODY, "192.0.2.7", "caller"),
        (ANN, "192.0.2.7", "both"),
    ] {
        let kit = Kit::throttled(&throttles).await;
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        kit.records.reset();
        // The second of each is refused from memory.
        for _ in 0..2 {
            let (network, again) = (network.parse().unwrap(), request(Protocol::AuthV1, email));
            let again = kit.request_from(network, again, later(1)).await;
            assert!(matches!(outcome_of(&again), Outcome::Throttled(_)));
            let record = kit.records.all().remove(0);
            assert_eq!(record["session"], Value::Null, "none has begun");
            assert_eq!(news(&kit), [format!("throttled {whom}")]);
        }
        if email == ANN {
            let caller = network.parse().unwrap();
            let again = kit.resend_from(caller, &started.session, later(1)).await;
            assert!(matches!(outcome_of(&again), Outcome::Throttled(_)));
            assert_eq!(news(&kit), [format!("throttled {whom}")]);
        }
    }
}

#[tokio::test]
async fn a_repeated_request_is_recorded_as_one() {
    let kit = Kit::new().await;
    let keyed = || keyed(Protocol::Directory, ANN);
    kit.request(keyed(), NOON).await.unwrap();
    kit.request(keyed(), later(1)).await.unwrap();
    let records = kit.records.all();
    assert_eq!(records[0]["session"], records[1]["session"]);
    let events = ["requested new-session", "requested repeated"];
    assert_eq!(news(&kit), events);
}

#[tokio::test]
async fn spent_guesses_are_recorded_with_the_budget_that_was_spent() {
    // A malformed code is reported after the session's budget and before the day's.
    for (settings, budget, refused) in [
        (
            [("CODE_MAX_ATTEMPTS", "2"), ("CODE_LENGTH", "6")],
            "session",
            2,
        ),
        (
            [("CODE_MAX_ATTEMPTS", "5"), ("ACCOUNT_GUESSES_PER_DAY", "2")],
            "day",
            1,
        ),
    ] {
        for protocol in BOTH {
            let kit = Kit::with(&settings).await;
            kit.user(ANN).await;
            let started = kit.start(protocol, ANN, NOON).await;
            let code = kit.code(NOON).await;
            kit.records.reset();
            for sent in [&wrong(&code), &wrong(&code), &code, "malformed"] {
                kit.verify(&started, sent, NOON).await.unwrap_err();
            }
            let mut expected = vec!["wrong-guess wrong".to_owned(); 2];
            expected.extend(vec![format!("exhausted {budget}"); refused]);
            assert_eq!(news(&kit), expected, "{protocol:?}");
        }
    }
}

#[tokio::test]
async fn another_code_for_a_session_whose_guesses_are_spent_is_recorded_as_refused() {
    let kit = Kit::with(&[("CODE_MAX_ATTEMPTS", "1")]).await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.verify(&started, &wrong(&code), NOON).await.unwrap_err();
    kit.records.reset();
    kit.resend(&started.session, later(1)).await.unwrap_err();
    assert_eq!(news(&kit), ["exhausted session"]);
}

#[tokio::test]
async fn a_lucky_guess_for_an_unknown_address_is_recorded_as_one() {
    for protocol in BOTH {
        let kit = Kit::new().await;
        let started = kit.start(protocol, NOBODY, NOON).await;
        kit.deliver(NOON).await;
        let code = kit.derived(&started.session).await;
        kit.verify(&started, &code, NOON).await.unwrap_err();
        let events = [
            "requested new-session",
            "not-mailed nobody",
            "wrong-guess nobody",
        ];
        assert_eq!(news(&kit), events, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_blocked_user_is_recorded_wherever_the_block_is_noticed() {
    for (with_password, protocol, expected) in [
        (false, Protocol::AuthV1, "blocked code"),
        (false, Protocol::Directory, "blocked code"),
        (true, Protocol::Directory, "blocked code"),
    ] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        kit.change_user(&user, "status", blocked()).await;
        kit.records.reset();
        let answer = if with_password {
            outcome_of(&kit.set_with_code(&started, &code, PASSWORD, NOON).await)
        } else {
            outcome_of(&kit.verify(&started, &code, NOON).await)
        };
        assert_eq!(answer, Outcome::Blocked);
        assert_eq!(news(&kit), [expected]);
    }
    for (protocol, expected) in BOTH.into_iter().zip(["blocked token", "blocked session"]) {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let proof = kit.verify(&started, &code, NOON).await.unwrap();
        kit.change_user(&user, "status", blocked()).await;
        kit.records.reset();
        let set = kit.set_password(&started, &proof, PASSWORD, later(1)).await;
        assert_eq!(outcome_of(&set), Outcome::Blocked);
        assert_eq!(news(&kit), [expected]);
    }
}

/// The records of a call if, from its `call`-th call of the store on, every call is carried out but its answer is
/// lost.
async fn lost(kit: &Kit, call: usize, calling: impl Future<Output = Outcome>) -> Vec<String> {
    kit.records.reset();
    kit.log.reset();
    kit.faults.fail(Failure::TimeoutAfter, call, usize::MAX);
    assert_eq!(calling.await, Outcome::Unavailable);
    kit.faults.clear();
    news(kit)
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_recorded_as_unanswered() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let begun = async { outcome_of(&kit.request(request(Protocol::AuthV1, ANN), NOON).await) };
    assert_eq!(lost(&kit, 1, Box::pin(begun)).await, ["unanswered request"]);

    let started = kit.start(Protocol::AuthV1, ANN, later(1)).await;
    let resent = async { outcome_of(&kit.resend(&started.session, later(2)).await) };
    assert_eq!(
        lost(&kit, 2, Box::pin(resent)).await,
        ["unanswered request"]
    );
    let code = kit.derived(&started.session).await;
    // The guess is charged to the session and to the address, and given back to both while the lookup is read;
    // then the user is read, and the proof is written.
    for (call, expected) in [
        (1, ["unanswered guess"]),
        (2, ["unanswered guess"]),
        (3, ["unanswered guess"]),
        (6, ["unanswered guess"]),
        (7, ["unanswered proof"]),
    ] {
        let verified = async { outcome_of(&kit.verify(&started, &code, later(3)).await) };
        assert_eq!(
            lost(&kit, call, Box::pin(verified)).await,
            expected,
            "{call}"
        );
    }

    let started = kit.start(Protocol::Directory, ANN, later(4)).await;
    let code = kit.derived(&started.session).await;
    let set = async { outcome_of(&kit.set_with_code(&started, &code, PASSWORD, later(4)).await) };
    assert_eq!(lost(&kit, 7, Box::pin(set)).await, ["unanswered password"]);

    let started = kit.start(Protocol::Directory, ANN, later(5)).await;
    let code = kit.derived(&started.session).await;
    kit.verify(&started, &code, later(5)).await.unwrap();
    let set = async { outcome_of(&kit.set_in_directory(&started, PASSWORD, later(6)).await) };
    assert_eq!(lost(&kit, 3, Box::pin(set)).await, ["unanswered password"]);
}

#[tokio::test]
async fn a_call_that_is_given_up_in_the_middle_is_recorded_as_unanswered() {
    for (calls, expected) in [
        (1, ["unanswered guess"]),
        (2, ["unanswered guess"]),
        (3, ["unanswered guess"]),
        (7, ["unanswered password"]),
    ] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let started = kit.start(Protocol::Directory, ANN, NOON).await;
        let code = kit.code(NOON).await;
        kit.records.reset();
        kit.log.reset();
        let under_way = async {
            while kit.log.calls().len() < calls {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = under_way => {}
            _ = kit.set_with_code(&started, &code, PASSWORD, NOON) => panic!("it was to be given up"),
        }
        assert_eq!(news(&kit), expected, "at call {calls}");
    }
}

#[tokio::test]
async fn a_refusal_that_costs_no_guess_and_meets_no_limit_is_not_recorded() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let directory = kit.start(Protocol::Directory, ANN, NOON).await;
    kit.records.reset();
    let stranger = kit.unknown_session();
    kit.verify(&stranger, "123456", NOON).await.unwrap_err();
    kit.verify(&directory, "123456", later(600))
        .await
        .unwrap_err();
    kit.verify(&directory, "malformed", NOON).await.unwrap_err();
    let other = kit.with_other_user(&directory);
    kit.verify(&other, "123456", NOON).await.unwrap_err();
    kit.set_by_token(None, PASSWORD, NOON).await.unwrap_err();
    kit.set_in_directory(&directory, PASSWORD, NOON)
        .await
        .unwrap_err();
    kit.set_with_code(&directory, "123456", "short", NOON)
        .await
        .unwrap_err();
    assert_eq!(news(&kit), Vec::<String>::new());
}

#[tokio::test]
async fn all_records_of_an_address_have_one_subject() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    for (protocol, spelling, at) in [
        (Protocol::AuthV1, ANN, NOON),
        (Protocol::Directory, "Ann@EXAMPLE.com", later(1)),
    ] {
        let started = kit.start(protocol, spelling, at).await;
        let code = kit.code(at).await;
        let proof = kit.verify(&started, &code, at).await.unwrap();
        kit.set_password(&started, &proof, PASSWORD, at)
            .await
            .unwrap();
        kit.mailed(at).await;
    }
    let records = kit.records.all();
    assert_eq!(records.len(), 10);
    let subject = keys().subject(&address(ANN)).hex();
    for record in records {
        assert_eq!(record["subject"], subject, "{record}");
    }
}

#[tokio::test]
async fn a_call_is_recorded_with_its_caller_device_and_id_and_a_mail_with_none() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let caller = Caller {
        network: CALLER,
        device: Some("phone".to_owned()),
        request: "8f507cfd-2f5b-4f5b-9a41-3d1f8a0b7c11".to_owned(),
    };
    let call = || {
        let mut call = kit.call(NOON);
        call.caller = caller.clone();
        call
    };
    let asked = request(Protocol::Directory, ANN);
    let started = kit.recovery.request(&mut call(), asked).await.unwrap();
    let code = kit.code(NOON).await;
    let (named, guess) = (in_directory(&started), typed(&code));
    kit.recovery
        .set_password_with_code(&mut call(), &named, &guess, new_password(PASSWORD))
        .await
        .unwrap();
    let keys = keys();
    for record in kit.records.all() {
        let fields: BTreeSet<_> = record.as_object().unwrap().keys().cloned().collect();
        if record["event"] == "mailed" {
            assert!(!fields.contains("caller") && !fields.contains("request"));
            continue;
        }
        assert_eq!(record["caller"], keys.audited_caller(CALLER).hex());
        assert_eq!(record["device"], keys.audited_device("phone").hex());
        assert_eq!(record["request"], caller.request);
    }
}

#[tokio::test]
async fn no_record_holds_a_secret_an_address_or_what_a_caller_sent() {
    let kit = Kit::with(&[("CODE_LENGTH", "10")]).await;
    let user = kit.user(ANN).await;
    let device = "ann@example.com's phone";
    let mut secrets = vec![
        PASSWORD.to_owned(),
        CALLER.to_string(),
        ANN.to_owned(),
        "ann".to_owned(),
        "phone".to_owned(),
        "example".to_owned(),
        user.id.as_str().to_owned(),
        CODE_SECRET.to_owned(),
        INDEX_SECRET.to_owned(),
    ];
    for (protocol, at) in BOTH.into_iter().zip([NOON, later(1)]) {
        let mut call = kit.call(at);
        call.caller.device = Some(device.to_owned());
        let asked = request(protocol, ANN);
        let started = kit.recovery.request(&mut call, asked).await.unwrap();
        let code = kit.code(at).await;
        kit.verify(&started, &wrong(&code), at).await.unwrap_err();
        let proof = kit.verify(&started, &code, at).await.unwrap();
        kit.set_password(&started, &proof, PASSWORD, at)
            .await
            .unwrap();
        if let Verified::Token(token) = proof {
            secrets.push(token.reveal());
        }
        secrets.extend([code, started.session.reveal().to_owned()]);
        kit.mailed(at).await;
    }
    let text = kit.records.text();
    assert_eq!(text.lines().count(), 12, "{text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_guesses_are_recorded_as_were_charged_in_a_storm() {
    for seed in 0..4 {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let started = kit.start(Protocol::Directory, ANN, NOON).await;
        let code = kit.code(NOON).await;
        kit.records.reset();
        kit.faults.storm(seed);
        let answers = at_once(&kit, &instances(&kit), 10, |recovery, number, call| {
            let sent = if number == 3 {
                code.clone()
            } else {
                wrong(&code)
            };
            guess(recovery, started.clone(), sent, call)
        })
        .await;
        kit.faults.clear();
        let proven = count(&answers, &Outcome::Done);
        let events = news(&kit);
        let recorded = |name: &str| events.iter().filter(|it| it.starts_with(name)).count();
        assert_eq!(recorded("proven"), proven, "{events:?}");
        let charged = usize::try_from(kit.guesses(&started.session).await).unwrap();
        assert_eq!(recorded("wrong-guess"), charged, "{events:?}");
    }
}

#[tokio::test]
async fn a_right_code_that_is_void_is_recorded_as_such() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let changed = aws_sdk_dynamodb::types::AttributeValue::N(NOON.millis().to_string());
    kit.change_user(&user, "passwordChangedAt", changed).await;
    kit.records.reset();
    kit.verify(&started, &code, NOON).await.unwrap_err();
    assert_eq!(news(&kit), ["wrong-guess void"]);
}
