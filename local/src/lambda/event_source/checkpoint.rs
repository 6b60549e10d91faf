//! The position in the stream: which records are finished, also after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::data::write_whole;
use crate::dynamodb::stream::Record;

/// The files in which a mapping keeps its state. There are none if the table is in memory.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The position in the stream.
    pub position: Option<PathBuf>,
    /// The records that were given up.
    pub dead_letters: Option<PathBuf>,
}

/// The records that were begun, and the position before which all are finished.
#[derive(Debug, Default)]
pub(super) struct Checkpoint {
    files: Files,
    /// Everything up to this number is finished.
    after: Option<u128>,
    /// Numbers after it, and whether they are finished.
    begun: BTreeMap<u128, bool>,
    /// Numbers that were finished before the restart and have not been read again.
    finished_before: BTreeSet<u128>,
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Position {
    /// Everything up to this number is finished.
    after: String,
    /// Later numbers that are finished.
    finished: Vec<String>,
}

impl Checkpoint {
    pub(super) fn open(files: Files) -> std::io::Result<Self> {
        let mut checkpoint = Self {
            files,
            ..Self::default()
        };
        let Some(path) = checkpoint
            .files
            .position
            .as_ref()
            .filter(|path| path.exists())
        else {
            return Ok(checkpoint);
        };
        let position: Position = serde_json::from_slice(&fs::read(path)?)?;
        checkpoint.after = position.after.parse().ok();
        checkpoint.finished_before = position
            .finished
            .iter()
            .filter_map(|number| number.parse().ok())
            .collect();
        Ok(checkpoint)
    }

    /// The number after which to continue reading.
    pub(super) fn position(&self) -> Option<String> {
        self.after.map(|number| number.to_string())
    }

    /// Notes a record as begun. Returns `false` if it was finished before the restart.
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

    /// Writes a record that will not be tried again to the dead letters, and notes it as finished.
    pub(super) fn give_up(&mut self, record: &Record, why: &str) -> std::io::Result<()> {
        self.finish(record);
        if let Some(path) = &self.files.dead_letters {
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            let letter = json!({"why": why, "record": record.event});
            file.write_all(format!("{letter}\n").as_bytes())?;
        }
        self.save()
    }

    /// Writes the position to its file.
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

    /// The number up to which everything is finished: the known one, or the one before the first record.
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
        let mut checkpoint = Checkpoint::open(files.clone()).unwrap();
        assert_eq!(checkpoint.position(), None);
        for number in 1..=4 {
            assert!(checkpoint.begin(&record(number)));
        }
        for number in [1, 3] {
            checkpoint.finish(&record(number));
        }
        checkpoint.save().unwrap();

        let mut checkpoint = Checkpoint::open(files.clone()).unwrap();
        assert_eq!(checkpoint.position(), Some(record(1).sequence));
        assert!(checkpoint.begin(&record(2)));
        assert!(!checkpoint.begin(&record(3)));
        assert!(checkpoint.begin(&record(4)));
        checkpoint.finish(&record(2));
        checkpoint.finish(&record(4));
        checkpoint.save().unwrap();

        let checkpoint = Checkpoint::open(files).unwrap();
        assert_eq!(checkpoint.position(), Some(record(4).sequence));
        assert!(checkpoint.finished_before.is_empty());
    }

    #[test]
    fn the_first_record_is_begun_again_when_only_later_ones_were_finished() {
        let (_folder, files) = files();
        let mut checkpoint = Checkpoint::open(files.clone()).unwrap();
        checkpoint.begin(&record(5));
        checkpoint.begin(&record(6));
        checkpoint.finish(&record(6));
        checkpoint.save().unwrap();
        let mut checkpoint = Checkpoint::open(files).unwrap();
        assert_eq!(checkpoint.position(), Some(record(4).sequence));
        assert!(checkpoint.begin(&record(5)));
        assert!(!checkpoint.begin(&record(6)));
    }

    #[test]
    fn a_record_that_is_given_up_becomes_a_dead_letter_and_is_finished() {
        let (_folder, files) = files();
        let mut checkpoint = Checkpoint::open(files.clone()).unwrap();
        checkpoint.begin(&record(1));
        checkpoint.give_up(&record(1), "it is too old").unwrap();
        let letters = fs::read_to_string(files.dead_letters.clone().unwrap()).unwrap();
        assert_eq!(
            letters,
            "{\"record\":{\"n\":1},\"why\":\"it is too old\"}\n"
        );
        assert_eq!(
            Checkpoint::open(files).unwrap().position(),
            Some(record(1).sequence)
        );
    }
}
