//! Plans that are saved, reviewed, and carried out later: exactly, or not at all.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Cluster, Jsorc, Ran};

const SERVICE: &str = "driver: none
parameters: {value: {type: string, default: \"1\"}, password: {type: secret}}
";
const MAPS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {a: \"$g{value}\"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
data: {a: \"1\"}
";
const THREE: &str = "---
apiVersion: v1
kind: ConfigMap
metadata: {name: three}
data: {a: \"1\"}
";
const SECRET: &str = "---
apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {password: \"$g{password}\"}
";
const DEPLOYMENT: &str = "---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: main, image: \"main:1\"}]
";
const CANARY: &str = "canary-5519";

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
}

impl Site {
    fn new(prefix: &str, manifests: &str) -> Self {
        let cluster = Cluster::shared();
        let files = [
            ("web/service.yaml", SERVICE),
            ("web/kube/web.yaml", manifests),
        ];
        let jsorc = Jsorc::on(cluster, prefix)
            .services(&files)
            .set("USER", "ann")
            .set("JSORC_SERVICES__WEB__PARAMETERS__PASSWORD", CANARY);
        Self { cluster, jsorc }
    }

    fn applied(prefix: &str, manifests: &str) -> Self {
        let site = Self::new(prefix, manifests);
        site.jsorc.run(&["apply"]).expect(0);
        site
    }

    fn save(&self, manifests: &str) {
        self.jsorc.file("services/web/kube/web.yaml", manifests);
    }

    fn kubectl(&self, args: &[&str]) -> String {
        let home = ["-n", &self.jsorc.namespace];
        self.cluster.as_admin().run(&[args, &home].concat())
    }

    fn patch(&self, object: &str, patch: &str) {
        self.kubectl(&["patch", object, "--type=merge", "-p", patch]);
    }

    fn get(&self, object: &str, path: &str) -> String {
        let path = format!("jsonpath={{{path}}}");
        self.kubectl(&["get", object, "-o", &path, "--ignore-not-found"])
    }

    fn file(&self) -> PathBuf {
        self.jsorc.folder().join("it.plan")
    }

    /// Saves a plan and gives what stands in it.
    fn plan(&self) -> Value {
        self.jsorc.run(&["plan", "--out", "it.plan"]).expect(0);
        serde_json::from_str(&std::fs::read_to_string(self.file()).unwrap()).unwrap()
    }

    fn carry_out(&self) -> Ran {
        self.jsorc.run(&["apply", "it.plan"])
    }

    /// What is told when the plan is not the plan any more; nothing is written then.
    #[track_caller]
    fn refused(&self) -> String {
        let mark = self.cluster.audit().mark();
        let ran = self.carry_out().expect(1);
        let written = self.cluster.audit().since(mark).into_iter();
        let written: Vec<_> = written
            .filter(|call| {
                call.agent.starts_with("jsorc") && call.namespace == self.jsorc.namespace
            })
            .filter(|call| call.is_write() && !call.is_dry_run())
            .collect();
        assert!(written.is_empty(), "{written:?}");
        assert!(ran.stderr.contains("jsorc plan --out"), "{}", ran.stderr);
        ran.stderr
    }
}

#[test]
fn a_saved_plan_is_carried_out_once_without_a_question_and_then_says_so() {
    let site = Site::applied("art-once", &format!("{MAPS}{THREE}"));
    site.patch("configmap/one", "{\"data\":{\"a\":\"theirs\"}}");
    site.save(&MAPS.replace("name: two", "name: new"));
    let shown = site.jsorc.run(&["plan", "--out", "it.plan", "-o", "json"]);
    let shown = shown.expect(0).json();
    assert_eq!(shown["kind"], "Plan", "--out and -o go together");
    let mode = std::fs::metadata(site.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let saved = site.plan();
    assert_eq!(saved["kind"], "SavedPlan");
    assert_eq!(saved["apiVersion"], "jsorc.dev/v1alpha1");
    assert_eq!(saved["target"]["server"], site.cluster.server());
    let steps = saved["steps"].as_array().unwrap();
    let actions: Vec<&str> = steps
        .iter()
        .map(|s| s["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["create", "update", "delete", "delete"],
        "{saved:#}"
    );
    let update = steps
        .iter()
        .find(|step| step["action"] == "update")
        .unwrap();
    let uid = site.get("configmap/one", ".metadata.uid");
    assert_eq!(update["pin"]["uid"], uid);
    assert!(update["pin"]["resourceVersion"].is_string());
    assert_eq!(update["fields"][0]["from"], "theirs");

    let done = site.carry_out().expect(0);
    assert!(
        done.stdout.contains("1 created, 1 updated, 2 deleted"),
        "{}",
        done.stdout
    );
    assert_eq!(site.get("configmap/one", ".data.a"), "1");
    assert_eq!(site.get("configmap/two", ".metadata.name"), "");
    assert_eq!(site.get("configmap/new", ".data.a"), "1");
    let again = site.carry_out().expect(0);
    assert!(
        again.stdout.contains("carried out already"),
        "{}",
        again.stdout
    );
    let told = site.jsorc.run(&["history", "-o", "json"]).expect(0).json();
    assert!(told.to_string().contains("pruned"), "{told}");
}

#[test]
fn a_first_install_can_be_saved_and_carried_out_and_holds_no_secret() {
    let site = Site::new("art-first", &format!("{MAPS}{SECRET}"));
    let saved = site.plan();
    assert!(saved["key"].is_null(), "{saved:#}");
    site.carry_out().expect(0);
    assert_eq!(site.get("configmap/one", ".data.a"), "1");
    assert!(!site.get("secret/hidden", ".data.password").is_empty());
    let jsorc = site
        .jsorc
        .set("JSORC_SERVICES__WEB__PARAMETERS__PASSWORD", "canary-other");
    let site = Site { jsorc, ..site };
    let later = site.plan();
    assert!(later["key"].is_string(), "{later:#}");
    for text in [saved.to_string(), later.to_string()] {
        for secret in [CANARY, "canary-other", "Y2FuYXJ5"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    let jsorc = site
        .jsorc
        .set("JSORC_SERVICES__WEB__PARAMETERS__PASSWORD", "canary-third");
    let site = Site { jsorc, ..site };
    let refused = site.refused();
    assert!(
        refused.contains("web · Secret/hidden: another body is wanted"),
        "{refused}"
    );
    assert!(!refused.contains("canary"), "{refused}");
}

#[test]
fn what_changed_since_is_told_by_object_field_and_person() {
    let site = Site::applied("art-since", MAPS);
    site.patch("configmap/one", "{\"data\":{\"a\":\"theirs\"}}");
    site.plan();
    site.patch("configmap/one", "{\"data\":{\"a\":\"later\"}}");
    site.patch("configmap/two", "{\"data\":{\"a\":\"too\"}}");
    let refused = site.refused();
    assert!(
        refused.contains(
            "web · ConfigMap/one: data.a is later now, was theirs (was changed by kubectl-patch at "
        ),
        "{refused}"
    );
    assert!(
        refused.contains("web · ConfigMap/two: was not in the plan, and would be updated"),
        "{refused}"
    );
    site.patch("configmap/two", "{\"data\":{\"a\":\"1\"}}");
    site.plan();
    site.kubectl(&["delete", "configmap", "one"]);
    let refused = site.refused();
    assert!(
        refused.contains("web · ConfigMap/one: was deleted since"),
        "{refused}"
    );
    site.plan();
    let theirs = "--from-literal=a=1";
    site.kubectl(&["create", "configmap", "one", theirs]);
    let refused = site.refused();
    assert!(
        refused.contains("web · ConfigMap/one: was made by somebody since"),
        "{refused}"
    );
}

#[test]
fn another_configuration_or_other_manifests_are_another_plan() {
    let site = Site::applied("art-config", MAPS);
    let jsorc = site
        .jsorc
        .set("JSORC_SERVICES__WEB__PARAMETERS__VALUE", "2");
    let site = Site { jsorc, ..site };
    site.plan();
    let jsorc = site
        .jsorc
        .set("JSORC_SERVICES__WEB__PARAMETERS__VALUE", "3");
    let site = Site { jsorc, ..site };
    let refused = site.refused();
    assert!(
        refused.contains("web · ConfigMap/one: another body is wanted"),
        "{refused}"
    );
    let jsorc = site
        .jsorc
        .set("JSORC_SERVICES__WEB__PARAMETERS__VALUE", "2");
    let site = Site { jsorc, ..site };
    site.save(&format!("{MAPS}{THREE}"));
    let refused = site.carry_out().expect(1).stderr;
    assert!(refused.contains("other manifests (digest "), "{refused}");
    site.save(MAPS);
    let elsewhere = site.jsorc.run(&["apply", "it.plan", "-n", "default"]);
    let refused = elsewhere.expect(1).stderr;
    assert!(
        refused.contains(&format!(
            "namespace {}, and this is default",
            site.jsorc.namespace
        )),
        "{refused}"
    );
    let other = site.jsorc.run(&["apply", "it.plan", "--instance", "other"]);
    let refused = other.expect(1).stderr;
    assert!(refused.contains("for instance jsorc."), "{refused}");
    site.carry_out().expect(0);
    assert_eq!(site.get("configmap/one", ".data.a"), "2");
}

#[test]
fn status_alone_does_not_outdate_a_plan() {
    let site = Site::applied("art-status", &format!("{MAPS}{DEPLOYMENT}"));
    site.save(&format!("{MAPS}{}", DEPLOYMENT.replace("main:1", "main:2")));
    let saved = site.plan();
    let pinned = saved["steps"][0]["pin"]["resourceVersion"].clone();
    let status = "{\"status\":{\"observedGeneration\":7}}";
    site.kubectl(&[
        "patch",
        "deployment/web",
        "--subresource=status",
        "--type=merge",
        "-p",
        status,
    ]);
    site.patch(
        "deployment/web",
        "{\"metadata\":{\"labels\":{\"theirs\":\"1\"}}}",
    );
    assert_ne!(
        site.get("deployment/web", ".metadata.resourceVersion"),
        pinned
    );
    site.carry_out().expect(0);
    let image = ".spec.template.spec.containers[0].image";
    assert_eq!(site.get("deployment/web", image), "main:2");
}

#[test]
fn a_selection_is_part_of_the_plan_and_files_are_told_from_services() {
    let cluster = Cluster::shared();
    let maps = MAPS.replace("$g{value}", "1");
    let other = maps
        .replace("name: one", "name: three")
        .replace("name: two", "name: four");
    let jsorc = Jsorc::on(cluster, "art-select").services(&[
        ("web/service.yaml", "driver: none\n"),
        ("web/kube/web.yaml", &maps),
        ("more/service.yaml", "driver: none\n"),
        ("more/kube/more.yaml", &other),
    ]);
    let site = Site { cluster, jsorc };
    let shown = site
        .jsorc
        .run(&["plan", "web", "--out", "web"])
        .expect(0)
        .stdout;
    assert!(
        shown.contains("Apply it with: jsorc apply ./web"),
        "{shown}"
    );
    let ambiguous = site.jsorc.run(&["apply", "web"]).expect(2).stderr;
    assert!(ambiguous.contains("jsorc apply ./web"), "{ambiguous}");
    site.jsorc.run(&["apply", "./web"]).expect(0);
    assert_eq!(site.get("configmap/one", ".data.a"), "1");
    assert_eq!(site.get("configmap/three", ".metadata.name"), "");
    site.jsorc
        .run(&["plan", "web", "--out", "idle.plan"])
        .expect(0);
    let idle = site.jsorc.run(&["apply", "idle.plan"]).expect(0).stdout;
    assert!(idle.contains("the plan has no steps"), "{idle}");
    let flag = ["apply", "idle.plan", "--allow-delete", "ConfigMap/one"];
    let refused = site.jsorc.run(&flag).expect(2).stderr;
    assert!(refused.contains("says itself what it deletes"), "{refused}");
    let none = site.jsorc.run(&["apply", "none.plan"]).expect(2).stderr;
    assert!(
        none.contains("none.plan: ") && none.contains("--out"),
        "{none}"
    );
    site.jsorc.file("odd.json", "{\"kind\": \"Plan\"}");
    let odd = site.jsorc.run(&["apply", "odd.json"]).expect(2).stderr;
    assert!(odd.contains("it is a Plan"), "{odd}");
    let nowhere = site.jsorc.run(&["plan", "--out", "no/such/folder.plan"]);
    assert!(nowhere.expect(3).stderr.contains("no/such/folder.plan"));
}

#[test]
fn blocked_steps_stay_blocked_and_the_others_are_carried_out() {
    let site = Site::new("art-blocked", MAPS);
    let namespace = &site.jsorc.namespace;
    site.cluster.kubectl(["create", "namespace", namespace]);
    site.kubectl(&["create", "configmap", "one", "--from-literal=theirs=1"]);
    site.plan();
    let done = site.carry_out().expect(1);
    assert!(
        done.stdout.contains("1 created") && done.stdout.contains("1 blocked"),
        "{}",
        done.stdout
    );
    assert_eq!(site.get("configmap/one", ".data"), "{\"theirs\":\"1\"}");
    assert_eq!(site.get("configmap/two", ".data.a"), "1");
}
