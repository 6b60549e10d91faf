//! Compares this machine's clock with AWS's. AWS refuses requests whose signature is minutes off.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use regain::ambient;
use regain::timestamp::Timestamp;

use super::Report;

/// The accepted difference between the clocks. The header has whole seconds, and takes some time to arrive.
const CLOSE: Duration = Duration::from_secs(5);

/// Records when a response came, and the time in its `Date` header.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<Mutex<Option<Times>>>);

#[derive(Clone, Copy, Debug)]
struct Times {
    here: Timestamp,
    there: Timestamp,
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        if let Some(millis) = date.and_then(|date| date.to_millis().ok()) {
            let times = Times {
                here: ambient::now(),
                there: Timestamp::from_millis(millis),
            };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(times);
        }
        Ok(())
    }
}

impl Clock {
    pub(super) fn look(&self, report: &mut Report) {
        let noted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Times { here, there }) = noted else {
            return report.unchecked("the clock", "no answer had the time");
        };
        let (apart, how) = if here > there {
            (here.since(there), "ahead of")
        } else {
            (there.since(here), "behind")
        };
        report.judge(
            apart < CLOSE,
            "the clocks of this machine and of the service agree",
            &format!(
                "this machine's clock is {} s {how} the service's",
                apart.as_secs()
            ),
            "set this machine's clock by NTP",
        );
    }
}
