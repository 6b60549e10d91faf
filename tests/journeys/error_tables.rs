//! Every row of both error tables that a caller can bring about, in both languages where there are two.

use serde_json::json;

use crate::stacks;
use testkit::answer::Answer;
use testkit::client::{Api, Begun, FORGOT, Mobile, RESEND_OTP, RESET, SET_PASSWORD, VERIFY, Web};
use testkit::contract::{ERRORS, keys};
use testkit::mailbox::{Mailbox, wrong};
use testkit::outage::{Fault, Outage};
use testkit::people::{Person, new_address};
use testkit::table::Table;

const PASSWORD: &str = "brass kettle on the moon";

/// The session of a Directory client, and its code.
async fn begun(web: &Web, person: &Person, mailbox: &mut Mailbox) -> (Begun, String) {
    let begun = web.begin(&person.email).await;
    (begun, mailbox.next_code().await)
}

#[tokio::test]
async fn every_error_of_the_directory_can_be_met() {
    let stack = stacks::open();
    let web = Web::of(stack);
    let person = Person::of(stack).await;
    let mut mailbox = Mailbox::of(stack, &person);
    let mut met = Vec::new();

    let (session, code) = begun(&web, &person, &mut mailbox).await;
    let body = json!({"id": session.id, "session": session.session});
    met.push(web.0.post(SET_PASSWORD, body).await);
    met.push(
        web.set_password(&session, "")
            .await
            .refused("DI_USP_PRQ")
            .clone(),
    );
    let other = Begun {
        id: "0".repeat(24),
        ..session.clone()
    };
    met.push(web.verify(&other, &code).await);
    met.push(web.verify(&session, &wrong(&code)).await);
    met.push(web.set_password(&session, "password1").await);
    met.push(web.resend("no address").await);
    let nowhere = Begun {
        session: "no session".to_owned(),
        ..session.clone()
    };
    met.push(web.verify(&nowhere, &code).await);
    for _ in 0..4 {
        web.verify(&session, &wrong(&code))
            .await
            .refused("DI_UVO_OINV");
    }
    met.push(web.verify(&session, &code).await);

    let blocked = Person::with(stack, json!({"status": "blocked"})).await;
    let (session, code) = begun(&web, &blocked, &mut Mailbox::of(stack, &blocked)).await;
    met.push(web.verify(&session, &code).await);
    met.push(web.verify(&session, &code).await);

    let defaults = Web::of(stacks::defaults());
    let address = new_address();
    defaults.begin(&address).await;
    met.push(defaults.resend(&address).await);
    let outage = Outage::start();
    outage.set(Fault::Refuse);
    met.push(Web::of(&outage.stack).resend(&address).await);

    all_but(&["DI_SYS_ERR"], "directory", &met);
}

#[tokio::test]
async fn a_status_that_is_not_listed_is_refused_and_every_spelling_of_a_listed_one_recovers() {
    let stack = stacks::open();
    for (status, recovers) in [
        ("Blocked", false),
        ("disabled", false),
        ("", false),
        (" ACTIVE ", true),
    ] {
        let web = Web::of(stack);
        let person = Person::with(stack, json!({ "status": status })).await;
        let (session, code) = begun(&web, &person, &mut Mailbox::of(stack, &person)).await;
        let set = web.set_both(&session, &code, PASSWORD).await;
        if recovers {
            assert_eq!(set.data()["status"], status);
        } else {
            set.refused("DI_UVO_UBKD");
        }
        assert_eq!(
            person.has_password(stack, PASSWORD).await,
            recovers,
            "{status:?}"
        );
    }
}

#[tokio::test]
async fn every_error_of_auth_v1_can_be_met_in_both_languages() {
    let stack = stacks::open();
    let outage = Outage::start();
    outage.set(Fault::Refuse);
    for (language, texts) in [("", INDONESIAN), ("en-GB,en;q=0.9", ENGLISH)] {
        let spoken = |api: Api| {
            if language.is_empty() {
                api
            } else {
                api.with("accept-language", language)
            }
        };
        let mobile = Mobile(spoken(Mobile::of(stack).0));
        let person = Person::of(stack).await;
        let mut mailbox = Mailbox::of(stack, &person);
        let mut met = vec![mobile.forgot("no address").await];

        let session = mobile.begin(&person.email).await;
        let code = mailbox.next_code().await;
        met.push(mobile.verify(&session, &wrong(&code)).await);
        met.push(mobile.verify("no session", &code).await);
        met.push(mobile.set_password("no token", PASSWORD).await);
        met.push(mobile.set_password("no token", "").await);
        met.push(mobile.set_password("no token", "password1").await);
        for _ in 0..4 {
            mobile
                .verify(&session, &wrong(&code))
                .await
                .refused("otp_invalid");
        }
        met.push(mobile.verify(&session, &code).await);

        let blocked = Person::with(stack, json!({"status": "blocked"})).await;
        let session = mobile.begin(&blocked.email).await;
        let code = Mailbox::of(stack, &blocked).next_code().await;
        met.push(mobile.verify(&session, &code).await);
        met.push(mobile.verify(&session, &code).await);

        let brief = Mobile(spoken(Mobile::of(stacks::brief_codes()).0));
        let session = brief.begin(&new_address()).await;
        Table::of(stacks::brief_codes())
            .code_expires(&session)
            .await;
        met.push(brief.verify(&session, "314159").await);

        let defaults = Mobile(spoken(Mobile::of(stacks::defaults()).0));
        let address = new_address();
        defaults.begin(&address).await;
        met.push(defaults.forgot(&address).await);
        met.push(
            Mobile(spoken(Mobile::of(&outage.stack).0))
                .forgot(&address)
                .await,
        );

        all_but(&["internal_error"], "auth_v1", &met);
        for answer in met {
            let code = answer.error();
            let text = texts.iter().find(|text| text.0 == code).unwrap().1;
            assert_eq!(answer.body()["message"], text, "{code}");
        }
    }
}

const INDONESIAN: [(&str, &str); 12] = [
    ("invalid_request", "Email tidak valid"),
    ("password_required", "Kata sandi wajib diisi."),
    ("otp_invalid", "Kode salah."),
    (
        "otp_expired",
        "Kode sudah kedaluwarsa. Silakan minta kode baru.",
    ),
    (
        "token_invalid",
        "Token tidak valid. Silakan verifikasi kode terlebih dahulu.",
    ),
    (
        "user_blocked",
        "Akun ini diblokir. Silakan hubungi layanan pelanggan.",
    ),
    ("session_not_found", "Sesi tidak ditemukan."),
    (
        "session_expired",
        "Sesi sudah berakhir. Silakan mulai lagi.",
    ),
    (
        "password_rejected",
        "Kata sandi ini tidak dapat diterima. Kata sandi ini termasuk yang paling dulu ditebak orang.",
    ),
    ("attempts_exceeded", "Terlalu banyak kode yang salah."),
    (
        "too_many_requests",
        "Terlalu banyak permintaan. Silakan coba lagi nanti.",
    ),
    (
        "service_unavailable",
        "Layanan sedang tidak tersedia. Silakan coba lagi.",
    ),
];

const ENGLISH: [(&str, &str); 12] = [
    ("invalid_request", "Email is not valid"),
    ("password_required", "A password is required."),
    ("otp_invalid", "The code is not right."),
    (
        "otp_expired",
        "The code has expired. Please ask for a new one.",
    ),
    (
        "token_invalid",
        "The token is not valid. Please verify the code first.",
    ),
    (
        "user_blocked",
        "This account is blocked. Please contact support.",
    ),
    ("session_not_found", "There is no such session."),
    (
        "session_expired",
        "The session is over. Please start again.",
    ),
    (
        "password_rejected",
        "This password is not acceptable. It is one of those that are guessed first.",
    ),
    ("attempts_exceeded", "Too many wrong codes."),
    (
        "too_many_requests",
        "Too many requests. Please try again later.",
    ),
    (
        "service_unavailable",
        "The service is unavailable. Please try again.",
    ),
];

/// Each error of the protocol's table was met, but for those that only a bug brings about.
fn all_but(bugs: &[&str], protocol: &str, met: &[Answer]) {
    let met: Vec<_> = met.iter().map(Answer::error).collect();
    for code in keys(&ERRORS[protocol]) {
        assert_eq!(
            met.iter().any(|it| it == code),
            !bugs.contains(&code),
            "{code}: {met:?}"
        );
    }
}

#[tokio::test]
async fn auth_v1_speaks_the_language_that_was_asked_for() {
    let stack = stacks::open();
    for (accept_language, language) in [
        ("en", "en"),
        ("EN-us", "en"),
        ("xx, en;q=0.1", "en"),
        ("id-ID,id;q=0.9,en;q=0.8", "id"),
        ("en;q=0.2, id;q=0.3", "id"),
        ("xx", "id"),
        ("*", "id"),
        ("", "id"),
        ("en;q=0", "id"),
        (";;;,,,=q", "id"),
        ("en;Q=0.1, id;q=0.9", "id"),
        ("id;q=.8, en;q=.9", "en"),
        ("id;q=0.8999999999999999, en;q=0.9", "en"),
        ("id;q=0,8, en;q=0,9", "en"),
        ("\u{e9}, en;q=0.1", "en"),
        ("id;q=0, *", "en"),
        ("\ten\t;\tq=0.1", "en"),
    ] {
        let api = Api::of(stack).with("accept-language", accept_language);
        let found = api
            .post(FORGOT, json!({"email": new_address()}))
            .await
            .body();
        let refused = api.post(FORGOT, json!({})).await.body();
        let texts = match language {
            "en" => [
                "If this address is registered, a code is on its way.",
                ENGLISH[0].1,
            ],
            _ => [
                "Jika alamat email ini terdaftar, kode sedang dikirim.",
                INDONESIAN[0].1,
            ],
        };
        assert_eq!(
            [&found["message"], &refused["message"]],
            texts,
            "{accept_language:?}"
        );
    }
}

#[tokio::test]
async fn auth_v1_has_a_message_for_each_field() {
    for (path, body, field, indonesian, english) in [
        (FORGOT, "{}", "email", "Email", "Email"),
        (FORGOT, "[]", "body", "Permintaan", "Request"),
        (
            FORGOT,
            r#"{"email":"ann@example.com"}"#,
            "idempotency-key",
            "Kunci idempotensi",
            "Idempotency key",
        ),
        (VERIFY, "{}", "session_id", "Sesi", "Session"),
        (
            VERIFY,
            r#"{"session_id":"s"}"#,
            "otp",
            "Kode OTP",
            "OTP code",
        ),
        (RESEND_OTP, "{}", "session_id", "Sesi", "Session"),
        (RESET, r#"{"password":"p"}"#, "token", "Token", "Token"),
        (
            RESET,
            r#"{"session_id":1,"password":"p"}"#,
            "session_id",
            "Sesi",
            "Session",
        ),
        (
            RESET,
            r#"{"token":"t","password":1}"#,
            "password",
            "Kata sandi",
            "Password",
        ),
    ] {
        for (language, message) in [
            ("id", format!("{indonesian} tidak valid")),
            ("en", format!("{english} is not valid")),
        ] {
            let api = Api::of(stacks::open())
                .with("accept-language", language)
                .with("idempotency-key", "no key");
            let answer = api.post_bytes(path, body).await;
            answer.malformed(field);
            assert_eq!(answer.body()["message"], message, "{path} {body}");
        }
    }
}

#[tokio::test]
async fn a_blocked_user_is_told_only_once_the_code_is_proven_and_the_session_is_used() {
    let stack = stacks::open();
    let blocked = Person::with(stack, json!({"status": "blocked"})).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &blocked));
    let (session, code) = begun(&web, &blocked, &mut mailbox).await;
    web.verify(&session, &wrong(&code))
        .await
        .refused("DI_UVO_OINV");
    web.set_password(&session, PASSWORD)
        .await
        .refused("DI_UVO_OINV");
    web.verify(&session, &code).await.refused("DI_UVO_UBKD");
    web.verify(&session, &code).await.refused("DI_USC_SE");
    let (session, code) = begun(&web, &blocked, &mut mailbox).await;
    web.set_both(&session, &code, PASSWORD)
        .await
        .refused("DI_UVO_UBKD");
    web.set_password(&session, PASSWORD)
        .await
        .refused("DI_USC_SE");
    assert!(!blocked.has_password(stack, PASSWORD).await);

    let mobile = Mobile::of(stack);
    let session = mobile.begin(&blocked.email).await;
    let code = mailbox.next_code().await;
    mobile
        .verify(&session, &wrong(&code))
        .await
        .refused("otp_invalid");
    mobile.verify(&session, &code).await.refused("user_blocked");
    mobile.resend(&session).await.refused("session_expired");
}

#[tokio::test]
async fn a_user_blocked_or_changed_since_the_proof_cannot_set_a_password() {
    let stack = stacks::open();
    for (change, directory, auth_v1) in [
        (json!({"status": "blocked"}), "DI_UVO_UBKD", "user_blocked"),
        (
            json!({"email": format!("moved-{}", new_address())}),
            "DI_USC_SE",
            "session_expired",
        ),
    ] {
        let person = Person::of(stack).await;
        let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
        let (session, code) = begun(&web, &person, &mut mailbox).await;
        web.verify(&session, &code).await.data();
        let mobile = Mobile::of(stack);
        let second = mobile.begin(&person.email).await;
        let token = mobile
            .verify(&second, &mailbox.next_code().await)
            .await
            .word();
        person.change(stack, change).await;
        web.set_password(&session, PASSWORD)
            .await
            .refused(directory);
        web.set_password(&session, PASSWORD)
            .await
            .refused("DI_USC_SE");
        mobile.set_password(&token, PASSWORD).await.refused(auth_v1);
        mobile
            .set_password(&token, PASSWORD)
            .await
            .refused("session_expired");
        assert!(!person.has_password(stack, PASSWORD).await);
    }
}

#[tokio::test]
async fn a_malformed_session_id_is_an_unknown_session() {
    let stack = stacks::open();
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    for id in [
        "",
        " ",
        "x",
        "SESSION#",
        "../..",
        &"a".repeat(5000),
        &uuid::Uuid::nil().to_string(),
    ] {
        let begun = Begun {
            id: "0".repeat(24),
            session: id.to_owned(),
        };
        web.verify(&begun, "123456").await.refused("DI_USC_SDNE");
        web.set_password(&begun, PASSWORD)
            .await
            .refused("DI_USC_SDNE");
        mobile
            .verify(id, "123456")
            .await
            .refused("session_not_found");
        mobile.resend(id).await.refused("session_not_found");
        mobile
            .set_password(id, PASSWORD)
            .await
            .refused("token_invalid");
    }
}
