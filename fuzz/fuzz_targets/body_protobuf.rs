//! Bodies of the API in Kubernetes' protobuf.

#![no_main]

mod round_trip;

use countersign::api::Format;

libfuzzer_sys::fuzz_target!(|body: &[u8]| round_trip::every_kind(body, Format::Protobuf));
