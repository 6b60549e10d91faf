//! The mails as files. `regain mails build` makes the SES templates of the stack from them, `check` says what is wrong with
//! them, and `preview` shows them.
//!
//! Each mail has two files: `<mail>.txt` holds the subject and the text part, and `<mail>.html` what the HTML part has of its
//! own. Their words are messages of the Fluent files in `locales/`. [`source`] reads the files, and [`pieces`] keeps what
//! depends on the stack's parameters open until they are known.

mod contrast;
pub(crate) mod parts;
mod pieces;
mod preview;
mod source;
mod stack;

use std::path::Path;
use std::process::ExitCode;

use regain::settings::{Branding, ServiceKind};
use serde::Serialize;
use serde_yaml_ng::Value as Yaml;

use self::pieces::Brand;
use self::source::{Mail, Sources};
use crate::failure::Failure;
use crate::say;

pub(crate) use self::preview::preview;

const RESULTS: &str = "templates";

const HEADER: &str = "\
# Made by `cargo run --bin regain -- mails build`. Change the files in mails/ or locales/, then run it again.
";

/// An SES template in the words of `CloudFormation`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Included {
    template_name: Yaml,
    subject_part: Yaml,
    text_part: Yaml,
    html_part: Yaml,
}

/// Reads the mails in `folder`, writes the files that template.yaml includes to the folder `templates` in it, and the
/// resources that include them to template.yaml.
///
/// # Errors
/// If a source is missing or wrong, nothing is written. If a result cannot be written, those before it are.
pub(crate) fn build(folder: &Path) -> Result<ExitCode, Failure> {
    let mut results = Vec::new();
    let mails = Sources::read(folder)?.mails()?;
    let template = stack::template(folder)?;
    for mail in &mails {
        refuse_flaws(folder, mail)?;
        let name = mail.template.ses_name("${AWS::StackName}", mail.locale);
        let included = Included {
            template_name: pieces::substituted(&name),
            subject_part: pieces::yaml(&mail.subject),
            text_part: pieces::yaml(&mail.text),
            html_part: pieces::yaml(&mail.html),
        };
        let stem = mail.stem();
        let yaml = serde_yaml_ng::to_string(&included);
        let yaml = yaml.map_err(|problem| flaw(folder, &stem, problem.to_string()))?;
        results.push((format!("{RESULTS}/{stem}.yaml"), format!("{HEADER}{yaml}")));
    }
    results.push((stack::TEMPLATE.to_owned(), template));
    for (name, content) in results {
        let written = std::fs::create_dir_all(folder.join(RESULTS))
            .and_then(|()| std::fs::write(folder.join(&name), content));
        written.map_err(|problem| flaw(folder, &name, format!("cannot be written: {problem}")))?;
    }
    say::good(format!(
        "{} and the mails in template.yaml are written",
        folder.join(RESULTS).display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Says everything that is wrong with the mails in `folder`, as they are with any settings.
///
/// # Errors
/// If a source is missing or cannot be read.
pub(crate) fn check(folder: &Path) -> Result<ExitCode, Failure> {
    let mut is_good = true;
    for mail in Sources::read(folder)?.mails()? {
        let mut flaws: Vec<String> = variants()
            .iter()
            .flat_map(|brand| {
                let parts = mail.parts(brand);
                let mut flaws = parts.flaws(mail.template);
                flaws.extend(contrast::flaws(&parts.html));
                flaws
            })
            .collect();
        flaws.sort();
        flaws.dedup();
        if flaws.is_empty() {
            say::good(mail.stem());
        } else {
            is_good = false;
            say::bad(format!("{}: {}", mail.stem(), flaws.join("; ")));
        }
    }
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn refuse_flaws(folder: &Path, mail: &Mail) -> Result<(), Failure> {
    for brand in variants() {
        let flaws = mail.parts(&brand).flaws(mail.template);
        if !flaws.is_empty() {
            return Err(flaw(folder, &mail.stem(), flaws.join("; ")));
        }
    }
    Ok(())
}

/// Two sets of settings that use all that a mail can have: everything is set, and nothing is.
fn variants() -> [Brand; 2] {
    let nothing = Brand::default();
    let everything = Brand {
        color: "#1d5b54".to_owned(),
        logo_url: Some("https://example.com/logo.png".to_owned()),
        product_url: Some("https://example.com".to_owned()),
        support_contact: Some("help@example.com".to_owned()),
        is_website: true,
        has_reply_to: true,
    };
    [nothing, everything]
}

/// The settings of the environment, as `cargo run` reads them.
fn brand_of_environment() -> Result<Brand, Failure> {
    let branding = Branding::from_env()?;
    Ok(Brand {
        color: branding.color,
        logo_url: branding.logo_url,
        product_url: branding.product_url,
        support_contact: branding.support_contact,
        is_website: branding.kind == ServiceKind::Website,
        has_reply_to: branding.reads_replies,
    })
}

fn flaw(folder: &Path, name: &str, problem: String) -> Failure {
    let file = folder.join(name).display().to_string();
    Failure::Mail { file, problem }
}
