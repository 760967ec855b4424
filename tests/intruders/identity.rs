//! What intruders do to identity: whose an object is, and whether it is there at all.

use serde_json::{Value, json};

use super::{
    Case,
    Expect::{Blamed, Left, Remade, Undone, Unknown},
    actor::{Actor, INTRUDER},
    case,
    world::Kind::{ConfigMap, Deployment, Gadget, Secret, Service},
};

pub const UNDER_OUR_NAME: &[Case] = &[
    case("our own apply again", Secret, Left, |actor, it| {
        let live = actor.live(it);
        actor.apply(&it.ours, it, &ours(&live));
    }),
    case(
        "an apply under our name with another value",
        Secret,
        Unknown,
        |actor, it| {
            let mut body = ours(&actor.live(it));
            body["data"]["p"] = "dGhlaXJz".into();
            actor.apply(&it.ours, it, &body);
        },
    ),
    case(
        "an apply under our name with fewer fields",
        Secret,
        Unknown,
        |actor, it| {
            let mut body = ours(&actor.live(it));
            body["data"].as_object_mut().unwrap().remove("p");
            actor.apply(&it.ours, it, &body);
        },
    ),
    case("an update under our name", Secret, Undone, |actor, it| {
        actor.merge_as(&it.ours, it, &json!({"data": {"p": "dGhlaXJz"}}));
    }),
    case("our entry renamed", Secret, Undone, |actor, it| {
        actor.edit(it, |object| {
            for entry in object["metadata"]["managedFields"].as_array_mut().unwrap() {
                entry["manager"] = INTRUDER.into();
            }
        });
    }),
];

pub const GONE: &[Case] = &[
    case("deleted", Deployment, Remade, Actor::delete),
    case("a Secret deleted", Secret, Remade, Actor::delete),
    case("a Service deleted", Service, Remade, Actor::delete),
    case("a custom resource deleted", Gadget, Remade, Actor::delete),
    case(
        "deleted behind a finalizer",
        ConfigMap,
        Remade,
        |actor, it| {
            actor.delete(it);
            std::thread::sleep(std::time::Duration::from_millis(300));
            assert!(
                actor.live(it)["metadata"]["deletionTimestamp"].is_string(),
                "left alone"
            );
            actor.merge(it, &json!({"metadata": {"finalizers": null}}));
        },
    ),
    case(
        "deleted and made by another",
        Secret,
        Undone,
        |actor, it| {
            let mut copy = copied(&actor.live(it));
            copy["data"] = json!({"p": "dGhlaXJz"});
            copy["metadata"].as_object_mut().unwrap().remove("labels");
            actor.delete(it);
            actor.create(it, &copy);
        },
    ),
    case(
        "deleted and copied with our labels",
        Secret,
        Undone,
        |actor, it| {
            let copy = copied(&actor.live(it));
            actor.delete(it);
            actor.create(it, &copy);
        },
    ),
];

pub const LABELS: &[Case] = &[
    case("our label removed", Service, Undone, |actor, it| {
        actor.merge(
            it,
            &json!({"metadata": {"labels": {"jsorc.dev/instance": null}}}),
        );
    }),
    case("our label changed", Service, Undone, |actor, it| {
        actor.merge(
            it,
            &json!({"metadata": {"labels": {"jsorc.dev/instance": "other"}}}),
        );
    }),
    case(
        "the ApplySet's label changed",
        Service,
        Blamed(INTRUDER),
        |actor, it| {
            actor.merge(
                it,
                &json!({"metadata": {"labels": {"applyset.kubernetes.io/part-of": "other"}}}),
            );
        },
    ),
    case(
        "the ApplySet's label removed",
        Service,
        Unknown,
        |actor, it| {
            actor.merge(
                it,
                &json!({"metadata": {"labels": {"applyset.kubernetes.io/part-of": null}}}),
            );
        },
    ),
    case("all labels removed", Service, Undone, |actor, it| {
        actor.merge(it, &json!({"metadata": {"labels": null}}));
    }),
    case("an owner added", ConfigMap, Left, |actor, it| {
        let uid = actor.live(it)["metadata"]["uid"].clone();
        // It owns itself: nothing is collected by it.
        actor.merge(
            it,
            &json!({"metadata": {"ownerReferences": [
                {"apiVersion": "v1", "kind": "ConfigMap", "name": it.name, "uid": uid}]}}),
        );
    }),
];

/// What we apply of a Secret.
fn ours(live: &Value) -> Value {
    json!({"data": live["data"], "metadata": {"labels": live["metadata"]["labels"]}})
}

/// As `kubectl get -o yaml | kubectl create -f -` copies it.
fn copied(live: &Value) -> Value {
    let mut copy = live.clone();
    let metadata = copy["metadata"].as_object_mut().unwrap();
    for field in [
        "resourceVersion",
        "uid",
        "creationTimestamp",
        "managedFields",
    ] {
        metadata.remove(field);
    }
    copy
}
