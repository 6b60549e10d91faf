//! Tests of the stand-in, without HTTP.

use std::collections::BTreeSet;

use super::*;

fn stand_in() -> (Ses, MailStore) {
    let mails = MailStore::default();
    let template = MailTemplate {
        name: "regain-directory-session-forgot-en".into(),
        subject: "Your {{name}} code".into(),
        text: "{{code}} for {{name}}".into(),
        html: "<b>{{code}}</b>{{#if extra.deep}}!{{/if}}".into(),
    };
    let configured = ConfigurationSets::from([("regain".to_owned(), BTreeSet::new())]);
    let ses = Ses::new(
        &[template],
        configured,
        mails.clone(),
        Bus::default(),
        Random::new().unwrap(),
    )
    .unwrap();
    (ses, mails)
}

fn request(template: &str, data: &str) -> SendEmail {
    serde_json::from_value(json!({
        "FromEmailAddress": "no-reply@example.com",
        "Destination": {"ToAddresses": ["Ann@Example.com"]},
        "ConfigurationSetName": "regain",
        "Content": {"Template": {"TemplateName": template, "TemplateData": data}},
    }))
    .unwrap()
}

const KNOWN: &str = "regain-directory-session-forgot-en";

#[test]
fn a_mail_is_rendered_without_escaping_and_kept() {
    let (ses, mails) = stand_in();
    let data = r#"{"code": "012345", "name": "A & B", "extra": {"deep": true}}"#;
    let answer = ses.send(request(KNOWN, data)).unwrap();
    assert!(!answer["MessageId"].as_str().unwrap().is_empty());
    let mails = mails.newest_first(Some("ann@example.com"));
    assert_eq!(mails[0].subject, "Your A & B code");
    assert_eq!(mails[0].text, "012345 for A & B");
    assert_eq!(mails[0].html, "<b>012345</b>!");
    assert_eq!(mails[0].template, "directory|session-forgot");
}

#[test]
fn a_missing_variable_is_accepted_and_not_delivered() {
    let (ses, mails) = stand_in();
    assert!(ses.send(request(KNOWN, r#"{"code": "1"}"#)).is_ok());
    assert!(mails.newest_first(None).is_empty());
}

#[test]
fn a_request_that_ses_refuses_is_refused() {
    let (ses, _) = stand_in();
    for (template, data, kind) in [
        ("unknown", "{}", "NotFoundException"),
        (KNOWN, "no json", "BadRequestException"),
        (KNOWN, "[]", "BadRequestException"),
    ] {
        assert_eq!(
            ses.send(request(template, data)).unwrap_err().1,
            kind,
            "{template} {data}"
        );
    }
    let mut wrong_set = request(KNOWN, "{}");
    wrong_set.configuration_set_name = Some("other".into());
    assert_eq!(ses.send(wrong_set).unwrap_err().1, "NotFoundException");
    let mut nobody = request(KNOWN, "{}");
    nobody.destination.to_addresses.clear();
    assert_eq!(ses.send(nobody).unwrap_err().1, "BadRequestException");
}

#[test]
fn helpers_that_ses_lacks_do_not_render() {
    let (ses, mails) = stand_in();
    let wire = r#"{"TemplateName": "x", "TemplateContent": {"Subject": "{{len code}}"}}"#;
    let (name, template) = compile(parse(wire).unwrap()).unwrap();
    ses.change(|templates| templates.insert(name, template));
    assert!(ses.send(request("x", r#"{"code": "1"}"#)).is_ok());
    assert!(mails.newest_first(None).is_empty());
}

#[test]
fn a_template_that_does_not_compile_is_refused_by_name() {
    let broken = MailTemplate {
        name: "broken".into(),
        subject: "{{#if x}}".into(),
        text: String::new(),
        html: String::new(),
    };
    let random = Random::new().unwrap();
    let (configured, mails) = (ConfigurationSets::new(), MailStore::default());
    let refused = Ses::new(&[broken], configured, mails, Bus::default(), random);
    let message = refused.err().unwrap().to_string();
    assert!(
        message.starts_with("the mail template broken does not compile"),
        "{message}"
    );
}

#[tokio::test]
async fn an_address_on_the_suppression_list_bounces_until_it_is_taken_off() {
    let (ses, mails) = stand_in();
    let data = r#"{"code": "012345", "name": "A"}"#;
    let arrived = |ses: &Ses| {
        let before = mails.newest_first(None).len();
        ses.send(request(KNOWN, data)).unwrap();
        mails.newest_first(None).len() - before
    };
    let address = || Path("ann@example.com".to_owned());
    let absent = delete_suppressed(State(ses.clone()), address()).await;
    assert_eq!(absent.status(), StatusCode::NOT_FOUND);
    assert_eq!(absent.headers()["x-amzn-errortype"], "NotFoundException");
    assert_eq!(arrived(&ses), 1);

    let put = r#"{"EmailAddress": "ann@example.com", "Reason": "BOUNCE"}"#;
    let put = put_suppressed(State(ses.clone()), put.to_owned()).await;
    assert_eq!(put.status(), StatusCode::OK);
    let listed = get_suppressed(State(ses.clone()), address()).await;
    assert_eq!(listed.status(), StatusCode::OK);
    assert_eq!(arrived(&ses), 0);

    let removed = delete_suppressed(State(ses.clone()), address()).await;
    assert_eq!(removed.status(), StatusCode::OK);
    assert_eq!(arrived(&ses), 1);
}
