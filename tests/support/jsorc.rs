//! The program under test: run to its end, or kept as a daemon.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    cluster::Cluster,
    process::{Scratch, eventually, free_port, has_ended, outlive_nothing, signal},
};

/// A jsorc of one test: its own namespace and instance, and nothing of this machine's environment.
pub struct Jsorc {
    /// Its namespace.
    pub namespace: String,
    /// Its instance.
    pub instance: String,
    variables: Vec<(String, OsString)>,
    arguments: Vec<String>,
    folder: Scratch,
}

/// A command that came to its end.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said beside that.
    pub stderr: String,
}

impl Jsorc {
    /// A jsorc that works with this cluster in a namespace that does not exist yet.
    pub fn on(cluster: &Cluster, prefix: &str) -> Self {
        let namespace = cluster.namespace(prefix);
        let kubeconfig = cluster.kubeconfig().display().to_string();
        Self::named(&namespace).set("KUBECONFIG", &kubeconfig)
    }

    /// A jsorc that knows of no cluster.
    pub fn alone(prefix: &str) -> Self {
        Self::named(prefix).set("JSORC_KUBERNETES__MODE", "off")
    }

    fn named(namespace: &str) -> Self {
        let folder = Scratch::new("jsorc");
        let runtime = folder.path().to_owned();
        Self {
            namespace: namespace.to_owned(),
            instance: "it".to_owned(),
            variables: Vec::new(),
            arguments: Vec::new(),
            folder,
        }
        .set("XDG_RUNTIME_DIR", &runtime)
        .set("JSORC_NAMESPACE", namespace)
        .set("JSORC_INSTANCE__NAME", "it")
        .set("HOME", "/nonexistent")
    }

    /// Sets an environment variable.
    pub fn set(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables
            .push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Takes an environment variable away again.
    pub fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    /// Adds an argument to every command.
    pub fn with(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Takes services from a folder of this test: file → text.
    pub fn services(self, files: &[(&str, &str)]) -> Self {
        for (name, text) in files {
            self.folder.file(&format!("services/{name}"), text);
        }
        let folder = self.folder.path().join("services").display().to_string();
        self.with("--services").with(&folder)
    }

    /// Writes a file into the folder of this test.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        self.folder.file(name, text)
    }

    /// The folder of this test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self
            .command(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ran::of(&output)
    }

    /// Starts a command and lets it run.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running(command.spawn().unwrap())
    }

    /// Starts the daemon.
    pub fn daemon(&self) -> Daemon {
        self.daemon_with(&[])
    }

    /// Starts the daemon with further arguments.
    pub fn daemon_with(&self, arguments: &[&str]) -> Daemon {
        let (api, health) = (free_port(), free_port());
        let log = self.folder.path().join(format!("daemon-{api}.log"));
        let output = File::create(&log).unwrap();
        let mut command = self.command(&[&["run"], arguments].concat());
        command
            .env("JSORC_API__LISTEN", format!("127.0.0.1:{api}"))
            .env("JSORC_HEALTH__LISTEN", format!("127.0.0.1:{health}"))
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        let child = command.spawn().unwrap();
        outlive_nothing(child.id());
        Daemon {
            child,
            api,
            health,
            log,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(&self.arguments).args(arguments).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.folder.path());
        command
    }
}

/// A command that was started.
pub struct Running(Child);

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Waits for its end; a killed one has the exit code -1.
    pub fn end(self) -> Ran {
        Ran::of(&self.0.wait_with_output().unwrap())
    }
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, after a look at the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The program: Cargo names it to tests; an example finds it beside its own folder.
fn program() -> PathBuf {
    if let Some(path) = option_env!("CARGO_BIN_EXE_jsorc") {
        return path.into();
    }
    let example = std::env::current_exe().unwrap();
    let program = example.ancestors().nth(2).unwrap().join("jsorc");
    assert!(program.is_file(), "first: cargo build --bin jsorc");
    program
}

/// A daemon, killed when dropped.
pub struct Daemon {
    child: Child,
    /// The port of its REST interface.
    pub api: u16,
    /// The port of its health and metrics.
    pub health: u16,
    log: PathBuf,
}

impl Daemon {
    /// All that it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Freezes it: its connections stay open and nothing answers.
    pub fn freeze(&self) {
        signal("STOP", self.pid());
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        signal("CONT", self.pid());
    }

    /// Its status document; none before it listens.
    pub fn status(&self) -> Option<Value> {
        let (code, body) = http(self.api, "GET", "/v1/status", "")?;
        (code == 200).then(|| serde_json::from_str(&body).unwrap())
    }

    /// One service of its status.
    pub fn service(&self, name: &str) -> Option<Value> {
        let status = self.status()?;
        status["services"]
            .as_array()?
            .iter()
            .find(|service| service["name"] == name)
            .cloned()
    }

    /// Waits until a service is in a phase, and gives its status.
    #[track_caller]
    pub fn wait_for(&self, service: &str, phase: &str, timeout: Duration) -> Value {
        let end = Instant::now() + timeout;
        loop {
            let now = self.service(service);
            if let Some(found) = now.as_ref().filter(|found| found["phase"] == phase) {
                return found.clone();
            }
            assert!(
                Instant::now() < end,
                "{service} is not {phase} but {now:?}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for a text in the log.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str, timeout: Duration) {
        let end = Instant::now() + timeout;
        while !self.log().contains(text) {
            assert!(
                Instant::now() < end,
                "no `{text}` in the log:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub fn stop(mut self) -> i32 {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        eventually("the daemon's end", Duration::from_secs(20), || {
            self.child.try_wait().unwrap()
        })
        .code()
        .unwrap_or(-1)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        has_ended(self.child.id());
    }
}

/// One HTTP request to this machine: status code and body.
pub fn http(port: u16, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .ok()?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let code = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    Some((
        code,
        if chunked {
            dechunked(body)
        } else {
            body.to_owned()
        },
    ))
}

fn dechunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
