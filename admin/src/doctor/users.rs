//! Counts the users who cannot recover, by reason.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::ambient;
use regain::ids::UserId;
use regain::settings::DirectoryUserId;
use regain::store::{Item, Stopped, Suppressed};
use regain::telemetry::causes;
use regain::timestamp::Timestamp;
use regain::user_store::UserFunction;
use regain::users::{ForeignIds, Status, unmailable};
use regain_password::Address;

use super::Report;
use crate::connection::Connection;
use crate::failure::{Cause, Trouble};
use crate::say;
use crate::stack::Stack;

/// The pages that are read without `--all-users`: about 10 MB, for about 1,300 read units.
const PAGES: usize = 10;

/// Asks a user store function for an address that nobody has.
async fn ask(function: &UserFunction, report: &mut Report) {
    const NOBODY: &str = "nobody@regain.invalid";
    let Ok(address) = Address::parse(NOBODY) else {
        return;
    };
    match function.find_by_address(&address).await {
        Ok(_) => report.good("the user store function answers"),
        Err(error) => report.bad(
            &causes(&error),
            "look at the function's log, and at what docs/user-store.md says about its answers; you need \
             lambda:InvokeFunction on it for this check, as the stack's functions do",
        ),
    }
}

/// Reads users from the table, and reports how many cannot recover.
pub(super) async fn look(connection: &Connection, stack: &Stack, all: bool, report: &mut Report) {
    if let Some(elsewhere) = &stack.settings.user_store {
        ask(&connection.user_store(elsewhere), report).await;
        return;
    }
    let at = ambient::now();
    let mut found = Found::default();
    let mut start = None;
    let mut pages = 0;
    loop {
        let asked = connection
            .dynamodb()
            .scan()
            .table_name(&stack.table)
            .projection_expression("pk, email, #status, userId, suppressed")
            .expression_attribute_names("#status", "status")
            .set_exclusive_start_key(start)
            .send()
            .await;
        let page = match asked {
            Ok(page) => page,
            Err(error) => {
                // An operator's role may lack this permission. Other problems of the table were reported
                // before.
                let why = match Trouble::of(stack.the_table(), &error).cause {
                    Cause::Denied(_) => "not checked, which takes the permission dynamodb:Scan",
                    _ => "not checked, the table cannot be read",
                };
                report.unchecked("who can recover", why);
                return;
            }
        };
        for item in page.items() {
            found.count(item, stack, at);
        }
        start = page.last_evaluated_key;
        pages += 1;
        if start.is_none() || (pages == PAGES && !all) {
            break;
        }
    }
    found.tell(start.is_none(), report);
}

#[derive(Default)]
struct Found {
    users: usize,
    /// Users who can recover, as far as the table shows.
    fine: usize,
    /// The reasons why the others cannot.
    because: BTreeMap<String, usize>,
    /// Addresses that get no mail any more.
    unmailed: usize,
    /// Addresses that get no mail for some time.
    paused: usize,
    /// When the last of these suppressions ends.
    paused_until: Option<Timestamp>,
    /// Addresses that get other mail, but no codes.
    without_codes: usize,
    /// Addresses whose suppression cannot be read. They get no mail, either.
    unreadable: usize,
    /// The ids, if callers are answered with them.
    ids: ForeignIds,
}

impl Found {
    fn count(&mut self, item: &Item, stack: &Stack, at: Timestamp) {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
        let key = text("pk").map_or("", String::as_str);
        if key.starts_with("EMAIL#") {
            self.count_suppression(item, at);
        }
        let Some(id) = key.strip_prefix("USER#") else {
            return;
        };
        let settings = &stack.settings;
        if settings.directory_user_id == DirectoryUserId::User
            && let Some(id) = UserId::parse(id, settings.user_id_format)
        {
            self.ids.count(&id);
        }
        self.users += 1;
        let status = match item.get("status") {
            None => Status::Missing,
            Some(AttributeValue::S(text)) => Status::Text(text.clone()),
            Some(_) => Status::Other,
        };
        let reason = if !settings.recoverable_statuses.include(&status) {
            status.described()
        } else if text("email").is_none_or(|email| Address::parse(email).is_err()) {
            "no e-mail address".to_owned()
        } else if text("email").is_some_and(|email| unmailable(email).is_some()) {
            "an address that SES does not mail to".to_owned()
        } else {
            self.fine += 1;
            return;
        };
        *self.because.entry(reason).or_default() += 1;
    }

    /// Counts an address by its suppression now. A suppression that has ended stays in the table.
    fn count_suppression(&mut self, lookup: &Item, at: Timestamp) {
        if !lookup.contains_key("suppressed") {
            return;
        }
        match Suppressed::read(lookup.clone()) {
            Ok(None) => {}
            Ok(Some(suppressed)) => match (suppressed.stopped(at), suppressed.until) {
                (Stopped::All, None) => self.unmailed += 1,
                (Stopped::All, until @ Some(_)) => {
                    self.paused += 1;
                    self.paused_until = self.paused_until.max(until);
                }
                (Stopped::Codes, _) => self.without_codes += 1,
                (Stopped::None, _) => {}
            },
            Err(_) => self.unreadable += 1,
        }
    }

    fn tell(self, complete: bool, report: &mut Report) {
        let users = say::count(self.users, "user", "users");
        let of = if complete {
            users
        } else {
            format!("{users} (the first of the table; --all-users reads the rest)")
        };
        let others = self.users - self.fine;
        match (self.users, self.fine) {
            (0, _) => report.good("there are no users yet"),
            (_, 0) => report.bad(
                &format!("none of {of} can recover"),
                "look at the statuses below and at the parameter RecoverableStatuses",
            ),
            _ if others == 0 => report.good(&format!("{of}, and all can recover")),
            _ => report.good(&format!("{of}, and {others} of them cannot recover")),
        }
        for (reason, count) in self.because {
            let have = if count == 1 { "has" } else { "have" };
            say::line(format!("  {count} {have} {reason}"));
        }
        if self.unmailed > 0 {
            let addresses = say::count(self.unmailed, "address is", "addresses are");
            say::line(format!(
                "  {addresses} not mailed any more after bounces or complaints"
            ));
        }
        if let Some(until) = self.paused_until {
            let addresses = say::count(self.paused, "address is", "addresses are");
            let last = if self.paused == 1 { "" } else { "the last " };
            let until = until.rfc3339();
            say::line(format!(
                "  {addresses} not mailed for now after a bounce, {last}until {until}"
            ));
        }
        if self.without_codes > 0 {
            let addresses = say::count(self.without_codes, "address gets", "addresses get");
            say::line(format!("  {addresses} no codes any more after a complaint"));
        }
        if self.unreadable > 0 {
            let addresses = say::count(self.unreadable, "address is", "addresses are");
            say::line(format!(
                "  {addresses} not mailed, since \"suppressed\" cannot be read"
            ));
        }
        if let Some(sentence) = self.ids.sentence() {
            say::note(sentence);
        }
    }
}
