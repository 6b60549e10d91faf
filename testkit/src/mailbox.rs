//! Mailboxes: the mails of the service, read from `/_mail.json`.

use serde::Deserialize;

use crate::eventually;
use crate::people::Person;
use crate::stack::Stack;

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mail {
    /// The recipient.
    pub to: String,
    /// The sender.
    pub from: String,
    /// The subject.
    pub subject: String,
    /// The template's code, as callers of the API name it.
    pub template: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// When it was sent, as RFC 3339.
    pub sent_at: String,
}

/// The template of the notice that a password was changed.
const NOTICE: &str = "password-changed";

/// One person's mailbox. Codes and notices are read separately, because mails that are under way at the same time
/// may arrive in any order.
#[derive(Debug)]
pub struct Mailbox {
    url: String,
    http: reqwest::Client,
    codes: usize,
    notices: usize,
}

impl Mailbox {
    /// The mailbox of a person.
    pub fn of(stack: &Stack, person: &Person) -> Self {
        Self::at(stack, &person.email)
    }

    /// The mailbox of an address.
    pub fn at(stack: &Stack, address: &str) -> Self {
        let to: String = form_urlencoded::byte_serialize(address.as_bytes()).collect();
        let url = format!("{}/_mail.json?to={to}", stack.url);
        Self {
            url,
            http: reqwest::Client::new(),
            codes: 0,
            notices: 0,
        }
    }

    /// All mail, newest first.
    pub async fn all(&self) -> Vec<Mail> {
        self.http
            .get(&self.url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// The next mail with a code, when it is there.
    pub async fn next(&mut self) -> Mail {
        self.codes += 1;
        self.nth(false, self.codes).await
    }

    /// The next notice that the password was changed, when it is there.
    pub async fn next_notice(&mut self) -> Mail {
        self.notices += 1;
        self.nth(true, self.notices).await
    }

    async fn nth(&self, notice: bool, number: usize) -> Mail {
        eventually("a mail arrives", async || {
            let mails = self.all().await.into_iter().rev();
            mails
                .filter(|mail| (mail.template == NOTICE) == notice)
                .nth(number - 1)
        })
        .await
    }

    /// The code in the next mail with one.
    pub async fn next_code(&mut self) -> String {
        self.next().await.code()
    }
}

impl Mail {
    /// The link, alone on its line.
    fn link_line(&self) -> Option<&str> {
        self.text
            .lines()
            .find(|line| line.contains("#t=") || line.contains("#n="))
    }

    /// The token of the link to the recovery page.
    pub fn link_token(&self) -> String {
        let link = self.link_line().unwrap();
        assert!(self.html.contains(link), "in the HTML part too");
        let (page, token) = link.split_once("#t=").unwrap();
        assert!(
            page.starts_with("http") && page.ends_with("/recover"),
            "{page}"
        );
        assert!(token.bytes().all(|it| it.is_ascii_lowercase()), "{token}");
        token.to_owned()
    }

    /// The code: the one run of digits that is that long, alone on its line, apart from the link.
    pub fn code(&self) -> String {
        let runs: Vec<_> = self
            .text
            .lines()
            .filter(|line| Some(*line) != self.link_line())
            .flat_map(|line| line.split(|character: char| !character.is_numeric()))
            .filter(|run| run.chars().count() >= 4)
            .collect();
        let [code] = runs[..] else {
            panic!("one code, not {runs:?}: {}", self.text)
        };
        assert!(
            self.text.lines().any(|line| line == code),
            "alone on a line: {}",
            self.text
        );
        assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        assert!(self.html.contains(code), "in the HTML part too");
        code.to_owned()
    }

    /// The mail as it reads, without its code and its link.
    pub fn redacted(&self) -> String {
        let text = if self.template == NOTICE {
            self.text.clone()
        } else {
            self.text.replace(&self.code(), "[code]")
        };
        let text = match self.link_line() {
            Some(link) => text.replace(link, "[link]"),
            None => text,
        };
        // Where a mail took more than a second to leave, a whole minute less is left of its code.
        let text = text
            .replace(" 9 minutes", " 10 minutes")
            .replace(" 9 menit", " 10 menit");
        format!("From: {}\nSubject: {}\n\n{text}", self.from, self.subject)
    }
}

/// A code that is wrong, whatever the right one is.
pub fn wrong(code: &str) -> String {
    let (first, rest) = code.split_at(1);
    let first = (first.parse::<u8>().unwrap() + 1) % 10;
    format!("{first}{rest}")
}
