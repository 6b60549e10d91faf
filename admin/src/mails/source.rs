//! Reads the files of the mails, and puts them together for each language.
//!
//! `[[name]]` stands for a message of the language (`mail-…`), for a file of the folder `parts`, or for what this module
//! knows itself: `language`, `direction`, `service`, the fields of the HTML part, and the `body` in the layout.
//! `[[if Condition]]…[[else]]…[[end]]` asks a condition of template.yaml.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regain::locale::Locale;
use regain::template::Template;
use regain_locales::Language;

use super::flaw;
use super::parts::Parts;
use super::pieces::{self, Brand, Condition, Piece};
use crate::failure::Failure;

const PARTS: &str = "parts";
/// The prefix of the messages for mails.
const MESSAGE: &str = "mail-";
/// Parts that stand for one another in a circle would never end.
const DEEPEST: usize = 16;

/// The files of the mails, by their names below the folder, and the texts of all languages.
pub(super) struct Sources {
    folder: PathBuf,
    files: BTreeMap<String, String>,
    languages: Vec<(Locale, Language)>,
}

/// A mail in one language.
pub(super) struct Mail {
    pub(super) template: Template,
    pub(super) locale: Locale,
    pub(super) is_rtl: bool,
    pub(super) subject: Vec<Piece>,
    pub(super) text: Vec<Piece>,
    pub(super) html: Vec<Piece>,
}

impl Mail {
    /// The name of its files, without an extension.
    pub(super) fn stem(&self) -> String {
        format!("{}.{}", name(self.template), self.locale.tag())
    }

    /// Its parts with these settings.
    pub(super) fn parts(&self, brand: &Brand) -> Parts {
        Parts {
            subject: pieces::text(&self.subject, brand),
            text: pieces::text(&self.text, brand),
            html: pieces::text(&self.html, brand),
        }
    }
}

impl Sources {
    /// Reads the files of a folder, and the Fluent files in `locales` beside it.
    ///
    /// # Errors
    /// If something cannot be read, or there is a file of no mail.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let locales = folder.join("../locales");
        let texts = regain_locales::read(&locales);
        let texts = texts.map_err(|faults| flaw(&locales, "", faults.to_string()))?;
        let languages = texts.into_iter().map(|language| {
            let mut all = Locale::ALL.into_iter();
            let known = all.find(|it| it.tag() == language.tag);
            let file = format!("{}.ftl", language.tag);
            let locale = known
                .ok_or_else(|| flaw(&locales, &file, "is newer than this command".to_owned()))?;
            Ok((locale, language))
        });
        let mut sources = Self {
            folder: folder.to_owned(),
            files: BTreeMap::new(),
            languages: languages.collect::<Result<_, Failure>>()?,
        };
        for place in ["", PARTS] {
            sources.read_files(place)?;
        }
        Ok(sources)
    }

    fn read_files(&mut self, place: &str) -> Result<(), Failure> {
        let unreadable = |folder: &Path, problem: std::io::Error| {
            flaw(folder, place, format!("cannot be read: {problem}"))
        };
        let folder = self.folder.join(place);
        let entries = std::fs::read_dir(&folder);
        for entry in entries.map_err(|problem| unreadable(&self.folder, problem))? {
            let path = entry
                .map_err(|problem| unreadable(&self.folder, problem))?
                .path();
            let extension = path.extension().unwrap_or_default();
            if extension != "txt" && extension != "html" {
                continue;
            }
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let is_of_a_mail = stem == "layout" || Template::ALL.iter().any(|it| name(*it) == stem);
            if place.is_empty() && !is_of_a_mail {
                // A mistyped name would otherwise go unnoticed.
                return Err(flaw(&folder, &file, "is of no mail".to_owned()));
            }
            let content = std::fs::read_to_string(&path)
                .map_err(|problem| flaw(&folder, &file, format!("cannot be read: {problem}")))?;
            let key = Path::new(place).join(&*file).display().to_string();
            self.files.insert(key, content);
        }
        Ok(())
    }

    /// Every mail in every language.
    ///
    /// # Errors
    /// If a file is missing, or has something that nothing stands for.
    pub(super) fn mails(&self) -> Result<Vec<Mail>, Failure> {
        let mut mails = Vec::new();
        for template in Template::ALL {
            for (locale, language) in &self.languages {
                mails.push(self.mail(template, *locale, language)?);
            }
        }
        Ok(mails)
    }

    fn mail(
        &self,
        template: Template,
        locale: Locale,
        language: &Language,
    ) -> Result<Mail, Failure> {
        let file = format!("{}.txt", name(template));
        let ([subject], body) = self.fields(&file, ["Subject"])?;
        let text = Part {
            sources: self,
            language,
            is_html: false,
            known: vec![("body", body)],
        };
        let subject = text.pieces(&file, subject)?;
        let text = text.pieces("layout.txt", self.file("layout.txt")?.trim_end())?;
        let file = format!("{}.html", name(template));
        let ([title, preview], body) = self.fields(&file, ["Title", "Preview"])?;
        let html = Part {
            sources: self,
            language,
            is_html: true,
            known: vec![("title", title), ("preview", preview), ("body", body)],
        };
        let html = html.pieces("layout.html", self.file("layout.html")?)?;
        Ok(Mail {
            template,
            locale,
            is_rtl: language.is_rtl(),
            subject,
            text,
            html,
        })
    }

    /// Splits a file into the values of its fields, which are its first lines, and what follows an empty line.
    fn fields<const N: usize>(
        &self,
        file: &str,
        names: [&str; N],
    ) -> Result<([&str; N], &str), Failure> {
        let mut values = [""; N];
        let mut rest = self.file(file)?;
        for (name, value) in names.iter().zip(&mut values) {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let found = line.strip_prefix(name).and_then(|it| it.strip_prefix(": "));
            *value = found.ok_or_else(|| {
                let problem = format!("has {line:?} where \"{name}: …\" belongs");
                flaw(&self.folder, file, problem)
            })?;
            rest = after;
        }
        let content = rest.strip_prefix('\n').ok_or_else(|| {
            let problem = "has no empty line after its fields".to_owned();
            flaw(&self.folder, file, problem)
        })?;
        Ok((values, content.trim_end()))
    }

    fn file(&self, name: &str) -> Result<&str, Failure> {
        let found = self.files.get(name).map(String::as_str);
        found.ok_or_else(|| flaw(&self.folder, name, "is missing".to_owned()))
    }
}

/// The name of a mail's files.
pub(super) fn name(template: Template) -> String {
    template.code().replace('|', "-")
}

/// The text or the HTML part of a mail in one language.
struct Part<'a> {
    sources: &'a Sources,
    language: &'a Language,
    is_html: bool,
    known: Vec<(&'static str, &'a str)>,
}

impl Part<'_> {
    fn pieces(&self, file: &str, source: &str) -> Result<Vec<Piece>, Failure> {
        let pieces = self.parse(source, 0);
        pieces.map_err(|problem| flaw(&self.sources.folder, file, problem))
    }

    fn parse(&self, source: &str, depth: usize) -> Result<Vec<Piece>, String> {
        if depth > DEEPEST {
            return Err("has parts that stand for one another".to_owned());
        }
        // The open conditions: each with what was read before it, and its first branch once that is complete.
        let mut open: Vec<(Condition, Vec<Piece>, Option<Vec<Piece>>)> = Vec::new();
        let mut pieces = Vec::new();
        let mut texts = source.split("[[");
        push(&mut pieces, texts.next().unwrap_or_default())?;
        for text in texts {
            let (name, rest) = text.split_once("]]").ok_or("has [[ without ]] behind it")?;
            match (name, name.strip_prefix("if ")) {
                (_, Some(condition)) => {
                    let condition = Condition::of_name(condition)
                        .ok_or_else(|| format!("asks for the unknown condition {condition}"))?;
                    open.push((condition, std::mem::take(&mut pieces), None));
                }
                ("else", _) => match open.last_mut() {
                    Some((_, _, yes @ None)) => *yes = Some(std::mem::take(&mut pieces)),
                    _ => return Err("has [[else]] without [[if …]] before it".to_owned()),
                },
                ("end", _) => {
                    let (condition, before, yes) =
                        open.pop().ok_or("has [[end]] without [[if …]] before it")?;
                    let last = std::mem::replace(&mut pieces, before);
                    let (yes, no) = match yes {
                        Some(yes) => (yes, last),
                        None => (last, Vec::new()),
                    };
                    pieces.push(Piece::If { condition, yes, no });
                }
                _ => {
                    let source = self.meaning(name)?;
                    pieces.extend(self.parse(&source, depth + 1)?);
                }
            }
            push(&mut pieces, rest)?;
        }
        if open.is_empty() {
            Ok(pieces)
        } else {
            Err("has [[if …]] without [[end]] behind it".to_owned())
        }
    }

    /// What `[[name]]` stands for.
    fn meaning(&self, name: &str) -> Result<String, String> {
        if let Some((_, source)) = self.known.iter().find(|(known, _)| *known == name) {
            return Ok((*source).to_owned());
        }
        if name.starts_with(MESSAGE) {
            let text = self.language.filled(name, |variable| match variable {
                "validFor" => "{{validFor}}".to_owned(),
                other => format!("[[{other}]]"),
            });
            let text = text.ok_or_else(|| format!("names the unknown message {name}"))?;
            return Ok(if self.is_html {
                text.replace('&', "&amp;").replace('<', "&lt;")
            } else {
                text
            });
        }
        Ok(match name {
            "language" => self.language.tag.clone(),
            "direction" if self.language.is_rtl() => "rtl".to_owned(),
            "direction" => "ltr".to_owned(),
            "service" if self.is_html => "<bdi>{{serviceNameHtml}}</bdi>".to_owned(),
            // A name keeps its order among text that is written from right to left.
            "service" if self.language.is_rtl() => "\u{2068}{{serviceName}}\u{2069}".to_owned(),
            "service" => "{{serviceName}}".to_owned(),
            _ => {
                let extension = if self.is_html { "html" } else { "txt" };
                let file = self
                    .sources
                    .files
                    .get(&format!("{PARTS}/{name}.{extension}"));
                let file =
                    file.ok_or_else(|| format!("has [[{name}]], which stands for nothing"))?;
                file.trim_end().to_owned()
            }
        })
    }
}

fn push(pieces: &mut Vec<Piece>, text: &str) -> Result<(), String> {
    if let Some(name) = pieces::unknown_parameter(text) {
        return Err(format!("uses ${{{name}}}, which no mail may have"));
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
    Ok(())
}
