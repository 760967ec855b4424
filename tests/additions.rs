//! What others add to our objects: it is listed and stays, or policy removes it and says whose it
//! was.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Cluster, Daemon, Jsorc, eventually};

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(60);
/// A write that follows an event does so within milliseconds; this is long after.
const LONG_AFTER: Duration = Duration::from_secs(2);
/// Longer than any test: whatever is removed was not removed by the interval.
const NEVER: &str = "10m";

const WEB: &[(&str, &str)] = &[
    ("web/service.yaml", "driver: none\n"),
    (
        "web/kube/web.yaml",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {greeting: hello}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {token: hunter2}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: \"web:1\"}]
",
    ),
];

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
}

impl Site {
    fn new(prefix: &str) -> Self {
        let cluster = Cluster::shared();
        let jsorc = Jsorc::on(cluster, prefix)
            .services(WEB)
            .set("JSORC_INTERVAL", NEVER);
        jsorc.run(&["apply"]).expect(0);
        Self { cluster, jsorc }
    }

    fn set(self, name: &str, value: &str) -> Self {
        Self {
            jsorc: self.jsorc.set(name, value),
            ..self
        }
    }

    fn removing(self) -> Self {
        self.set("JSORC_POLICY__FOREIGN", "remove")
    }

    fn daemon(&self) -> Daemon {
        let daemon = self.jsorc.daemon();
        daemon.wait_for("web", "Running", LONG);
        daemon
    }

    fn kubectl(&self, args: &[&str]) -> String {
        self.cluster
            .as_admin()
            .run(&[args, &["-n", &self.jsorc.namespace]].concat())
    }

    fn patch(&self, object: &str, patch: &Value) {
        let kind = if object.starts_with("deployment") {
            "--type=strategic"
        } else {
            "--type=merge"
        };
        self.kubectl(&["patch", object, kind, "-p", &patch.to_string()]);
    }

    fn live(&self, object: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", object, "-o", "json"])).unwrap()
    }

    /// Adds what people add.
    fn add(&self) {
        let variable = ["set", "env", "deployment/web", "-c", "web", "THEIRS=1"];
        self.kubectl(&variable);
        self.patch("configmap/web", &json!({"data": {"theirs": "x"}}));
        self.patch("secret/web", &json!({"stringData": {"theirs": "canary"}}));
        self.kubectl(&["label", "service/web", "theirs=1"]);
        let side = json!([{"name": "side", "image": "side:1",
            "volumeMounts": [{"name": "theirs", "mountPath": "/theirs"}]}]);
        let pod = json!({"containers": side, "volumes": [{"name": "theirs", "emptyDir": {}}]});
        self.patch(
            "deployment/web",
            &json!({"spec": {"template": {"spec": pod}}}),
        );
    }

    /// The additions that are there, of those that [`add`](Self::add) made.
    fn there(&self) -> Vec<&'static str> {
        let pod = &self.live("deployment/web")["spec"]["template"]["spec"];
        let sets = |value: &Value| !value.is_null();
        let containers = pod["containers"].as_array().unwrap();
        let named = |name: &str| containers.iter().find(|one| one["name"] == name);
        let all = [
            ("variable", sets(&named("web").unwrap()["env"][0])),
            ("sidecar", named("side").is_some()),
            ("volume", sets(&pod["volumes"][0])),
            ("key", sets(&self.live("configmap/web")["data"]["theirs"])),
            ("secret", sets(&self.live("secret/web")["data"]["theirs"])),
            (
                "label",
                sets(&self.live("service/web")["metadata"]["labels"]["theirs"]),
            ),
        ];
        let there = all.into_iter().filter(|(_, there)| *there);
        there.map(|(name, _)| name).collect()
    }
}

const ALL: [&str; 6] = ["variable", "sidecar", "volume", "key", "secret", "label"];

/// The paths of a step's fields.
fn paths(fields: &Value) -> Vec<&str> {
    let fields = fields.as_array().unwrap().iter();
    fields
        .map(|field| field["path"].as_str().unwrap())
        .collect()
}

/// What a verbose plan says about one object.
fn step<'a>(plan: &'a Value, kind: &str) -> &'a Value {
    let mut steps = plan["steps"].as_array().unwrap().iter();
    steps.find(|step| step["object"]["kind"] == kind).unwrap()
}

#[test]
fn what_others_added_is_listed_and_stays() {
    let site = Site::new("listed");
    let daemon = site.daemon();
    site.add();
    std::thread::sleep(LONG_AFTER);
    assert_eq!(site.there(), ALL);
    assert!(!daemon.log().contains("healed"), "{}", daemon.log());
    assert_eq!(daemon.stop(), 0);

    let brief = site.jsorc.run(&["plan", "--exit-code"]).expect(0).stdout;
    assert!(brief.contains("6 fields that others added"), "{brief}");
    assert!(!brief.contains("theirs"), "{brief}");
    let full = site.jsorc.run(&["plan", "-v"]).expect(0).stdout;
    for said in [
        "foreign  ConfigMap/web",
        "data.theirs",
        "metadata.labels.theirs",
        "spec.template.spec.containers[side]",
        "spec.template.spec.containers[web].env[THEIRS]",
        "added by kubectl-patch",
        "added by kubectl-label",
    ] {
        assert!(full.contains(said), "{said} in {full}");
    }
    let document = site.jsorc.run(&["plan", "-v", "-o", "json"]).expect(0);
    let plan = document.json();
    let map = step(&plan, "ConfigMap");
    assert_eq!(map["action"], "unchanged");
    assert_eq!(paths(&map["foreign"]), ["data.theirs"]);
    assert_eq!(map["foreign"][0]["by"]["manager"], "kubectl-patch");
    assert!(!document.stdout.contains("canary"));
    let again = site.jsorc.run(&["apply"]).expect(0).stdout;
    assert!(again.contains("Nothing to do"), "{again}");
    assert_eq!(site.there(), ALL);
}

#[test]
fn a_plan_shows_what_policy_removes_and_an_apply_removes_it() {
    let site = Site::new("planned").removing();
    site.jsorc.run(&["plan", "--exit-code"]).expect(0);
    site.add();
    let shown = site.jsorc.run(&["plan", "--exit-code"]).expect(1).stdout;
    assert!(shown.contains("x → removed"), "{shown}");
    assert!(shown.contains("added by kubectl-patch"), "{shown}");
    let plan = site.jsorc.run(&["plan", "-o", "json"]).expect(0).json();
    let deployment = step(&plan, "Deployment");
    assert_eq!(
        paths(&deployment["fields"]),
        [
            "spec.template.spec.containers[side]",
            "spec.template.spec.containers[web].env[THEIRS]",
            "spec.template.spec.volumes[theirs]",
        ]
    );
    assert_eq!(
        (&deployment["checked"], &deployment["risk"]),
        (&json!("server"), &json!("restart"))
    );
    // Beside a change of our own, one apply does both.
    site.patch("configmap/web", &json!({"data": {"greeting": "bye"}}));
    let plan = site.jsorc.run(&["plan", "-o", "json"]).expect(0).json();
    let map = step(&plan, "ConfigMap");
    assert_eq!(paths(&map["fields"]), ["data.greeting", "data.theirs"]);
    site.jsorc.run(&["apply"]).expect(0);
    assert_eq!(site.there(), Vec::<&str>::new());
    let data = &site.live("configmap/web")["data"];
    assert_eq!(*data, json!({"greeting": "hello"}));
    site.jsorc.run(&["plan", "--exit-code"]).expect(0);
}

#[test]
fn the_daemon_removes_it_from_the_event_and_says_whose_it_was() {
    let site = Site::new("stripped").removing();
    let daemon = site.daemon();
    site.add();
    eventually("everything is removed", SOON, || {
        site.there().is_empty().then_some(())
    });
    daemon.wait_for_log("data.theirs x → removed, added by kubectl-patch", SOON);
    daemon.wait_for_log("env[THEIRS]", SOON);
    daemon.wait_for_log("containers[side]", SOON);
    daemon.wait_for_log("added by kubectl-label", SOON);
    assert!(!daemon.log().contains("canary"), "{}", daemon.log());
    daemon.wait_for("web", "Running", SOON);

    // In order again: nothing is written, and nothing is asked.
    let mark = site.cluster.audit().mark();
    std::thread::sleep(LONG_AFTER);
    let entries = site.cluster.audit().since(mark);
    let written: Vec<_> = entries
        .iter()
        .filter(|entry| entry.namespace == site.jsorc.namespace)
        .filter(|entry| entry.agent.contains("jsorc") && entry.is_write())
        // The inventory is stored a moment after the last heal.
        .filter(|entry| entry.resource != "leases" && entry.name != "it.web")
        .collect();
    assert!(written.is_empty(), "{written:?}");
}

#[test]
fn what_was_added_while_nobody_looked_is_removed_at_the_start() {
    let site = Site::new("before").removing();
    site.add();
    let daemon = site.daemon();
    eventually("everything is removed", SOON, || {
        site.there().is_empty().then_some(())
    });
    daemon.wait_for_log("added by kubectl-patch", SOON);
}

#[test]
fn what_belongs_to_the_cluster_or_is_a_wish_stays_although_policy_removes() {
    let site = Site::new("spared").removing().set(
        "JSORC_SERVICES__WEB__IGNORE",
        "[{kind: ConfigMap, name: web, path: data.ignored}]",
    );
    let daemon = site.daemon();
    // What an autoscaler does, and what a person does about a number that the manifest leaves open.
    let scale = |args: &[&str]| site.kubectl(&[&["patch", "deployment/web"], args].concat());
    scale(&[
        "--subresource=scale",
        "--field-manager=kube-controller-manager",
        "--type=merge",
        "-p",
        r#"{"spec":{"replicas":3}}"#,
    ]);
    site.kubectl(&["rollout", "restart", "deployment/web"]);
    scale(&[
        "--subresource=status",
        "--type=merge",
        "-p",
        r#"{"status":{"conditions":[{"type":"Theirs","status":"True"}]}}"#,
    ]);
    scale(&[
        "--field-manager=some-operator",
        "-p",
        r#"{"metadata":{"annotations":{"example.com/controlled":"1"}}}"#,
    ]);
    site.patch("configmap/web", &json!({"data": {"ignored": "theirs"}}));
    site.patch(
        "service/web",
        &json!({"metadata": {"finalizers": ["example.com/theirs"]}}),
    );
    // A webhook's work appears under the name of whoever asked: ours.
    let ours = format!("--field-manager=jsorc.{}.it", site.jsorc.namespace);
    let injected =
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"injected","image":"i:1"}]}}}}"#;
    scale(&[&ours, "-p", injected]);
    std::thread::sleep(LONG_AFTER);

    let live = site.live("deployment/web");
    assert_eq!(live["spec"]["replicas"], 3);
    let template = &live["spec"]["template"];
    assert_eq!(template["spec"]["containers"][0]["name"], "injected");
    assert_eq!(template["spec"]["restartPolicy"], "Always");
    let restarted = &template["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"];
    assert!(restarted.is_string(), "{template}");
    let annotations = &live["metadata"]["annotations"];
    assert_eq!(annotations["example.com/controlled"], "1");
    assert!(annotations["deployment.kubernetes.io/revision"].is_string());
    assert_eq!(site.live("configmap/web")["data"]["ignored"], "theirs");
    let finalizers = &site.live("service/web")["metadata"]["finalizers"];
    assert_eq!(*finalizers, json!(["example.com/theirs"]));
    let log = daemon.log();
    assert!(!log.contains("added by"), "{log}");
    assert_eq!(daemon.stop(), 0);
    site.patch("service/web", &json!({"metadata": {"finalizers": null}}));
    site.jsorc.run(&["plan", "--exit-code"]).expect(0);
}

#[test]
fn who_adds_it_again_and_again_is_named_and_slowed_down() {
    let site = Site::new("insists").removing();
    let daemon = site.daemon();
    for round in 0..12 {
        site.patch(
            "configmap/web",
            &json!({"data": {"theirs": round.to_string()}}),
        );
        let gone = || site.live("configmap/web")["data"]["theirs"].is_null();
        let log = daemon.log();
        if log.contains("ignore") {
            break;
        }
        eventually("its removal, or a rest", SOON, || {
            (gone() || daemon.log().contains("ignore")).then_some(())
        });
    }
    daemon.wait_for_log("ignore", SOON);
    let log = daemon.log();
    assert!(log.contains("kubectl-patch"), "{log}");
    assert!(log.contains("data.theirs"), "{log}");
    // It rests by now; what is nobody's quarrel is removed at once.
    site.patch("configmap/web", &json!({"data": {"theirs": "again"}}));
    site.patch("configmap/web", &json!({"data": {"other": "x"}}));
    eventually("the other key", Duration::from_secs(3), || {
        site.live("configmap/web")["data"]["other"]
            .is_null()
            .then_some(())
    });
}

#[test]
fn what_is_there_by_default_is_left_and_is_no_difference() {
    let site = Site::new("default").removing();
    let daemon = site.daemon();
    // Applied with the value that it has anyhow: removed, it is there again.
    let theirs = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"sessionAffinity": "None"}});
    let mark = site.cluster.audit().mark();
    let apply = [
        "apply",
        "--server-side",
        "--field-manager=person",
        "-n",
        &site.jsorc.namespace,
        "-f",
        "-",
    ];
    site.cluster
        .as_admin()
        .run_with(&apply, &theirs.to_string());
    std::thread::sleep(LONG_AFTER);
    let entries = site.cluster.audit().since(mark);
    let tries = entries.iter().filter(|entry| {
        entry.agent.contains("jsorc")
            && entry.is_write()
            && entry.namespace == site.jsorc.namespace
            && entry.resource == "services"
    });
    assert_eq!(tries.count(), 1);
    let log = daemon.log();
    assert!(!log.contains("sessionAffinity"), "{log}");
    daemon.wait_for("web", "Running", SOON);
    assert_eq!(daemon.stop(), 0);
    site.jsorc.run(&["plan", "--exit-code"]).expect(0);
}

#[test]
fn what_cannot_be_removed_is_said_and_not_tried_in_a_loop() {
    let site = Site::new("stuck").removing();
    let daemon = site.daemon();
    site.patch("configmap/web", &json!({"immutable": true}));
    daemon.wait_for_log("cannot be rid of what others added (immutable by", SOON);
    let mark = site.cluster.audit().mark();
    std::thread::sleep(LONG_AFTER);
    let entries = site.cluster.audit().since(mark);
    let tries = entries.iter().filter(|entry| {
        entry.verb == "patch"
            && entry.namespace == site.jsorc.namespace
            && entry.resource == "configmaps"
            && entry.name == "web"
    });
    assert_eq!(tries.count(), 0);
    let plan = site.jsorc.run(&["plan", "--exit-code"]).expect(1).stdout;
    assert!(plan.contains("would be refused"), "{plan}");
}
