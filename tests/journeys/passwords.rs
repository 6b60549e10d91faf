//! The reasons for which a password is refused. An accepted password is stored unchanged.

use serde_json::json;

use crate::stacks;
use testkit::client::{Begun, Mobile, Web};
use testkit::mailbox::{Mailbox, wrong};
use testkit::people::{Person, new_address};

const PASSWORD: &str = "brass kettle on the moon";

/// The session of a Directory client, and its code.
async fn begun(web: &Web, person: &Person, mailbox: &mut Mailbox) -> (Begun, String) {
    let begun = web.begin(&person.email).await;
    (begun, mailbox.next_code().await)
}

#[tokio::test]
async fn passwords_are_refused_with_the_documented_reasons() {
    let stack = stacks::open();
    let fields = json!({
        "email": format!("marguerite.{}", new_address()), "phone": "+62 812 5550 0142",
        "profile": {"displayName": "Dewi Lestari Putri"},
    });
    let person = Person::with(stack, fields).await;
    let local_part = person.email.split('@').next().unwrap().to_uppercase();
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let (session, code) = begun(&web, &person, &mut mailbox).await;
    let refused = [
        ("vK4#tq9".to_owned(), vec!["too_short"]),
        ("x".repeat(257), vec!["too_long"]),
        ("PassWord".to_owned(), vec!["too_common"]),
        ("IOwnedYou".to_owned(), vec!["breached"]),
        (
            "regain".to_owned(),
            vec!["too_short", "contains_service_name"],
        ),
        (
            "Re gain \u{2003}26".to_owned(),
            vec!["contains_service_name"],
        ),
        ("R3gain-2026!".to_owned(), vec!["contains_service_name"]),
        (person.email.to_uppercase(), vec!["contains_address"]),
        (format!("{local_part}1!"), vec!["contains_address"]),
        (local_part, vec!["contains_address"]),
        ("Marguerite1!".to_owned(), vec!["contains_address"]),
        (format!("<{}>", person.email), vec!["contains_address"]),
        (format!("mailto:{}", person.email), vec!["contains_address"]),
        (format!("{}1", person.email), vec!["contains_address"]),
        (
            person.email[..person.email.len() - 1].to_owned(),
            vec!["contains_address"],
        ),
        ("marguerite regain".to_owned(), vec!["contains_address"]),
        ("\t".repeat(8), vec!["too_short"]),
        ("\u{200b}".repeat(12), vec!["too_short"]),
        ("p a s s w o r d".to_owned(), vec!["too_common"]),
        (
            "\u{ff50}\u{ff41}\u{ff53}\u{ff53}\u{ff57}\u{ff4f}\u{ff52}\u{ff44}".to_owned(),
            vec!["too_common"],
        ),
        ("@".repeat(16_000), vec!["too_long"]),
    ];
    for (password, reasons) in &refused {
        let answer = web.set_both(&session, &wrong(&code), password).await;
        answer.refused("DI_USP_PINV").reasons(reasons);
    }
    // No guess was spent: five wrong ones are left, and after them the right one is refused.
    for _ in 0..4 {
        web.verify(&session, &wrong(&code))
            .await
            .refused("DI_UVO_OINV");
    }
    // That a password is in the profile is told only after the code was proven, and the proof stays good.
    web.set_both(&session, &wrong(&code), "dewilestari PUTRI")
        .await
        .refused("DI_UVO_OINV");
    let (session, code) = begun(&web, &person, &mut mailbox).await;
    let answer = web.set_both(&session, &code, "dewilestari PUTRI").await;
    answer.refused("DI_USP_PINV").reasons(&["contains_profile"]);
    for password in [
        "L3stari-1990",
        "+6281255500142",
        "0812-5550-0142 ok",
        "lestaridewi putri",
        "Lestari/Marguerite/Regain",
    ] {
        let answer = web.set_password(&session, password).await;
        answer.refused("DI_USP_PINV").reasons(&["contains_profile"]);
    }
    web.verify(&session, &code).await.refused("DI_UVO_OINV");
    web.set_password(&session, PASSWORD).await.data();

    let mobile = Mobile::of(stack);
    let session = mobile.begin(&person.email).await;
    let token = mobile
        .verify(&session, &mailbox.next_code().await)
        .await
        .word();
    for (password, reasons) in &refused {
        mobile
            .set_password(&token, password)
            .await
            .refused("password_rejected")
            .reasons(reasons);
    }
    let answer = mobile.set_password(&token, "Dewi Lestari Putri").await;
    answer
        .refused("password_rejected")
        .reasons(&["contains_profile"]);
    assert_eq!(
        mobile
            .set_password(&token, "a fine long sentence")
            .await
            .word(),
        person.id
    );
}

#[tokio::test]
async fn auth_v1_explains_each_reason_in_the_language_of_the_caller() {
    let stack = stacks::open();
    let long = "x".repeat(257);
    for (password, indonesian, english) in [
        (
            "vK4#tq9",
            "Gunakan paling sedikit 8 karakter.",
            "It needs at least 8 characters.",
        ),
        (
            &long,
            "Gunakan paling banyak 256 karakter.",
            "It may have at most 256 characters.",
        ),
        (
            "PassWord",
            "Kata sandi ini termasuk yang paling dulu ditebak orang.",
            "It is one of those that are guessed first.",
        ),
        (
            "IOwnedYou",
            "Kata sandi ini ada dalam daftar kata sandi yang bocor; \
             pilihlah yang tidak Anda pakai di tempat lain.",
            "It is on a list of leaked passwords; choose one that you use nowhere else.",
        ),
        (
            "regain",
            "Gunakan paling sedikit 8 karakter. \
             Kata sandi ini terlalu mirip dengan nama layanan ini.",
            "It needs at least 8 characters. It is too close to the name of this service.",
        ),
    ] {
        let refused = "Kata sandi ini tidak dapat diterima.";
        let answer = Mobile::of(stack).set_password("no token", password).await;
        assert_eq!(answer.body()["message"], format!("{refused} {indonesian}"));
        let refused = "This password is not acceptable.";
        let spoken = Mobile(Mobile::of(stack).0.with("accept-language", "en"));
        let answer = spoken.set_password("no token", password).await;
        assert_eq!(answer.body()["message"], format!("{refused} {english}"));
    }
}

#[tokio::test]
async fn passwords_are_compared_in_one_unicode_form_and_kept_whole() {
    let stack = stacks::open();
    let web = Web::of(stack);
    for (typed, as_stored) in [
        ("cafe\u{301} au lait", "caf\u{e9} au lait"),
        ("\t eight visible\u{200b} ", "\t eight visible\u{200b} "),
        (" leading and trailing ", " leading and trailing "),
        (
            "\u{1f511}\u{1f40e}\u{1f50b}\u{1f4ce}\u{1f30a}\u{1f335}\u{1f9ed}\u{1fa81}",
            "",
        ),
        ("nul\u{0} in the middle", ""),
        (
            "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c} \u{43c}\u{43e}\u{440}\u{44f}",
            "",
        ),
    ] {
        let person = Person::of(stack).await;
        let (session, code) = begun(&web, &person, &mut Mailbox::of(stack, &person)).await;
        web.set_both(&session, &code, typed).await.data();
        let as_stored = if as_stored.is_empty() {
            typed
        } else {
            as_stored
        };
        assert!(person.has_password(stack, as_stored).await, "{typed:?}");
    }
    let long = "z".repeat(256);
    let person = Person::of(stack).await;
    let (session, code) = begun(&web, &person, &mut Mailbox::of(stack, &person)).await;
    web.set_both(&session, &code, &long).await.data();
    assert!(person.has_password(stack, &long).await);
    for (shorter, why) in [(&long[1..], "one less"), (&long[..72], "what bcrypt keeps")] {
        assert!(
            !person.has_password(stack, shorter).await,
            "nothing is cut off: {why}"
        );
    }
}
