//! `users/resend` and `users/setPassword`: any headers and any body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use regain::api::Protocol;
use regain_fuzz::body;

fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus { body::check(Protocol::Directory, input) });
