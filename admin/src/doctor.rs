//! `regain doctor`: checks one by one everything that a stack needs to work.

mod calls;
mod clock;
mod mail;
mod secrets;
mod table;
mod users;

use std::process::ExitCode;
use std::time::Duration;

use self::clock::Clock;
use crate::connection::{Connection, LAMBDA, SERVICES};
use crate::failure::{Cause, Trouble};
use crate::options::{DoctorOptions, Service};
use crate::say;
use crate::stack::Stack;

/// Makes all checks, and prints which passed, which failed and which could not be made.
pub(crate) async fn run(
    connection: &Connection,
    stack: &Stack,
    options: &DoctorOptions,
) -> ExitCode {
    let mut report = Report::default();
    let clock = Clock::default();
    let mut silent = Vec::new();
    let lambda = stack.settings.user_store.is_some().then_some(LAMBDA);
    for (service, name) in SERVICES.into_iter().chain(lambda) {
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
    if answers(Service::Dynamodb) && answers(Service::Lambda) {
        report.heading("Users");
        users::look(connection, stack, options.all_users, &mut report).await;
    }
    if silent.is_empty() {
        report.heading("Functions");
        let mail_timeout = Duration::from_secs(options.mail_timeout);
        calls::look(connection, stack, mail_timeout, &mut report).await;
    }
    report.sum_up()
}

/// The results so far. Each is printed at once.
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

    /// Reports a check as passed if `holds`, and otherwise as failed.
    fn judge(&mut self, holds: bool, good: &str, bad: &str, fix: &str) {
        if holds {
            self.good(good);
        } else {
            self.bad(bad, fix);
        }
    }

    /// Reports that the endpoint does not know a call that every stack answers, because another program
    /// listens there.
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

    /// Reports a check that could not be made. If the endpoint does not know the call, there is nothing to repair.
    fn trouble(&mut self, what: &str, trouble: &Trouble) {
        let fix = match &trouble.cause {
            Cause::NotServed => {
                return self.unchecked(
                    what,
                    "not checked here, the endpoint does not know the call",
                );
            }
            Cause::Absent => "look at the name and the region; `sam deploy` makes what is missing",
            Cause::Denied(_) => "give these credentials the permission, or use others",
            Cause::Credentials(_) => {
                "set AWS_PROFILE or the AWS_… variables of credentials that are good"
            }
            Cause::Unreachable(_) => "look at the network, the region and the endpoints",
            Cause::OtherKey | Cause::Other(_) => "see AWS's message above",
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
