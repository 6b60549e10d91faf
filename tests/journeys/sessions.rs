//! Sessions beside each other: of one address, of the other protocol, and used by many at once.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use crate::stacks;
use testkit::answer::Answer;
use testkit::client::{Begun, Mobile, Web};
use testkit::mailbox::{Mailbox, wrong};
use testkit::people::Person;
use testkit::table::Table;

const PASSWORD: &str = "brass kettle on the moon";

#[tokio::test]
async fn each_session_goes_on_with_its_own_code_whatever_began_since() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    let mut mailbox = Mailbox::of(stack, &person);
    let first = web.begin(&person.email).await;
    let first_code = mailbox.next_code().await;
    let second = mobile.begin(&person.email).await;
    let second_code = mailbox.next_code().await;
    let third = web.begin(&person.email).await;
    let third_code = mailbox.next_code().await;
    web.verify(&first, &third_code).await.refused("DI_UVO_OINV");
    web.verify(&first, &first_code).await.data();
    mobile.verify(&second, &second_code).await.word();
    // resend-otp goes on with a verified session as well.
    assert_eq!(mobile.resend(&second).await.word(), second);
    let another = mailbox.next_code().await;
    mobile.verify(&second, &another).await.word();
    web.set_both(&third, &third_code, PASSWORD).await.data();
}

#[tokio::test]
async fn setting_a_password_voids_the_codes_that_were_asked_for_before() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    let mut mailbox = Mailbox::of(stack, &person);
    let validated = web.begin(&person.email).await;
    let used_code = mailbox.next_code().await;
    web.verify(&validated, &used_code).await.data();
    let awaiting = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let also = web.begin(&person.email).await;
    let also_code = mailbox.next_code().await;
    web.set_password(&validated, PASSWORD).await.data();
    for _ in 0..2 {
        mobile
            .verify(&awaiting, &wrong(&code))
            .await
            .refused("otp_invalid");
        // More often than a session has guesses: a void code costs none.
        for _ in 0..3 {
            mobile.verify(&awaiting, &code).await.refused("otp_expired");
        }
    }
    web.verify(&also, &also_code).await.refused("DI_USC_SE");
    web.set_both(&also, &also_code, "another brass kettle")
        .await
        .refused("DI_USC_SE");
    // A code that is asked for afterwards is good.
    assert_eq!(mobile.resend(&awaiting).await.word(), awaiting);
    let token = mobile
        .verify(&awaiting, &mailbox.next_code().await)
        .await
        .word();
    mobile
        .set_password(&token, "another brass kettle")
        .await
        .word();
}

#[tokio::test]
async fn setting_a_password_ends_the_other_validated_sessions() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    let mut mailbox = Mailbox::of(stack, &person);
    let first = web.begin(&person.email).await;
    web.verify(&first, &mailbox.next_code().await).await.data();
    let second = mobile.begin(&person.email).await;
    let token = mobile
        .verify(&second, &mailbox.next_code().await)
        .await
        .word();
    let third = web.begin(&person.email).await;
    web.verify(&third, &mailbox.next_code().await).await.data();
    let table = Table::of(stack);
    let version = async || {
        table.user(&person.id).await["credentialsVersion"]
            .as_n()
            .unwrap()
            .clone()
    };
    let before: u64 = version().await.parse().unwrap();
    mobile.set_password(&token, PASSWORD).await.word();
    assert_eq!(version().await, (before + 1).to_string());
    web.set_password(&first, "another brass kettle")
        .await
        .refused("DI_USC_SE");
    web.set_password(&third, "another brass kettle")
        .await
        .refused("DI_USC_SE");
    mobile
        .set_password(&token, "another brass kettle")
        .await
        .refused("session_expired");
    assert!(
        table
            .user(&person.id)
            .await
            .contains_key("passwordChangedAt")
    );
    assert!(person.has_password(stack, PASSWORD).await);
}

#[tokio::test]
async fn a_session_does_not_exist_for_the_other_protocol() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    let mut mailbox = Mailbox::of(stack, &person);
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    mobile
        .verify(&begun.session, &code)
        .await
        .refused("session_not_found");
    mobile
        .resend(&begun.session)
        .await
        .refused("session_not_found");
    mobile
        .set_password(&begun.session, PASSWORD)
        .await
        .refused("token_invalid");
    web.verify(&begun, &code).await.data();
    mobile
        .resend(&begun.session)
        .await
        .refused("session_not_found");
    mobile
        .set_password(&begun.session, PASSWORD)
        .await
        .refused("token_invalid");

    let session = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let foreign = Begun {
        id: person.id.clone(),
        session: session.clone(),
    };
    web.verify(&foreign, &code).await.refused("DI_USC_SDNE");
    web.set_both(&foreign, &code, PASSWORD)
        .await
        .refused("DI_USC_SDNE");
    let token = mobile.verify(&session, &code).await.word();
    web.set_password(&foreign, PASSWORD)
        .await
        .refused("DI_USC_SDNE");
    web.set_password(
        &Begun {
            session: token.clone(),
            ..foreign
        },
        PASSWORD,
    )
    .await
    .refused("DI_USC_SDNE");
    mobile
        .set_password(&session, PASSWORD)
        .await
        .refused("token_invalid");
    assert_eq!(
        mobile.set_password(&token, PASSWORD).await.word(),
        person.id
    );
}

#[tokio::test]
async fn a_session_is_not_opened_by_another_ones_code_or_token() {
    let stack = stacks::open();
    let (mine, yours) = (Person::of(stack).await, Person::of(stack).await);
    let mobile = Mobile::of(stack);
    let my_session = mobile.begin(&mine.email).await;
    let my_code = Mailbox::of(stack, &mine).next_code().await;
    let your_session = mobile.begin(&yours.email).await;
    let your_code = Mailbox::of(stack, &yours).next_code().await;
    if my_code != your_code {
        mobile
            .verify(&your_session, &my_code)
            .await
            .refused("otp_invalid");
    }
    let token = mobile.verify(&my_session, &my_code).await.word();
    // The token's two halves belong together.
    let your_token = mobile.verify(&your_session, &your_code).await.word();
    let (half, _) = token.split_at(token.len() / 2);
    let forged = format!("{half}{}", &your_token[half.len()..]);
    mobile
        .set_password(&forged, PASSWORD)
        .await
        .refused("token_invalid");
    for cut in [1, 20, token.len() - 1] {
        mobile
            .set_password(&token[..cut], PASSWORD)
            .await
            .refused("token_invalid");
    }
    let id = mobile.set_password(&token, PASSWORD).await.word();
    assert_eq!(id, mine.id);
    assert!(!yours.has_password(stack, PASSWORD).await);
}

/// So many calls at once; how often each error was answered, and "ok".
async fn storm<F>(calls: usize, call: impl Fn(usize) -> F) -> BTreeMap<String, usize>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let mut storm: JoinSet<_> = (0..calls).map(call).collect();
    let mut counts = BTreeMap::new();
    while let Some(answer) = storm.join_next().await {
        let answer = answer.unwrap();
        let outcome = if answer.status == 200 {
            "ok".to_owned()
        } else {
            answer.error()
        };
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

fn counted<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts
        .into_iter()
        .map(|(outcome, count)| (outcome.to_owned(), count))
        .collect()
}

#[tokio::test]
async fn five_of_thirty_concurrent_wrong_guesses_are_compared() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    let mut mailbox = Mailbox::of(stack, &person);
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let counts = storm(30, |_| {
        let (web, begun, code) = (web.clone(), begun.clone(), wrong(&code));
        async move { web.verify(&begun, &code).await }
    })
    .await;
    assert_eq!(counts, counted([("DI_UVO_OINV", 5), ("DI_USC_SAE", 25)]));
    web.verify(&begun, &code).await.refused("DI_USC_SAE");

    let session = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let counts = storm(30, |_| {
        let (mobile, session, code) = (mobile.clone(), session.clone(), wrong(&code));
        async move { mobile.verify(&session, &code).await }
    })
    .await;
    assert_eq!(
        counts,
        counted([("otp_invalid", 5), ("attempts_exceeded", 25)])
    );
}

#[tokio::test]
async fn exactly_one_of_twenty_concurrent_right_codes_wins() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    let mut mailbox = Mailbox::of(stack, &person);
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let counts = storm(20, |_| {
        let (web, begun, code) = (web.clone(), begun.clone(), code.clone());
        async move { web.verify(&begun, &code).await }
    })
    .await;
    assert_eq!(counts.get("ok"), Some(&1), "one code, one use: {counts:?}");

    let counts = storm(20, |number| {
        let (web, begun) = (web.clone(), begun.clone());
        async move {
            web.set_password(&begun, &format!("{PASSWORD} {number}"))
                .await
        }
    })
    .await;
    assert_eq!(
        counts,
        counted([("ok", 1), ("DI_USC_SE", 19)]),
        "one session, one password"
    );
    mailbox.next_notice().await;

    let session = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let counts = storm(20, |_| {
        let (mobile, session, code) = (mobile.clone(), session.clone(), code.clone());
        async move { mobile.verify(&session, &code).await }
    })
    .await;
    assert_eq!(counts.get("ok"), Some(&1), "{counts:?}");
}

#[tokio::test]
async fn exactly_one_of_twenty_concurrent_passwords_with_the_code_is_set() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let counts = storm(20, |number| {
        let (web, begun, code) = (web.clone(), begun.clone(), code.clone());
        async move {
            web.set_both(&begun, &code, &format!("{PASSWORD} {number}"))
                .await
        }
    })
    .await;
    assert_eq!(counts.get("ok"), Some(&1), "{counts:?}");
    let mut set = 0;
    for number in 0..20 {
        set += usize::from(
            person
                .has_password(stack, &format!("{PASSWORD} {number}"))
                .await,
        );
    }
    assert_eq!(set, 1);
    mailbox.next_notice().await;
    let outcomes = Table::of(stack).mail_outcomes(&begun.session).await;
    assert_eq!(outcomes, ["sent", "sent"], "one code and one notice");
}

#[tokio::test]
async fn every_session_of_twenty_concurrent_requests_awaits_its_code() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let mobile = Mobile::of(stack);
    let mut requests: JoinSet<_> = (0..20)
        .map(|_| {
            let (mobile, email) = (mobile.clone(), person.email.clone());
            async move { mobile.begin(&email).await }
        })
        .collect();
    let mut sessions = Vec::new();
    while let Some(session) = requests.join_next().await {
        sessions.push(session.unwrap());
    }
    for session in &sessions {
        mobile.verify(session, "").await.refused("otp_invalid");
    }
    assert_eq!(sessions.iter().collect::<BTreeSet<_>>().len(), 20);
}

#[tokio::test]
async fn exactly_one_of_twenty_concurrent_requests_under_a_cooldown_is_accepted() {
    let stack = stacks::defaults();
    let person = Person::of(stack).await;
    let web = Web::of(stack);
    let counts = storm(20, |_| {
        let (web, email) = (web.clone(), person.email.clone());
        async move { web.resend(&email).await }
    })
    .await;
    assert_eq!(counts, counted([("ok", 1), ("DI_USR_LIM", 19)]));
}
