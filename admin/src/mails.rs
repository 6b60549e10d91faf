//! The mails as files. `regain mails build` makes the SES templates of the stack from them.
//!
//! Each language of a mail has two files. `<mail>.<language>.txt` holds the subject and the text part.
//! `<mail>.<language>.html` holds what the HTML part has of its own, and `layout.html` what surrounds it in every
//! mail. The results are in the folder `templates`, and template.yaml includes them.

pub(crate) mod parts;

use std::path::Path;
use std::process::ExitCode;

use regain::locale::Locale;
use regain::template::Template;
use serde::Serialize;

use self::parts::Parts;
use crate::failure::Failure;
use crate::say;

const RESULTS: &str = "templates";
const LAYOUT: &str = "layout.html";

const HEADER: &str = "\
# Made by `cargo run --bin regain -- mails build`. Change the files in mails/, then run it again.
";

/// An SES template in the words of `CloudFormation`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Included {
    template_name: Sub,
    subject_part: String,
    text_part: String,
    html_part: String,
}

/// `!Sub` in its long form: an included file may not have the short one.
#[derive(Serialize)]
struct Sub {
    #[serde(rename = "Fn::Sub")]
    text: String,
}

/// Reads the mails in `folder`, and writes the files that template.yaml includes to the folder `templates` in it.
///
/// # Errors
/// If a source is missing or wrong, nothing is written. If a result cannot be written, those before it are.
pub(crate) fn build(folder: &Path) -> Result<ExitCode, Failure> {
    let layout = read(folder, LAYOUT)?;
    let mut sources = vec![LAYOUT.to_owned()];
    let mut results = Vec::new();
    for template in Template::ALL {
        for locale in Locale::ALL {
            let stem = format!("{}.{}", template.code().replace('|', "-"), locale.tag());
            let (text, html) = (format!("{stem}.txt"), format!("{stem}.html"));
            let parts = parts(folder, &text, &html, &layout, locale)?;
            let flaws = parts.flaws(template);
            if !flaws.is_empty() {
                return Err(flaw(folder, &stem, flaws.join("; ")));
            }
            let included = Included {
                template_name: Sub {
                    text: template.ses_name("${AWS::StackName}", locale),
                },
                subject_part: parts.subject,
                text_part: parts.text,
                html_part: parts.html,
            };
            let yaml = serde_yaml_ng::to_string(&included);
            let yaml = yaml.map_err(|problem| flaw(folder, &stem, problem.to_string()))?;
            results.push((format!("{RESULTS}/{stem}.yaml"), format!("{HEADER}{yaml}")));
            sources.extend([text, html]);
        }
    }
    refuse_other_files(folder, &sources)?;
    for (name, content) in results {
        let written = std::fs::create_dir_all(folder.join(RESULTS))
            .and_then(|()| std::fs::write(folder.join(&name), content));
        written.map_err(|problem| flaw(folder, &name, format!("cannot be written: {problem}")))?;
    }
    say::good(format!("{} is written", folder.join(RESULTS).display()));
    Ok(ExitCode::SUCCESS)
}

/// The parts of one mail in one language.
fn parts(
    folder: &Path,
    text: &str,
    html: &str,
    layout: &str,
    locale: Locale,
) -> Result<Parts, Failure> {
    let source = read(folder, text)?;
    let split = fields(&source, ["Subject"]);
    let ([subject], content) = split.map_err(|problem| flaw(folder, text, problem))?;
    let source = read(folder, html)?;
    let split = fields(&source, ["Title", "Preview", "Footer"]);
    let ([title, preview, footer], body) = split.map_err(|problem| flaw(folder, html, problem))?;
    let filled = layout
        .replace("[[language]]", locale.tag())
        .replace("[[title]]", title)
        .replace("[[preview]]", preview)
        .replace("[[body]]", body.trim_end())
        .replace("[[footer]]", footer);
    if let Some((_, unknown)) = filled.split_once("[[") {
        let (name, _) = unknown.split_once("]]").unwrap_or((unknown, ""));
        let problem = format!("nothing fills [[{name}]] in it or in {LAYOUT}");
        return Err(flaw(folder, html, problem));
    }
    Ok(Parts {
        subject: subject.to_owned(),
        text: content.to_owned(),
        html: filled,
    })
}

/// Splits a file into the values of its fields, which are its first lines, and what follows an empty line.
fn fields<'a, const N: usize>(
    source: &'a str,
    names: [&str; N],
) -> Result<([&'a str; N], &'a str), String> {
    let mut values = [""; N];
    let mut rest = source;
    for (name, value) in names.iter().zip(&mut values) {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let found = line.strip_prefix(name).and_then(|it| it.strip_prefix(": "));
        *value = found.ok_or_else(|| format!("has {line:?} where \"{name}: …\" belongs"))?;
        rest = after;
    }
    let content = rest.strip_prefix('\n');
    Ok((values, content.ok_or("has no empty line after its fields")?))
}

/// Refuses files of no mail or language, because a mistyped name would otherwise go unnoticed.
fn refuse_other_files(folder: &Path, files: &[String]) -> Result<(), Failure> {
    let unreadable = |problem: std::io::Error| flaw(folder, "", problem.to_string());
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy();
        let is_source = name.ends_with(".txt") || name.ends_with(".html");
        if is_source && !files.iter().any(|it| **it == *name) {
            return Err(flaw(folder, &name, "is of no mail or language".to_owned()));
        }
    }
    Ok(())
}

fn read(folder: &Path, name: &str) -> Result<String, Failure> {
    let read = std::fs::read_to_string(folder.join(name));
    read.map_err(|problem| flaw(folder, name, format!("cannot be read: {problem}")))
}

fn flaw(folder: &Path, name: &str, problem: String) -> Failure {
    let file = folder.join(name).display().to_string();
    Failure::Mail { file, problem }
}
