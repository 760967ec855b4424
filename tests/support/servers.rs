//! A store and an API server of a test's own beside those of the cluster: for what happens to a
//! server that lost sight of its store, and to a store that is put back to what it was.
//!
//! They are started as the cluster's own were, with its certificates and other places.

use std::{path::PathBuf, process::Command, time::Duration};

use super::{
    audit::Audit,
    cluster::Cluster,
    kubectl::Kubectl,
    process::{Process, Scratch, free_port},
};

/// A part of the control plane that can be ended and started again.
struct Part {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    folder: Scratch,
    process: Option<Process>,
}

impl Part {
    /// Like the cluster's own, but for these.
    fn like(
        cluster: &Cluster,
        name: &'static str,
        folder: Scratch,
        own: &[(&str, String)],
    ) -> Self {
        let mut arguments = cluster.arguments(name);
        arguments.retain(|argument| {
            let flag = argument.split('=').next();
            own.iter().all(|(own, _)| Some(*own) != flag)
        });
        arguments.extend(own.iter().map(|(flag, value)| format!("{flag}={value}")));
        Self {
            name,
            program: cluster.program().to_owned(),
            arguments,
            folder,
            process: None,
        }
    }

    fn start(&mut self) -> &mut Process {
        let mut command = Command::new(&self.program);
        command.arg(self.name).args(&self.arguments);
        let process = Process::start(self.name, &mut command, self.folder.path());
        self.process.insert(process)
    }
}

/// A store of one member.
pub struct Store {
    part: Part,
    port: u16,
}

impl Store {
    /// An empty one.
    pub fn beside(cluster: &Cluster) -> Self {
        let (folder, port) = (Scratch::new("store"), free_port());
        let client = format!("http://127.0.0.1:{port}");
        let peer = format!("http://127.0.0.1:{}", free_port());
        let own = [
            (
                "--data-dir",
                folder.path().join("data").display().to_string(),
            ),
            ("--listen-client-urls", client.clone()),
            ("--advertise-client-urls", client),
            ("--listen-peer-urls", peer.clone()),
            ("--initial-advertise-peer-urls", peer.clone()),
            ("--initial-cluster", format!("rig={peer}")),
        ];
        let etcd = Part::like(cluster, "etcd", folder, &own);
        let mut store = Self { part: etcd, port };
        store.start();
        store
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it with what it holds.
    pub fn start(&mut self) {
        let port = self.port;
        self.part.start().wait_for_port(port);
    }

    /// Ends it, as a power failure does.
    pub fn end(&mut self) {
        self.part.process = None;
    }

    /// Keeps what it holds, while it is not running.
    pub fn keep(&self) {
        self.copy("data", "kept");
    }

    /// Has it hold again what was kept.
    pub fn put_back(&self) {
        std::fs::remove_dir_all(self.part.folder.path().join("data")).unwrap();
        self.copy("kept", "data");
    }

    fn copy(&self, from: &str, to: &str) {
        assert!(self.part.process.is_none(), "a running store is not copied");
        let folder = self.part.folder.path();
        let mut copy = Command::new("cp");
        copy.arg("-r").arg(folder.join(from)).arg(folder.join(to));
        assert!(copy.status().unwrap().success());
    }
}

/// An API server.
pub struct ApiServer {
    part: Part,
    address: String,
    kubeconfig: PathBuf,
}

impl ApiServer {
    /// One that keeps everything in the store at this address; ready for requests.
    pub fn beside(cluster: &Cluster, store: &str) -> Self {
        let (folder, port) = (Scratch::new("server"), free_port());
        let config = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
        let address = format!("https://127.0.0.1:{port}");
        let kubeconfig = folder.file("kubeconfig", &config.replace(cluster.server(), &address));
        let own = [
            ("--etcd-servers", format!("http://{store}")),
            ("--secure-port", port.to_string()),
            (
                "--audit-log-path",
                folder.path().join("audit.log").display().to_string(),
            ),
        ];
        let api = Part::like(cluster, "kube-apiserver", folder, &own);
        let mut server = Self {
            part: api,
            address,
            kubeconfig,
        };
        server.start();
        server
    }

    /// Starts it; ready for requests.
    pub fn start(&mut self) {
        let admin = self.as_admin();
        self.part.start().wait_until(Duration::from_secs(60), |_| {
            let ready = ["get", "--raw", "/readyz"];
            admin.output(&ready).status.success()
        });
    }

    /// Ends it.
    pub fn end(&mut self) {
        self.part.process = None;
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &PathBuf {
        &self.kubeconfig
    }

    /// A kubectl as the administrator.
    pub fn as_admin(&self) -> Kubectl {
        Kubectl::new(&self.part.program, &self.kubeconfig)
    }

    /// What was asked of this server, by whom.
    pub fn audit(&self) -> Audit {
        let log = self.part.folder.path().join("audit.log");
        Audit::new(&log, self.as_admin())
    }
}
