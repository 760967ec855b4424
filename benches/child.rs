//! A program that is run to its end and measured, and what the kernel says of one that goes on.

use std::{
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Memory of a process, in kilobytes.
#[derive(Clone, Copy, Default)]
pub struct Memory {
    /// The most that was ever resident.
    pub peak: u64,
    /// What is resident of its own, not of files.
    pub own: u64,
    /// What is resident now.
    pub now: u64,
}

/// Runs a program to its end and says how long it took; it must succeed.
pub fn timed(mut command: Command) -> Duration {
    command.stdin(Stdio::null());
    let begun = Instant::now();
    let output = command.output().unwrap();
    let took = begun.elapsed();
    expect(&command, &output);
    took
}

/// Runs a program to its end and says the most memory that it had. What it had in its last
/// millisecond is not seen; the kernel's own high-water mark covers everything before.
pub fn weighed(mut command: Command) -> Memory {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut most = Memory::default();
    while child.try_wait().unwrap().is_none() {
        if let Some(memory) = memory(child.id()) {
            most.peak = most.peak.max(memory.peak);
            most.own = most.own.max(memory.own);
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert!(child.wait().unwrap().success(), "{command:?}");
    most
}

/// The memory of a process.
pub fn memory(pid: u32) -> Option<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some(Memory {
        peak: field("VmHWM:")?,
        own: field("RssAnon:")?,
        now: field("VmRSS:")?,
    })
}

/// The processor time that a process has used, in clock ticks of a hundredth of a second.
pub fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name, which may hold anything, ends with the last bracket.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let number = |at: usize| fields[at].parse::<u64>().unwrap();
    number(11) + number(12)
}

fn expect(command: &Command, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    let tail: String = said
        .chars()
        .rev()
        .take(2000)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{tail}",
        output.status
    );
}
