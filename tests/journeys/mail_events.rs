//! SES events after a mail was accepted: they arrive over the event bus, are recorded, and change
//! no answer to a caller.

use serde_json::json;

use crate::stacks;
use testkit::client::{Mobile, Web};
use testkit::eventually;
use testkit::mailbox::Mailbox;
use testkit::operator::regain;
use testkit::people::{Person, new_address};
use testkit::stack::{Setup, Stack};
use testkit::table::{Table, text};

/// A user whose mailbox is SES's mailbox simulator, which does with mail as its name says.
async fn simulated(stack: &Stack, name: &str) -> Person {
    let label = new_address().replace("@example.com", "");
    let email = format!("{name}+{label}@simulator.amazonses.com");
    Person::with(stack, json!({"email": email})).await
}

/// Why an address is mailed no more, once it is.
async fn suppressed(stack: &Stack, person: &Person) -> String {
    let table = Table::of(stack);
    eventually("the address is suppressed", async || {
        let lookup = table.get(&format!("EMAIL#{}", person.email)).await?;
        let told = lookup.get("suppressed")?.as_m().ok()?;
        told["why"].as_s().ok().cloned()
    })
    .await
}

#[tokio::test]
async fn a_bounced_or_complaining_address_is_mailed_once_and_answered_as_before() {
    let stack = stacks::open();
    for (name, why, arrived) in [("bounce", "bounced", 0), ("complaint", "complained", 1)] {
        let person = simulated(stack, name).await;
        let (mobile, web) = (Mobile::of(stack), Web::of(stack));
        let first = mobile.begin(&person.email).await;
        let table = Table::of(stack);
        assert_eq!(table.mail_outcomes(&first).await, ["sent"]);
        assert_eq!(suppressed(stack, &person).await, why);

        let second = mobile.begin(&person.email).await;
        assert_eq!(table.mail_outcomes(&second).await, ["suppressed"]);
        let begun = web.begin(&person.email).await;
        assert_eq!(begun.id, person.id);
        assert_eq!(table.mail_outcomes(&begun.session).await, ["suppressed"]);
        let mails = Mailbox::of(stack, &person).all().await;
        assert_eq!(mails.len(), arrived, "{name}");
    }
}

#[tokio::test]
async fn an_operator_lifts_the_suppression_of_an_address_here_and_in_ses() {
    let stack = stacks::open();
    let person = simulated(stack, "bounce").await;
    let mobile = Mobile::of(stack);
    mobile.begin(&person.email).await;
    assert_eq!(suppressed(stack, &person).await, "bounced");
    let url = format!("{}/v2/email/suppression/addresses", stack.endpoint("SES"));
    let listed = json!({"EmailAddress": person.email, "Reason": "BOUNCE"});
    let put = reqwest::Client::new().put(url).json(&listed).send().await;
    assert!(put.unwrap().status().is_success());

    let said = regain(
        stack,
        &[
            "users",
            "unsuppress",
            &person.email,
            "--table",
            &stack.table,
        ],
    )
    .unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(
        lines,
        [
            &*format!("{} ({}) is mailed again", person.email, person.id),
            "the address was on SES's own suppression list, and is off it now",
        ]
    );
    let session = mobile.begin(&person.email).await;
    assert_eq!(Table::of(stack).mail_outcomes(&session).await, ["sent"]);
}

#[tokio::test]
async fn a_suppressed_address_is_answered_like_any_other() {
    let stack = stacks::open();
    let person = simulated(stack, "bounce").await;
    Mobile::of(stack).begin(&person.email).await;
    suppressed(stack, &person).await;
    let other = Person::of(stack).await;
    let (mobile, web) = (Mobile::of(stack), Web::of(stack));
    for email in [&person.email, &other.email, &new_address()] {
        assert_eq!(mobile.forgot(email).await.status, 200, "{email}");
        assert_eq!(web.resend(email).await.status, 200, "{email}");
    }
}

#[tokio::test]
async fn a_mail_that_ses_could_not_render_is_recorded_on_its_request() {
    let stack = Setup::default().unthrottled().start();
    let name = "regain-auth-v1-forgot-password-id";
    let broken = json!({"TemplateContent": {"Subject": "{{missing}}", "Text": "", "Html": ""}});
    let url = format!("{}/v2/email/templates/{name}", stack.endpoint("SES"));
    let changed = reqwest::Client::new().put(url).json(&broken).send().await;
    assert!(changed.unwrap().status().is_success());

    let person = Person::of(&stack).await;
    let session = Mobile::of(&stack).begin(&person.email).await;
    let table = Table::of(&stack);
    assert_eq!(table.mail_outcomes(&session).await, ["sent"]);
    let why = eventually("the rendering failure is recorded", async || {
        let items = table.all().await;
        let mail = items
            .iter()
            .find(|item| text(item, "pk").starts_with("MAIL#"))?;
        let told = mail.get("notRendered")?.as_m().ok()?;
        told["why"].as_s().ok().cloned()
    })
    .await;
    assert_eq!(why, name);
    assert_eq!(Mailbox::of(&stack, &person).all().await, []);

    // It is no fault of the address: with a sound template the next mail arrives.
    let sound = json!({"TemplateContent": {
        "Subject": "Code", "Text": "\n{{code}}\n", "Html": "<p>{{code}}",
    }});
    let url = format!("{}/v2/email/templates/{name}", stack.endpoint("SES"));
    let changed = reqwest::Client::new().put(url).json(&sound).send().await;
    assert!(changed.unwrap().status().is_success());
    Mobile::of(&stack).begin(&person.email).await;
    Mailbox::of(&stack, &person).next().await.code();
}
