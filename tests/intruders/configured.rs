//! What intruders do to config maps, Secrets, Services, policies and bindings.

use serde_json::json;

use super::{
    Case, Expect,
    Expect::{Added, Blamed, Left, Undone, Unknown},
    actor::{Actor, INTRUDER},
    case,
    world::Kind::{Autoscaler, ConfigMap, NetworkPolicy, RoleBinding, Secret, Service},
};

const BY_INTRUDER: Expect = Blamed(INTRUDER);

pub const CASES: &[Case] = &[
    case(
        "merge patch of a value",
        ConfigMap,
        BY_INTRUDER,
        |actor, it| {
            actor.merge(it, &json!({"data": {"a": "theirs"}}));
        },
    ),
    case(
        "strategic patch of a value",
        ConfigMap,
        BY_INTRUDER,
        |actor, it| {
            actor.strategic(it, &json!({"data": {"a": "theirs"}}));
        },
    ),
    case(
        "JSON patch of a value",
        ConfigMap,
        BY_INTRUDER,
        |actor, it| {
            actor.json(
                it,
                &json!([{"op": "replace", "path": "/data/a", "value": "theirs"}]),
            );
        },
    ),
    case(
        "read, edit, replace",
        ConfigMap,
        BY_INTRUDER,
        |actor, it| {
            actor.edit(it, |object| object["data"]["a"] = "theirs".into());
        },
    ),
    case("patch to the same value", ConfigMap, Left, |actor, it| {
        actor.merge(it, &json!({"data": {"a": "one"}}));
    }),
    case(
        "the same value and a key of their own",
        ConfigMap,
        Added,
        |actor, it| {
            actor.merge(it, &json!({"data": {"a": "one", "theirs": "x"}}));
        },
    ),
    case(
        "another value and back again",
        ConfigMap,
        Undone,
        |actor, it| {
            actor.merge(it, &json!({"data": {"a": "theirs"}}));
            actor.merge(it, &json!({"data": {"a": "one"}}));
        },
    ),
    case("a key removed", ConfigMap, Unknown, |actor, it| {
        actor.merge(it, &json!({"data": {"a": null}}));
    }),
    case("all data dropped", ConfigMap, Unknown, |actor, it| {
        actor.json(it, &json!([{"op": "remove", "path": "/data"}]));
    }),
    case("a key added", ConfigMap, Added, |actor, it| {
        actor.merge(it, &json!({"data": {"theirs": "x"}}));
    }),
    case("made immutable", ConfigMap, Left, |actor, it| {
        actor.merge(it, &json!({"immutable": true}));
    }),
    case("binary data added", ConfigMap, Added, |actor, it| {
        actor.merge(it, &json!({"binaryData": {"theirs": "eA=="}}));
    }),
    case(
        "a key moved to binary data",
        ConfigMap,
        Undone,
        |actor, it| {
            actor.merge(
                it,
                &json!({"data": {"a": null}, "binaryData": {"c": "eA=="}}),
            );
            actor.merge(it, &json!({"binaryData": null}));
        },
    ),
    case("a label changed", ConfigMap, BY_INTRUDER, |actor, it| {
        actor.merge(it, &json!({"metadata": {"labels": {"tier": "back"}}}));
    }),
    case("a label removed", ConfigMap, Unknown, |actor, it| {
        actor.merge(it, &json!({"metadata": {"labels": {"tier": null}}}));
    }),
    case("a label added", ConfigMap, Added, |actor, it| {
        actor.merge(it, &json!({"metadata": {"labels": {"theirs": "x"}}}));
    }),
    case(
        "an annotation changed",
        ConfigMap,
        BY_INTRUDER,
        |actor, it| {
            actor.merge(
                it,
                &json!({"metadata": {"annotations": {"example.com/note": "bye"}}}),
            );
        },
    ),
    case("an annotation removed", ConfigMap, Unknown, |actor, it| {
        actor.merge(it, &json!({"metadata": {"annotations": null}}));
    }),
    case("a finalizer removed", ConfigMap, Unknown, |actor, it| {
        actor.merge(it, &json!({"metadata": {"finalizers": null}}));
    }),
    case("a finalizer added", ConfigMap, Left, |actor, it| {
        actor.json(it, &json!([{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/theirs"}]));
    }),
    case(
        "forced apply of another value",
        ConfigMap,
        BY_INTRUDER,
        |actor, it| {
            actor.apply(INTRUDER, it, &json!({"data": {"a": "theirs"}}));
        },
    ),
    case("apply of the same value", ConfigMap, Left, |actor, it| {
        actor.apply(INTRUDER, it, &json!({"data": {"a": "one"}}));
    }),
    case(
        "shared, then changed by an update",
        ConfigMap,
        BY_INTRUDER,
        |actor, it| {
            actor.apply("sharer", it, &json!({"data": {"a": "one"}}));
            actor.merge(it, &json!({"data": {"a": "theirs"}}));
        },
    ),
    case(
        "shared, then changed by its sharer",
        ConfigMap,
        Blamed("sharer"),
        |actor, it| {
            actor.apply("sharer", it, &json!({"data": {"a": "one"}}));
            actor.apply("sharer", it, &json!({"data": {"a": "theirs"}}));
        },
    ),
    case("shared, then given up", ConfigMap, Left, |actor, it| {
        actor.apply("sharer", it, &json!({"data": {"a": "one"}}));
        actor.apply("sharer", it, &json!({}));
    }),
    case(
        "a value of a Secret changed",
        Secret,
        BY_INTRUDER,
        |actor, it| {
            actor.merge(it, &json!({"data": {"p": "dGhlaXJz"}}));
        },
    ),
    case(
        "a value of a Secret changed as text",
        Secret,
        BY_INTRUDER,
        |actor, it| {
            actor.merge(it, &json!({"stringData": {"p": "theirs"}}));
        },
    ),
    case(
        "a value of a Secret removed",
        Secret,
        Unknown,
        |actor, it| {
            actor.merge(it, &json!({"data": {"p": null}}));
        },
    ),
    case("a value added to a Secret", Secret, Added, |actor, it| {
        actor.merge(it, &json!({"data": {"theirs": "eA=="}}));
    }),
    case(
        "the port of a Service changed",
        Service,
        Undone,
        |actor, it| {
            actor.json(
                it,
                &json!([{"op": "replace", "path": "/spec/ports/0/port", "value": 81}]),
            );
        },
    ),
    case(
        "the target port of a Service changed",
        Service,
        BY_INTRUDER,
        |actor, it| {
            actor.json(
                it,
                &json!([{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 81}]),
            );
        },
    ),
    case(
        "the selector of a Service changed",
        Service,
        BY_INTRUDER,
        |actor, it| {
            actor.merge(it, &json!({"spec": {"selector": {"tier": "back"}}}));
        },
    ),
    case(
        "a key added to the selector of a Service",
        Service,
        BY_INTRUDER,
        |actor, it| {
            actor.merge(it, &json!({"spec": {"selector": {"theirs": "x"}}}));
        },
    ),
    case(
        "a key of the selector of a Service removed",
        Service,
        Undone,
        |actor, it| {
            actor.merge(it, &json!({"spec": {"selector": {"tier": null}}}));
        },
    ),
    case("a session affinity set", Service, Added, |actor, it| {
        actor.merge(it, &json!({"spec": {"sessionAffinity": "ClientIP"}}));
    }),
    case(
        "an empty selector of a policy filled",
        NetworkPolicy,
        BY_INTRUDER,
        |actor, it| {
            actor.merge(
                it,
                &json!({"spec": {"podSelector": {"matchLabels": {"a": "b"}}}}),
            );
        },
    ),
    case(
        "a type of a policy added",
        NetworkPolicy,
        BY_INTRUDER,
        |actor, it| {
            actor.merge(it, &json!({"spec": {"policyTypes": ["Ingress", "Egress"]}}));
        },
    ),
    case(
        "an ingress rule added to a policy",
        NetworkPolicy,
        Added,
        |actor, it| {
            actor.merge(it, &json!({"spec": {"ingress": [{}]}}));
        },
    ),
    case(
        "the subjects of a binding changed",
        RoleBinding,
        BY_INTRUDER,
        |actor, it| {
            actor.merge(
                it,
                &json!({"subjects": [
                {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "intruder"}]}),
            );
        },
    ),
    case(
        "the subjects of a binding removed",
        RoleBinding,
        Unknown,
        |actor, it| {
            actor.merge(it, &json!({"subjects": null}));
        },
    ),
    case(
        "an autoscaler's minimum through v1",
        Autoscaler,
        BY_INTRUDER,
        |actor, it| {
            let it = Actor::as_version(it, "autoscaling/v1");
            actor.merge(&it, &json!({"spec": {"minReplicas": 1}}));
        },
    ),
    case(
        "an autoscaler's maximum through v1",
        Autoscaler,
        BY_INTRUDER,
        |actor, it| {
            let it = Actor::as_version(it, "autoscaling/v1");
            actor.merge(&it, &json!({"spec": {"maxReplicas": 50}}));
        },
    ),
    case(
        "an autoscaler's target through v1",
        Autoscaler,
        Undone,
        |actor, it| {
            let it = Actor::as_version(it, "autoscaling/v1");
            actor.merge(
                &it,
                &json!({"spec": {"targetCPUUtilizationPercentage": 10}}),
            );
        },
    ),
    case(
        "an autoscaler's behaviour added",
        Autoscaler,
        Added,
        |actor, it| {
            actor.merge(
                it,
                &json!({"spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 5}}}}),
            );
        },
    ),
];
