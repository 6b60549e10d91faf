//! Mail: the SES stand-in renders it, the store keeps it, and the mailbox shows it.

pub mod mailbox;
pub mod seal;
pub mod ses;
pub mod store;
