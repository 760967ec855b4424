//! What server-side apply alone does not do: empty a struct that somebody filled, give a field up
//! without resetting it, change what cannot change, and leave to others what is theirs.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Cluster, Jsorc, eventually};

const SOON: Duration = Duration::from_secs(20);
/// Longer than any test: whatever happens was not brought by the interval.
const NEVER: &str = "10m";

const SERVICE: &str = "driver: none\n";

/// A Deployment whose replicas, selector and port can be chosen.
fn web(replicas: u32, tier: &str, port: u32) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web, tier: {tier}}}}}
  template:
    metadata: {{labels: {{app: web, tier: {tier}}}}}
    spec:
      volumes: [{{name: scratch, emptyDir: {{}}}}]
      containers:
      - name: web
        image: web:1
        ports: [{{containerPort: {port}}}]
        volumeMounts: [{{name: scratch, mountPath: /tmp/x}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: web}}
data: {{greeting: hello, farewell: bye}}
"
    )
}

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
}

impl Site {
    fn new(prefix: &str, files: &[(&str, &str)]) -> Self {
        let cluster = Cluster::shared();
        let jsorc = Jsorc::on(cluster, prefix)
            .services(files)
            .set("JSORC_INTERVAL", NEVER);
        Self { cluster, jsorc }
    }

    /// A web service, applied.
    fn applied(prefix: &str) -> Self {
        let table = web(2, "front", 80);
        let site = Self::new(
            prefix,
            &[("web/service.yaml", SERVICE), ("web/kube/web.yaml", &table)],
        );
        site.jsorc.run(&["apply"]).expect(0);
        site
    }

    fn save(&self, file: &str, text: &str) {
        self.jsorc.file(&format!("services/{file}"), text);
    }

    fn kubectl(&self, args: &[&str]) -> String {
        self.cluster
            .as_admin()
            .run(&[args, &["-n", &self.jsorc.namespace]].concat())
    }

    fn get(&self, object: &str, path: &str) -> String {
        self.kubectl(&["get", object, "-o", &format!("jsonpath={path}")])
    }

    fn patch(&self, object: &str, patch: &str) {
        self.kubectl(&["patch", object, "--type=merge", "-p", patch]);
    }

    /// Lets a Deployment be scaled the way the autoscaler does it.
    fn autoscale(&self, replicas: u32) {
        let patch = format!("{{\"spec\":{{\"replicas\":{replicas}}}}}");
        self.kubectl(&[
            "patch",
            "deployment/web",
            "--subresource=scale",
            "--field-manager=kube-controller-manager",
            "--type=merge",
            "-p",
            &patch,
        ]);
    }

    fn until(&self, object: &str, path: &str, value: &str) {
        let (kubectl, query) = (self.cluster.as_admin(), format!("jsonpath={path}"));
        eventually(&format!("{object} {path} = {value}"), SOON, || {
            // It may not be there yet.
            let namespace = &self.jsorc.namespace;
            let output = kubectl.output(&["get", object, "-o", &query, "-n", namespace]);
            (output.status.success() && output.stdout == value.as_bytes()).then_some(())
        });
    }

    /// The steps of a plan: action, kind and the paths of its fields.
    fn planned(&self) -> Vec<String> {
        let plan = self.jsorc.run(&["plan", "-o", "json"]).expect(0).json();
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let steps = plan["steps"].as_array().unwrap().iter();
        steps
            .map(|step| {
                let fields = step["fields"].as_array().unwrap().iter();
                let paths: Vec<String> = fields.map(|field| text(&field["path"])).collect();
                let (action, kind) = (text(&step["action"]), text(&step["object"]["kind"]));
                format!("{action} {kind} {}", paths.join(" "))
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }
}

const MEMORY: &str = r#"{"spec":{"template":{"spec":{"volumes":[{"name":"scratch","emptyDir":{"medium":"Memory"}}]}}}}"#;
const MEDIUM: &str = "{.spec.template.spec.volumes[0].emptyDir}";

#[test]
fn a_struct_that_somebody_filled_is_emptied_again() {
    let site = Site::applied("filled");
    site.kubectl(&["patch", "deployment/web", "--type=strategic", "-p", MEMORY]);
    assert_eq!(site.get("deployment/web", MEDIUM), r#"{"medium":"Memory"}"#);
    assert_eq!(
        site.planned(),
        ["update Deployment spec.template.spec.volumes[scratch].emptyDir.medium"]
    );
    let applied = site.jsorc.run(&["apply"]).expect(0);
    assert_eq!(
        site.get("deployment/web", MEDIUM),
        "{}",
        "{}",
        applied.stdout
    );
    assert_eq!(site.planned(), Vec::<String>::new());

    let daemon = site.jsorc.daemon();
    daemon.wait_for("web", "Running", Duration::from_secs(60));
    site.kubectl(&["patch", "deployment/web", "--type=strategic", "-p", MEMORY]);
    site.until("deployment/web", MEDIUM, "{}");
    daemon.wait_for_log("emptyDir.medium", SOON);
    daemon.wait_for_log("kubectl-patch", SOON);
}

#[test]
fn a_field_that_is_ignored_from_now_on_keeps_its_value() {
    let site = Site::applied("ignore");
    let rules = "[{kind: Deployment, name: web, path: spec.replicas}, {kind: ConfigMap, path: data.farewell}]";
    let site = Site {
        jsorc: site.jsorc.set("JSORC_SERVICES__WEB__IGNORE", rules),
        ..site
    };
    assert_eq!(site.planned(), Vec::<String>::new(), "nothing is reset");
    site.jsorc.run(&["apply"]).expect(0);
    assert_eq!(site.get("deployment/web", "{.spec.replicas}"), "2");
    assert_eq!(site.get("configmap/web", "{.data.farewell}"), "bye");

    // Another change of the manifest does not reset them either, and what others do stays.
    site.kubectl(&["scale", "deployment/web", "--replicas=5"]);
    site.patch("configmap/web", r#"{"data":{"farewell":"ciao"}}"#);
    site.save("web/kube/web.yaml", &web(1, "front", 81));
    site.jsorc.run(&["apply"]).expect(0);
    let port = "{.spec.template.spec.containers[0].ports[0].containerPort}";
    assert_eq!(site.get("deployment/web", port), "81");
    assert_eq!(site.get("deployment/web", "{.spec.replicas}"), "5");
    assert_eq!(site.get("configmap/web", "{.data.farewell}"), "ciao");
    assert_eq!(site.planned(), Vec::<String>::new());
}

const AUTOSCALER: &str = "---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 9
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
";

#[test]
fn an_autoscaler_that_joins_the_table_takes_over_from_the_number_that_is_there() {
    let site = Site::applied("scaled");
    let daemon = site.jsorc.daemon();
    daemon.wait_for("web", "Running", Duration::from_secs(60));
    site.save(
        "web/kube/web.yaml",
        &format!("{}{AUTOSCALER}", web(2, "front", 80)),
    );
    daemon.wait_for_log("files changed", SOON);
    site.until("hpa/web", "{.spec.maxReplicas}", "9");
    daemon.wait_for("web", "Running", SOON);
    assert_eq!(site.get("deployment/web", "{.spec.replicas}"), "2");
    site.autoscale(6);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(site.get("deployment/web", "{.spec.replicas}"), "6");
    drop(daemon);
    assert_eq!(site.planned(), Vec::<String>::new());
}

#[test]
fn replicas_that_somebody_elses_autoscaler_sets_are_left_to_it() {
    let site = Site::applied("theirs");
    let daemon = site.jsorc.daemon();
    daemon.wait_for("web", "Running", Duration::from_secs(60));
    site.autoscale(7);
    daemon.wait_for_log("set by an autoscaler", SOON);
    site.autoscale(8);
    // Other fields of the same object are healed, and the replicas are still not touched.
    let image = "{.spec.template.spec.containers[0].image}";
    site.kubectl(&["set", "image", "deployment/web", "web=web:2"]);
    site.until("deployment/web", image, "web:1");
    assert_eq!(site.get("deployment/web", "{.spec.replicas}"), "8");
    assert_eq!(daemon.stop(), 0);
    assert_eq!(site.planned(), Vec::<String>::new(), "it is no difference");
    site.jsorc.run(&["apply"]).expect(0);
    assert_eq!(site.get("deployment/web", "{.spec.replicas}"), "8");
}

#[test]
fn what_cannot_change_is_made_anew_only_where_policy_says_so_and_the_new_one_is_accepted() {
    let site = Site::applied("anew");
    let uid = site.get("deployment/web", "{.metadata.uid}");
    site.save("web/kube/web.yaml", &web(2, "back", 80));
    let refused = site.jsorc.run(&["apply", "--yes"]).expect(3);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains("policy.recreate: immutable"), "{said}");
    assert_eq!(site.get("deployment/web", "{.metadata.uid}"), uid);

    let site = Site {
        jsorc: site
            .jsorc
            .set("JSORC_SERVICES__WEB__POLICY__RECREATE", "immutable"),
        ..site
    };
    // A new one that the server would refuse: the old one is not deleted for it.
    site.save(
        "web/kube/web.yaml",
        &web(2, "back", 80).replace("web:1", "web:1\n        imagePullPolicy: Sometimes"),
    );
    let refused = site.jsorc.run(&["apply", "--yes"]);
    assert_ne!(refused.code, 0);
    assert_eq!(site.get("deployment/web", "{.metadata.uid}"), uid);

    site.save("web/kube/web.yaml", &web(2, "back", 80));
    assert_eq!(site.planned(), ["recreate Deployment"]);
    site.jsorc.run(&["apply", "--yes"]).expect(0);
    assert_ne!(site.get("deployment/web", "{.metadata.uid}"), uid);
    let tier = "{.spec.selector.matchLabels.tier}";
    assert_eq!(site.get("deployment/web", tier), "back");
    assert_eq!(site.planned(), Vec::<String>::new());
}

#[test]
fn a_generated_secret_that_is_lost_gets_new_values_and_its_readers_restart() {
    let table = format!(
        "{}---
apiVersion: v1
kind: Secret
metadata: {{name: web}}
stringData: {{password: \"$g{{password}}\"}}
",
        web(1, "front", 80).replace(
            "image: web:1",
            "image: web:1\n        env: [{name: P, valueFrom: {secretKeyRef: {name: web, key: password}}}]",
        )
    );
    let service = "driver: none\nparameters: {password: {type: secret, generate: 20}}\n";
    let site = Site::new(
        "lost",
        &[("web/service.yaml", service), ("web/kube/web.yaml", &table)],
    );
    let daemon = site.jsorc.daemon();
    daemon.wait_for("web", "Running", Duration::from_secs(60));
    let password = || site.get("secret/web", "{.data.password}");
    let first = password();
    site.kubectl(&["delete", "secret/web"]);
    eventually("another password", SOON, || {
        let secrets = site.kubectl(&["get", "secret", "-o", "name"]);
        (secrets.contains("secret/web") && password() != first).then_some(())
    });
    let restarted = "{.spec.template.metadata.annotations.jsorc\\.dev/restarted-at}";
    eventually("the restart", SOON, || {
        (!site.get("deployment/web", restarted).is_empty()).then_some(())
    });
    daemon.wait_for_log("Secret/web was lost and has new values", SOON);
    assert!(!daemon.log().contains(&password()));
}

#[test]
fn an_object_that_moves_to_another_service_is_neither_deleted_nor_made_anew() {
    let table = web(2, "front", 80);
    let (deployment, map) = table.split_once("---\n").unwrap();
    let site = Site::new(
        "moves",
        &[
            ("one/service.yaml", SERVICE),
            ("one/kube/one.yaml", &table),
            ("two/service.yaml", SERVICE),
            (
                "two/kube/two.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\n",
            ),
        ],
    );
    site.jsorc.run(&["apply"]).expect(0);
    let uid = site.get("configmap/web", "{.metadata.uid}");
    site.save("one/kube/one.yaml", deployment);
    site.save("two/kube/two.yaml", map);
    site.jsorc.run(&["apply", "--yes"]).expect(0);
    assert_eq!(site.get("configmap/web", "{.metadata.uid}"), uid);
    let label = |object: &str, name: &str| {
        let name = format!("{{.metadata.labels.applyset\\.kubernetes\\.io/{name}}}");
        site.get(object, &name)
    };
    assert_eq!(
        label("configmap/web", "part-of"),
        label("configmap/it.two", "id")
    );
    assert_eq!(site.planned(), Vec::<String>::new());
    let inventory = |name: &str| site.get(&format!("configmap/it.{name}"), "{.data.objects}");
    eventually("the old inventory to forget it", SOON, || {
        site.jsorc.run(&["apply", "--yes"]).expect(0);
        (!inventory("one").contains("v1 ConfigMap configmaps")).then_some(())
    });
    assert!(inventory("two").contains("\n web "));
}

#[test]
fn while_two_quarrel_over_one_field_the_others_are_healed_at_once() {
    let site = Site::applied("quarrel");
    let daemon = site.jsorc.daemon();
    daemon.wait_for("web", "Running", Duration::from_secs(60));
    for round in 0..10 {
        site.patch(
            "configmap/web",
            &format!("{{\"data\":{{\"greeting\":\"theirs {round}\"}}}}"),
        );
    }
    daemon.wait_for_log("ignore", SOON);
    // The quarrel rests for seconds by now.
    for round in 0..6 {
        site.patch(
            "configmap/web",
            &format!("{{\"data\":{{\"greeting\":\"again {round}\"}}}}"),
        );
    }
    site.patch("configmap/web", r#"{"data":{"farewell":"theirs"}}"#);
    eventually("the other field", Duration::from_secs(2), || {
        (site.get("configmap/web", "{.data.farewell}") == "bye").then_some(())
    });
}
