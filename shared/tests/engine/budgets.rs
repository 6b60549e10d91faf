//! What each endpoint costs: calls of the store and write units; and that the cost tells nobody
//! whether an address is known.

use regain::session::Protocol;
use regain::timestamp::Timestamp;

use crate::kit::{ANN, Kit, NOBODY, NOON, PASSWORD, StoreCall, Told, later, request, told, wrong};

/// Calls and write units since the last look.
fn cost(kit: &Kit) -> (usize, u32) {
    let cost = (kit.log.calls().len(), kit.log.write_units());
    kit.log.reset();
    cost
}

async fn codes(
    kit: &Kit,
    protocol: Protocol,
    at: Timestamp,
) -> (regain::recovery::Started, String) {
    let started = kit.start(protocol, ANN, at).await;
    let code = kit.code(at).await;
    kit.log.reset();
    (started, code)
}

#[tokio::test]
async fn every_endpoint_keeps_to_its_budget() {
    let kit = Kit::throttled(&[
        ("RESEND_COOLDOWN_SECONDS", "1"),
        ("EMAIL_REQUESTS_PER_HOUR", "1000"),
        ("EMAIL_REQUESTS_PER_DAY", "1000"),
    ])
    .await;
    kit.user(ANN).await;
    let mut seconds = 0;
    let mut next = || {
        seconds += 1;
        later(seconds)
    };
    let mut measured = Vec::new();
    let mut note = |what: &'static str| measured.push((what, cost(&kit)));

    kit.log.reset();
    kit.start(Protocol::AuthV1, ANN, next()).await;
    note("auth/v1 forgot-password");
    kit.start(Protocol::Directory, ANN, next()).await;
    note("users/resend");
    kit.mailed(NOON).await;

    let at = next();
    let (auth, code) = codes(&kit, Protocol::AuthV1, at).await;
    kit.verify(&auth, &wrong(&code), at).await.unwrap_err();
    note("verify-otp, wrong");
    kit.verify(&auth, "malformed", at).await.unwrap_err();
    note("verify-otp, malformed");
    kit.resend(&auth.session, next()).await.unwrap();
    note("resend-otp");
    let code = kit.code(at).await;
    kit.log.reset();
    let proof = kit.verify(&auth, &code, at).await.unwrap();
    note("verify-otp, right");
    kit.set_password(&auth, &proof, PASSWORD, at).await.unwrap();
    note("set-password");
    kit.mailed(at).await;

    let at = next();
    let (directory, code) = codes(&kit, Protocol::Directory, at).await;
    kit.verify(&directory, &wrong(&code), at).await.unwrap_err();
    note("setPassword with otp, wrong");
    let proof = kit.verify(&directory, &code, at).await.unwrap();
    note("setPassword with otp, right");
    kit.set_password(&directory, &proof, PASSWORD, at)
        .await
        .unwrap();
    note("setPassword with password");
    kit.mailed(at).await;

    let at = next();
    let (directory, code) = codes(&kit, Protocol::Directory, at).await;
    kit.set_with_code(&directory, &wrong(&code), PASSWORD, at)
        .await
        .unwrap_err();
    note("setPassword with both, wrong");
    kit.set_with_code(&directory, &code, PASSWORD, at)
        .await
        .unwrap();
    note("setPassword with both, right");
    let before = kit.ses.mails().len();
    kit.deliver(at).await;
    assert_eq!(kit.ses.mails().len(), before + 1);
    note("deliver-mail, a notice");
    kit.start(Protocol::AuthV1, ANN, next()).await;
    kit.log.reset();
    kit.deliver(at).await;
    note("deliver-mail, a code");

    assert_eq!(
        measured,
        [
            ("auth/v1 forgot-password", (1, 8)),
            ("users/resend", (2, 8)),
            ("verify-otp, wrong", (2, 4)),
            ("verify-otp, malformed", (2, 0)),
            ("resend-otp", (2, 8)),
            ("verify-otp, right", (5, 10)),
            ("set-password", (3, 8)),
            ("setPassword with otp, wrong", (2, 4)),
            ("setPassword with otp, right", (5, 10)),
            ("setPassword with password", (3, 8)),
            ("setPassword with both, wrong", (2, 4)),
            ("setPassword with both, right", (5, 12)),
            ("deliver-mail, a notice", (4, 2)),
            ("deliver-mail, a code", (4, 2)),
        ]
    );
}

#[tokio::test]
async fn a_refusal_costs_no_write() {
    let kit = Kit::throttled(&[("CODE_MAX_ATTEMPTS", "1")]).await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.verify(&started, &wrong(&code), NOON).await.unwrap_err();
    kit.log.reset();
    assert_eq!(told(&kit.verify(&started, &code, NOON).await), Told::Spent);
    assert_eq!(cost(&kit), (2, 0));
    let refused = kit.request(request(Protocol::AuthV1, ANN), NOON).await;
    assert_eq!(told(&refused), Told::Throttled(later(60)));
    assert_eq!(cost(&kit), (1, 0));
}

/// What the store is asked, from a request to spent guesses, and what it costs: `right` guesses are
/// what the code key leads to.
async fn observed(protocol: Protocol, email: &str, right: bool) -> Vec<(Vec<String>, u32, Told)> {
    let kit = Kit::throttled(&[("RESEND_COOLDOWN_SECONDS", "1")]).await;
    kit.user(ANN).await;
    let mut observed = Vec::new();
    let mut note = |told: Told| {
        observed.push((kit.log.shapes(), kit.log.write_units(), told));
        kit.log.reset();
    };
    kit.log.reset();
    let started = kit.start(protocol, email, NOON).await;
    note(Told::Done);
    note(told(&kit.request(request(protocol, email), NOON).await));
    if protocol == Protocol::AuthV1 {
        note(told(&kit.resend(&started.session, later(1)).await));
        note(told(&kit.resend(&started.session, later(1)).await));
    }
    let code = kit.derived(&started.session).await;
    note(told(&kit.verify(&started, "malformed", later(2)).await));
    for _ in 0..6 {
        let sent = if right { code.clone() } else { wrong(&code) };
        note(told(&kit.verify(&started, &sent, later(2)).await));
    }
    observed
}

#[tokio::test]
async fn known_and_unknown_addresses_cost_the_same_and_are_told_the_same() {
    for protocol in [Protocol::AuthV1, Protocol::Directory] {
        let known = observed(protocol, ANN, false).await;
        let unknown = observed(protocol, NOBODY, false).await;
        assert_eq!(known, unknown, "{protocol:?}");
    }
}

#[tokio::test]
async fn what_is_kept_of_an_address_looks_the_same_known_or_not() {
    for protocol in [Protocol::AuthV1, Protocol::Directory] {
        let mut looks = Vec::new();
        for email in ["a@example.com", "b@example.com"] {
            let kit = Kit::throttled(&[]).await;
            kit.user("a@example.com").await;
            let started = kit.start(protocol, email, NOON).await;
            kit.deliver(NOON).await;
            let code = kit.derived(&started.session).await;
            kit.verify(&started, &wrong(&code), NOON).await.unwrap_err();
            let mut items: Vec<_> = kit
                .dump()
                .await
                .into_iter()
                .filter(|(key, _)| !key.starts_with("USER#") && !key.starts_with("EMAIL#"))
                .map(|(key, item)| {
                    let kind = key.split('#').next().unwrap().to_owned();
                    // The outcome is what delivery found, and no caller sees it.
                    let names: Vec<_> = item
                        .into_keys()
                        .filter(|name| name != "messageId")
                        .collect();
                    (kind, names)
                })
                .collect();
            items.sort();
            looks.push(items);
        }
        assert_eq!(looks[0], looks[1]);
    }
}

#[tokio::test]
async fn until_the_comparison_a_right_guess_asks_the_store_what_a_wrong_one_does() {
    for protocol in [Protocol::AuthV1, Protocol::Directory] {
        let right = observed(protocol, ANN, true).await;
        let wrong = observed(protocol, ANN, false).await;
        // Two requests, in auth/v1 two resends, and a malformed code come before the first guess.
        let guess = if protocol == Protocol::AuthV1 { 5 } else { 3 };
        assert_eq!(
            (&right[guess].2, &wrong[guess].2),
            (&Told::Done, &Told::CodeWrong)
        );
        assert_eq!(right[..guess], wrong[..guess]);
        assert_eq!(right[guess].0[..2], wrong[guess].0[..], "{protocol:?}");
        assert_eq!(
            wrong[guess].0,
            ["GetItem SESSION", "TransactWriteItems SESSION ADDRESS"],
            "the charge comes before anything that depends on the comparison"
        );
    }
}

#[tokio::test]
async fn every_read_is_consistent_and_nothing_is_scanned() {
    let kit = Kit::throttled(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let user = kit.user(ANN).await;
    kit.log.reset();
    let auth = kit.start(Protocol::AuthV1, ANN, NOON).await;
    kit.verify(&auth, "malformed", NOON).await.unwrap_err();
    let code = kit.code(NOON).await;
    kit.resend(&auth.session, NOON).await.unwrap();
    kit.verify(&auth, &code, NOON).await.unwrap_err();
    let code = kit.code(NOON).await;
    let proof = kit.verify(&auth, &code, NOON).await.unwrap();
    kit.set_password(&auth, &proof, PASSWORD, NOON)
        .await
        .unwrap();
    kit.mailed(NOON).await;
    let directory = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.set_with_code(&kit.with_other_user(&directory), &code, PASSWORD, NOON)
        .await
        .unwrap_err();
    kit.change_user(&user, "status", crate::kit::blocked())
        .await;
    kit.set_with_code(&directory, &code, PASSWORD, NOON)
        .await
        .unwrap_err();
    let calls = kit.log.calls();
    let reads: Vec<&StoreCall> = calls
        .iter()
        .filter(|call| call.operation == "GetItem")
        .collect();
    assert!(reads.len() > 15, "{}", reads.len());
    for call in &calls {
        assert_ne!(call.operation, "something else");
        assert_ne!(call.consistent, Some(false), "{}", call.shape());
    }
    for kind in ["SESSION", "ADDRESS", "USER", "EMAIL"] {
        let key = format!("{kind}#");
        assert!(
            reads.iter().any(|call| call.keys[0].starts_with(&key)),
            "{kind} is read"
        );
    }
}
