//! No enumeration: until the code is proven, the engine makes the same calls and gives the same
//! answers for every address.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::store::Suppression;

use crate::kit::{
    ANN, Kit, NOBODY, NOON, Outcome, PASSWORD, address, blocked, later, outcome_of, request, wrong,
};

/// Who may have an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Nobodys,
    AUsers,
    ABlockedUsers,
    /// It bounced or complained, and is mailed no more.
    ASuppressedUsers,
    /// A user moved away from it, and the lookup was left behind.
    AFormerUsers,
}

use Whose::{ABlockedUsers, AFormerUsers, ASuppressedUsers, AUsers, Nobodys};

const ANYBODYS: [Whose; 5] = [
    Nobodys,
    AUsers,
    ABlockedUsers,
    ASuppressedUsers,
    AFormerUsers,
];
const BOTH: [Protocol; 2] = [Protocol::AuthV1, Protocol::Directory];

impl Whose {
    /// Prepares the address.
    async fn address(self, kit: &Kit) -> &'static str {
        let user = kit.user(ANN).await;
        match self {
            Nobodys => return NOBODY,
            AUsers => {}
            ABlockedUsers => kit.change_user(&user, "status", blocked()).await,
            ASuppressedUsers => {
                let ann = address(ANN);
                let suppressed = kit.store.suppress(&ann, Suppression::Bounced, NOON, NOON);
                suppressed.await.unwrap();
            }
            AFormerUsers => {
                let moved = AttributeValue::S("ann@elsewhere.example".to_owned());
                kit.change_user(&user, "email", moved).await;
            }
        }
        ANN
    }
}

/// All that can be observed of one call: its requests to the store, and its answer.
#[derive(Debug, PartialEq)]
struct Seen {
    mode: &'static str,
    asked: Vec<String>,
    write_units: u32,
    read_units: f64,
    recorded: Vec<String>,
    told: Outcome,
}

/// All that is seen, from a request to spent guesses, in every mode there is before a proof. `right`
/// guesses are what the code key leads to.
async fn seen(protocol: Protocol, whose: Whose, right: bool) -> Vec<Seen> {
    seen_with(&[], protocol, whose, right).await
}

/// [`seen`], with some settings changed.
async fn seen_with(
    changed: &[(&str, &str)],
    protocol: Protocol,
    whose: Whose,
    right: bool,
) -> Vec<Seen> {
    let settings = [changed, &[("RESEND_COOLDOWN_SECONDS", "1")]].concat();
    let kit = Kit::throttled(&settings).await;
    let email = whose.address(&kit).await;
    let mut seen = Vec::new();
    let mut note = |mode, told: Outcome| {
        seen.push(Seen {
            mode,
            asked: kit.log.shapes(),
            write_units: kit.log.write_units(),
            read_units: kit.log.read_units(),
            recorded: kit.records.events(),
            told,
        });
        kit.log.reset();
        kit.records.reset();
    };
    kit.log.reset();
    let started = kit.start(protocol, email, NOON).await;
    note("a request", Outcome::Done);
    let again = kit.request(request(protocol, email), NOON).await;
    note("a request in the cooldown", outcome_of(&again));
    if protocol == Protocol::AuthV1 {
        note(
            "a resend",
            outcome_of(&kit.resend(&started.session, later(1)).await),
        );
        let again = kit.resend(&started.session, later(1)).await;
        note("a resend in the cooldown", outcome_of(&again));
    } else {
        let set = kit.set_in_directory(&started, PASSWORD, later(2));
        note("a password without a proof", outcome_of(&set.await));
        let set = kit.set_with_code(&started, "malformed", PASSWORD, later(2));
        note("a malformed code and a password", outcome_of(&set.await));
        let set = kit.set_with_code(&started, "000000", "password1", later(2));
        note("a code and a refused password", outcome_of(&set.await));
    }
    let malformed = kit.verify(&started, "malformed", later(2)).await;
    note("a malformed code", outcome_of(&malformed));
    let code = kit.derived(&started.session).await;
    let sent = if right { code } else { wrong(&code) };
    if protocol == Protocol::Directory {
        let other = wrong(&sent);
        let guess = kit.set_with_code(&started, &other, PASSWORD, later(2));
        note("a wrong code and a password", outcome_of(&guess.await));
        let id = started.user.as_ref().unwrap();
        let guess = kit.set_in_newest(id, &other, PASSWORD, later(2));
        note(
            "a wrong code for the newest session",
            outcome_of(&guess.await),
        );
    }
    for _ in 0..6 {
        let guess = kit.verify(&started, &sent, later(2)).await;
        note("a guess", outcome_of(&guess));
    }
    seen
}

#[tokio::test]
async fn known_and_unknown_addresses_cause_the_same_calls_costs_and_answers() {
    for protocol in BOTH {
        let expected = seen(protocol, Nobodys, false).await;
        for whose in ANYBODYS {
            let found = seen(protocol, whose, false).await;
            assert_eq!(found, expected, "{whose:?} over {protocol:?}");
        }
    }
}

#[tokio::test]
async fn known_and_unknown_addresses_look_alike_with_aliases_and_without_the_session() {
    for changed in [
        &[("DIRECTORY_USER_ID", "alias")][..],
        &[("DIRECTORY_SESSION", "latest")],
        &[
            ("DIRECTORY_USER_ID", "alias"),
            ("DIRECTORY_SESSION", "latest"),
        ],
    ] {
        let expected = seen_with(changed, Protocol::Directory, Nobodys, false).await;
        for whose in ANYBODYS {
            let found = seen_with(changed, Protocol::Directory, whose, false).await;
            assert_eq!(found, expected, "{whose:?} with {changed:?}");
        }
    }
}

#[tokio::test]
async fn stored_items_look_the_same_for_known_and_unknown_addresses() {
    for protocol in BOTH {
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
async fn right_and_wrong_guesses_make_the_same_calls_until_the_comparison() {
    for protocol in BOTH {
        let right = seen(protocol, AUsers, true).await;
        let wrong = seen(protocol, AUsers, false).await;
        let guess = right.iter().position(|it| it.mode == "a guess").unwrap();
        assert_eq!(
            (&right[guess].told, &wrong[guess].told),
            (&Outcome::Done, &Outcome::CodeWrong)
        );
        assert_eq!(right[..guess], wrong[..guess]);
        assert_eq!(
            right[guess].asked[..2],
            wrong[guess].asked[..],
            "{protocol:?}"
        );
        assert_eq!(
            wrong[guess].asked,
            ["UpdateItem SESSION", "UpdateItem ADDRESS"],
            "the charge comes before anything that depends on the comparison"
        );
    }
}
