//! Throttles: how many codes an address may have and a caller may ask for.

use std::net::IpAddr;
use std::time::Duration;

use regain::api::Protocol;
use regain::recovery::{RecoveryError, Started};
use regain::timestamp::Timestamp;

use crate::kit::{
    ANN, CALLER, Kit, NOBODY, NOON, Outcome, just_before, later, named, outcome_of, request, typed,
    wrong,
};

const BOTH: [Protocol; 2] = [Protocol::Directory, Protocol::AuthV1];

async fn request_from(
    kit: &Kit,
    network: &str,
    email: &str,
    at: Timestamp,
) -> Result<Started, RecoveryError> {
    let asked = request(Protocol::AuthV1, email);
    kit.request_from(network.parse().unwrap(), asked, at).await
}

#[tokio::test]
async fn an_address_has_no_other_code_until_its_cooldown_ends() {
    for first in BOTH {
        for second in BOTH {
            let kit = Kit::throttled(&[]).await;
            kit.start(first, ANN, NOON).await;
            let end = later(60);
            for at in [NOON, later(30), just_before(end)] {
                // An instance that remembers no refusal, so that the table decides.
                let instance = kit.another_instance();
                let refused = instance
                    .request(&mut kit.call(at), request(second, ANN))
                    .await;
                assert_eq!(outcome_of(&refused), Outcome::Throttled(end));
            }
            kit.start(second, "other@example.com", NOON).await;
            let accepted = kit.request(request(second, ANN), end).await;
            assert_eq!(outcome_of(&accepted), Outcome::Done);
        }
    }
}

#[tokio::test]
async fn another_code_counts_for_the_caller_who_asks_for_it() {
    let kit = Kit::with(&[("IP_REQUESTS_PER_HOUR", "1")]).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let elsewhere: IpAddr = "198.51.100.1".parse().unwrap();
    let resent = kit.resend_from(elsewhere, &started.session, NOON).await;
    assert_eq!(outcome_of(&resent), Outcome::Done);
    let again = kit.resend_from(elsewhere, &started.session, NOON).await;
    assert_eq!(outcome_of(&again), Outcome::Throttled(NOON.next_hour()));
}

#[tokio::test]
async fn another_code_for_a_session_waits_for_the_same_cooldown() {
    let kit = Kit::throttled(&[]).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let early = kit.resend(&started.session, just_before(later(60))).await;
    assert_eq!(outcome_of(&early), Outcome::Throttled(later(60)));
    assert_eq!(
        outcome_of(&kit.resend(&started.session, later(60)).await),
        Outcome::Done
    );
    let next = kit
        .request(request(Protocol::Directory, ANN), later(119))
        .await;
    assert_eq!(
        outcome_of(&next),
        Outcome::Throttled(later(120)),
        "it counts as a code too"
    );
}

/// Requests and resends in turn until one is refused: how many were accepted, and until when.
async fn exhaust(kit: &Kit, email: &str, at: Timestamp) -> (usize, Outcome) {
    let mut session: Option<Started> = None;
    for count in 0..50 {
        let refused = match &session {
            Some(started) if count % 2 == 1 => outcome_of(&kit.resend(&started.session, at).await),
            _ => match kit.request(request(Protocol::AuthV1, email), at).await {
                Ok(started) => {
                    session = Some(started);
                    Outcome::Done
                }
                refused => outcome_of(&refused),
            },
        };
        if refused != Outcome::Done {
            return (count, refused);
        }
    }
    (50, Outcome::Done)
}

#[tokio::test]
async fn hourly_and_daily_limits_hold_for_known_and_unknown_addresses() {
    // (days, an hour, what is left of the day for its fourth hour)
    let shares = [("0", 5, 5), ("90", 4, 2)];
    for (email, (days, per_hour, left)) in [ANN, NOBODY]
        .into_iter()
        .flat_map(|email| shares.map(|share| (email, share)))
    {
        let kit = Kit::throttled(&[
            ("RESEND_COOLDOWN_SECONDS", "0"),
            ("KNOWN_NETWORK_DAYS", days),
        ])
        .await;
        kit.user(ANN).await;
        let mut hour = later(10 * 60);
        let day = NOON.next_day();
        for _ in 0..3 {
            assert_eq!(
                exhaust(&kit, email, hour).await,
                (per_hour, Outcome::Throttled(hour.next_hour()))
            );
            let (last, next) = (just_before(hour.next_hour()), hour.next_hour());
            assert_eq!(
                exhaust(&kit, email, last).await,
                (0, Outcome::Throttled(next))
            );
            hour = next;
        }
        assert_eq!(
            exhaust(&kit, email, hour).await,
            (left, Outcome::Throttled(day)),
            "20 by now, or 14"
        );
        assert_eq!(
            exhaust(&kit, email, hour.next_hour()).await,
            (0, Outcome::Throttled(day))
        );
        assert_eq!(
            exhaust(&kit, email, just_before(day)).await,
            (0, Outcome::Throttled(day))
        );
        assert_eq!(
            exhaust(&kit, email, day).await,
            (per_hour, Outcome::Throttled(day.next_hour()))
        );
    }
}

#[tokio::test]
async fn the_hourly_limit_of_a_caller_counts_all_addresses() {
    let kit = Kit::throttled(&[("IP_REQUESTS_PER_HOUR", "3")]).await;
    let first = kit.start(Protocol::AuthV1, "a@example.com", NOON).await;
    kit.start(Protocol::Directory, "b@example.com", NOON).await;
    kit.resend(&first.session, later(60)).await.unwrap();
    let end = NOON.next_hour();
    for protocol in BOTH {
        let refused = kit
            .request(request(protocol, "c@example.com"), later(120))
            .await;
        assert_eq!(outcome_of(&refused), Outcome::Throttled(end));
    }
    let refused = kit.resend(&first.session, later(120)).await;
    assert_eq!(outcome_of(&refused), Outcome::Throttled(end));
    let other = request_from(&kit, "192.0.2.8", "c@example.com", later(120)).await;
    assert_eq!(
        outcome_of(&other),
        Outcome::Done,
        "another caller has its own count"
    );
    let accepted = kit
        .request(request(Protocol::AuthV1, "d@example.com"), end)
        .await;
    assert_eq!(outcome_of(&accepted), Outcome::Done);
}

#[tokio::test]
async fn an_ipv6_caller_is_counted_by_its_network() {
    let kit = Kit::throttled(&[("IP_REQUESTS_PER_HOUR", "1")]).await;
    for (caller, email, expected) in [
        ("2001:db8:1:2::1", "a@example.com", Outcome::Done),
        (
            "2001:db8:1:2:ffff::9",
            "b@example.com",
            Outcome::Throttled(NOON.next_hour()),
        ),
        ("2001:db8:1:3::1", "c@example.com", Outcome::Done),
        ("192.0.2.1", "d@example.com", Outcome::Done),
        (
            "::ffff:192.0.2.1",
            "e@example.com",
            Outcome::Throttled(NOON.next_hour()),
        ),
    ] {
        let answer = request_from(&kit, caller, email, NOON).await;
        assert_eq!(outcome_of(&answer), expected, "{caller}");
    }
}

#[tokio::test]
async fn guesses_are_not_counted_for_their_caller() {
    let kit = Kit::throttled(&[("IP_REQUESTS_PER_HOUR", "2")]).await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    for _ in 0..3 {
        assert_eq!(
            outcome_of(&kit.verify(&started, &wrong(&code), NOON).await),
            Outcome::CodeWrong
        );
    }
    assert_eq!(
        outcome_of(&kit.resend(&started.session, later(60)).await),
        Outcome::Done
    );
}

#[tokio::test]
async fn a_limit_of_zero_turns_the_throttle_off() {
    let kit = Kit::new().await;
    assert_eq!(exhaust(&kit, ANN, NOON).await, (50, Outcome::Done));
    assert_eq!(kit.keys("CALLER#").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_request_refused_for_several_reasons_is_told_the_longest_wait() {
    let cases = [
        // (cooldown, an hour, a day, caller, expected)
        ("60", "0", "0", "0", later(60)),
        ("60", "1", "0", "0", NOON.next_hour()),
        ("3600", "1", "0", "1", NOON.next_hour()),
        ("60", "0", "0", "1", NOON.next_hour()),
        ("60", "1", "1", "1", NOON.next_day()),
        ("60", "0", "1", "0", NOON.next_day()),
    ];
    for (cooldown, hour, day, caller, until) in cases {
        let kit = Kit::throttled(&[
            ("RESEND_COOLDOWN_SECONDS", cooldown),
            ("EMAIL_REQUESTS_PER_HOUR", hour),
            ("EMAIL_REQUESTS_PER_DAY", day),
            ("IP_REQUESTS_PER_HOUR", caller),
        ])
        .await;
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let refused = kit
            .request(request(Protocol::Directory, ANN), later(1))
            .await;
        assert_eq!(outcome_of(&refused), Outcome::Throttled(until));
        let refused = kit.resend(&started.session, later(1)).await;
        assert_eq!(outcome_of(&refused), Outcome::Throttled(until));
    }
    let kit = Kit::throttled(&[
        ("RESEND_COOLDOWN_SECONDS", "3600"),
        ("EMAIL_REQUESTS_PER_HOUR", "1"),
    ])
    .await;
    let late = NOON.plus(Duration::from_mins(50));
    kit.start(Protocol::AuthV1, ANN, late).await;
    let refused = kit.request(request(Protocol::AuthV1, ANN), late).await;
    let cooled = late.plus(Duration::from_hours(1));
    assert_eq!(
        outcome_of(&refused),
        Outcome::Throttled(cooled),
        "the cooldown outlasts the hour"
    );
}

#[tokio::test]
async fn a_refused_request_changes_nothing() {
    for (setting, limit) in [
        ("RESEND_COOLDOWN_SECONDS", "60"),
        ("EMAIL_REQUESTS_PER_HOUR", "1"),
        ("EMAIL_REQUESTS_PER_DAY", "1"),
        ("IP_REQUESTS_PER_HOUR", "1"),
    ] {
        let mut settings = vec![
            ("RESEND_COOLDOWN_SECONDS", "0"),
            ("EMAIL_REQUESTS_PER_HOUR", "0"),
            ("EMAIL_REQUESTS_PER_DAY", "0"),
            ("IP_REQUESTS_PER_HOUR", "0"),
        ];
        settings.retain(|(name, _)| *name != setting);
        settings.push((setting, limit));
        let kit = Kit::throttled(&settings).await;
        kit.user(ANN).await;
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let before = kit.dump().await;
        for protocol in BOTH {
            let refused = kit.request(request(protocol, ANN), later(1)).await;
            assert!(
                matches!(outcome_of(&refused), Outcome::Throttled(_)),
                "{setting}"
            );
        }
        let refused = kit.resend_from(CALLER, &started.session, later(1)).await;
        assert!(
            matches!(outcome_of(&refused), Outcome::Throttled(_)),
            "{setting}"
        );
        assert_eq!(kit.dump().await, before, "{setting}");
        let guess = kit.verify(&started, &code, later(1)).await;
        assert_eq!(
            outcome_of(&guess),
            Outcome::Done,
            "the session is as good as before"
        );
    }
}

#[tokio::test]
async fn a_refusal_by_the_callers_limit_does_not_count_for_the_address_nor_the_reverse() {
    let kit = Kit::throttled(&[("IP_REQUESTS_PER_HOUR", "2")]).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    for _ in 0..5 {
        let refused = kit.request(request(Protocol::AuthV1, ANN), later(1)).await;
        assert_eq!(
            outcome_of(&refused),
            Outcome::Throttled(later(60)),
            "the address is cooling"
        );
    }
    let second = kit
        .request(request(Protocol::AuthV1, NOBODY), later(1))
        .await;
    assert_eq!(outcome_of(&second), Outcome::Done, "the caller's second");
    let third = "third@example.com";
    for _ in 0..5 {
        let refused = kit
            .request(request(Protocol::AuthV1, third), later(2))
            .await;
        assert_eq!(outcome_of(&refused), Outcome::Throttled(NOON.next_hour()));
    }
    let fresh = request_from(&kit, "198.51.100.1", third, later(3)).await;
    assert_eq!(outcome_of(&fresh), Outcome::Done, "it never cooled");
}

#[tokio::test]
async fn every_spelling_of_an_address_shares_its_throttle() {
    let kit = Kit::throttled(&[]).await;
    kit.start(Protocol::AuthV1, "Jürgen@Bücher.example", NOON)
        .await;
    for spelling in [
        "JÜRGEN@bücher.example",
        " jürgen@xn--bcher-kva.example ",
        "ju\u{308}rgen@BÜCHER.EXAMPLE",
    ] {
        let refused = kit
            .request(request(Protocol::AuthV1, spelling), later(1))
            .await;
        assert_eq!(
            outcome_of(&refused),
            Outcome::Throttled(later(60)),
            "{spelling}"
        );
    }
}

const AT_HOME: &str = "192.0.2.44";
const ELSEWHERE: &str = "198.51.100.9";

/// Has the address proven from that network.
async fn proven_from(kit: &Kit, network: &str, at: Timestamp) {
    let started = request_from(kit, network, ANN, at).await.unwrap();
    let code = kit.derived(&started.session).await;
    let mut call = kit.call_from(network.parse().unwrap(), at);
    let (named, guess) = (named(&started), typed(&code));
    let proven = kit.recovery.verify_for_token(&mut call, &named, &guess);
    proven.await.unwrap();
}

#[tokio::test]
async fn a_network_that_proved_an_address_may_use_what_strangers_leave_of_its_codes() {
    for (setting, end) in [
        ("EMAIL_REQUESTS_PER_HOUR", NOON.next_hour()),
        ("EMAIL_REQUESTS_PER_DAY", NOON.next_day()),
    ] {
        let kit = Kit::with(&[(setting, "6")]).await;
        kit.user(ANN).await;
        proven_from(&kit, AT_HOME, NOON).await;
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(request_from(&kit, ELSEWHERE, ANN, NOON).await.unwrap());
        }
        // An instance that remembers nothing: a refusal is remembered for its network only.
        let refused = request_from(&kit, ELSEWHERE, ANN, NOON).await;
        assert_eq!(outcome_of(&refused), Outcome::Throttled(end), "{setting}");
        let elsewhere = ELSEWHERE.parse().unwrap();
        let resent = kit.resend_from(elsewhere, &sessions[0].session, NOON).await;
        assert_eq!(outcome_of(&resent), Outcome::Throttled(end), "{setting}");
        // IPv4 in IPv6's notation is the same network.
        let mine = request_from(&kit, "::ffff:192.0.2.44", ANN, NOON)
            .await
            .unwrap();
        let at_home = AT_HOME.parse().unwrap();
        let resent = kit.resend_from(at_home, &mine.session, NOON).await;
        assert_eq!(outcome_of(&resent), Outcome::Done, "{setting}: the sixth");
        let refused = request_from(&kit, AT_HOME, ANN, NOON).await;
        assert_eq!(outcome_of(&refused), Outcome::Throttled(end), "{setting}");
    }
}

#[tokio::test]
async fn a_network_that_proved_an_address_may_use_what_strangers_leave_of_its_guesses() {
    let kit = Kit::with(&[
        ("ACCOUNT_GUESSES_PER_DAY", "7"),
        ("CODE_MAX_ATTEMPTS", "20"),
    ])
    .await;
    kit.user(ANN).await;
    proven_from(&kit, AT_HOME, NOON).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    let guess_from = async |network: &str, code: &str| {
        let mut call = kit.call_from(network.parse().unwrap(), NOON);
        let (named, guess) = (named(&started), typed(code));
        outcome_of(
            &kit.recovery
                .verify_for_token(&mut call, &named, &guess)
                .await,
        )
    };
    let wrong = wrong(&code);
    for _ in 0..5 {
        assert_eq!(guess_from(ELSEWHERE, &wrong).await, Outcome::CodeWrong);
    }
    let spent = Outcome::SpentUntil(NOON.next_day());
    assert_eq!(guess_from(ELSEWHERE, &code).await, spent);
    assert_eq!(kit.guesses(&started.session).await, 5, "it is given back");
    for _ in 0..2 {
        assert_eq!(guess_from(AT_HOME, &wrong).await, Outcome::CodeWrong);
    }
    assert_eq!(guess_from(AT_HOME, &code).await, spent);
    assert_eq!(kit.guesses_today(ANN, NOON).await, 7);
}

#[tokio::test]
async fn the_owner_gets_in_from_a_known_network_whatever_strangers_have_spent() {
    let kit = Kit::throttled(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    kit.user(ANN).await;
    proven_from(&kit, AT_HOME, NOON).await;
    let tomorrow = NOON.next_day();
    // Strangers from many networks spend all codes, and all guesses at them.
    let mut answers = Vec::new();
    for stranger in 0..60 {
        let network = format!("203.0.113.{stranger}");
        if let Ok(started) = request_from(&kit, &network, ANN, tomorrow).await {
            let wrong = wrong(&kit.derived(&started.session).await);
            for _ in 0..9 {
                let mut call = kit.call_from(network.parse().unwrap(), tomorrow);
                let (named, guess) = (named(&started), typed(&wrong));
                let guess = kit.recovery.verify_for_token(&mut call, &named, &guess);
                answers.push(outcome_of(&guess.await));
            }
        }
    }
    assert_eq!(answers.len(), 4 * 9, "four codes in the hour");
    assert_eq!(kit.guesses_today(ANN, tomorrow).await, 20);
    let started = request_from(&kit, AT_HOME, ANN, tomorrow).await.unwrap();
    let code = kit.derived(&started.session).await;
    let mut call = kit.call_from(AT_HOME.parse().unwrap(), tomorrow);
    let (named, guess) = (named(&started), typed(&code));
    let proven = kit.recovery.verify_for_token(&mut call, &named, &guess);
    assert_eq!(outcome_of(&proven.await), Outcome::Done);
}

#[tokio::test]
async fn a_network_is_known_to_the_address_it_proved_and_until_its_days_are_over() {
    let days = |days: u64| NOON.plus(Duration::from_hours(24 * days));
    for (network, at, known) in [
        (AT_HOME, days(89), true),
        (AT_HOME, just_before(days(90)), true),
        (AT_HOME, days(90), false),
        (ELSEWHERE, days(1), false),
    ] {
        let kit = Kit::with(&[("EMAIL_REQUESTS_PER_DAY", "3")]).await;
        kit.user(ANN).await;
        proven_from(&kit, AT_HOME, NOON).await;
        for email in [ANN, "other@example.com"] {
            for _ in 0..2 {
                request_from(&kit, network, email, at).await.unwrap();
            }
            let third = request_from(&kit, network, email, at).await;
            assert_eq!(
                third.is_ok(),
                known && email == ANN,
                "{network} {email} {at:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_strangers_network_is_answered_and_costs_the_same_whether_anybody_has_the_address() {
    let mut seen = Vec::new();
    for email in [ANN, NOBODY] {
        let kit = Kit::with(&[
            ("EMAIL_REQUESTS_PER_HOUR", "3"),
            ("ACCOUNT_GUESSES_PER_DAY", "3"),
        ])
        .await;
        kit.user(ANN).await;
        if email == ANN {
            proven_from(&kit, AT_HOME, NOON).await;
        }
        let at = NOON.next_day();
        kit.log.reset();
        let mut told = Vec::new();
        let first = request_from(&kit, ELSEWHERE, email, at).await.unwrap();
        for _ in 0..2 {
            told.push(outcome_of(&request_from(&kit, ELSEWHERE, email, at).await));
        }
        let code = wrong(&kit.derived(&first.session).await);
        for _ in 0..3 {
            let mut call = kit.call_from(ELSEWHERE.parse().unwrap(), at);
            let (named, guess) = (named(&first), typed(&code));
            let guess = kit.recovery.verify_for_token(&mut call, &named, &guess);
            told.push(outcome_of(&guess.await));
        }
        seen.push((told, kit.log.shapes(), kit.log.write_units()));
    }
    assert_eq!(seen[0], seen[1]);
}
