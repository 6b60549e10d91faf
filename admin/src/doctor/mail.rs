//! Checks SES: the account may mail anybody, it may mail as the sender, and every template is complete.

use aws_sdk_sesv2::Client;
use regain::locale::Locale;
use regain::template::Template;

use super::Report;
use crate::connection::Connection;
use crate::failure::{Cause, Trouble};
use crate::mails::parts::Parts;
use crate::stack::Stack;

pub(super) async fn look(connection: &Connection, stack: &Stack, report: &mut Report) {
    let client = connection.ses();
    account(&client, report).await;
    // A name with a blank is easily cut off in a deployment command, so the deployed name is printed.
    report.good(&format!(
        "mails call the service {:?}",
        stack.settings.service_name
    ));
    match &stack.mail_from {
        Some(sender) => identity(&client, sender, report).await,
        None => report.unchecked("the sender", "give --mail-from ADDRESS, or --stack NAME"),
    }
    let Some(prefix) = &stack.template_prefix else {
        let how = "give --template-prefix PREFIX, or --stack NAME";
        return report.unchecked("the templates", how);
    };
    for template in Template::ALL {
        for locale in Locale::ALL {
            look_at_template(
                &client,
                template,
                &template.ses_name(prefix, locale),
                report,
            )
            .await;
        }
    }
}

async fn account(client: &Client, report: &mut Report) {
    let account = match client.get_account().send().await {
        Ok(account) => account,
        Err(error) => return report.trouble("the account", &Trouble::of("SES", &error)),
    };
    report.judge(
        account.sending_enabled(),
        "the account may send",
        "the account may not send: SES has paused it",
        "the account's dashboard in the SES console says why, and whom to write to",
    );
    report.judge(
        account.production_access_enabled(),
        "the account is out of the sandbox",
        "the account is in the sandbox: only verified addresses get mail",
        "ask for production access: SES console, Account dashboard, Request production access",
    );
}

/// Checks that the sender is verified: the address itself, its domain, or a parent domain.
async fn identity(client: &Client, sender: &str, report: &mut Report) {
    let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
    let domains = std::iter::successors(Some(domain), |domain| {
        let (_, parent) = domain.split_once('.')?;
        parent.contains('.').then_some(parent)
    });
    let mut waiting = None;
    for name in std::iter::once(sender).chain(domains) {
        match client
            .get_email_identity()
            .email_identity(name)
            .send()
            .await
        {
            Ok(identity) if identity.verified_for_sending_status() => {
                return report.good(&format!("SES may send from {sender} (identity {name})"));
            }
            Ok(_) => {
                waiting.get_or_insert(name);
            }
            Err(error) => {
                let trouble = Trouble::of(format!("the identity {name}"), &error);
                if trouble.cause != Cause::Absent {
                    return report.trouble("the sender", &trouble);
                }
            }
        }
    }
    match waiting {
        Some(name) => report.bad(
            &format!("the identity {name} is not verified yet"),
            "follow the link that SES mailed to it, or publish its DKIM records in DNS",
        ),
        None => report.bad(
            &format!("SES knows neither {sender} nor its domain"),
            "make an identity: SES console, Identities, Create identity",
        ),
    }
}

async fn look_at_template(client: &Client, template: Template, name: &str, report: &mut Report) {
    let what = format!("template {name}");
    let got = match client.get_email_template().template_name(name).send().await {
        Ok(got) => got,
        Err(error) => return report.trouble(&what, &Trouble::of(format!("the {what}"), &error)),
    };
    let content = got.template_content();
    let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
    let parts = Parts {
        subject: part(content.and_then(|content| content.subject())),
        text: part(content.and_then(|content| content.text())),
        html: part(content.and_then(|content| content.html())),
    };
    let flaws = parts.flaws(template);
    report.judge(
        flaws.is_empty(),
        &what,
        &format!("{what}: {}", flaws.join("; ")),
        "deploy the stack again, or write the template anew as mails/templates has it",
    );
}
