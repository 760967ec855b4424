//! jsorc as it is measured: one service of a mix, in a namespace of its own.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use crate::{
    mix::Mix,
    support::{Cluster, eventually, free_port},
};

/// Where its services come from.
#[derive(Clone)]
pub enum Source {
    /// A folder that is read at each start.
    Folder(PathBuf),
    /// Another build, which has them built in.
    Embedded(PathBuf),
    /// The same of an earlier state, to be compared with.
    Before(PathBuf),
}

/// A jsorc with a cluster and a set.
#[derive(Clone)]
pub struct Subject {
    source: Source,
    service: String,
    kubeconfig: PathBuf,
    /// Where its objects are.
    pub namespace: String,
}

/// A daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    api: u16,
}

impl Source {
    /// Its name in tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Folder(_) => "jsorc, `--services`",
            Self::Embedded(_) => "jsorc, embedded",
            Self::Before(_) => "jsorc before, embedded",
        }
    }
}

/// The jsorc that is measured: this build's, or the one that `BENCH_JSORC` names.
pub fn program() -> PathBuf {
    let named = std::env::var_os("BENCH_JSORC").map(PathBuf::from);
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_jsorc").into())
}

impl Subject {
    /// One that keeps a mix in a namespace of this cluster.
    pub fn new(source: &Source, mix: Mix, size: usize, cluster: &Cluster, namespace: &str) -> Self {
        Self {
            source: source.clone(),
            service: mix.service(size),
            kubeconfig: cluster.kubeconfig().to_owned(),
            namespace: namespace.to_owned(),
        }
    }

    /// A command of it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(match &self.source {
            Source::Folder(_) => program(),
            Source::Embedded(program) | Source::Before(program) => program.clone(),
        });
        if let Source::Folder(folder) = &self.source {
            command.arg("--services").arg(folder);
        }
        command
            .args(arguments)
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("KUBECONFIG", &self.kubeconfig)
            .env("JSORC_NAMESPACE", &self.namespace)
            .env("JSORC_INSTANCE__NAME", "bench")
            .env("JSORC_KEEP_ALIVE", format!("[{}]", self.service));
        command
    }

    /// `jsorc apply`.
    pub fn apply(&self) -> Command {
        self.command(&["apply", "-q", "--yes"])
    }

    /// `jsorc plan`.
    pub fn plan(&self) -> Command {
        self.command(&["plan", "-q", "--exit-code"])
    }

    /// `jsorc run`, once its service runs.
    pub fn daemon(&self) -> Daemon {
        let (api, health) = (free_port(), free_port());
        let child = self
            .command(&["run", "-q"])
            .env("JSORC_API__LISTEN", format!("127.0.0.1:{api}"))
            .env("JSORC_HEALTH__LISTEN", format!("127.0.0.1:{health}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Daemon { child, api };
        eventually(
            "the daemon's service runs",
            std::time::Duration::from_secs(120),
            || daemon.runs(&self.service).then_some(()),
        );
        daemon
    }
}

impl Daemon {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops its threads where they are, or lets them go on.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.unwrap().success());
    }

    fn runs(&self, service: &str) -> bool {
        let Some((200, text)) = crate::support::http(self.api, "GET", "/v1/status", "") else {
            return false;
        };
        let status: serde_json::Value = serde_json::from_str(&text).unwrap();
        let services = status["services"].as_array().unwrap();
        services
            .iter()
            .any(|found| found["name"] == service && found["phase"] == "Running")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
