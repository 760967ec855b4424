//! A child process in a process group of its own, with its lines in the log.
//!
//! The group is ended as a whole: SIGTERM first, SIGKILL when it takes too long, and SIGKILL at
//! once when the value is dropped, so that no grandchild outlives its service. A guard does the same
//! when jsorc itself is gone.

use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::join_all;
use nix::{
    errno::Errno,
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    net::UnixStream,
    process::Command,
    task::JoinHandle,
    time::Instant,
};

use super::{
    driver::Log,
    error::DriverError,
    guard::{self, Guarded},
};

/// What to run.
pub(super) struct Program {
    pub(super) name: String,
    pub(super) command: Vec<String>,
    pub(super) environment: Vec<(String, SecretString)>,
    pub(super) folder: Option<PathBuf>,
    /// How long SIGTERM may take.
    pub(super) grace: Duration,
}

/// A running child.
pub(super) struct Child {
    name: String,
    leader: tokio::process::Child,
    process: Option<u32>,
    _lifeline: Option<Lifeline>,
    group: Group,
    last: LastLines,
    readers: Vec<JoinHandle<()>>,
    grace: Duration,
}

/// Kills what is left of the process group when it goes.
struct Group(Option<Pid>);

/// Our end of a guard's lifeline: the guard ends its group when it goes.
struct Lifeline(BufReader<UnixStream>);

impl Lifeline {
    fn hold(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self(BufReader::new(UnixStream::from_std(stream)?)))
    }

    /// The child's process id, or why it does not start.
    async fn first_word(&mut self) -> Result<u32, String> {
        const PATIENCE: Duration = Duration::from_secs(10);
        let mut line = String::new();
        // An end without a word is a word too.
        let _ = tokio::time::timeout(PATIENCE, self.0.read_line(&mut line)).await;
        guard::told(&line)
    }
}

/// The last lines that a child wrote, for the message when it ends.
#[derive(Clone, Default)]
struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl Child {
    /// Starts a program. Its lines go to the log.
    pub(super) async fn spawn(program: &Program, log: &Log) -> Result<Self, DriverError> {
        let failed = |how: String| {
            let (name, lines) = (program.name.clone(), Vec::new());
            DriverError::Exited { name, how, lines }
        };
        let (first, rest) = program
            .command
            .split_first()
            .ok_or_else(|| failed("is empty".to_owned()))?;
        let unstarted = |error: String| failed(format!("does not start: {first}: {error}"));
        let refused = |error: io::Error| unstarted(error.to_string());
        let Guarded { command, lifeline } =
            guard::guarded(first, rest, program.grace).map_err(refused)?;
        let mut command = Command::from(command);
        command.process_group(0).kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in &program.environment {
            command.env(name, value.expose_secret());
        }
        if let Some(folder) = &program.folder {
            command.current_dir(folder);
        }
        let mut child = command.spawn().map_err(refused)?;
        // It holds the guard's end of the lifeline.
        drop(command);
        let leader = child.id();
        let id = leader.and_then(|id| i32::try_from(id).ok());
        let group = Group(id.map(Pid::from_raw));
        let mut process = leader;
        let lifeline = match lifeline {
            Some(lifeline) => {
                let mut lifeline = Lifeline::hold(lifeline).map_err(refused)?;
                process = Some(lifeline.first_word().await.map_err(unstarted)?);
                Some(lifeline)
            }
            None => None,
        };
        let last = LastLines::default();
        let output = child.stdout.take().map(|stream| last.follow(stream, log));
        let errors = child.stderr.take().map(|stream| last.follow(stream, log));
        let name = program.name.clone();
        Ok(Self {
            name,
            leader: child,
            process,
            _lifeline: lifeline,
            group,
            last,
            readers: output.into_iter().chain(errors).collect(),
            grace: program.grace,
        })
    }

    /// Fails if it has ended, with what it wrote last.
    pub(super) async fn expect_running(&mut self) -> Result<(), DriverError> {
        match self.leader.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.exited(told(status)).await),
            Err(error) => Err(self.exited(format!("cannot be watched: {error}")).await),
        }
    }

    /// The process id, while it runs.
    pub(super) fn id(&self) -> Option<u32> {
        self.leader.id().and(self.process)
    }

    /// Ends the whole group, in the end by force.
    pub(super) async fn stop(mut self) {
        let end = Instant::now() + self.grace;
        self.group.signal(Signal::SIGTERM);
        let _ = tokio::time::timeout_at(end, self.leader.wait()).await;
        while self.group.is_alive() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.group.signal(Signal::SIGKILL);
        let _ = self.leader.wait().await;
        self.group.0 = None;
    }

    /// The error that it has ended, once its last lines are read; a grandchild may hold the pipe.
    async fn exited(&mut self, how: String) -> DriverError {
        const PATIENCE: Duration = Duration::from_millis(200);
        let _ = tokio::time::timeout(PATIENCE, join_all(self.readers.drain(..))).await;
        DriverError::Exited {
            name: self.name.clone(),
            how,
            lines: self.last.lines(),
        }
    }
}

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(id) = self.0 {
            // A group that is gone is what was wanted.
            let _ = killpg(id, signal);
        }
    }

    fn is_alive(&self) -> bool {
        self.0
            .is_some_and(|id| killpg(id, None) != Err(Errno::ESRCH))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

impl LastLines {
    fn follow(&self, stream: impl AsyncRead + Send + Unpin + 'static, log: &Log) -> JoinHandle<()> {
        let (kept, log) = (self.clone(), log.clone());
        tokio::spawn(async move {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(reader.read_until(b'\n', &mut line).await, Ok(length) if length > 0) {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end();
                log.line(text);
                kept.push(text);
                line.clear();
            }
        })
    }

    fn push(&self, line: &str) {
        const MOST: usize = 20;
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MOST {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .filter(|line| !line.is_empty())
            .cloned()
            .collect()
    }
}

fn told(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (_, Some(signal)) => format!("was killed by signal {signal}"),
        _ => "ended".to_owned(),
    }
}
