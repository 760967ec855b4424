//! An API server that lost sight of its store: it goes on answering watches, with what was true a
//! while ago. Nothing is decided on such evidence that the store does not confirm.

use std::{path::Path, time::Duration};

use serde_json::Value;

use crate::support::{ApiServer, Audit, Cluster, Fault, FaultProxy, Jsorc, Line, Mark, eventually};

const LONG: Duration = Duration::from_secs(90);

const SERVICE: (&str, &str) = ("web/service.yaml", "driver: none\n");
const STAY: &[&str] = &["lost", "replaced", "stays"];
const LEAVE: &[&str] = &["goes", "renewed", "taken"];

fn map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: \"{value}\"}}\n---\n"
    )
}

/// Maps with a value; one of them always with the same.
fn maps(value: &str, names: &[&str]) -> String {
    let each = names
        .iter()
        .map(|name| map(name, value))
        .collect::<String>();
    map("edited", "1") + &each
}

/// The cluster, and a second server whose line to the store can go dead.
struct Site {
    cluster: &'static Cluster,
    line: Line,
    stale: ApiServer,
    jsorc: Jsorc,
}

impl Site {
    fn new() -> Self {
        let cluster = Cluster::shared();
        let arguments = cluster.arguments("kube-apiserver");
        let store = arguments
            .iter()
            .find_map(|argument| argument.strip_prefix("--etcd-servers=http://"));
        let line = Line::to_address(store.unwrap());
        let stale = ApiServer::beside(cluster, line.address());
        let table = maps("1", &[STAY, LEAVE].concat());
        let jsorc = Jsorc::on(cluster, "stale")
            .services(&[SERVICE, ("web/kube/web.yaml", &table)])
            .set("JSORC_INTERVAL", "2s");
        Self {
            cluster,
            line,
            stale,
            jsorc,
        }
    }

    /// Sees the cluster like this from now on.
    fn by(self, kubeconfig: &Path) -> Self {
        Self {
            jsorc: self.jsorc.set("KUBECONFIG", kubeconfig),
            ..self
        }
    }

    /// As everybody else sees it.
    fn kubectl(&self, args: &[&str]) -> String {
        let admin = self.cluster.as_admin();
        admin.run(&[args, &["-n", &self.jsorc.namespace]].concat())
    }

    fn live(&self, name: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", "configmap", name, "-o", "json"])).unwrap()
    }

    /// Deletes a map and makes another one of its name.
    fn replace(&self, name: &str, other: &Value) -> Value {
        self.kubectl(&["delete", "configmap", name]);
        let create = ["create", "-f", "-", "-n", &self.jsorc.namespace];
        self.cluster
            .as_admin()
            .run_with(&create, &other.to_string());
        self.live(name)["metadata"]["uid"].clone()
    }

    /// The names of the maps and their values.
    fn values(&self) -> Vec<String> {
        let each = r#"jsonpath={range .items[?(@.data.a)]}{.metadata.name}={.data.a}{"\n"}{end}"#;
        let all = self.kubectl(&["get", "configmaps", "-o", each]);
        all.lines().map(str::to_owned).collect()
    }

    /// What jsorc wrote through a server since, and the server says it did, the Lease aside.
    fn written(&self, audit: &Audit, mark: Mark) -> Vec<String> {
        let entries = audit.since(mark).into_iter();
        let ours = entries.filter(|entry| {
            entry.agent.starts_with("jsorc/")
                && entry.namespace == self.jsorc.namespace
                && entry.is_write()
                && !entry.is_dry_run()
                && entry.resource != "leases"
                && entry.stage == "ResponseComplete"
                && entry.code < 300
        });
        ours.map(|entry| format!("{} {}", entry.verb, entry.name))
            .collect()
    }
}

#[test]
fn what_a_server_says_that_lost_sight_of_its_store_is_no_reason_to_delete_or_to_overwrite() {
    let site = Site::new();
    let proxy = FaultProxy::split(site.cluster.kubeconfig(), site.stale.kubeconfig());
    let site = site.by(&proxy.kubeconfig());
    let first = site.jsorc.daemon();
    first.wait_for("web", "Running", LONG);

    // Watches fall silent, and the world goes on behind their back.
    site.line.go_dead(usize::MAX);
    let (audit, stale) = (site.cluster.audit(), site.stale.audit());
    let (mark, since) = (audit.mark(), stale.mark());
    let mut copy = site.live("renewed");
    let metadata = copy["metadata"].as_object_mut().unwrap();
    metadata.retain(|field, _| ["name", "labels"].contains(&&**field));
    let renewed = site.replace("renewed", &copy);
    let theirs = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "replaced"}, "data": {"a": "theirs"}});
    let replaced = site.replace("replaced", &theirs);
    site.kubectl(&[
        "label",
        "configmap",
        "taken",
        "--overwrite",
        "jsorc.dev/instance=them.other",
    ]);
    site.kubectl(&["delete", "configmap", "lost"]);
    site.kubectl(&[
        "patch",
        "configmap",
        "edited",
        "--type=merge",
        "-p",
        r#"{"data":{"a":"theirs"}}"#,
    ]);

    // Its watches show everything as it was, and its writes reach the store.
    proxy.plan(|_| Fault::Pass);
    site.jsorc
        .file("services/web/kube/web.yaml", &maps("2", STAY));
    for name in ["renewed", "taken"] {
        eventually(&format!("{name} is not deleted"), LONG, || {
            let refused = proxy.calls().into_iter().find(|call| {
                call.method == "DELETE" && call.uri.contains(&format!("/configmaps/{name}"))
            })?;
            (refused.status != 0).then(|| assert_eq!(refused.status, 409))
        });
    }
    first.wait_for_log("deleted ConfigMap/goes", LONG);

    // Whoever has only that server comes to no conclusion.
    let alone = site.stale.kubeconfig().clone();
    let site = site.by(&alone);
    let second = site.jsorc.daemon();
    let (plan, apply) = (["plan", "--exit-code"], ["apply", "--yes", "--takeover"]);
    let tried = [site.jsorc.start(&plan), site.jsorc.start(&apply)];
    for tried in tried {
        let tried = tried.end().expect(3);
        assert!(tried.stderr.contains("no answer within"), "{tried:?}");
        assert_eq!(tried.stdout, "");
    }
    second.wait_for_log("no answer within", LONG);
    assert_eq!(site.written(&stale, since), Vec::<String>::new());
    drop(second);

    // The server sees its store again.
    site.line.mend();
    let wanted = [
        "edited=1",
        "lost=2",
        "renewed=1",
        "replaced=theirs",
        "stays=2",
        "taken=1",
    ];
    eventually(&format!("{wanted:?}"), LONG, || {
        (site.values() == wanted).then_some(())
    });
    first.wait_for_log(
        "ConfigMap/renewed stays: another object has its name now",
        LONG,
    );
    first.wait_for("web", "Running", LONG);
    assert_eq!(site.live("renewed")["metadata"]["uid"], renewed);
    assert_eq!(site.live("replaced")["metadata"]["uid"], replaced);
    let written = site.written(&audit, mark);
    let deleted = written.iter().filter(|done| done.starts_with("delete"));
    assert_eq!(deleted.collect::<Vec<_>>(), ["delete goes"]);
    assert!(!first.log().contains("panicked"), "{}", first.log());
}
