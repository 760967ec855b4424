//! Everything that another actor can do to an object of ours: each is put right from its event and
//! laid at the right door, or rightly left alone.
//!
//! One daemon keeps one object per case, so that no case is slowed down as a quarrel over another.
//! Its interval is longer than the test: nothing is repaired by asking.

mod actor;
mod configured;
mod custom;
mod identity;
mod workloads;
mod world;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{Cluster, Daemon, Jsorc};
use actor::{Actor, Target};
use world::Kind;

/// What has to come of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    /// It is undone, and this manager is named.
    Blamed(&'static str),
    /// It is undone, and nobody is named, because the object does not tell.
    Unknown,
    /// The object is made again.
    Remade,
    /// It is undone; who did it need not be said.
    Undone,
    /// It is none of our business, unless policy removes what others add; then this is told.
    Added,
    /// It is none of our business: no write follows.
    Left,
}

/// One action on one object.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    kind: Kind,
    act: fn(&Actor, &Target),
    expect: Expect,
}

const fn case(name: &'static str, kind: Kind, expect: Expect, act: fn(&Actor, &Target)) -> Case {
    Case {
        name,
        kind,
        act,
        expect,
    }
}

/// How many intruders are at work at the same time.
const AT_ONCE: usize = 3;
const SOON: Duration = Duration::from_secs(20);
/// A write that follows an event does so within milliseconds; this is long after.
const LONG_AFTER: Duration = Duration::from_millis(700);

#[test]
fn every_action_of_an_intruder_is_put_right_or_rightly_left_alone() {
    all("report");
}

#[test]
fn where_policy_says_so_what_an_intruder_adds_goes_too() {
    all("remove");
}

fn all(foreign: &str) {
    let mut cases = [
        configured::CASES,
        workloads::FIELDS,
        workloads::LISTS,
        workloads::REPLACEMENTS,
        &custom::cases(),
        identity::UNDER_OUR_NAME,
        identity::GONE,
        identity::LABELS,
    ]
    .concat();
    if foreign == "report" {
        let added = cases.iter_mut().filter(|case| case.expect == Expect::Added);
        added.for_each(|case| case.expect = Expect::Left);
    } else {
        // Their definitions are the whole cluster's, and the other test has them.
        cases.retain(|case| !matches!(case.kind, Kind::Gadget | Kind::Widget));
    }
    let kinds: Vec<Kind> = cases.iter().map(|case| case.kind).collect();
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "intruder")
        .services(&[
            ("all/service.yaml", "driver: none\n"),
            ("all/kube/all.yaml", &world::manifests(&kinds)),
        ])
        .set("JSORC_INTERVAL", "10m")
        .set("JSORC_POLICY__FOREIGN", foreign);
    let daemon = jsorc.daemon();
    daemon.wait_for("all", "Running", Duration::from_secs(120));
    // The inventory is stored a moment after the last write.
    std::thread::sleep(Duration::from_secs(2));
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let actor = Actor::new(cluster, &jsorc.namespace);
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(case) = cases.get(number) else {
                        return;
                    };
                    let target = actor.target(case.kind, number);
                    if let Err(why) = run(&actor, &daemon, case, &target) {
                        failed.lock().unwrap().push(format!("{}: {why}", case.name));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    eprintln!("{} actions", cases.len());
    assert!(
        failed.is_empty(),
        "{} of {}:\n{}\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n"),
        daemon.log()
    );
}

fn run(actor: &Actor, daemon: &Daemon, case: &Case, target: &Target) -> Result<(), String> {
    let before = actor.get(target).ok_or("it is not there")?;
    (case.act)(actor, target);
    let object = format!("healed {}/{}:", case.kind.name(), target.name);
    if case.expect == Expect::Left {
        let left = content(&actor.live(target));
        std::thread::sleep(LONG_AFTER);
        let after = content(&actor.live(target));
        let said = line_of(daemon, &object);
        return if left == after && said.is_none() {
            Ok(())
        } else {
            Err(format!("written although it is not ours: {said:?}"))
        };
    }
    let wanted = content(&before);
    let end = Instant::now() + SOON;
    loop {
        let live = actor.get(target);
        let said = line_of(daemon, &object);
        if live.as_ref().map(content).as_ref() == Some(&wanted)
            && let Some(line) = said
        {
            return says(case.expect, &line);
        }
        if Instant::now() > end {
            let live = live.as_ref().map(content);
            return Err(format!(
                "not put right: {live:?} instead of {wanted}, {said:?}"
            ));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn line_of(daemon: &Daemon, object: &str) -> Option<String> {
    let log = daemon.log();
    log.lines()
        .find(|line| line.contains(object))
        .map(str::to_owned)
}

fn says(expect: Expect, line: &str) -> Result<(), String> {
    let right = match expect {
        Expect::Blamed(manager) => line.contains(&format!("changed by {manager},")),
        Expect::Added => line.contains(&format!("added by {},", actor::INTRUDER)),
        Expect::Unknown => line.contains("someone unknown"),
        Expect::Remade => line.contains("was deleted") || line.contains("was replaced"),
        Expect::Undone => true,
        Expect::Left => false,
    };
    if right {
        Ok(())
    } else {
        Err(format!("expected {expect:?}, said: {line}"))
    }
}

/// What a person would call the object: without what the server keeps for itself.
fn content(live: &Value) -> Value {
    let mut content = live.clone();
    let object = content.as_object_mut().unwrap();
    object.remove("status");
    let metadata = content["metadata"].as_object_mut().unwrap();
    for field in [
        "resourceVersion",
        "managedFields",
        "generation",
        "uid",
        "creationTimestamp",
    ] {
        metadata.remove(field);
    }
    // A Service that is made again has another address.
    if let Some(spec) = content["spec"].as_object_mut() {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    let metadata = content["metadata"].as_object_mut().unwrap();
    // The deployment controller counts its roll-outs here.
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.remove("deployment.kubernetes.io/revision");
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    content
}
