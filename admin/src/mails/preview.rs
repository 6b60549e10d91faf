//! `regain mails preview`: all mails with sample data, as files that a browser shows.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use handlebars::{Handlebars, no_escape};
use regain::settings::Settings;
use serde_json::{Value, json};

use super::flaw;
use super::source::{Mail, Sources};
use crate::failure::Failure;
use crate::say;

const INDEX: &str = "index.html";

/// Writes each mail in each language to `out`, with its link and without, and an index page. The settings are those of the
/// environment.
///
/// # Errors
/// If a source is missing or wrong, a setting makes no sense, or a file cannot be written.
pub(crate) fn preview(folder: &Path, out: &Path) -> Result<ExitCode, Failure> {
    let settings = Settings::from_env()?;
    let brand = super::brand_of_environment()?;
    let unwritable = |name: &str, problem: std::io::Error| {
        flaw(out, name, format!("cannot be written: {problem}"))
    };
    std::fs::create_dir_all(out).map_err(|problem| unwritable("", problem))?;
    let write = |name: &str, content: &str| {
        std::fs::write(out.join(name), content).map_err(|problem| unwritable(name, problem))
    };
    let mut rows = String::new();
    for mail in Sources::read(folder)?.mails()? {
        let parts = mail.parts(&brand);
        for (variant, has_link) in [("", true), (".without-link", false)] {
            let data = data(&mail, &settings, has_link);
            let stem = format!("{}{variant}", mail.stem());
            let render = |part: &str| {
                rendered(part, &data).map_err(|problem| flaw(folder, &mail.stem(), problem))
            };
            let subject = render(&parts.subject)?;
            write(&format!("{stem}.html"), &render(&parts.html)?)?;
            write(&format!("{stem}.txt"), &render(&parts.text)?)?;
            let direction = if mail.is_rtl { "rtl" } else { "ltr" };
            let subject = html_escape(&subject);
            // Writing to a text cannot fail.
            let _ = writeln!(
                rows,
                "<tr><td>{stem}</td><td lang=\"{}\" dir=\"{direction}\">{subject}</td>\
                 <td><a href=\"{stem}.html\">HTML</a></td><td><a href=\"{stem}.txt\">text</a></td></tr>",
                mail.locale.tag()
            );
        }
    }
    write(INDEX, &index(&rows))?;
    let index = out.join(INDEX);
    let index = std::fs::canonicalize(&index).unwrap_or(index);
    say::good(format!("open file://{}", index.display()));
    Ok(ExitCode::SUCCESS)
}

/// Sample data for a mail.
fn data(mail: &Mail, settings: &Settings, has_link: bool) -> Value {
    let name = &settings.service_name;
    let token = "abcdefghijklmnop".repeat(6);
    let link = |kind: char| {
        let link = format!("https://recovery.example.com/recover#{kind}={token}");
        if has_link { link } else { String::new() }
    };
    let code = "1234567890";
    let code = code.get(..settings.code_length.digits()).unwrap_or(code);
    json!({
        "code": code,
        "validFor": mail.locale.lifetime(settings.limits.code_ttl),
        "link": link('t'),
        "notMeLink": link('n'),
        "serviceName": name,
        "serviceNameHtml": html_escape(name),
    })
}

/// Fills in a part as SES does.
fn rendered(part: &str, data: &Value) -> Result<String, String> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(no_escape);
    let rendered = engine.render_template(part, data);
    rendered.map_err(|error| format!("cannot be filled in: {error}"))
}

fn html_escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

fn index(rows: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>The mails</title>\n\
         <style>body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem; }} \
         td, th {{ padding: 0.3rem 1rem 0.3rem 0; text-align: start; }}</style>\n\
         </head>\n<body>\n<h1>The mails</h1>\n<table>\n\
         <tr><th>Mail</th><th>Subject</th><th colspan=\"2\">Parts</th></tr>\n{rows}</table>\n</body>\n</html>\n"
    )
}
