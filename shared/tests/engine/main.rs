//! The engine's tests: they call the use cases on a real (embedded) DynamoDB table, with stand-ins for the other
//! services. Each test sets the time.
//!
//! `REGAIN_DYNAMODB=URL` runs them on tables at another DynamoDB.

#[cfg(test)]
mod kit;

#[cfg(test)]
mod announcements;
#[cfg(test)]
mod answered_ids;
#[cfg(test)]
mod at_rest;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod condition_mutants;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod edits;
#[cfg(test)]
mod enumeration;
#[cfg(test)]
mod error_order;
#[cfg(test)]
mod every_fault;
#[cfg(test)]
mod expiry;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod guess_race;
#[cfg(test)]
mod guesses;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod links;
#[cfg(test)]
mod mail_events;
#[cfg(test)]
mod model;
#[cfg(test)]
mod not_me;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod races;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod throttle_cache;
#[cfg(test)]
mod throttles;
#[cfg(test)]
mod user_store;
#[cfg(test)]
mod users;
