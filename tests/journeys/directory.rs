//! The Directory API, as its web client uses it.

use regain::ids::UserIdFormat;
use serde_json::{Value, json};

use crate::stacks;
use testkit::client::{Begun, RESEND, SET_PASSWORD, Web};
use testkit::contract::{USER_KEYS, keys};
use testkit::mailbox::{Mailbox, wrong};
use testkit::people::{Person, new_address};
use testkit::table::Table;

const PASSWORD: &str = "brass kettle on the moon";

#[tokio::test]
async fn a_code_then_a_password_recovers_the_account() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    assert_eq!(begun.id, person.id);
    let code = mailbox.next_code().await;

    let proven = web.verify(&begun, &code).await.data();
    assert_eq!(
        proven["isEmailValidate"], true,
        "the code proved the mailbox"
    );
    assert!(
        !person.has_password(stack, PASSWORD).await,
        "nothing is set yet"
    );

    let user = web.set_password(&begun, PASSWORD).await.data();
    assert_eq!(user["id"], person.id.as_str());
    assert!(person.has_password(stack, PASSWORD).await);
    mailbox.next_notice().await;
}

#[tokio::test]
async fn a_code_and_a_password_at_once_recover_the_account() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let user = web.set_both(&begun, &code, PASSWORD).await.data();
    assert_eq!(user["email"], person.email.as_str());
    assert_eq!(user["isEmailValidate"], true);
    assert!(person.has_password(stack, PASSWORD).await);
    web.set_password(&begun, "another kettle here")
        .await
        .refused("DI_USC_SE");
    web.verify(&begun, &code).await.refused("DI_USC_SE");
    assert!(
        person.has_password(stack, PASSWORD).await,
        "the first password stays"
    );
}

#[tokio::test]
async fn a_session_is_answered_as_documented() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let answer = Web::of(stack).resend(&person.email).await;
    let data = answer.data();
    assert_eq!(keys(&data), ["id", "session"]);
    assert_eq!(keys(&data["session"]), ["id", "status", "timeStamp"]);
    assert_eq!(data["session"]["status"], "awaiting");
    let stamp = data["session"]["timeStamp"].as_str().unwrap();
    let pattern: String = stamp
        .chars()
        .map(|it| if it.is_ascii_digit() { '0' } else { it })
        .collect();
    assert_eq!(pattern, "0000-00-00T00:00:00.000Z");
    let id = data["session"]["id"].as_str().unwrap();
    assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 4);
}

#[tokio::test]
async fn the_session_may_be_an_object_with_an_id() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let Begun { id, session } = web.begin(&person.email).await;
    let session =
        json!({"id": session, "timeStamp": "2023-01-06T06:25:41.227Z", "status": "awaiting"});
    let code = mailbox.next_code().await;
    let body = json!({"id": id, "session": session, "otp": code});
    web.0.post(SET_PASSWORD, body).await.data();
    let body = json!({"id": id, "session": session, "password": PASSWORD});
    web.0.post(SET_PASSWORD, body).await.data();
    assert!(person.has_password(stack, PASSWORD).await);
}

#[tokio::test]
async fn a_code_sent_as_a_number_lost_its_leading_zeros_and_is_right() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    // One code in ten begins with a zero.
    for _ in 0..200 {
        let begun = web.begin(&person.email).await;
        let code = mailbox.next_code().await;
        if code.starts_with('0') {
            let number: u64 = code.parse().unwrap();
            let body = json!({"id": begun.id, "session": begun.session, "otp": number});
            web.0.post(SET_PASSWORD, body).await.data();
            return;
        }
    }
    panic!("no code of 200 began with a zero");
}

#[tokio::test]
async fn a_code_is_trimmed() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    web.verify(&begun, &format!(" \t{code}\n")).await.data();
}

#[tokio::test]
async fn malformed_codes_are_wrong_and_cost_no_guess() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    for otp in [
        json!(""),
        json!("   "),
        json!(format!("{code}0")),
        json!(&code[1..]),
        json!("abcdef"),
        json!("１２３４５"),
        json!("12 345"),
        json!(format!("{code}-0")),
        json!("12345½"),
        json!(-1),
        json!(1e30),
        json!(1_234_567),
        json!(u64::MAX),
    ] {
        let body = json!({"id": begun.id, "session": begun.session, "otp": otp});
        web.0.post(SET_PASSWORD, body).await.refused("DI_UVO_OINV");
        let body = json!({
            "id": begun.id, "session": begun.session, "otp": otp, "password": PASSWORD,
        });
        web.0.post(SET_PASSWORD, body).await.refused("DI_UVO_OINV");
    }
    web.verify(&begun, &code).await.data();
}

#[tokio::test]
async fn a_user_is_answered_with_exactly_twelve_keys() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    let user = web.verify(&begun, &mailbox.next_code().await).await.data();
    assert_eq!(keys(&user), USER_KEYS);
    let expected = json!({
        "id": person.id, "email": person.email, "phone": "", "status": "active", "profile": {},
        "meta": {}, "identities": {}, "isEmailValidate": true, "isProfileComplete": false,
        "isTemporary": false, "address": {}, "roles": [],
    });
    assert_eq!(user, expected);
}

#[tokio::test]
async fn a_user_is_answered_with_what_the_directory_has() {
    let stack = stacks::open();
    let email = new_address().replace("person", "Person");
    let fields = json!({
        "email": email, "phone": "+62 812 5550 0142", "status": "ACTIVE",
        "profile": {"displayName": "Dewi Lestari", "age": 34, "ratio": 0.25, "nested": {"a": [1, null, "x"]}},
        "meta": {"tags": ["pilot"], "empty": {}}, "identities": {"employee": {"number": "E-2041"}},
        "address": {"city": "Bandung"}, "roles": [{"key": "member"}, "approver"],
        "isProfileComplete": true, "isTemporary": true, "locale": "id", "password": "an old password",
    });
    let person = Person::with(stack, fields.clone()).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email.to_lowercase()).await;
    let code = mailbox.next_code().await;
    for user in [
        web.verify(&begun, &code).await.data(),
        web.set_password(&begun, PASSWORD).await.data(),
    ] {
        assert_eq!(keys(&user), USER_KEYS);
        for key in USER_KEYS {
            match key {
                "id" => assert_eq!(user[key], person.id.as_str()),
                "isEmailValidate" => assert_eq!(user[key], true),
                _ => assert_eq!(user[key], fields[key], "{key}"),
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_address_is_answered_with_a_stable_decoy() {
    let stack = stacks::open();
    let web = Web::of(stack);
    let person = Person::of(stack).await;
    let (known, address) = (web.resend(&person.email).await.data(), new_address());
    let first = web.resend(&address).await.data();
    let again = web
        .resend(&format!("  {} ", address.to_uppercase()))
        .await
        .data();
    assert_eq!(first["id"], again["id"], "whatever the spelling");
    assert_ne!(first["id"], known["id"]);
    assert_ne!(first["id"], web.resend(&new_address()).await.data()["id"]);
    assert_eq!(keys(&first), keys(&known));
    assert_eq!(keys(&first["session"]), keys(&known["session"]));
    assert_ne!(first["session"]["id"], again["session"]["id"]);
    let id = first["id"].as_str().unwrap();
    assert_eq!(id.len(), 24);
    assert!(
        id.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
        "{id}"
    );
    let date = i64::from_str_radix(&id[..8], 16).unwrap();
    assert!(
        (1_262_304_000..regain::ambient::now().millis() / 1000).contains(&date),
        "{id}"
    );
}

#[tokio::test]
async fn an_unknown_address_gets_no_mail_and_its_code_is_never_right() {
    let stack = stacks::open();
    let (web, address) = (Web::of(stack), new_address());
    let begun = web.begin(&address).await;
    let table = Table::of(stack);
    assert_eq!(table.mail_outcomes(&begun.session).await, ["nobody"]);
    assert_eq!(Mailbox::at(stack, &address).all().await, []);
    for _ in 0..5 {
        web.verify(&begun, "123456").await.refused("DI_UVO_OINV");
    }
    web.verify(&begun, "123456").await.refused("DI_USC_SAE");
    web.set_password(&begun, PASSWORD)
        .await
        .refused("DI_UVO_OINV");
}

#[tokio::test]
async fn a_directory_of_uuids_is_answered_with_uuids() {
    let stack = stacks::uuids();
    let person = Person::in_form(stack, json!({}), UserIdFormat::Uuid).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    assert_eq!(begun.id, person.id);
    let user = web
        .set_both(&begun, &mailbox.next_code().await, PASSWORD)
        .await
        .data();
    assert_eq!(user["id"], person.id.as_str());
    let address = new_address();
    let decoy = web.begin(&address).await.id;
    assert_eq!(decoy, web.begin(&address).await.id);
    for id in [&person.id, &decoy] {
        let parsed = uuid::Uuid::parse_str(id).unwrap();
        assert_eq!(
            (parsed.to_string(), parsed.get_version_num()),
            (id.clone(), 4)
        );
    }
}

#[tokio::test]
async fn ids_are_compared_as_values() {
    for (stack, form) in [
        (stacks::open(), UserIdFormat::ObjectId),
        (stacks::uuids(), UserIdFormat::Uuid),
    ] {
        let person = Person::in_form(stack, json!({}), form).await;
        let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
        let begun = web.begin(&person.email).await;
        let upper = Begun {
            id: begun.id.to_uppercase(),
            session: begun.session.to_uppercase(),
        };
        assert_ne!(upper.id, begun.id);
        let code = mailbox.next_code().await;
        web.verify(&upper, &wrong(&code))
            .await
            .refused("DI_UVO_OINV");
        let user = web.verify(&upper, &code).await.data();
        assert_eq!(user["id"], person.id.as_str(), "as the directory writes it");
        web.set_password(&upper, PASSWORD).await.data();

        mailbox.next_notice().await;

        let begun = web.begin(&person.email).await;
        let body = json!({
            "id": begun.id.to_uppercase(), "session": {"id": begun.session.to_uppercase()},
            "otp": mailbox.next_code().await, "password": "another kettle on the moon",
        });
        web.0.post(SET_PASSWORD, body).await.data();
    }
}

#[tokio::test]
async fn only_the_address_is_required_and_unknown_fields_are_ignored() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    for body in [
        json!({"email": person.email}),
        json!({"email": person.email, "purpose": null, "templateCode": null, "app": null, "device": null}),
        json!({"email": person.email, "otp": 1, "to": "thief@example.com", "html": {"a": []}}),
        json!({"email": person.email, "app": "a".repeat(64), "device": "\u{1f4f1}".repeat(256)}),
        json!({"email": format!("\u{2003}{}\n", person.email)}),
    ] {
        web.0.post(RESEND, body).await.data();
        assert_eq!(mailbox.next().await.template, "directory|session-forgot");
    }
    let body = json!({"email": person.email, "templateCode": "auth-v1|forgot-password"});
    let answer = web.0.post(RESEND, body).await.data();
    let mail = mailbox.next().await;
    assert_eq!(
        mail.template, "auth-v1|forgot-password",
        "a template that the stack knows"
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let begun = Begun {
        id: text(&answer["id"]),
        session: text(&answer["session"]["id"]),
    };
    web.verify(&begun, &mail.code()).await.data();
}

#[tokio::test]
async fn the_original_error_order_holds() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let stranger = Begun {
        id: "60115a65c0c6974f894f9ea0".to_owned(),
        ..begun.clone()
    };
    let nowhere = Begun {
        session: uuid::Uuid::nil().to_string(),
        ..stranger.clone()
    };
    // The password's own faults come before the session, the session before the id, and so on.
    web.set_both(&nowhere, "", "short")
        .await
        .refused("DI_USP_PINV")
        .reasons(&["too_short"]);
    web.set_both(&nowhere, &code, &person.email)
        .await
        .refused("DI_USC_SDNE");
    web.set_both(&stranger, &code, &person.email)
        .await
        .refused("DI_USP_PINV");
    web.set_both(&stranger, &wrong(&code), PASSWORD)
        .await
        .refused("DI_UVO_UDNE");
    web.set_both(&begun, &wrong(&code), PASSWORD)
        .await
        .refused("DI_UVO_OINV");
    web.set_password(&begun, PASSWORD)
        .await
        .refused("DI_UVO_OINV");
    web.set_password(&stranger, PASSWORD)
        .await
        .refused("DI_UVO_UDNE");
    web.set_both(&begun, &code, PASSWORD).await.data();
}
