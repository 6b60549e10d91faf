//! `regain doctor`: everything that a stack needs to work, looked at one by one.

mod calls;
mod clock;
mod mail;
mod secrets;
mod table;
mod users;

use std::process::ExitCode;

use self::clock::Clock;
use crate::connection::{Connection, SERVICES};
use crate::failure::{Cause, Trouble};
use crate::options::Service;
use crate::say;
use crate::stack::Stack;

/// Looks at everything, and says what is right, what is not, and what could not be looked at.
pub(crate) async fn run(connection: &Connection, stack: &Stack, all_users: bool) -> ExitCode {
    let mut report = Report::default();
    let clock = Clock::default();
    let mut silent = Vec::new();
    for (service, name) in SERVICES {
        if let Some(url) = connection.silent(service).await {
            silent.push((service, format!("{url} ({name})")));
        }
    }
    let answers = |service| silent.iter().all(|(it, _)| *it != service);
    if !silent.is_empty() {
        report.heading("Endpoints");
        let urls: Vec<_> = silent.iter().map(|(_, url)| url.as_str()).collect();
        let fix = "start the service with `cargo run`, or say where it is with --local=PORT or --endpoint";
        report.bad(&format!("nothing listens at {}", urls.join(", ")), fix);
    }
    if answers(Service::Dynamodb) {
        report.heading("Table");
        table::look(connection, stack, &clock, &mut report).await;
        report.heading("Clock");
        clock.look(&mut report);
    }
    if answers(Service::Secrets) {
        report.heading("Secrets");
        secrets::look(connection, stack, &mut report).await;
    }
    if answers(Service::Ses) {
        report.heading("Mail");
        mail::look(connection, stack, &mut report).await;
    }
    if answers(Service::Dynamodb) {
        report.heading("Users");
        users::look(connection, stack, all_users, &mut report).await;
    }
    if silent.is_empty() {
        report.heading("Functions");
        calls::look(connection, stack, &mut report).await;
    }
    report.sum_up()
}

/// What was found so far. It is said as it is found.
#[derive(Debug, Default)]
struct Report {
    good: usize,
    bad: usize,
    unchecked: usize,
}

impl Report {
    fn heading(&mut self, text: &str) {
        if self.good + self.bad + self.unchecked > 0 {
            say::line("");
        }
        say::heading(text);
    }

    fn good(&mut self, what: &str) {
        self.good += 1;
        say::good(what);
    }

    fn bad(&mut self, what: &str, fix: &str) {
        self.bad += 1;
        say::bad(what);
        say::fix(fix);
    }

    fn unchecked(&mut self, what: &str, why: &str) {
        self.unchecked += 1;
        say::unchecked(format!("{what}: {why}"));
    }

    /// Good or bad, as `holds` says.
    fn judge(&mut self, holds: bool, good: &str, bad: &str, fix: &str) {
        if holds {
            self.good(good);
        } else {
            self.bad(bad, fix);
        }
    }

    /// Reports a call that the endpoint does not know, though every stack answers it: another program listens
    /// there.
    fn required(&mut self, what: &str, service: &str, trouble: &Trouble) {
        if trouble.cause == Cause::NotServed {
            self.bad(
                &format!("{what}: the endpoint does not answer as {service} does"),
                "another program may listen there: say where the service is with --local=PORT or --endpoint",
            );
        } else {
            self.trouble(what, trouble);
        }
    }

    /// What could not be asked about. What an endpoint does not know is nothing to mend.
    fn trouble(&mut self, what: &str, trouble: &Trouble) {
        let fix = match &trouble.cause {
            Cause::NotServed => {
                return self.unchecked(
                    what,
                    "not checked here, the endpoint does not know the call",
                );
            }
            Cause::Absent => "look at the name and the region; `sam deploy` makes what is missing",
            Cause::Denied(_) => "allow it to whom these credentials belong, or use others",
            Cause::Credentials(_) => {
                "set AWS_PROFILE or the AWS_… variables of credentials that are good"
            }
            Cause::Unreachable(_) => "look at the network, the region and the endpoints",
            Cause::OtherKey | Cause::Other(_) => "the message above says what AWS objects to",
        };
        self.bad(&format!("{what}: {trouble}"), fix);
    }

    fn sum_up(&self) -> ExitCode {
        let Self {
            good,
            bad,
            unchecked,
        } = self;
        let rest = match unchecked {
            0 => String::new(),
            some => format!(", {some} not checked"),
        };
        say::line("");
        say::heading(format!("{good} right, {bad} wrong{rest}"));
        if *bad == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
