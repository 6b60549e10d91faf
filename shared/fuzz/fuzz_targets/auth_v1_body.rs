//! `auth/v1/forgot-password` and what follows it: any headers and any body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use regain::api::Protocol;
use regain_fuzz::body;

fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus { body::check(Protocol::AuthV1, input) });
