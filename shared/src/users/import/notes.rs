//! Notes about a file that can be imported.

use std::collections::BTreeMap;

use super::super::{ForeignIds, RecoverableStatuses};
use super::ImportRules;
use super::importer::CheckedLine;
use crate::locale::Locale;

/// Notes about a file that can be imported. None of them stops the import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Fields that no user has, and how many lines have them.
    unknown: BTreeMap<String, usize>,
    /// Lines with numbers of more digits than are kept.
    rounded: usize,
    /// Statuses that may not recover, and how many users will have them.
    statuses: BTreeMap<String, usize>,
    /// Locales without mails, and how many users will have them.
    locales: BTreeMap<String, usize>,
    /// The ids that callers are answered with.
    ids: ForeignIds,
}

impl Notes {
    pub(super) fn new(unknown: BTreeMap<String, usize>, rounded: usize) -> Self {
        Self {
            unknown,
            rounded,
            ..Self::default()
        }
    }

    pub(super) fn count(&mut self, line: &CheckedLine, rules: &ImportRules) {
        let user = &line.user;
        if rules.answers_ids {
            self.ids.count(&user.id);
        }
        if !rules.statuses.include(&user.status) {
            *self.statuses.entry(user.status.described()).or_default() += 1;
        }
        if let Some(locale) = &user.locale
            && Locale::of_tag(locale).is_none()
        {
            *self.locales.entry(locale.clone()).or_default() += 1;
        }
    }

    /// Each note as a sentence.
    #[must_use]
    pub fn sentences(&self, statuses: &RecoverableStatuses) -> Vec<String> {
        let mut sentences = Vec::new();
        for (field, count) in &self.unknown {
            sentences.push(format!(
                "no user has a field {field:?}: it is left out ({})",
                lines(*count)
            ));
        }
        for (status, count) in &self.statuses {
            let (users, them) = match count {
                1 => ("1 user".to_owned(), "has"),
                count => (format!("{count} users"), "have"),
            };
            sentences.push(format!(
                "{users} cannot recover: {them} {status}, and only these may recover: {}",
                statuses.described()
            ));
        }
        for (locale, count) in &self.locales {
            sentences.push(format!(
                "no mail is written in the locale {locale:?}: the request decides the language ({})",
                lines(*count)
            ));
        }
        sentences.extend(self.ids.sentence());
        if self.rounded > 0 {
            sentences.push(format!(
                "numbers are rounded to 16 digits or so: write them as texts to keep all digits ({})",
                lines(self.rounded)
            ));
        }
        sentences
    }
}

fn lines(count: usize) -> String {
    match count {
        1 => "1 line".to_owned(),
        count => format!("{count} lines"),
    }
}
