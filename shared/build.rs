//! Turns the texts of `locales/` into Rust: the languages, the messages of auth/v1, and the durations in mails. A file
//! that lacks a message, or has one too many, ends the build.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use regain_locales::{Language, Value};

/// The longest duration that is worded, in its unit: an hour in minutes, and a minute in seconds.
const LONGEST: u32 = 60;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Box<dyn std::error::Error>> {
    let folder = regain_locales::folder();
    println!("cargo::rerun-if-changed={}", folder.display());
    let all = regain_locales::read(&folder)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells a build script its folder by the environment"
    )]
    let out = std::env::var("OUT_DIR")?;
    let out = Path::new(&out);
    std::fs::write(out.join("locale.rs"), languages(&all)?)?;
    std::fs::write(out.join("messages.rs"), messages(&all)?)?;
    std::fs::write(out.join("durations.rs"), durations(&all)?)?;
    Ok(())
}

/// The enum of the languages.
fn languages(all: &[Language]) -> Result<String, Box<dyn std::error::Error>> {
    let mut code = String::from(
        "/// A language of messages and mails.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]\n\
         pub enum Locale {\n",
    );
    for language in all {
        let tag = &language.tag;
        writeln!(code, "    /// `{tag}`.\n    #[serde(rename = \"{tag}\")]")?;
        writeln!(code, "    {},", camel(tag))?;
    }
    let each = |text: fn(&Language) -> String| all.iter().map(text).collect::<Vec<_>>();
    let variants = each(|it| format!("Self::{}", camel(&it.tag))).join(", ");
    let tags = each(|it| it.tag.clone()).join(", ");
    let arms = each(|it| format!("Self::{} => \"{}\",", camel(&it.tag), it.tag)).join("\n");
    let count = all.len();
    write!(
        code,
        "}}\n\n\
         impl Locale {{\n\
         /// All languages, in the order of their tags.\n\
         pub const ALL: [Self; {count}] = [{variants}];\n\n\
         /// The tags of all languages, with commas.\n\
         pub const TAGS: &str = \"{tags}\";\n\n\
         /// Its language tag (BCP 47).\n\
         #[must_use]\n\
         pub const fn tag(self) -> &'static str {{\n\
         match self {{\n{arms}\n}}\n}}\n}}\n",
    )?;
    Ok(code)
}

/// The enum of the messages of auth/v1, and their texts. A variable stays as its name in braces.
fn messages(all: &[Language]) -> Result<String, Box<dyn std::error::Error>> {
    const PREFIX: &str = "api-";
    let mut code = String::from(
        "/// A message of auth/v1.\n#[derive(Clone, Copy)]\npub(super) enum Message {\n",
    );
    let first = all.first().ok_or("there is no language")?;
    for name in first.names(PREFIX) {
        writeln!(code, "    {},", camel(name.trim_start_matches(PREFIX)))?;
    }
    code.push_str(
        "}\n\nimpl Message {\n/// Its text. A variable stands in it as its name in braces.\n\
         pub(super) const fn text(self, locale: Locale) -> &'static str {\nmatch locale {\n",
    );
    for language in all {
        let variant = camel(&language.tag);
        writeln!(
            code,
            "Locale::{variant} => {}(self),",
            function(&language.tag)
        )?;
    }
    code.push_str("}\n}\n}\n");
    for language in all {
        let name = function(&language.tag);
        writeln!(
            code,
            "\nconst fn {name}(message: Message) -> &'static str {{\nmatch message {{"
        )?;
        for name in language.names(PREFIX) {
            let text = language.filled(name, |variable| format!("{{{variable}}}"));
            let text = text.ok_or_else(|| format!("{}: {name}", language.tag))?;
            let variant = camel(name.trim_start_matches(PREFIX));
            writeln!(code, "Message::{variant} => {text:?},")?;
        }
        code.push_str("}\n}\n");
    }
    Ok(code)
}

/// The durations of each language, by their number. Only the build knows the plural forms.
fn durations(all: &[Language]) -> Result<String, Box<dyn std::error::Error>> {
    let mut code = String::new();
    for unit in ["seconds", "minutes"] {
        write!(
            code,
            "/// A number of {unit} in words, from 0 to {LONGEST}.\n\
             const fn {unit}(locale: Locale) -> &'static [&'static str] {{\nmatch locale {{\n"
        )?;
        for language in all {
            let name = format!("duration-{unit}");
            let words: Option<Vec<_>> = (0..=LONGEST)
                .map(|count| language.text(&name, &[("count", Value::from(count))]))
                .collect();
            let words = words.ok_or_else(|| format!("{}: {name}", language.tag))?;
            writeln!(code, "Locale::{} => &{words:?},", camel(&language.tag))?;
        }
        code.push_str("}\n}\n\n");
    }
    Ok(code)
}

/// The name of the function that has a language's texts: `in_zh_hans`.
fn function(tag: &str) -> String {
    format!("in_{}", tag.replace('-', "_").to_lowercase())
}

/// `zh-Hans` and `code-sent` as names of variants: `ZhHans` and `CodeSent`.
fn camel(name: &str) -> String {
    let words = name.split('-');
    let words = words.map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|it| it.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}
