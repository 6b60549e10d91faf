//! What of the stream is delivered, remembered over restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Files;
use super::batch::Record;
use crate::data::write_whole;

/// The records begun and not yet passed for good.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    files: Files,
    /// Everything up to this number is finished.
    after: Option<u128>,
    /// Numbers behind it, and whether they are finished.
    begun: BTreeMap<u128, bool>,
    /// Finished before the restart, and not yet read again.
    finished_before: BTreeSet<u128>,
}

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Position {
    /// Everything up to this number is finished.
    after: String,
    /// So are these.
    finished: Vec<String>,
}

impl Ledger {
    pub(super) fn open(files: Files) -> std::io::Result<Self> {
        let mut ledger = Self {
            files,
            ..Self::default()
        };
        let Some(path) = ledger.files.position.as_ref().filter(|path| path.exists()) else {
            return Ok(ledger);
        };
        let position: Position = serde_json::from_slice(&fs::read(path)?)?;
        ledger.after = position.after.parse().ok();
        ledger.finished_before = position
            .finished
            .iter()
            .filter_map(|number| number.parse().ok())
            .collect();
        Ok(ledger)
    }

    /// The number to read on after.
    pub(super) fn position(&self) -> Option<String> {
        self.after.map(|number| number.to_string())
    }

    /// Notes a record as begun; `false` if it was finished before the restart.
    pub(super) fn begin(&mut self, record: &Record) -> bool {
        let Some(number) = number(record) else {
            return true;
        };
        let finished = self.finished_before.remove(&number);
        self.begun.insert(number, finished);
        !finished
    }

    /// Notes a record as finished.
    pub(super) fn finish(&mut self, record: &Record) {
        if let Some(number) = number(record) {
            self.begun.insert(number, true);
        }
        while let Some(first) = self.begun.first_entry().filter(|first| *first.get()) {
            self.after = Some(*first.key());
            first.remove();
        }
    }

    /// Keeps a record that will not be tried again, and notes it as finished.
    pub(super) fn bury(&mut self, record: &Record, why: &str) -> std::io::Result<()> {
        self.finish(record);
        if let Some(path) = &self.files.dead_letters {
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            let letter = json!({"why": why, "record": record.event});
            file.write_all(format!("{letter}\n").as_bytes())?;
        }
        self.save()
    }

    /// Writes the position down.
    pub(super) fn save(&self) -> std::io::Result<()> {
        let (Some(path), Some(after)) = (&self.files.position, self.lower_bound()) else {
            return Ok(());
        };
        let finished = self.begun.iter().filter(|(_, finished)| **finished);
        let finished = finished
            .map(|(number, _)| number)
            .chain(&self.finished_before);
        let position = Position {
            after: after.to_string(),
            finished: finished.map(u128::to_string).collect(),
        };
        write_whole(path, &serde_json::to_vec(&position)?)
    }

    /// The number that everything up to is finished: known, or just before the first that is not.
    fn lower_bound(&self) -> Option<u128> {
        let before_first = self.begun.keys().next().map(|first| first - 1);
        self.after.or(before_first)
    }
}

fn number(record: &Record) -> Option<u128> {
    record.sequence.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u32) -> Record {
        Record::new(
            format!("1000000000000000000{number:02}"),
            0,
            json!({"n": number}),
        )
    }

    fn files() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        let files = Files {
            position: Some(folder.path().join("position.json")),
            dead_letters: Some(folder.path().join("dead.jsonl")),
        };
        (folder, files)
    }

    #[test]
    fn after_a_restart_only_what_was_not_finished_is_begun_again() {
        let (_folder, files) = files();
        let mut ledger = Ledger::open(files.clone()).unwrap();
        assert_eq!(ledger.position(), None);
        for number in 1..=4 {
            assert!(ledger.begin(&record(number)));
        }
        for number in [1, 3] {
            ledger.finish(&record(number));
        }
        ledger.save().unwrap();

        let mut ledger = Ledger::open(files.clone()).unwrap();
        assert_eq!(ledger.position(), Some(record(1).sequence));
        assert!(ledger.begin(&record(2)));
        assert!(!ledger.begin(&record(3)));
        assert!(ledger.begin(&record(4)));
        ledger.finish(&record(2));
        ledger.finish(&record(4));
        ledger.save().unwrap();

        let ledger = Ledger::open(files).unwrap();
        assert_eq!(ledger.position(), Some(record(4).sequence));
        assert!(ledger.finished_before.is_empty());
    }

    #[test]
    fn the_first_record_is_begun_again_when_only_later_ones_were_finished() {
        let (_folder, files) = files();
        let mut ledger = Ledger::open(files.clone()).unwrap();
        ledger.begin(&record(5));
        ledger.begin(&record(6));
        ledger.finish(&record(6));
        ledger.save().unwrap();
        let mut ledger = Ledger::open(files).unwrap();
        assert_eq!(ledger.position(), Some(record(4).sequence));
        assert!(ledger.begin(&record(5)));
        assert!(!ledger.begin(&record(6)));
    }

    #[test]
    fn what_is_given_up_is_kept_and_passed() {
        let (_folder, files) = files();
        let mut ledger = Ledger::open(files.clone()).unwrap();
        ledger.begin(&record(1));
        ledger.bury(&record(1), "it is too old").unwrap();
        let letters = fs::read_to_string(files.dead_letters.clone().unwrap()).unwrap();
        assert_eq!(
            letters,
            "{\"record\":{\"n\":1},\"why\":\"it is too old\"}\n"
        );
        assert_eq!(
            Ledger::open(files).unwrap().position(),
            Some(record(1).sequence)
        );
    }
}
