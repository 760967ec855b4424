//! What the story plays on: a cluster, and the real servers that its pods stand for.

use std::{
    path::PathBuf,
    process::Command,
    thread::{self, JoinHandle},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    patience::{Trouble, wait},
    support::{
        CeleryWorker, Certs, Cluster, Prometheus, PrometheusOptions, Redis, RedisOptions, Scratch,
        Smtp, SmtpOptions, SmtpTls, free_port,
    },
};

/// The namespace of everything.
pub const NAMESPACE: &str = "jsorc-demo";
/// The user of the mail server, and its password.
pub const MAIL: (&str, &str) = ("app", "mail-password");

/// A cluster and how far it can be made to believe in our servers.
pub struct Stage {
    /// The cluster.
    pub cluster: Cluster,
    /// Whether port-forwards of its pods can be led to servers of this machine.
    pub leads: bool,
    /// Whether it is somebody else's, to be left as it was found.
    pub borrowed: bool,
    _folder: Scratch,
}

/// The servers that need nothing of the cluster.
pub struct Servers {
    /// The authority that signed the mail server's certificate.
    pub certs: Certs,
    /// The mail server.
    pub mail: Smtp,
    /// Where redis will listen.
    pub redis_port: u16,
    _prometheus: Option<Prometheus>,
}

/// The servers that need the password which jsorc makes.
pub struct Backing {
    /// The broker; none where the cluster runs a real one.
    pub redis: Option<Redis>,
    _worker: CeleryWorker,
    _tunnel: Option<Tunnel>,
}

/// A kubectl port-forward.
struct Tunnel(std::process::Child);

impl Stage {
    /// A new cluster with two nodes.
    pub fn own() -> Self {
        Self {
            cluster: Cluster::start(2),
            leads: true,
            borrowed: false,
            _folder: Scratch::new("demo"),
        }
    }

    /// The cluster of a context of the person's own kubeconfig, which stays as it is.
    pub fn of_context(context: &str) -> Result<Self, Trouble> {
        let folder = Scratch::new("demo");
        let kubeconfig = folder.file("kubeconfig", &only(context)?);
        let cluster = Cluster::given(&kubeconfig);
        let admin = cluster.as_admin();
        let there = |object: &[&str]| admin.output(&[&["get"], object].concat()).status.success();
        if !there(&["--raw", "/readyz"]) {
            let text = format!("the cluster of context {context} does not answer");
            return Err(Trouble::Unwilling(text));
        }
        if there(&["namespace", NAMESPACE]) {
            let text = format!(
                "namespace {NAMESPACE} is there already\nhint: kubectl --context {context} delete namespace {NAMESPACE}"
            );
            return Err(Trouble::Unwilling(text));
        }
        let leads = there(&["crd", "clusterportforwards.kwok.x-k8s.io"]);
        Ok(Self {
            leads,
            borrowed: true,
            _folder: folder,
            cluster,
        })
    }

    /// Runs kubectl in the namespace and gives what it printed.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let all = [&["-n", NAMESPACE], arguments].concat();
        self.cluster.as_admin().run(&all)
    }

    /// A value of the object, none while there is no such object.
    pub fn value(&self, object: &str, path: &str) -> Option<String> {
        let path = format!("jsonpath={path}");
        let arguments = ["-n", NAMESPACE, "get", object, "-o", &path];
        let output = self.cluster.as_admin().output(&arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    }

    /// Starts what needs nothing of the cluster, and leads the port-forwards to it.
    pub fn servers(&self) -> Servers {
        let certs = Certs::new();
        let mail = Smtp::with(&SmtpOptions {
            tls: SmtpTls::StartTls(&certs),
            user: Some(MAIL),
            port: None,
        });
        let redis_port = free_port();
        let prometheus = self
            .leads
            .then(|| Prometheus::with(&PrometheusOptions::default()));
        if let Some(prometheus) = &prometheus {
            self.cluster.forward(NAMESPACE, 9090, prometheus.port);
            self.cluster.forward(NAMESPACE, 6379, redis_port);
        }
        Servers {
            certs,
            mail,
            redis_port,
            _prometheus: prometheus,
        }
    }

    /// Reads the password that jsorc makes, once it has.
    pub fn password(&self) -> Result<String, Trouble> {
        let coded = wait("the Secret redis-auth", Duration::from_secs(60), || {
            self.value("secret/redis-auth", "{.data.password}")
        })?;
        let bytes = BASE64_STANDARD.decode(coded).unwrap();
        Ok(String::from_utf8(bytes).unwrap())
    }

    /// Starts redis with its password, and a worker that takes its jobs from there.
    pub fn backing(&self, password: String, port: u16) -> JoinHandle<Backing> {
        let leads = self.leads;
        let admin = self.cluster.as_admin();
        thread::spawn(move || {
            let redis = leads.then(|| start_redis(&password, port));
            let tunnel = (!leads).then(|| Tunnel::open(admin.command(), port));
            let broker = format!("redis://default:{password}@127.0.0.1:{port}/1");
            Backing {
                _worker: CeleryWorker::start(&broker, "demo"),
                redis,
                _tunnel: tunnel,
            }
        })
    }

    /// Takes away what the story left in somebody else's cluster.
    pub fn clean(&self) {
        if !self.borrowed {
            return;
        }
        let admin = self.cluster.as_admin();
        let label = format!("jsorc.dev/instance={NAMESPACE}.demo");
        admin.output(&["delete", "clusterroles,clusterrolebindings", "-l", &label]);
        if self.leads {
            for port in [6379, 9090] {
                let rule = format!("clusterportforward/{NAMESPACE}-{port}");
                admin.output(&["delete", &rule]);
            }
        }
        admin.output(&["delete", "namespace", NAMESPACE, "--wait=false"]);
    }
}

/// Starts redis as the pod would run it: with that password.
pub fn start_redis(password: &str, port: u16) -> Redis {
    Redis::with(&RedisOptions {
        password: Some(password),
        port: Some(port),
        ..RedisOptions::default()
    })
}

impl Tunnel {
    fn open(mut kubectl: Command, port: u16) -> Self {
        let forward = format!("{port}:6379");
        kubectl.args(["-n", NAMESPACE, "port-forward", "service/redis", &forward]);
        Self(kubectl.stdout(std::process::Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The person's kubeconfig with nothing but this context in it.
fn only(context: &str) -> Result<String, Trouble> {
    let program: PathBuf = crate::support::install("controlplane");
    let output = Command::new(program)
        .args(["kubectl", "config", "view", "--raw", "--flatten"])
        .args(["--minify", "--context", context])
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let hint = "hint: kubectl config get-contexts";
    Err(Trouble::Unwilling(format!("{}\n{hint}", message.trim())))
}
