//! The texts of Regain: one Fluent file for each language, beside this crate's Cargo.toml.
//!
//! A message's name says what it is for: `api-` for the messages of auth/v1, `mail-` for the mails, `page-` for the
//! recovery page, and `duration-` for times. Reading checks all files against English: each has every message, and no
//! other, and each message has the same variables.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use thiserror::Error;

/// The language that all others are compared with.
const SOURCE: &str = "en";

/// Everything that is wrong with the files, one line each.
#[derive(Debug, Error)]
#[error("{}", .0.join("\n"))]
pub struct Faults(Vec<String>);

/// The texts of one language.
pub struct Language {
    /// Its tag (BCP 47), which is the name of its file.
    pub tag: String,
    bundle: FluentBundle<FluentResource>,
    /// The names of the messages, and the variables of each.
    messages: BTreeMap<String, BTreeSet<String>>,
}

/// A value that a message is filled with.
pub type Value<'a> = fluent_bundle::FluentValue<'a>;

/// The folder of the files in the source tree.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Reads and checks the files of all languages, in the order of their tags.
///
/// # Errors
/// Everything that is wrong with the files.
pub fn read(folder: &Path) -> Result<Vec<Language>, Faults> {
    let mut faults = Vec::new();
    let mut languages = Vec::new();
    for path in files(folder).map_err(|fault| Faults(vec![fault]))? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        match std::fs::read_to_string(&path) {
            Ok(text) => languages.push(Language::parse(&name, text, &mut faults)),
            Err(error) => faults.push(format!("{name}.ftl cannot be read: {error}")),
        }
    }
    match languages.iter().find(|it| it.tag == SOURCE) {
        Some(source) => languages
            .iter()
            .for_each(|it| it.compare(source, &mut faults)),
        None => faults.push(format!("{SOURCE}.ftl is missing")),
    }
    if faults.is_empty() {
        Ok(languages)
    } else {
        Err(Faults(faults))
    }
}

/// The Fluent files of a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error| format!("{} cannot be read: {error}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|it| it == "ftl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Language {
    fn parse(tag: &str, text: String, faults: &mut Vec<String>) -> Self {
        let mut fault = |what: String| faults.push(format!("{tag}.ftl: {what}"));
        let resource = FluentResource::try_new(text).unwrap_or_else(|(resource, errors)| {
            for error in errors {
                fault(error.to_string());
            }
            resource
        });
        let mut messages = BTreeMap::new();
        for entry in resource.entries() {
            if let Entry::Message(message) = entry {
                let mut variables = BTreeSet::new();
                if let Some(pattern) = &message.value {
                    collect(pattern, &mut variables);
                }
                messages.insert(message.id.name.to_owned(), variables);
            }
        }
        let mut languages = Vec::new();
        match tag.parse() {
            Ok(language) => languages.push(language),
            Err(_) => fault("its name is no language tag".to_owned()),
        }
        let mut bundle = FluentBundle::new(languages);
        // Who fills a message in knows whether its value needs a direction of its own.
        bundle.set_use_isolating(false);
        for error in bundle.add_resource(resource).err().unwrap_or_default() {
            fault(error.to_string());
        }
        Self {
            tag: tag.to_owned(),
            bundle,
            messages,
        }
    }

    fn compare(&self, source: &Self, faults: &mut Vec<String>) {
        let mut fault = |what: String| faults.push(format!("{}.ftl {what}", self.tag));
        for (name, variables) in &source.messages {
            match self.messages.get(name) {
                None => fault(format!("lacks {name}")),
                Some(own) if own != variables => fault(format!(
                    "has {name} with the variables {own:?}, not {variables:?}"
                )),
                Some(_) => {}
            }
        }
        for name in self.messages.keys() {
            if !source.messages.contains_key(name) {
                fault(format!("has {name}, which is no message"));
            }
        }
        let direction = self.text("direction", &[]);
        if !matches!(direction.as_deref(), Some("ltr" | "rtl")) {
            fault("has a direction other than ltr and rtl".to_owned());
        }
    }

    /// Whether it is written from right to left.
    #[must_use]
    pub fn is_rtl(&self) -> bool {
        self.text("direction", &[]).as_deref() == Some("rtl")
    }

    /// The names of its messages that begin with `prefix`, in order.
    pub fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let names = self.messages.keys().map(String::as_str);
        names.filter(move |name| name.starts_with(prefix))
    }

    /// A message with its variables filled in. `None` if there is no such message, or it has a variable that
    /// `values` lacks.
    #[must_use]
    pub fn text(&self, name: &str, values: &[(&str, Value<'_>)]) -> Option<String> {
        let pattern = self.bundle.get_message(name)?.value()?;
        let mut arguments = FluentArgs::new();
        for (name, value) in values {
            arguments.set(*name, value.clone());
        }
        let mut errors = Vec::new();
        let text = self
            .bundle
            .format_pattern(pattern, Some(&arguments), &mut errors)
            .into_owned();
        errors.is_empty().then_some(text)
    }

    /// A message whose variables are filled with what `value` makes of their names.
    #[must_use]
    pub fn filled(&self, name: &str, value: impl Fn(&str) -> String) -> Option<String> {
        let variables = self.messages.get(name)?;
        let values: Vec<_> = variables
            .iter()
            .map(|it| (it.as_str(), Value::String(Cow::Owned(value(it)))))
            .collect();
        self.text(name, &values)
    }
}

/// Collects the variables of a pattern.
fn collect(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            match expression {
                Expression::Inline(inline) => collect_inline(inline, found),
                Expression::Select { selector, variants } => {
                    collect_inline(selector, found);
                    for variant in variants {
                        collect(&variant.value, found);
                    }
                }
            }
        }
    }
}

fn collect_inline(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            found.insert(id.name.to_owned());
        }
        InlineExpression::Placeable { expression } => {
            if let Expression::Inline(inline) = expression.as_ref() {
                collect_inline(inline, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "direction = ltr\nhello = Hello { $name }\n";

    fn faults(files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let read = read(folder.path());
        read.err().map(|it| it.to_string()).unwrap_or_default()
    }

    #[test]
    fn no_language_lacks_a_message_and_all_have_the_same_variables() {
        let all = read(&folder()).unwrap();
        assert!(all.len() >= 10);
        let tags: Vec<_> = all.iter().map(|it| it.tag.as_str()).collect();
        for tag in ["en", "id", "ar"] {
            assert!(tags.contains(&tag), "{tag}");
        }
        for it in &all {
            let is_rtl = ["ar", "fa", "he", "ur"].contains(&it.tag.as_str());
            assert_eq!(it.is_rtl(), is_rtl, "{}", it.tag);
        }
    }

    #[test]
    fn no_language_repeats_a_sentence_of_english() {
        let all = read(&folder()).unwrap();
        let english = all.iter().find(|it| it.tag == SOURCE).unwrap();
        let text = |language: &Language, name: &str| language.filled(name, str::to_owned).unwrap();
        for language in all.iter().filter(|it| it.tag != SOURCE) {
            for name in english.names("") {
                let words = text(english, name);
                // A word or two may be the same.
                let is_sentence = words.split(' ').count() > 3;
                assert!(
                    !is_sentence || text(language, name) != words,
                    "{}: {name}",
                    language.tag
                );
            }
        }
    }

    #[test]
    fn the_settings_page_lists_every_language() {
        let page = folder().join("../docs/settings.md");
        let page = std::fs::read_to_string(page).unwrap();
        for language in read(&folder()).unwrap() {
            let row = format!("\n| `{}` | ", language.tag);
            assert!(page.contains(&row), "{}", language.tag);
        }
    }

    #[test]
    fn a_number_takes_the_plural_form_of_its_language() {
        let all = read(&folder()).unwrap();
        for (tag, count, expected) in [
            ("en", 1, "1 minute"),
            ("en", 2, "2 minutes"),
            ("id", 1, "1 menit"),
            ("fr", 0, "0 minute"),
            ("ar", 2, "دقيقتين"),
            ("ar", 3, "3 دقائق"),
            ("ar", 11, "11 دقيقة"),
        ] {
            let language = all.iter().find(|it| it.tag == tag).unwrap();
            let text = language.text("duration-minutes", &[("count", Value::from(count))]);
            assert_eq!(text.as_deref(), Some(expected));
        }
    }

    #[test]
    fn every_fault_of_a_file_is_told() {
        for (other, expected) in [
            (HELLO, ""),
            ("direction = ltr\n", "xx.ftl lacks hello"),
            (
                "direction = ltr\nhello = Hi { $nome }\n",
                "xx.ftl has hello with the variables {\"nome\"}, not {\"name\"}",
            ),
            (
                "direction = up\nhello = Hi { $name }\n",
                "xx.ftl has a direction other than ltr and rtl",
            ),
            (
                "direction = ltr\nhello = Hi { $name }\nmore = More\n",
                "xx.ftl has more, which is no message",
            ),
        ] {
            assert_eq!(faults(&[("en.ftl", HELLO), ("xx.ftl", other)]), expected);
        }
        assert_eq!(faults(&[("xx.ftl", HELLO)]), "en.ftl is missing");
        assert!(faults(&[("en.ftl", HELLO), ("x.ftl", HELLO)]).contains("is no language tag"));
        assert!(faults(&[("en.ftl", "= broken\n")]).starts_with("en.ftl: "));
    }
}
