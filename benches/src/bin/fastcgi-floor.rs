//! The least that a FastCGI server can do: one read and one fixed write for a request, a thread for a connection, and
//! no look at anything. Usage: `fastcgi-floor SOCKET`

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

const DOCUMENT: &[u8] = b"Content-Type: text/xml\r\n\r\n<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
    <methodResponse><params><param><value><int>5</int></value></param></params></methodResponse>\n";

/// Returns the answer as a STDOUT record, and END_REQUEST.
fn answer() -> Vec<u8> {
    let length = (DOCUMENT.len() as u16).to_be_bytes();
    [&[1, 6, 0, 1, length[0], length[1], 0, 0], DOCUMENT, &[1, 3, 0, 1, 0, 8, 0, 0], &[0; 8]].concat()
}

fn serve(mut stream: UnixStream) {
    let (answer, mut buffer) = (answer(), vec![0; 64 << 10]);
    while stream.read(&mut buffer).is_ok_and(|read| read > 16) {
        // the flag KEEP_CONN of BEGIN_REQUEST
        if stream.write_all(&answer).is_err() || buffer[10] & 1 == 0 {
            return;
        }
    }
}

fn main() {
    let socket = std::env::args().nth(1).expect("usage: fastcgi-floor SOCKET");
    for stream in UnixListener::bind(socket).expect("it can listen").incoming().flatten() {
        thread::spawn(|| serve(stream));
    }
}
