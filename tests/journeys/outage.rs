//! When something behind the functions fails: 503 in the envelope, wholly applied or not at all.

use reqwest::Method;
use serde_json::json;

use testkit::answer::Answer;
use testkit::client::{Api, FORGOT, Mobile, RESEND, RESEND_OTP, RESET, SET_PASSWORD, VERIFY, Web};
use testkit::eventually;
use testkit::mailbox::{Mailbox, wrong};
use testkit::outage::{Fault, Outage};
use testkit::people::{Person, new_address};
use testkit::stack::{Setup, Stack, children, is_running, send};
use testkit::table::Table;

const PASSWORD: &str = "brass kettle on the moon";

fn unavailable(answer: &Answer) {
    let directory = answer.path.starts_with("/directory/");
    answer.refused(if directory {
        "DI_SYS_UNA"
    } else {
        "service_unavailable"
    });
    assert_eq!(answer.status, 503);
    assert!(answer.retry_after() <= 60);
}

/// A proper request to each endpoint, which has to ask the table.
async fn all(stack: &Stack) -> Vec<Answer> {
    let api = Api::of(stack);
    let id = uuid::Uuid::nil().to_string();
    let token = format!("{:A<64}", "");
    let mut answers = Vec::new();
    for (path, body) in [
        (RESEND, json!({"email": new_address()})),
        (
            SET_PASSWORD,
            json!({"id": "1", "session": id, "otp": "314159"}),
        ),
        (
            SET_PASSWORD,
            json!({"id": "1", "session": id, "password": PASSWORD}),
        ),
        (
            SET_PASSWORD,
            json!({"id": "1", "session": id, "otp": "314159", "password": PASSWORD}),
        ),
        (FORGOT, json!({"email": new_address()})),
        (VERIFY, json!({"session_id": id, "otp": "314159"})),
        (RESEND_OTP, json!({"session_id": id})),
        (RESET, json!({"token": token, "password": PASSWORD})),
    ] {
        answers.push(api.post(path, body).await);
    }
    answers
}

#[tokio::test]
async fn every_endpoint_answers_unavailable_without_the_table_and_works_again_with_it() {
    let outage = Outage::start();
    outage.set(Fault::Refuse);
    for answer in all(&outage.stack).await {
        unavailable(&answer);
    }
    // A malformed request is answered without a call to the table.
    Api::of(&outage.stack)
        .post(FORGOT, json!({}))
        .await
        .malformed("email");
    outage.set(Fault::None);
    for answer in all(&outage.stack).await {
        assert_ne!(answer.status, 503, "{answer:?}");
    }
}

#[tokio::test]
async fn a_function_gives_up_a_silent_table_before_the_gateway_gives_up() {
    let outage = Outage::start();
    outage.set(Fault::Silence);
    let mobile = Mobile::of(&outage.stack);
    unavailable(&mobile.forgot(&new_address()).await);
    outage.set(Fault::None);
    mobile.begin(&new_address()).await;
}

#[tokio::test]
async fn requests_that_need_a_secret_do_not_wait_for_it() {
    let outage = Outage::of("SECRETS_MANAGER");
    // The functions have their secrets since they started; new ones have none.
    outage.set(Fault::Refuse);
    let before = children(outage.stack.pid());
    for (pid, _) in before {
        send("KILL", pid);
        eventually("its end is noticed", async || {
            (!is_running(pid)).then_some(())
        })
        .await;
    }
    let mobile = Mobile::of(&outage.stack);
    unavailable(&mobile.forgot(&new_address()).await);
    unavailable(&Web::of(&outage.stack).resend(&new_address()).await);
    outage.set(Fault::None);
    mobile.begin(&new_address()).await;
}

#[tokio::test]
async fn an_outage_in_the_middle_of_a_recovery_costs_nothing() {
    let outage = Outage::start();
    let stack = &outage.stack;
    let person = Person::of(stack).await;
    let (mobile, mut mailbox) = (Mobile::of(stack), Mailbox::of(stack, &person));
    let session = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    for _ in 0..4 {
        mobile
            .verify(&session, &wrong(&code))
            .await
            .refused("otp_invalid");
    }
    outage.set(Fault::Refuse);
    for _ in 0..2 {
        unavailable(&mobile.verify(&session, &wrong(&code)).await);
        unavailable(&mobile.resend(&session).await);
    }
    outage.set(Fault::None);
    let token = mobile.verify(&session, &code).await.word();
    outage.set(Fault::Refuse);
    unavailable(&mobile.set_password(&token, PASSWORD).await);
    outage.set(Fault::None);
    assert!(!person.has_password(stack, PASSWORD).await);
    assert_eq!(
        mobile.set_password(&token, PASSWORD).await.word(),
        person.id
    );
    assert!(person.has_password(stack, PASSWORD).await);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_not_applied_twice() {
    let outage = Outage::start();
    let stack = &outage.stack;
    let table = Table::of(stack);
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let lose_one = || outage.set(Fault::LoseAnswers(1));
    let lost = || assert_eq!(outage.fault(), Fault::None, "an answer was lost");

    lose_one();
    let begun = web.begin(&person.email).await;
    lost();
    let code = mailbox.next_code().await;
    // Five guesses are five, though the answer to each charge was lost once.
    for _ in 0..4 {
        lose_one();
        web.verify(&begun, &wrong(&code))
            .await
            .refused("DI_UVO_OINV");
        lost();
    }
    lose_one();
    web.verify(&begun, &code).await.data();
    lost();
    lose_one();
    web.set_password(&begun, PASSWORD).await.data();
    lost();
    assert!(person.has_password(stack, PASSWORD).await);
    mailbox.next_notice().await;
    assert_eq!(table.mail_outcomes(&begun.session).await, ["sent", "sent"]);
    assert_eq!(mailbox.all().await.len(), 2, "one code and one notice");
}

#[tokio::test]
async fn a_transaction_whose_answers_are_all_lost_is_applied_whole_or_not_at_all() {
    let outage = Outage::start();
    let stack = &outage.stack;
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    web.verify(&begun, &mailbox.next_code().await).await.data();
    outage.set(Fault::LoseTransactions);
    unavailable(&web.set_password(&begun, PASSWORD).await);
    outage.set(Fault::None);
    // All of it was: the password, the end of the session, and the notice.
    assert!(person.has_password(stack, PASSWORD).await);
    web.set_password(&begun, "another brass kettle")
        .await
        .refused("DI_USC_SE");
    mailbox.next_notice().await;
}

#[tokio::test]
async fn no_mail_is_lost_while_ses_is_down() {
    let outage = Outage::of("SESV2");
    let stack = &outage.stack;
    let (person, other) = (Person::of(stack).await, Person::of(stack).await);
    let mobile = Mobile::of(stack);
    outage.set(Fault::Refuse);
    let session = mobile.begin(&person.email).await;
    let (web, begun) = (Web::of(stack), Web::of(stack).begin(&other.email).await);
    eventually("delivery is tried", async || {
        stack
            .said()
            .contains("mail failed, will be retried")
            .then_some(())
    })
    .await;
    assert_eq!(Mailbox::of(stack, &person).all().await, []);
    outage.set(Fault::None);
    let code = Mailbox::of(stack, &person).next_code().await;
    mobile.verify(&session, &code).await.word();
    let code = Mailbox::of(stack, &other).next_code().await;
    web.verify(&begun, &code).await.data();
    assert_eq!(Table::of(stack).mail_outcomes(&session).await, ["sent"]);
    assert_eq!(Mailbox::of(stack, &person).all().await.len(), 1);
}

/// The process of a function.
fn process(stack: &Stack, name: &str) -> u32 {
    let of_function = |(_, program): &(u32, String)| program == name;
    children(stack.pid())
        .into_iter()
        .find(of_function)
        .expect("a process")
        .0
}

#[tokio::test]
async fn a_function_that_dies_is_replaced() {
    let stack = Setup::default().unthrottled().start();
    let mobile = Mobile::of(&stack);
    for _ in 0..3 {
        let pid = process(&stack, "forgot-password");
        send("KILL", pid);
        eventually("its end is noticed", async || {
            (!is_running(pid)).then_some(())
        })
        .await;
        mobile.begin(&new_address()).await;
    }
}

#[tokio::test]
async fn a_function_that_dies_or_hangs_during_a_request_gives_the_gateways_own_error() {
    let outage = Outage::start();
    let stack = &outage.stack;
    let body = json!({"email": new_address()}).to_string();
    let ask = async || {
        Api::of(stack)
            .raw(Method::POST, FORGOT, "application/json", body.clone())
            .await
    };
    // The function runs from here on.
    assert_eq!(ask().await.status, 200);
    outage.set(Fault::Silence);
    let dying = async {
        eventually("the function asks the table", async || {
            outage.has_met_silence().then_some(())
        })
        .await;
        send("KILL", process(stack, "forgot-password"));
    };
    let (answer, ()) = tokio::join!(ask(), dying);
    assert_eq!(
        (answer.status, answer.body()),
        (500, json!({"message": "Internal Server Error"}))
    );
    assert_eq!(answer.header("x-request-id"), None);
    outage.set(Fault::None);
    assert_eq!(ask().await.status, 200);

    send("STOP", process(stack, "forgot-password"));
    let answer = ask().await;
    assert_eq!(
        (answer.status, answer.body()),
        (503, json!({"message": "Service Unavailable"}))
    );
    assert_eq!(answer.header("retry-after"), None);
    assert_eq!(ask().await.status, 200);
}
