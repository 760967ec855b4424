//! A real cluster: etcd, kube-apiserver, controller-manager, scheduler and KWOK nodes, or the one
//! that `JSORC_TEST_KUBECONFIG` names.
//!
//! How its pods behave is written at the top of `tests/controlplane/stages.yaml`.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::{Value, json};

use super::{
    audit::Audit,
    kubectl::Kubectl,
    process::{Scratch, install},
    users::User,
};

/// A cluster, and the way into it as its administrator.
pub struct Cluster {
    program: PathBuf,
    kubeconfig: PathBuf,
    server: String,
    audit: Option<PathBuf>,
    pids: BTreeMap<String, u32>,
    scratch: Scratch,
    running: Option<Child>,
}

impl Cluster {
    /// The cluster that all tests of this process share: started by the first who asks, with two
    /// nodes and an audit log, and ended with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var_os("JSORC_TEST_KUBECONFIG") {
            Some(path) => Self::given(Path::new(&path)),
            None => Self::start(2),
        })
    }

    /// A cluster of its own, ended when dropped; without nodes it is etcd and kube-apiserver only.
    pub fn start(nodes: u32) -> Self {
        Self::start_with(nodes, true)
    }

    /// etcd and kube-apiserver of its own, with or without the audit log, which costs time.
    pub fn bare(audit: bool) -> Self {
        Self::start_with(0, audit)
    }

    fn start_with(nodes: u32, audit: bool) -> Self {
        let program = install("controlplane");
        let scratch = Scratch::new("cluster");
        let mut up = Command::new(&program);
        up.args(["up", "--remove", "--nodes", &nodes.to_string()])
            .args(audit.then_some("--audit"))
            .arg("--dir")
            .arg(scratch.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut running = up.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(running.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let Ok(report) = serde_json::from_str::<Value>(&line) else {
            let mut message = String::new();
            let _ = running.stderr.take().unwrap().read_to_string(&mut message);
            panic!("the cluster does not start: {message}");
        };
        let text = |key: &str| report[key].as_str().unwrap().to_owned();
        let pids = report["pids"].as_object().unwrap().iter();
        let number = |pid: &Value| u32::try_from(pid.as_u64().unwrap()).unwrap();
        Self {
            program,
            kubeconfig: text("kubeconfig").into(),
            server: text("server"),
            audit: report["audit"].as_str().map(PathBuf::from),
            pids: pids
                .map(|(part, pid)| (part.clone(), number(pid)))
                .collect(),
            scratch,
            running: Some(running),
        }
    }

    /// A cluster that somebody else runs. It has no audit log to read.
    pub fn given(kubeconfig: &Path) -> Self {
        let mut cluster = Self {
            program: install("controlplane"),
            kubeconfig: kubeconfig.to_owned(),
            server: String::new(),
            audit: None,
            pids: BTreeMap::new(),
            scratch: Scratch::new("cluster"),
            running: None,
        };
        let view = [
            "config",
            "view",
            "--minify",
            "-o",
            "jsonpath={.clusters[0].cluster.server}",
        ];
        cluster.server = cluster.kubectl(view);
        cluster
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The API server's address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The program that is every part of the control plane, kubectl included.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The processes of the parts; none for a given cluster.
    pub fn pids(&self) -> Vec<u32> {
        self.pids.values().copied().collect()
    }

    /// The process of the store; the test ends if it is not ours.
    pub fn etcd(&self) -> u32 {
        self.pid("etcd")
    }

    fn pid(&self, part: &str) -> u32 {
        *self.pids.get(part).expect("a cluster of the rig's own")
    }

    /// What a part was started with, for another one like it.
    pub fn arguments(&self, part: &str) -> Vec<String> {
        let line = std::fs::read(format!("/proc/{}/cmdline", self.pid(part))).unwrap();
        let line = String::from_utf8(line).unwrap();
        let whole = line.trim_end_matches('\0').split('\0');
        whole
            .map(str::to_owned)
            .skip_while(|argument| !argument.starts_with("--"))
            .collect()
    }

    /// The process that holds the parts together; none for a given cluster.
    pub fn supervisor(&self) -> Option<u32> {
        self.running.as_ref().map(Child::id)
    }

    /// A name that no other test uses, for a namespace or an instance. Nothing is created.
    #[expect(clippy::unused_self, reason = "the name is for this cluster")]
    pub fn namespace(&self, prefix: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        format!("{prefix}-{}-{count}", std::process::id())
    }

    /// Makes a namespace of such a name.
    pub fn create_namespace(&self, prefix: &str) -> String {
        let name = self.namespace(prefix);
        self.kubectl(["create", "namespace", &name]);
        name
    }

    /// A kubectl as the administrator.
    pub fn as_admin(&self) -> Kubectl {
        Kubectl::new(&self.program, &self.kubeconfig)
    }

    /// Runs kubectl as the administrator and gives its output; the test ends if it fails.
    pub fn kubectl<const N: usize>(&self, args: [&str; N]) -> String {
        self.as_admin().run(&args)
    }

    /// Applies objects as the administrator.
    pub fn apply(&self, yaml: &str) {
        self.as_admin().run_with(&["apply", "-f", "-"], yaml);
    }

    /// A client for direct pokes, as the administrator.
    pub async fn client(&self) -> kube::Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file = kube::config::Kubeconfig::read_from(&self.kubeconfig).unwrap();
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(file, &options)
            .await
            .unwrap();
        kube::Client::try_from(config).unwrap()
    }

    /// What was asked of the API server, by whom.
    pub fn audit(&self) -> Audit {
        let path = self
            .audit
            .as_ref()
            .expect("this cluster has no audit log to read");
        Audit::new(path, self.as_admin())
    }

    /// A user without any rights: give it some by binding roles to its subject.
    pub fn user(&self, name: &str) -> User {
        User::create(&self.as_admin(), name, self.scratch.path())
    }

    /// From now on a port-forward to this port of any pod of the namespace ends at a port of this
    /// machine. Calling it again moves the end; the change is in force some milliseconds later.
    pub fn forward(&self, namespace: &str, port: u16, target: u16) {
        let rule = json!({
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "ClusterPortForward",
            "metadata": {"name": format!("{namespace}-{port}")},
            "spec": {
                "selector": {"matchNamespaces": [namespace]},
                "forwards": [{"ports": [port], "target": {"address": "127.0.0.1", "port": target}}],
            },
        });
        self.apply(&rule.to_string());
    }

    /// From now on the logs of the pods of the namespace are this file.
    pub fn pod_logs(&self, namespace: &str, file: &Path) {
        let rule = json!({
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "ClusterLogs",
            "metadata": {"name": namespace},
            "spec": {
                "selector": {"matchNamespaces": [namespace]},
                "logs": [{"logsFile": file}],
            },
        });
        self.apply(&rule.to_string());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            drop(running.stdin.take());
            let _ = running.wait();
        }
    }
}
