//! The operator's command as it is called: the real binary, an embedded table, and stand-ins for the
//! other services.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod code_key;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod import;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod mails;
#[cfg(test)]
mod recover;
#[cfg(test)]
mod throttle;
#[cfg(test)]
mod users;
