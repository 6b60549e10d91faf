//! The mail that SES would have sent.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use regain_password::Address;
use serde::{Deserialize, Serialize};

use crate::console::say;
use crate::mail::seal::Seal;

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

/// All mail, oldest first. A data directory keeps it in a file. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MailStore(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    mails: Vec<Mail>,
    file: Option<(File, Seal)>,
}

impl MailStore {
    /// Opens the mail in a file, which is created if it is missing. It is sealed under a key beside it.
    ///
    /// A last line that is incomplete is dropped: SES had not accepted that mail.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let seal = Seal::open(&path.with_extension("key"))?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut mails = Vec::new();
        let mut good = 0;
        let mut lines = BufReader::new(&mut file);
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap_or(0) > 0 && line.ends_with('\n') {
            match seal
                .unseal(&line)
                .and_then(|mail| serde_json::from_slice(&mail).ok())
            {
                Some(mail) => mails.push(mail),
                None => say(format!(
                    "[local] {}: skipped a line that is not a mail",
                    path.display()
                )),
            }
            good += u64::try_from(line.len()).unwrap_or(0);
            line.clear();
        }
        file.set_len(good)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self(Arc::new(Mutex::new(Inner {
            mails,
            file: Some((file, seal)),
        }))))
    }

    /// Keeps a mail. It is in the file when this returns.
    ///
    /// # Errors
    /// When the file cannot be written. The mail is not kept then.
    pub fn keep(&self, mail: Mail) -> std::io::Result<()> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((file, seal)) = &mut inner.file {
            let line = seal.seal(serde_json::to_vec(&mail)?)?;
            file.write_all(format!("{line}\n").as_bytes())?;
        }
        inner.mails.push(mail);
        Ok(())
    }

    /// An HTTP entity tag, which changes with every mail.
    #[must_use]
    pub fn version(&self) -> String {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = inner.mails.last().map_or("", |mail| mail.sent_at.as_str());
        format!("\"{}-{newest}\"", inner.mails.len())
    }

    /// The mail to `recipient`, or all, newest first.
    #[must_use]
    pub fn newest_first(&self, recipient: Option<&str>) -> Vec<Mail> {
        let wanted = recipient.map(canonical);
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mails = inner.mails.iter().rev();
        mails
            .filter(|mail| {
                wanted
                    .as_ref()
                    .is_none_or(|wanted| canonical(&mail.to) == *wanted)
            })
            .cloned()
            .collect()
    }
}

/// The form in which addresses are compared. Anything else is compared without regard to case.
fn canonical(address: &str) -> String {
    Address::parse(address).map_or_else(
        |_| address.trim().to_lowercase(),
        |address| address.as_str().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(to: &str, subject: &str) -> Mail {
        Mail {
            to: to.to_owned(),
            from: "no-reply@example.com".to_owned(),
            subject: subject.to_owned(),
            template: "password-changed".to_owned(),
            text: "text".to_owned(),
            html: "<p>html".to_owned(),
            sent_at: "2026-01-02T03:04:05.678Z".to_owned(),
        }
    }

    fn subjects(mails: &[Mail]) -> Vec<&str> {
        mails.iter().map(|mail| mail.subject.as_str()).collect()
    }

    #[test]
    fn mail_is_listed_newest_first_and_found_however_the_recipient_is_spelled() {
        let store = MailStore::default();
        store.keep(mail("Ann@Example.com", "one")).unwrap();
        store.keep(mail("bob@example.com", "two")).unwrap();
        store.keep(mail("ann@example.com", "three")).unwrap();
        assert_eq!(subjects(&store.newest_first(None)), ["three", "two", "one"]);
        assert_eq!(
            subjects(&store.newest_first(Some(" ANN@EXAMPLE.COM"))),
            ["three", "one"]
        );
        assert!(store.newest_first(Some("nobody")).is_empty());
    }

    #[test]
    fn mail_survives_a_restart_and_a_line_cut_short_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.sealed");
        MailStore::open(&path)
            .unwrap()
            .keep(mail("a@example.com", "one"))
            .unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{}", &whole[..whole.len() / 2])).unwrap();

        let store = MailStore::open(&path).unwrap();
        assert_eq!(subjects(&store.newest_first(None)), ["one"]);
        store.keep(mail("a@example.com", "two")).unwrap();
        let store = MailStore::open(&path).unwrap();
        assert_eq!(subjects(&store.newest_first(None)), ["two", "one"]);
    }

    #[test]
    fn a_mail_has_exactly_the_fields_that_tests_read() {
        let fields = serde_json::to_value(mail("a@example.com", "s")).unwrap();
        let names: Vec<_> = fields.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            names,
            [
                "from", "html", "sentAt", "subject", "template", "text", "to"
            ]
        );
    }
}
