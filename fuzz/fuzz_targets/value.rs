//! A value that was read is written so that it reads the same.
#![no_main]

use rpcgi::xmlrpc::{self, Value};

libfuzzer_sys::fuzz_target!(|document: &[u8]| {
    if let Ok(value) = xmlrpc::from_slice::<Value>(document) {
        let written = xmlrpc::to_vec(&value).expect("what was read can be written");
        let again: Value = xmlrpc::from_slice(&written).expect("what was written can be read");
        assert_eq!(xmlrpc::to_vec(&again).expect("it was written once"), written);
    }
});
