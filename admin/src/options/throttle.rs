//! The command line of `throttle`.

use clap::{Args, Subcommand};

use super::place::{IndexKey, Place};

#[derive(Debug, Subcommand)]
pub(crate) enum ThrottleCommand {
    /// Show the cooldown, the codes of this hour and day, and the wrong guesses of today
    #[command(after_help = THROTTLE_SHOW)]
    Show(ThrottleOptions),
    /// Clear all of these, so that the person can try again after a minute at most
    #[command(after_help = THROTTLE_CLEAR)]
    Clear(ThrottleOptions),
}

const THROTTLE_SHOW: &str = "\
Throttles count by address, whether or not a user has it. The hourly limit of requests from one network \
address is not shown.";

const THROTTLE_CLEAR: &str = "\
Recovery sessions stay as they are: if the guesses of a session are spent, the person has to ask for a new \
code. The hourly limit of requests from one network address is not cleared.";

/// The commands for throttles.
#[derive(Debug, Args)]
pub(crate) struct ThrottleOptions {
    /// The e-mail address, as the person types it
    pub(crate) address: String,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) index_key: IndexKey,
}
