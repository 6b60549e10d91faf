//! Retention: what the table keeps of addresses and callers, and until when.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::timestamp::Timestamp;

use crate::kit::{
    ANN, Kit, LOCALE, NOON, Outcome, PASSWORD, in_directory, keyed, later, outcome_of, wrong,
};

/// The counts that the address's state holds, in order.
async fn counts(kit: &Kit) -> Vec<String> {
    let key = kit.keys("ADDRESS#").await.remove(0);
    let state = kit.item(&key).await.unwrap();
    let names = state.into_keys();
    names
        .filter(|name| name.contains("Hour") || name.contains("Day"))
        .collect()
}

#[tokio::test]
async fn a_count_outlives_the_next_hour_or_day_and_is_removed_by_the_one_after() {
    let kit = Kit::new().await;
    let first = NOON.next_day().minus(Duration::from_mins(1));
    let (minutes, hour, day) = (
        Duration::from_mins(2),
        Duration::from_hours(1),
        Duration::from_hours(24),
    );
    let second = first.plus(minutes);
    let hours = |times: &[Timestamp]| -> Vec<String> {
        let names = times.iter().map(|at| format!("codesHour{}", at.hour()));
        names.collect()
    };
    let days = |name: &str, times: &[Timestamp]| -> Vec<String> {
        let names = times.iter().map(|at| format!("{name}{}", at.day()));
        names.collect()
    };
    let guesses_at = async |at: Timestamp| {
        let started = kit.start(Protocol::AuthV1, ANN, at).await;
        let code = wrong(&kit.derived(&started.session).await);
        let guess = kit.verify(&started, &code, at).await;
        assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
    };
    let expect = async |hour_times: &[Timestamp], day_times: &[Timestamp]| {
        let mut all = days("codesDay", day_times);
        all.extend(hours(hour_times));
        all.extend(days("triesDay", day_times));
        assert_eq!(counts(&kit).await, all);
    };

    guesses_at(first).await;
    expect(&[first], &[first]).await;
    // A minute past midnight, another instance's clock still shows the day before.
    guesses_at(second).await;
    expect(&[first, second], &[first, second]).await;
    guesses_at(first).await;
    expect(&[first, second], &[first, second]).await;
    assert_eq!(kit.guesses_today(ANN, first).await, 2);
    guesses_at(second.plus(hour)).await;
    expect(&[second, second.plus(hour)], &[first, second]).await;
    guesses_at(second.plus(day)).await;
    expect(&[second.plus(day)], &[second, second.plus(day)]).await;
}

#[tokio::test]
async fn a_code_removes_the_counts_before_the_previous_hour_and_day() {
    for by in ["a request", "another code"] {
        let kit = Kit::new().await;
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let key = kit.keys("ADDRESS#").await.remove(0);
        let one = || AttributeValue::N("1".to_owned());
        for ago in [1, 2, 3] {
            for name in [
                format!("codesHour{}", NOON.hour() - ago),
                format!("codesDay{}", NOON.day() - ago),
            ] {
                kit.change(&key, &name, one()).await;
            }
        }
        match by {
            "a request" => drop(kit.start(Protocol::AuthV1, ANN, later(1)).await),
            _ => drop(kit.resend(&started.session, later(1)).await.unwrap()),
        }
        let expected = [
            format!("codesDay{}", NOON.day() - 1),
            format!("codesDay{}", NOON.day()),
            format!("codesHour{}", NOON.hour() - 1),
            format!("codesHour{}", NOON.hour()),
        ];
        assert_eq!(counts(&kit).await, expected, "{by}");
    }
}

#[tokio::test]
async fn code_mail_requests_are_kept_for_a_day_and_notices_for_two_weeks() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    kit.set_with_code(&started, &code, PASSWORD, NOON)
        .await
        .unwrap();
    for (key, item) in kit.dump().await {
        let days = match key.rsplit('#').next() {
            _ if !key.starts_with("MAIL#") => continue,
            Some("changed") => 14,
            _ => 1,
        };
        assert_eq!(item["expiresAt"], seconds(later(days * 24 * 3600)), "{key}");
    }
}

#[tokio::test]
async fn a_mail_request_is_never_written_over() {
    let sent = AttributeValue::S("sent".to_owned());
    for by in [
        "a request",
        "another code",
        "a password",
        "a password with its code",
    ] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let keyed = || keyed(Protocol::Directory, ANN);
        let started = kit.request(keyed(), NOON).await.unwrap();
        let reference = started.session.reference().hex();
        let (session, first) = (format!("SESSION#{reference}"), NOON.millis());
        let code = kit.derived(&started.session).await;
        let there = match by {
            "a request" => format!("MAIL#{reference}#{first}"),
            "another code" => format!("MAIL#{reference}#{}", first + 1),
            _ => format!("MAIL#{reference}#{first}#changed"),
        };
        kit.change(&there, "outcome", sent.clone()).await;
        let before = match by {
            "a password" => {
                kit.verify(&started, &code, NOON).await.unwrap();
                kit.dump().await
            }
            "a request" => {
                // Its key would begin the session anew, in the same millisecond.
                let long_ago = AttributeValue::N("0".to_owned());
                kit.change(&session, "startedAt", long_ago).await;
                kit.dump().await
            }
            _ => kit.dump().await,
        };
        let told = match by {
            "a request" => outcome_of(&kit.request(keyed(), NOON).await),
            "another code" => {
                let named = in_directory(&started);
                let mut call = kit.call(NOON);
                outcome_of(&kit.recovery.resend(&mut call, &named, LOCALE).await)
            }
            "a password" => outcome_of(&kit.set_in_directory(&started, PASSWORD, NOON).await),
            _ => outcome_of(&kit.set_with_code(&started, &code, PASSWORD, NOON).await),
        };
        assert_eq!(told, Outcome::Broken, "{by}");
        let item = kit.item(&there).await.unwrap();
        assert_eq!(Some(&item), before.get(&there), "{by}");
    }
}

#[tokio::test]
async fn every_count_keeps_the_counts_of_an_address_for_two_more_days() {
    for by in ["a request", "another code", "a guess"] {
        let kit = Kit::new().await;
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let at = later(10);
        match by {
            "a request" => drop(kit.start(Protocol::Directory, ANN, at).await),
            "another code" => drop(kit.resend(&started.session, at).await.unwrap()),
            _ => {
                let code = wrong(&kit.derived(&started.session).await);
                let guess = kit.verify(&started, &code, at).await;
                assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
            }
        }
        let key = kit.keys("ADDRESS#").await.remove(0);
        let state = kit.item(&key).await.unwrap();
        assert_eq!(state["expiresAt"], seconds(later(10 + 48 * 3600)), "{by}");
    }
}

#[tokio::test]
async fn a_network_that_proved_an_address_is_known_to_it_for_as_many_days_as_set() {
    for (days, kept) in [("1", Some(1)), ("365", Some(365)), ("0", None)] {
        let kit = Kit::with(&[("KNOWN_NETWORK_DAYS", days)]).await;
        kit.user(ANN).await;
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let code = kit.derived(&started.session).await;
        kit.verify(&started, &wrong(&code), NOON).await.unwrap_err();
        assert_eq!(
            kit.keys("NETWORK#").await.len(),
            0,
            "a wrong code proves nothing"
        );
        kit.verify(&started, &code, later(1)).await.unwrap();
        let mut dump = kit.dump().await;
        dump.retain(|key, _| key.starts_with("NETWORK#"));
        let items: Vec<_> = dump.into_values().collect();
        assert_eq!(items.len(), usize::from(kept.is_some()), "{days}");
        for (item, days) in items.iter().zip(kept) {
            let names: Vec<&str> = item.keys().map(String::as_str).collect();
            assert_eq!(names, ["expiresAt", "pk"], "and nothing else is kept");
            assert_eq!(item["expiresAt"], seconds(later(1 + days * 24 * 3600)));
        }
    }
}

#[tokio::test]
async fn the_counts_of_a_caller_are_kept_for_two_hours_after_its_last_code() {
    let kit = Kit::with(&[("IP_REQUESTS_PER_HOUR", "9")]).await;
    let kept = async || {
        let key = kit.keys("CALLER#").await.remove(0);
        kit.item(&key).await.unwrap().remove("expiresAt")
    };
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    assert_eq!(kept().await, Some(seconds(later(7200))));
    kit.resend(&started.session, later(10)).await.unwrap();
    assert_eq!(kept().await, Some(seconds(later(7210))));
}

fn seconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N((at.millis() / 1000).to_string())
}
