//! What intruders do to Deployments.

use serde_json::json;

use super::{
    Case, Expect,
    Expect::{Added, Blamed, Left, Undone, Unknown},
    actor::{Actor, INTRUDER, Target},
    case,
    world::Kind::Deployment,
};

const BY_INTRUDER: Expect = Blamed(INTRUDER);

pub const FIELDS: &[Case] = &[
    case(
        "the scale subresource patched",
        Deployment,
        BY_INTRUDER,
        |actor, it| {
            actor.patch_part(it, "/scale", &json!({"spec": {"replicas": 1}}));
        },
    ),
    case(
        "the scale subresource replaced",
        Deployment,
        BY_INTRUDER,
        |actor, it| {
            let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale",
                "metadata": {"name": it.name, "namespace": actor.live(it)["metadata"]["namespace"]},
                "spec": {"replicas": 1}});
            actor.put(it, "/scale", &scale);
        },
    ),
    case(
        "scaled to the same number",
        Deployment,
        Left,
        |actor, it| {
            actor.patch_part(it, "/scale", &json!({"spec": {"replicas": 0}}));
        },
    ),
    case(
        "the replicas patched",
        Deployment,
        BY_INTRUDER,
        |actor, it| {
            actor.merge(it, &json!({"spec": {"replicas": 1}}));
        },
    ),
    case(
        "the replicas removed, and defaulted",
        Deployment,
        Undone,
        |actor, it| {
            actor.json(it, &json!([{"op": "remove", "path": "/spec/replicas"}]));
        },
    ),
    case("an image changed", Deployment, BY_INTRUDER, |actor, it| {
        actor.strategic(it, &json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "theirs:1"}]}}}}));
    }),
    case("a label changed", Deployment, BY_INTRUDER, |actor, it| {
        actor.merge(it, &json!({"metadata": {"labels": {"tier": "back"}}}));
    }),
    case("an annotation removed", Deployment, Unknown, |actor, it| {
        actor.merge(
            it,
            &json!({"metadata": {"annotations": {"example.com/note": null}}}),
        );
    }),
    case("a restart of its pods", Deployment, Left, |actor, it| {
        actor.strategic(
            it,
            &json!({"spec": {"template": {"metadata": {"annotations": {
                "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}}}}}),
        );
    }),
    case("a status written", Deployment, Left, |actor, it| {
        actor.patch_part(
            it,
            "/status",
            &json!({"status": {"conditions": [{"type": "Theirs", "status": "True"}]}}),
        );
    }),
    case("paused", Deployment, Added, |actor, it| {
        actor.merge(it, &json!({"spec": {"paused": true}}));
    }),
    case(
        "a quantity in other words",
        Deployment,
        Left,
        |actor, it| {
            actor.strategic(
                it,
                &json!({"spec": {"template": {"spec": {"containers": [
                {"name": "main", "resources": {"requests": {"cpu": "1"}}}]}}}}),
            );
        },
    ),
    case("another quantity", Deployment, BY_INTRUDER, |actor, it| {
        actor.strategic(
            it,
            &json!({"spec": {"template": {"spec": {"containers": [
                {"name": "main", "resources": {"requests": {"cpu": "2"}}}]}}}}),
        );
    }),
    case("a limit added", Deployment, Added, |actor, it| {
        actor.strategic(
            it,
            &json!({"spec": {"template": {"spec": {"containers": [
                {"name": "main", "resources": {"limits": {"cpu": "2"}}}]}}}}),
        );
    }),
    case(
        "a probe's path changed",
        Deployment,
        BY_INTRUDER,
        |actor, it| {
            actor.strategic(
                it,
                &json!({"spec": {"template": {"spec": {"containers": [
                {"name": "main", "readinessProbe": {"httpGet": {"path": "/theirs"}}}]}}}}),
            );
        },
    ),
    case("a probe removed", Deployment, Unknown, |actor, it| {
        actor.json(
            it,
            &json!([{"op": "remove", "path": "/spec/template/spec/containers/0/readinessProbe"}]),
        );
    }),
    case("a service account set", Deployment, Added, |actor, it| {
        actor.strategic(
            it,
            &json!({"spec": {"template": {"spec": {"serviceAccountName": "theirs"}}}}),
        );
    }),
];

pub const LISTS: &[Case] = &[
    case("the arguments removed", Deployment, Unknown, |actor, it| {
        actor.json(
            it,
            &json!([{"op": "remove", "path": "/spec/template/spec/containers/0/args"}]),
        );
    }),
    case(
        "one argument removed",
        Deployment,
        BY_INTRUDER,
        |actor, it| {
            actor.json(
                it,
                &json!([{"op": "remove", "path": "/spec/template/spec/containers/0/args/1"}]),
            );
        },
    ),
    case("a container removed", Deployment, Unknown, |actor, it| {
        actor.json(
            it,
            &json!([{"op": "remove", "path": "/spec/template/spec/containers/1"}]),
        );
    }),
    case(
        "the containers in another order",
        Deployment,
        Unknown,
        |actor, it| {
            actor.edit(it, |object| {
                let containers = &mut object["spec"]["template"]["spec"]["containers"];
                containers.as_array_mut().unwrap().reverse();
            });
        },
    ),
    case("a container added", Deployment, Added, |actor, it| {
        actor.strategic(it, &json!({"spec": {"template": {"spec": {"containers": [{"name": "theirs", "image": "theirs:1"}]}}}}));
    }),
    case("a variable added", Deployment, Added, |actor, it| {
        actor.strategic(
            it,
            &json!({"spec": {"template": {"spec": {"containers": [
                {"name": "main", "env": [{"name": "THEIRS", "value": "x"}]}]}}}}),
        );
    }),
    case(
        "a variable changed",
        Deployment,
        BY_INTRUDER,
        |actor, it| {
            actor.strategic(
                it,
                &json!({"spec": {"template": {"spec": {"containers": [
                {"name": "main", "env": [{"name": "A", "value": "theirs"}]}]}}}}),
            );
        },
    ),
    case("a variable removed", Deployment, Unknown, |actor, it| {
        actor.json(
            it,
            &json!([{"op": "remove", "path": "/spec/template/spec/containers/0/env/0"}]),
        );
    }),
    case("a variable given twice", Deployment, Undone, |actor, it| {
        actor.json(
            it,
            &json!([{"op": "add", "path": "/spec/template/spec/containers/0/env/-",
                "value": {"name": "A", "value": "theirs"}}]),
        );
    }),
    case("a volume added", Deployment, Added, |actor, it| {
        actor.strategic(it, &json!({"spec": {"template": {"spec": {"volumes": [{"name": "theirs", "emptyDir": {}}]}}}}));
    }),
    case(
        "a volume of another source",
        Deployment,
        Unknown,
        |actor, it| {
            actor.json(
                it,
                &json!([{"op": "replace", "path": "/spec/template/spec/volumes/0",
                "value": {"name": "scratch", "hostPath": {"path": "/", "type": ""}}}]),
            );
        },
    ),
    case(
        "a volume of another source without our label",
        Deployment,
        Undone,
        spoil_unlabelled,
    ),
    case(
        "a volume of another source under a busy controller",
        Deployment,
        Undone,
        |actor, it| {
            spoil_unlabelled(actor, it);
            for moment in 0..100 {
                let written =
                    json!({"type": "Busy", "status": "True", "reason": format!("At{moment}")});
                actor.patch_part(it, "/status", &json!({"status": {"conditions": [written]}}));
            }
        },
    ),
    case(
        "an empty struct filled",
        Deployment,
        BY_INTRUDER,
        |actor, it| {
            actor.strategic(
                it,
                &json!({"spec": {"template": {"spec": {"volumes": [
                {"name": "scratch", "emptyDir": {"medium": "Memory"}}]}}}}),
            );
        },
    ),
    case(
        "an empty struct filled with a size",
        Deployment,
        BY_INTRUDER,
        |actor, it| {
            actor.strategic(
                it,
                &json!({"spec": {"template": {"spec": {"volumes": [
                {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}]}}}}),
            );
        },
    ),
];

/// An image changed by replacing the whole object, with less and less of `managedFields`.
pub const REPLACEMENTS: &[Case] = &[
    case(
        "replaced without managedFields",
        Deployment,
        BY_INTRUDER,
        |actor, it| {
            actor.edit(it, |object| {
                object["spec"]["template"]["spec"]["containers"][0]["image"] = "theirs:1".into();
                object["metadata"]
                    .as_object_mut()
                    .unwrap()
                    .remove("managedFields");
            });
        },
    ),
    case(
        "replaced, managedFields emptied",
        Deployment,
        Undone,
        |actor, it| {
            actor.edit(it, |object| {
                object["spec"]["template"]["spec"]["containers"][0]["image"] = "theirs:1".into();
                object["metadata"]["managedFields"] = json!([]);
            });
        },
    ),
    case(
        "replaced, managedFields reset",
        Deployment,
        Undone,
        |actor, it| {
            actor.edit(it, |object| {
                object["spec"]["template"]["spec"]["containers"][0]["image"] = "theirs:1".into();
                object["metadata"]["managedFields"] = json!([{}]);
            });
        },
    ),
    case(
        "only managedFields emptied",
        Deployment,
        Undone,
        |actor, it| {
            actor.edit(it, |object| object["metadata"]["managedFields"] = json!([]));
        },
    ),
    case(
        "changed, and managedFields forged",
        Deployment,
        Undone,
        |actor, it| {
            let forged = actor.live(it)["metadata"]["managedFields"].clone();
            actor.edit(it, |object| {
                object["spec"]["template"]["spec"]["containers"][0]["image"] = "theirs:1".into();
                object["metadata"]["managedFields"].clone_from(&forged);
            });
            // The server may have put the change into another entry: write the old ones once more.
            actor.edit(it, |object| {
                object["metadata"]["managedFields"].clone_from(&forged);
            });
        },
    ),
];

/// Takes our label off and gives the volume a source beside which the server refuses ours.
fn spoil_unlabelled(actor: &Actor, it: &Target) {
    actor.json(
        it,
        &json!([{"op": "remove", "path": "/metadata/labels/jsorc.dev~1instance"},
            {"op": "replace", "path": "/spec/template/spec/volumes/0",
            "value": {"name": "scratch", "hostPath": {"path": "/", "type": ""}}}]),
    );
}
