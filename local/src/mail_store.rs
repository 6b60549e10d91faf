//! The mail that would have been sent.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use regain::address::Address;
use serde::{Deserialize, Serialize};

use crate::console::say;

/// One mail, with the fields the mailbox shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The recipient.
    pub to: String,
    /// The sender.
    pub from: String,
    /// The subject.
    pub subject: String,
    /// The template's code, as callers of the API name it.
    pub template: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// When it was sent: RFC 3339, UTC.
    pub sent_at: String,
}

/// All mail, oldest first; in a file too where there is a data directory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MailStore(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    mails: Vec<Mail>,
    file: Option<File>,
}

impl MailStore {
    /// The mail in a file, which is made if it is missing.
    ///
    /// A last line that the end of the program cut short was never answered for, and is dropped.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut mails = Vec::new();
        let mut good = 0;
        let mut lines = BufReader::new(&mut file);
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap_or(0) > 0 && line.ends_with('\n') {
            match serde_json::from_str(&line) {
                Ok(mail) => mails.push(mail),
                Err(error) => say(format!("[local] {}: a line is no mail: {error}", path.display())),
            }
            good += u64::try_from(line.len()).unwrap_or(0);
            line.clear();
        }
        file.set_len(good)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self(Arc::new(Mutex::new(Inner { mails, file: Some(file) }))))
    }

    /// Keeps a mail; it is in the file when this returns.
    ///
    /// # Errors
    /// When the file cannot be written. The mail is not kept then.
    pub fn keep(&self, mail: Mail) -> std::io::Result<()> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut inner.file {
            let mut line = serde_json::to_vec(&mail)?;
            line.push(b'\n');
            file.write_all(&line)?;
        }
        inner.mails.push(mail);
        Ok(())
    }

    /// The mail to `recipient`, or all, newest first.
    #[must_use]
    pub fn newest_first(&self, recipient: Option<&str>) -> Vec<Mail> {
        let wanted = recipient.map(canonical);
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mails = inner.mails.iter().rev();
        mails
            .filter(|mail| wanted.as_ref().is_none_or(|wanted| canonical(&mail.to) == *wanted))
            .cloned()
            .collect()
    }
}

/// The form in which addresses are compared; what is no address is compared without case.
fn canonical(address: &str) -> String {
    Address::parse(address)
        .map_or_else(|_| address.trim().to_lowercase(), |address| address.as_str().to_owned())
}
