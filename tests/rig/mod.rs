//! The rig itself: what the other tests stand on does what it says.

mod cluster;
mod servers;

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

const SOON: Duration = Duration::from_secs(20);

fn is_alive(pid: u32) -> bool {
    // A process that nobody waits for stays in the table when it has ended.
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    status.is_ok_and(|text| !text.contains("State:\tZ"))
}

/// Sends a request and reads until the answer holds this, ends, or takes too long.
fn ask(port: u16, request: &str, until: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut answer = String::new();
    let mut buffer = [0; 4096];
    if stream.write_all(request.as_bytes()).is_err() {
        return answer;
    }
    while !answer.contains(until) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => answer.push_str(&String::from_utf8_lossy(&buffer[..length])),
        }
    }
    answer
}
