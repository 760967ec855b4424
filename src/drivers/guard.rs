//! Sees to it that no child outlives jsorc, however jsorc ends: also by SIGKILL, when nothing of its
//! own can run any more.
//!
//! Between jsorc and each child stands a second jsorc, the guard: it leads the child's process
//! group and holds one end of a socket, the lifeline, whose other end only jsorc has. When jsorc is
//! gone the system closes the lifeline; the guard then ends the group, by SIGTERM first. There is
//! no moment at which the end could be missed, and no thread whose end could be taken for it.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal, killpg, raise};
use nix::unistd::getpgrp;

/// The word by which a guard is asked for; no command of a person.
const WORD: &str = "__child";
/// Between the end of a child and the end of what it leaves behind.
const REST: Duration = Duration::from_millis(100);

/// The program that can stand guard.
static PROGRAM: OnceLock<OsString> = OnceLock::new();

/// Set when jsorc is gone.
static ORPHANED: AtomicBool = AtomicBool::new(false);

/// From now on children of this process are guarded by its own program. Whoever uses the library
/// without being that program does not call it, and its children have no guard.
pub fn arm() {
    let own = if cfg!(target_os = "linux") {
        // Also when the file was replaced or removed since the start.
        Some(OsString::from("/proc/self/exe"))
    } else {
        std::env::current_exe().ok().map(OsString::from)
    };
    if let Some(own) = own {
        PROGRAM.get_or_init(|| own);
    }
}

/// Stands guard when this process was started for it, and then gives the exit code.
#[must_use]
pub fn stand() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != WORD {
        return None;
    }
    let grace = words.next().and_then(|text| text.to_str()?.parse().ok());
    let (grace, program) = (grace.map(Duration::from_millis)?, words.next()?);
    Some(guard(grace, Command::new(program).args(words)))
}

/// A command and the lifeline of its guard; without a guard the command as it stands.
pub(super) struct Guarded {
    pub(super) command: Command,
    pub(super) lifeline: Option<UnixStream>,
}

/// The command that runs these words, guarded where that can be.
pub(super) fn guarded(first: &str, rest: &[String], grace: Duration) -> io::Result<Guarded> {
    let Some(own) = PROGRAM.get() else {
        let mut command = Command::new(first);
        command.args(rest).stdin(Stdio::null());
        let lifeline = None;
        return Ok(Guarded { command, lifeline });
    };
    let (ours, theirs) = UnixStream::pair()?;
    let mut command = Command::new(own);
    command
        .arg0("jsorc")
        .args([WORD, &grace.as_millis().to_string(), first])
        .args(rest)
        .stdin(OwnedFd::from(theirs));
    Ok(Guarded {
        command,
        lifeline: Some(ours),
    })
}

/// What a guard says of its child: its process id, or why it does not start.
pub(super) fn told(line: &str) -> Result<u32, String> {
    let line = line.trim_end();
    line.parse().map_err(|_| match line {
        "" => "its guard gave no sign".to_owned(),
        why => why.to_owned(),
    })
}

fn guard(grace: Duration, command: &mut Command) -> ExitCode {
    let Ok(lifeline) = io::stdin().as_fd().try_clone_to_owned() else {
        return ExitCode::FAILURE;
    };
    let mut lifeline = UnixStream::from(lifeline);
    let mut child = match command.stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) => {
            // Whoever asked may be gone.
            let _ = writeln!(lifeline, "{error}");
            return ExitCode::FAILURE;
        }
    };
    // Signals for the group are for the child. Not before it is started: it would inherit that.
    let mut deaf = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        deaf.add(signal);
    }
    let _ = deaf.thread_block();
    let _ = writeln!(lifeline, "{}", child.id());
    std::thread::spawn(move || watch(&lifeline, grace));
    end_like(&mut child, deaf)
}

/// Waits for the end of jsorc, and ends the group then.
fn watch(mut lifeline: &UnixStream, grace: Duration) {
    let mut nothing = [0; 16];
    while matches!(lifeline.read(&mut nothing), Ok(length) if length > 0) {}
    ORPHANED.store(true, Ordering::SeqCst);
    let group = getpgrp();
    let _ = killpg(group, Signal::SIGTERM);
    std::thread::sleep(grace);
    let _ = killpg(group, Signal::SIGKILL);
}

/// Ends as the child ends, so that whoever waits for the guard learns how it was.
fn end_like(child: &mut Child, deaf: SigSet) -> ExitCode {
    let ended = child.wait();
    if ORPHANED.load(Ordering::SeqCst) {
        // Nobody is left to end what the child left behind.
        std::thread::sleep(REST);
        let _ = killpg(getpgrp(), Signal::SIGKILL);
    }
    let signal = ended.as_ref().ok().and_then(ExitStatus::signal);
    if let Some(signal) = signal.and_then(|number| Signal::try_from(number).ok()) {
        let _ = deaf.thread_unblock();
        let _ = raise(signal);
    }
    let code = ended.ok().and_then(|status| status.code());
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_tells_a_process_or_why_there_is_none() {
        assert_eq!(told("4711\n"), Ok(4711));
        let why = "No such file or directory (os error 2)";
        assert_eq!(told(&format!("{why}\n")), Err(why.to_owned()));
        assert_eq!(told(""), Err("its guard gave no sign".to_owned()));
    }

    #[test]
    fn without_a_program_that_can_stand_guard_a_command_is_run_as_it_stands() {
        let guarded = guarded("sleep", &["1".to_owned()], REST).unwrap();
        assert!(guarded.lifeline.is_none());
        assert_eq!(guarded.command.get_program(), "sleep");
    }
}
