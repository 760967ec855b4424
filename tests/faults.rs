//! Every request of a full run meets every fault: whatever happens at whatever call, running the
//! same command again ends in the same state, with an exact inventory and nothing made twice.
//!
//! The usual run takes every write and a sample of the reads, each with one of the faults in turn;
//! `make faults` (`JSORC_FAULTS=all`) takes every call with every fault. Other words choose: only
//! strikes whose description has them all, such as `JSORC_FAULTS='KillAfter configmaps/b'`.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;

use crate::support::{Call, Cluster, Fault, FaultProxy, Jsorc, inventory};

const FAULTS: &[Fault] = &[
    Fault::KillBefore,
    Fault::KillBetween,
    Fault::KillAfter,
    Fault::LoseAnswer,
    Fault::Drop,
    Fault::Truncate,
    Fault::Refuse(429, 1),
    Fault::Refuse(500, 0),
    Fault::Refuse(503, 0),
    Fault::DoneButRefuse(504),
    Fault::Repeat,
];

/// How many faults are being tried at the same time.
const AT_ONCE: usize = 2;

const SERVICE: &str = "driver: none\nparameters: {password: {type: secret, generate: 12}}\n";

const FIRST: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {value: one}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
data: {value: one}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: \"$g{password}\"}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers:
      - name: web
        image: web:1
        env: [{name: P, valueFrom: {secretKeyRef: {name: web, key: password}}}]
";

/// What a run applies first and then: one object changes, one leaves, one joins.
fn second() -> String {
    let changed = FIRST.replacen("value: one", "value: two", 1);
    let without = changed.replace("metadata: {name: b}", "metadata: {name: c}");
    without.replace("image: web:1", "image: web:2")
}

/// A namespace of its own, with the way into it through a proxy.
struct Site {
    cluster: &'static Cluster,
    proxy: FaultProxy,
    jsorc: Jsorc,
}

impl Site {
    fn new() -> Self {
        let cluster = Cluster::shared();
        let proxy = FaultProxy::to(cluster.kubeconfig());
        let jsorc = Jsorc::on(cluster, "fault")
            .services(&[("web/service.yaml", SERVICE), ("web/kube/web.yaml", FIRST)])
            .set("KUBECONFIG", proxy.kubeconfig());
        Self {
            cluster,
            proxy,
            jsorc,
        }
    }

    /// Applies both states. `fault` strikes at one call of the first or the second apply; a
    /// command that failed or was killed is given again, as its user would.
    fn run(&self, strike: Option<(usize, usize, Fault)>) -> [Vec<Call>; 2] {
        [FIRST.to_owned(), second()]
            .iter()
            .enumerate()
            .map(|(turn, table)| {
                self.jsorc.file("services/web/kube/web.yaml", table);
                let here = strike.filter(|(at, ..)| *at == turn);
                self.proxy.plan(move |call| match here {
                    Some((_, number, fault)) if call.number == number => fault,
                    _ => Fault::Pass,
                });
                self.apply(here.is_some());
                self.proxy.calls()
            })
            .collect::<Vec<_>>()
            .try_into()
            .unwrap()
    }

    fn apply(&self, may_fail: bool) {
        self.proxy.victim(0);
        let running = self.jsorc.start(&["apply", "--yes"]);
        self.proxy.victim(running.pid());
        let ran = running.end();
        if std::env::var_os("JSORC_FAULTS").is_some() {
            println!("{} {}\n{}", self.jsorc.namespace, ran.code, ran.stderr);
        }
        if ran.code != 0 && may_fail {
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
            return self.apply(false);
        }
        ran.expect(0);
    }

    /// What there is, without what differs from run to run.
    fn state(&self) -> BTreeMap<String, Value> {
        let kinds = "configmaps,serviceaccounts,secrets,services,deployments.apps";
        let list = self
            .cluster
            .kubectl(["get", kinds, "-n", &self.jsorc.namespace, "-o", "json"]);
        let list: Value = serde_json::from_str(&list).unwrap();
        let mut state = BTreeMap::new();
        let mut uids = BTreeMap::new();
        for item in list["items"].as_array().unwrap() {
            let (kind, name) = (
                item["kind"].as_str().unwrap(),
                item["metadata"]["name"].as_str().unwrap(),
            );
            if item["metadata"]["labels"]["jsorc.dev/instance"].is_string() {
                uids.insert(format!("{kind}/{name}"), item["metadata"]["uid"].clone());
            }
            let mut kept = serde_json::json!({
                "labels": item["metadata"]["labels"], "data": item["data"], "spec": item["spec"],
                "managers": managers(item)});
            if kind == "Secret" {
                kept["data"] = item["data"].as_object().unwrap().keys().cloned().collect();
            }
            if name.starts_with("it.") {
                kept = Value::Null;
                inventory::assert_exact(item, &list);
            }
            let text = kept.to_string().replace(&self.jsorc.namespace, "NAMESPACE");
            let mut kept: Value = serde_json::from_str(&text).unwrap();
            forget_hashes(&mut kept);
            state.insert(format!("{kind}/{name}"), kept);
        }
        state
    }
}

fn managers(item: &Value) -> Vec<String> {
    let entries = item["metadata"]["managedFields"].as_array();
    let of_objects = entries
        .into_iter()
        .flatten()
        .filter(|entry| entry["subresource"].is_null());
    of_objects
        .map(|entry| format!("{} {}", entry["manager"], entry["operation"]))
        .filter(|entry| entry.contains("jsorc"))
        .collect()
}

/// The id of an `ApplySet` and the hash of a configuration contain the namespace and the key.
fn forget_hashes(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for hash in ["jsorc.dev/config", "applyset.kubernetes.io/part-of"] {
                map.remove(hash);
            }
            map.values_mut().for_each(forget_hashes);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_hashes),
        _ => {}
    }
}

/// Every object was made at most once.
fn assert_made_once(calls: &[Call], kind: Fault) {
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls
        .iter()
        .filter(|call| call.status == 201 && call.is_write())
    {
        let path = call.uri.split('?').next().unwrap();
        if call.method == "PATCH" {
            *made.entry(path).or_default() += 1;
        }
    }
    made.retain(|_, times| *times > 1);
    assert!(made.is_empty(), "made twice under {kind:?}: {made:?}");
}

fn described(call: &Call, turn: usize, fault: Fault) -> String {
    format!(
        "{fault:?} at {turn}.{} {} {}",
        call.number, call.method, call.uri
    )
}

fn strikes(calls: &[Vec<Call>; 2]) -> Vec<(usize, usize, Fault)> {
    let chosen = std::env::var("JSORC_FAULTS").ok();
    let words = chosen
        .as_deref()
        .map(|words| words.strip_prefix("all").unwrap_or(words));
    let mut strikes = Vec::new();
    let mut next = 0;
    for (turn, calls) in calls.iter().enumerate() {
        for call in calls {
            let chosen: Vec<Fault> = if let Some(words) = words {
                let is_meant = |fault: &&Fault| {
                    let said = described(call, turn, **fault);
                    words.split_whitespace().all(|word| said.contains(word))
                };
                FAULTS.iter().filter(is_meant).copied().collect()
            } else if call.is_write() || call.number % 9 == 4 {
                next += 1;
                // A step that shares no factor with the number of faults comes by all of them.
                vec![FAULTS[next * 4 % FAULTS.len()]]
            } else {
                Vec::new()
            };
            strikes.extend(chosen.into_iter().map(|fault| (turn, call.number, fault)));
        }
    }
    strikes
}

#[test]
fn whatever_happens_at_whatever_call_the_end_is_the_same() {
    let site = Site::new();
    let calls = site.run(None);
    let expected = site.state();
    assert!(expected.contains_key("ConfigMap/c") && !expected.contains_key("ConfigMap/b"));
    let strikes = strikes(&calls);
    assert!(!strikes.is_empty());
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(strike) = strikes.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let outcome = std::panic::catch_unwind(|| {
                        let site = Site::new();
                        let calls = site.run(Some(*strike));
                        for calls in &calls {
                            assert_made_once(calls, strike.2);
                        }
                        assert_eq!(site.state(), expected);
                    });
                    if outcome.is_err() {
                        let (turn, number, fault) = *strike;
                        let call = &calls[turn][number];
                        failed.lock().unwrap().push(described(call, turn, fault));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    eprintln!(
        "{} calls, {} faults, {} strikes",
        calls[0].len() + calls[1].len(),
        FAULTS.len(),
        strikes.len()
    );
    assert!(
        failed.is_empty(),
        "{} of {}:\n{}",
        failed.len(),
        strikes.len(),
        failed.join("\n")
    );
}
