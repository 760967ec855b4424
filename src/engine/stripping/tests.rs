use super::super::diff::Shown;
use super::super::sight::Sight;
use super::super::{
    Applied, ClusterState, Command, Event, FieldConflict, Heal, Inventory, Now, Record,
    WatchChange, WatchKey, Write, Written,
};
use super::*;
use crate::config::Policy;
use crate::desired::{
    DesiredObject, DesiredService, DesiredSet, FingerprintKey, Instance, ObjectBody, ObjectKey,
    Resource,
};
use crate::manifest::spec::{Adopt, Conflicts, Foreign, Mode as PolicyMode, Prune, Recreate};
use crate::manifest::{Probe, Remedy};
use serde_json::{Map, json};
use std::sync::Arc;
use std::time::Duration;

fn instance() -> Instance {
    Instance {
        name: "jsorc".into(),
        namespace: "prod".into(),
    }
}

fn fingerprints() -> FingerprintKey {
    FingerprintKey::new([5; 32])
}

fn key() -> ObjectKey {
    ObjectKey::new("", "ConfigMap", Some("prod"), "web")
}

fn config_maps() -> Arc<Resource> {
    Arc::new(Resource {
        group: "".into(),
        version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
        namespaced: true,
    })
}

fn wanted() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "hole": {}},
        "metadata": {"name": "web", "namespace": "prod", "labels": {"jsorc.dev/instance": "prod.jsorc"}}})
}

/// The object at a version, with what others added or without.
fn live(version: u32, added: &[&str]) -> Value {
    let mut live = wanted();
    let mut theirs = Map::new();
    for name in added {
        live["data"][*name] = "x".into();
        theirs.insert(format!("f:{name}"), json!({}));
    }
    let label = json!({"f:jsorc.dev/instance": {}});
    let ours = json!({"f:data": {"f:a": {}, "f:hole": {}}, "f:metadata": {"f:labels": label}});
    live["metadata"]["uid"] = "u1".into();
    live["metadata"]["resourceVersion"] = version.to_string().into();
    live["metadata"]["managedFields"] = json!([
        {"manager": instance().identity(), "operation": "Apply", "apiVersion": "v1", "fieldsV1": ours},
        {"manager": "kubectl-patch", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": theirs}}]);
    live
}

fn set(foreign: Foreign, ignored: &[&str]) -> DesiredSet {
    let object = DesiredObject {
        key: key(),
        resource: config_maps(),
        digest: fingerprints().of(&wanted()),
        body: ObjectBody::of(&wanted()),
        mode: WriteMode::Apply,
        after: Arc::default(),
        stage: 0,
        ignored: ignored.iter().filter_map(|p| Path::parse(p)).collect(),
        wants_endpoint: false,
        implied: false,
    };
    let service = DesiredService {
        name: "web".into(),
        kept: true,
        namespace: "prod".into(),
        driver: "none".into(),
        settings: Map::new(),
        probe: Probe::default(),
        remedy: Remedy::None,
        policy: Policy {
            mode: PolicyMode::Enforce,
            conflicts: Conflicts::Report,
            adopt: Adopt::Never,
            recreate: Recreate::Never,
            prune: Prune::Auto,
            foreign,
        },
        depends_on: Vec::new(),
        protect: Vec::new(),
        source: None,
        objects: vec![object],
    };
    DesiredSet {
        instance: instance(),
        services: vec![service],
        enabled: true,
    }
}

fn inventory(conflicts: &[&str]) -> Inventory {
    let conflict = |path: &&str| FieldConflict {
        path: Path::parse(path).unwrap(),
        manager: "other".into(),
    };
    let text = live(1, &[]).to_string();
    let sight = Sight::read(&text).unwrap();
    let applied = Applied {
        uid: "u1".into(),
        digest: fingerprints().of(&wanted()),
        evidence: sight.evidence(&instance().identity(), &fingerprints()),
        version: None,
        surface: None,
        conflicts: conflicts.iter().map(conflict).collect(),
    };
    let record = Record {
        resource: config_maps(),
        applied: Some(applied),
        done: false,
    };
    let mut inventory = Inventory::empty("web".into(), "prod");
    inventory.resource_version = Some("1".into());
    Arc::make_mut(&mut inventory.records).insert(key(), record.into());
    inventory
}

/// An engine that has seen one object, and what it wants to do.
struct Case {
    engine: Engine,
    out: Vec<Command>,
}

impl Case {
    fn begin(
        mode: Mode,
        foreign: Foreign,
        (ignored, conflicts): (&[&str], &[&str]),
        live: Value,
    ) -> Self {
        let mut case = Self {
            engine: Engine::new(instance(), fingerprints(), mode),
            out: Vec::new(),
        };
        case.tell(Event::Desired(Box::new(set(foreign, ignored))));
        case.tell(Event::Inventories(vec![inventory(conflicts)]));
        case.tell(Event::Cluster(ClusterState::Ready));
        let watch = WatchKey {
            resource: config_maps(),
            namespace: Some("prod".into()),
            name: None,
        };
        for change in [
            WatchChange::Restarted,
            WatchChange::Applied(live.into()),
            WatchChange::Synced,
        ] {
            case.tell(Event::Watch(watch.clone(), change));
        }
        case
    }

    fn enforcing(live: Value) -> Self {
        let mode = Mode::Enforce { run: true };
        Self::begin(mode, Foreign::Remove, (&[], &[]), live)
    }

    fn tell(&mut self, event: Event) {
        let now = Now {
            mono: Duration::from_millis(1),
            wall: jiff::Timestamp::UNIX_EPOCH,
        };
        for command in self.engine.handle([event], now) {
            if let Command::SaveInventory(inventory) = &command {
                let saved = Event::InventorySaved(inventory.service.clone(), Ok("2".into()));
                self.tell(saved);
            }
            self.out.push(command);
        }
    }

    /// The write that it asks for.
    fn write(&mut self) -> Option<Write> {
        let writes = std::mem::take(&mut self.out).into_iter();
        let mut writes = writes.filter_map(|command| match command {
            Command::Write(write) => Some(write),
            _ => None,
        });
        let write = writes.next();
        assert!(writes.next().is_none(), "one write at a time");
        write
    }

    /// The paths that it asks to remove, at which version.
    fn strip(&mut self) -> (u64, String, Vec<String>) {
        let write = self.write().unwrap();
        let Verb::Amend { patch, .. } = &write.verb else {
            panic!("{write:?}")
        };
        let patch: Vec<Value> = serde_json::from_str(patch).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let removed = patch[1..].iter().map(|step| text(&step["path"])).collect();
        (write.attempt, text(&patch[0]["value"]), removed)
    }

    fn answer(&mut self, attempt: u64, outcome: Result<Value, WriteError>) {
        self.out.clear();
        let written = |object: Value| Written::Object {
            created: false,
            object: object.into(),
        };
        self.tell(Event::Wrote {
            key: key(),
            attempt,
            outcome: outcome.map(written),
        });
    }

    fn heals(&self) -> Vec<&Heal> {
        let told = self.out.iter().filter_map(|command| match command {
            Command::Tell(Occurrence::Healed(heal)) => Some(heal),
            _ => None,
        });
        told.collect()
    }

    fn refusals(&self) -> Vec<&str> {
        let told = self.out.iter().filter_map(|command| match command {
            Command::Tell(Occurrence::Refused { reason, .. }) => Some(&**reason),
            _ => None,
        });
        told.collect()
    }
}

#[test]
fn it_is_removed_straight_from_the_event_and_told() {
    let mut case = Case::enforcing(live(7, &["theirs"]));
    let (attempt, version, removed) = case.strip();
    assert_eq!((&*version, &*removed), ("7", &["/data/theirs".into()][..]));
    case.answer(attempt, Ok(live(8, &[])));
    let [heal] = case.heals()[..] else {
        panic!("{:?}", case.out)
    };
    assert_eq!(heal.fault, Fault::Added);
    assert_eq!(heal.by, Blame::Manager("kubectl-patch".into(), None));
    assert_eq!(heal.fields.len(), 1);
    assert_eq!(heal.fields[0].from, Some(Shown::Plain("x".into())));
    assert_eq!(heal.fields[0].to, None);
    assert!(case.write().is_none());
}

#[test]
fn where_policy_reports_nothing_is_written_and_the_plan_lists_it() {
    let mode = Mode::Enforce { run: true };
    let mut case = Case::begin(mode, Foreign::Report, (&[], &[]), live(7, &["theirs"]));
    assert!(case.write().is_none());
    let plan = case.engine.plan();
    assert!(!plan.differs());
    assert_eq!(plan.foreign(), 1);
    // A policy that is another one now needs no new event.
    case.tell(Event::Desired(Box::new(set(Foreign::Remove, &[]))));
    let (_, version, removed) = case.strip();
    assert_eq!((&*version, &*removed), ("7", &["/data/theirs".into()][..]));
}

#[test]
fn what_is_ignored_or_left_in_a_conflict_is_not_removed() {
    let mode = Mode::Enforce { run: true };
    let live = live(7, &["ignored", "disputed"]);
    let left: (&[&str], &[&str]) = (&["data.ignored"], &["data.disputed"]);
    let mut case = Case::begin(mode, Foreign::Remove, left, live);
    assert!(case.write().is_none());
    assert_eq!(case.engine.plan().foreign(), 0);
}

#[test]
fn an_object_that_changed_meanwhile_is_looked_at_by_an_apply() {
    let mut case = Case::enforcing(live(7, &["theirs"]));
    let (attempt, ..) = case.strip();
    case.answer(attempt, Err(WriteError::Changed));
    let write = case.write().unwrap();
    assert!(matches!(write.verb, Verb::Apply { .. }), "{write:?}");
    case.answer(write.attempt, Ok(live(9, &["theirs", "more"])));
    let (attempt, version, removed) = case.strip();
    assert_eq!(version, "9");
    assert_eq!(removed, ["/data/theirs", "/data/more"]);
    case.answer(attempt, Ok(live(10, &[])));
    assert_eq!(case.heals()[0].fields.len(), 2);
    assert!(case.write().is_none());
}

#[test]
fn a_struct_that_is_being_emptied_while_a_controller_writes_is_emptied_all_the_same() {
    let filled = |version| {
        let mut filled = live(version, &[]);
        filled["data"]["hole"] = json!({"x": 1});
        let theirs = json!({"f:data": {"f:hole": {"f:x": {}}}});
        filled["metadata"]["managedFields"][1]["fieldsV1"] = theirs;
        filled
    };
    let mut case = Case::enforcing(filled(7));
    for version in [8, 9] {
        let write = case.write().unwrap();
        assert!(matches!(write.verb, Verb::Apply { .. }), "{write:?}");
        case.answer(write.attempt, Ok(filled(version)));
        let (attempt, at, places) = case.strip();
        assert_eq!((at, &*places[0]), (version.to_string(), "/data/hole"));
        if version == 8 {
            case.answer(attempt, Err(WriteError::Changed));
        } else {
            case.answer(attempt, Ok(live(10, &[])));
        }
    }
    let [heal] = case.heals()[..] else {
        panic!("{:?}", case.out)
    };
    assert_eq!(heal.by, Blame::Manager("kubectl-patch".into(), None));
    assert_eq!(heal.fields[0].path.to_string(), "data.hole.x");
}

#[test]
fn what_comes_back_is_left_after_two_removals() {
    let mut case = Case::enforcing(live(7, &["theirs"]));
    for version in [7, 8] {
        let (attempt, at, _) = case.strip();
        assert_eq!(at, version.to_string());
        case.answer(attempt, Ok(live(version + 1, &["theirs"])));
    }
    assert_eq!(
        case.refusals(),
        ["data.theirs by kubectl-patch comes back when it is removed: left"]
    );
    assert!(case.write().is_none());
    assert!(!case.engine.plan().differs());
}

#[test]
fn what_is_there_by_default_is_left_without_a_word() {
    let mut case = Case::enforcing(live(7, &["theirs", "default"]));
    let (attempt, ..) = case.strip();
    case.answer(attempt, Ok(live(8, &["default"])));
    let (attempt, version, removed) = case.strip();
    assert_eq!((&*version, &*removed), ("8", &["/data/default".into()][..]));
    case.answer(attempt, Ok(live(8, &["default"])));
    assert_eq!(case.heals()[0].fields.len(), 1);
    assert_eq!(case.refusals(), Vec::<&str>::new());
    assert!(case.write().is_none());
    assert!(!case.engine.plan().differs());
}

#[test]
fn a_refused_removal_never_makes_the_object_anew() {
    let mut case = Case::enforcing(live(7, &["theirs"]));
    let (attempt, ..) = case.strip();
    case.answer(
        attempt,
        Err(WriteError::Immutable("it is immutable".into())),
    );
    assert_eq!(
        case.refusals(),
        [
            "cannot be rid of what others added (data.theirs by kubectl-patch): it is immutable: left"
        ]
    );
    assert!(case.write().is_none());
}

#[test]
fn a_plan_asks_the_server_and_shows_what_would_go() {
    let mode = Mode::Observe { rehearse: true };
    let mut case = Case::begin(mode, Foreign::Remove, (&[], &[]), live(7, &["theirs"]));
    let write = case.write().unwrap();
    assert!(write.verb.only_rehearses(), "{write:?}");
    case.answer(write.attempt, Ok(live(7, &[])));
    let plan = case.engine.plan();
    let (_, step) = plan.steps().next().unwrap();
    assert_eq!(step.reason, "others added to it");
    let (change, by) = &step.fields[0];
    assert_eq!(change.path.to_string(), "data.theirs");
    assert_eq!(*by, Blame::Manager("kubectl-patch".into(), None));
    assert_eq!(plan.foreign(), 0);
}
