//! Kubeconfigs that cannot be used, and servers that are none.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    time::{Duration, Instant},
};

use super::{CANARY, refused, refused_with};
use crate::support::{Cluster, Jsorc};

const FILE: [&str; 3] = ["--kubeconfig", "kube.yaml", "plan"];

/// A kubeconfig of one context, `rig`, whose user has a token.
fn text(server: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
current-context: rig
clusters: [{{name: rig, cluster: {{server: \"{server}\"}}}}]
contexts: [{{name: rig, context: {{cluster: rig, user: me}}}}]
users: [{{name: me, user: {{token: {CANARY}}}}}]
"
    )
}

fn jsorc(kubeconfig: &str) -> Jsorc {
    let jsorc = Jsorc::alone("kubeconfig").set("JSORC_KUBERNETES__MODE", "auto");
    jsorc.file("kube.yaml", kubeconfig);
    jsorc
}

/// Plans with this kubeconfig.
#[track_caller]
fn kubeconfig(input: &str, text: &str, code: i32, message: &str) {
    refused(input, &jsorc(text), &FILE, code, message);
}

/// A server on this machine that gives everyone the same answer.
pub(super) fn serve(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // Whoever asks may have gone already.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn files_that_are_none() {
    let bare = Jsorc::alone("kubeconfig").set("JSORC_KUBERNETES__MODE", "auto");
    refused("no kubeconfig anywhere", &bare, &["plan"], 2, "error: no cluster is configured: not inside a pod, and no kubeconfig at /nonexistent/.kube/config
hint: name one with --kubeconfig FILE or --context NAME, or set KUBECONFIG");
    refused(
        "a kubeconfig that is not there",
        &bare,
        &FILE,
        2,
        "error: kubeconfig kube.yaml: no such file
hint: --kubeconfig, KUBECONFIG or kubernetes.kubeconfig names the file",
    );
    kubeconfig(
        "not YAML",
        &format!("users: [{CANARY}\n"),
        2,
        "error: kubeconfig kube.yaml: it cannot be read as a kubeconfig (line 1, column 8)
hint: `kubectl config view --kubeconfig kube.yaml` shows what kubectl makes of it",
    );
    kubeconfig(
        "no kubeconfig",
        &format!("users: {CANARY}\n"),
        2,
        "error: kubeconfig kube.yaml: it cannot be read as a kubeconfig (line 1, column 8)
hint: `kubectl config view --kubeconfig kube.yaml` shows what kubectl makes of it",
    );
    kubeconfig(
        "an empty file",
        "",
        2,
        "error: kubeconfig kube.yaml has no current context
hint: it has no contexts at all; name another file with --kubeconfig",
    );
    refused(
        "`kubernetes.mode: off`",
        &Jsorc::alone("kubeconfig"),
        &["apply"],
        2,
        "error: kubernetes.mode is off (environment variable JSORC_KUBERNETES__MODE)
hint: set kubernetes.mode to auto to work with a cluster",
    );
    let inside = bare.set("JSORC_KUBERNETES__MODE", "in-cluster");
    refused(
        "`kubernetes.mode: in-cluster` outside a pod",
        &inside,
        &["plan"],
        2,
        "error: the cluster cannot be reached as a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, as they are in a pod
hint: outside a pod, set kubernetes.mode to kubeconfig; inside, let the pod mount its service account's token",
    );
}

#[test]
fn contexts_and_clusters() {
    let good = text("https://127.0.0.1:1");
    let unknown = ["--kubeconfig", "kube.yaml", "--context", "rgi", "plan"];
    refused(
        "an unknown context",
        &jsorc(&good),
        &unknown,
        2,
        "error: kubeconfig kube.yaml has no context `rgi`
hint: did you mean `rig`?",
    );
    let none = good.replace("current-context: rig\n", "");
    kubeconfig(
        "no current context",
        &none,
        2,
        "error: kubeconfig kube.yaml has no current context
hint: name one with --context: it has rig",
    );
    kubeconfig(
        "a context without its cluster",
        &good.replace("cluster: rig", "cluster: gir"),
        2,
        "error: kubeconfig kube.yaml: it has no cluster `gir`
hint: `kubectl config view --kubeconfig kube.yaml` shows what kubectl makes of it",
    );
    kubeconfig(
        "a server that is no address",
        &text("not an address"),
        2,
        "error: kubeconfig kube.yaml: the `server` of its cluster is no address
hint: `kubectl config view --kubeconfig kube.yaml` shows what kubectl makes of it",
    );
}

#[test]
fn credentials() {
    let with = |user: &str| text("https://127.0.0.1:1").replace(&format!("token: {CANARY}"), user);
    kubeconfig(
        "a client certificate that is not base64",
        &with(&format!(
            "client-certificate-data: \"@{CANARY}\", client-key-data: \"@{CANARY}\""
        )),
        2,
        "error: context rig: the client certificate of its user or cluster is not base64
hint: `kubectl auth whoami` shows whether kubectl can use them",
    );
    kubeconfig(
        "a client key that is not there",
        &with("client-certificate: /nonexistent/a.crt, client-key: /nonexistent/a.key"),
        2,
        "error: context rig: the client certificate, /nonexistent/a.crt, cannot be read: no such file or directory
hint: `kubectl auth whoami` shows whether kubectl can use them",
    );
    let exec = "apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never";
    kubeconfig(
        "a credential helper that is not installed",
        &with(&format!("exec: {{{exec}, command: no-such-helper}}")),
        2,
        "error: context rig: its credential helper cannot be started: no such file or directory
hint: `kubectl auth whoami` shows whether kubectl can use them",
    );
    kubeconfig(
        "a credential helper that fails",
        &with(&format!(
            "exec: {{{exec}, command: sh, args: [-c, \"echo {CANARY}; echo {CANARY} >&2; exit 7\"]}}"
        )),
        2,
        "error: context rig: its credential helper ended with exit status: 7
hint: `kubectl auth whoami` shows whether kubectl can use them",
    );
}

#[test]
fn servers_that_do_not_answer_as_one() {
    kubeconfig(
        "nobody listens",
        &text("https://127.0.0.1:1"),
        3,
        "error: https://127.0.0.1:1: connection refused
hint: check that the API server runs and that its address is right",
    );
    kubeconfig(
        "a host that there is not",
        &text("https://cluster.invalid:6443"),
        3,
        "error: https://cluster.invalid:6443: its host name is not known
hint: check that the API server runs and that its address is right",
    );

    let web = serve("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    let address = format!("127.0.0.1:{web}");
    let names = [(&*address, "HOST:PORT")];
    let plain = jsorc(&text(&format!("http://{address}")));
    refused_with(
        "a web server",
        &plain,
        &FILE,
        3,
        "error: http://HOST:PORT: the answer is not JSON; is this a Kubernetes API server?
hint: check that the API server runs and that its address is right",
        &names,
    );
    let secure = jsorc(&text(&format!("https://{address}")));
    refused_with(
        "a server without TLS",
        &secure,
        &FILE,
        3,
        "error: https://HOST:PORT: it does not speak TLS; is its address really https?
hint: check that the API server runs and that its address is right",
        &names,
    );
}

/// As in an image that has nothing but the program.
#[test]
fn a_system_that_trusts_no_authority() {
    let bare = |server: &str| {
        let nowhere = "/nonexistent/certificates";
        jsorc(&text(server))
            .set("SSL_CERT_FILE", nowhere)
            .set("SSL_CERT_DIR", nowhere)
    };
    refused(
        "a cluster without an authority",
        &bare("https://127.0.0.1:1"),
        &FILE,
        2,
        "error: context rig: the kubeconfig names no certificate authority for its cluster, and this system trusts none
hint: set certificate-authority-data for its cluster, or install the system's certificates (ca-certificates)",
    );
    for (input, server) in [
        ("a server without TLS", "http://127.0.0.1:1"),
        (
            "a certificate that nobody checks",
            "https://127.0.0.1:1\", insecure-skip-tls-verify: true, tls-server-name: \"rig",
        ),
    ] {
        let address = &server[..server.find(":1").unwrap() + 2];
        let names = [(address, "SERVER")];
        refused_with(
            input,
            &bare(server),
            &FILE,
            3,
            "error: SERVER: connection refused
hint: check that the API server runs and that its address is right",
            &names,
        );
    }
}

#[test]
fn a_server_that_hangs_ends_at_the_deadline() {
    let hung = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = hung.local_addr().unwrap().to_string();
    let jsorc = jsorc(&text(&format!("https://{address}")));
    let started = Instant::now();
    refused_with(
        "a server that hangs",
        &jsorc,
        &FILE,
        3,
        "error: https://HOST:PORT: no answer within 8s
hint: check that the API server runs and that its address is right",
        &[(&address, "HOST:PORT")],
    );
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn credentials_that_a_real_server_refuses() {
    let cluster = Cluster::shared();
    let view = ["config", "view", "--raw", "--flatten", "--minify"];
    let admin = cluster.kubectl(view);
    let users = admin.find("users:").unwrap();
    let with = |user: &str| format!("{}users:\n- name: admin\n  user: {user}\n", &admin[..users]);
    let names = [(cluster.server(), "SERVER")];
    let run = |input: &str, text: &str, message: &str| {
        refused_with(input, &jsorc(text), &FILE, 3, message, &names);
    };
    run(
        "a token that the server does not know",
        &with(&format!("{{token: {CANARY}}}")),
        "error: SERVER: the credentials are not accepted (Unauthorized)
hint: the context's user may be missing, or its token or certificate expired; `kubectl auth whoami` shows who the server takes you for",
    );
    run("a user without credentials", &with("{}"), "error: SERVER: it takes us for anonymous: the context has no user, or one without credentials
hint: the context's user may be missing, or its token or certificate expired; `kubectl auth whoami` shows who the server takes you for");
    let stranger = crate::support::Certs::new();
    let authority = format!("certificate-authority: {}", stranger.ca().display());
    let line = admin
        .lines()
        .find(|line| line.contains("certificate-authority-data"))
        .unwrap();
    run(
        "another cluster's authority",
        &admin.replace(line.trim(), &authority),
        "error: SERVER: its certificate is not signed by the authority that the kubeconfig trusts
hint: the kubeconfig may be older than the cluster at this address: fetch it anew",
    );
}
