//! What intruders do to custom resources, with a schema and without.

use serde_json::json;

use super::{
    Case, Expect,
    Expect::{Added, Blamed, Left, Unknown},
    actor::INTRUDER,
    case,
    world::Kind::{self, Gadget, Widget},
};

const BY_INTRUDER: Expect = Blamed(INTRUDER);

pub const STATUS: Case = case("a status of a Gadget", Gadget, Left, |actor, it| {
    actor.patch_part(it, "/status", &json!({"status": {"theirs": 1}}));
});

/// The same for both kinds.
pub fn cases() -> Vec<Case> {
    [of(Gadget), of(Widget), vec![STATUS]].concat()
}

fn of(kind: Kind) -> Vec<Case> {
    vec![
        case("a number", kind, BY_INTRUDER, |actor, it| {
            actor.merge(it, &json!({"spec": {"size": 2}}));
        }),
        case("a nested key", kind, BY_INTRUDER, |actor, it| {
            actor.merge(it, &json!({"spec": {"nested": {"key": "theirs"}}}));
        }),
        case("a field removed", kind, Unknown, |actor, it| {
            actor.merge(it, &json!({"spec": {"size": null}}));
        }),
        case(
            "an item of a list removed",
            kind,
            BY_INTRUDER,
            |actor, it| {
                actor.merge(it, &json!({"spec": {"list": ["k"]}}));
            },
        ),
        case("an item of a list added", kind, BY_INTRUDER, |actor, it| {
            actor.merge(it, &json!({"spec": {"list": ["k", "l", "m"]}}));
        }),
        case("a key added to a map", kind, Added, |actor, it| {
            actor.merge(it, &json!({"spec": {"nested": {"theirs": "x"}}}));
        }),
        case(
            "the spec replaced by another",
            kind,
            BY_INTRUDER,
            |actor, it| {
                actor.json(it, &json!([{"op": "replace", "path": "/spec",
                "value": {"size": 7, "nested": {"key": "one", "other": "two"}, "list": ["k", "l"]}}]));
            },
        ),
    ]
}
