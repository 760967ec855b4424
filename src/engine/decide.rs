//! What ought to be done about one object: a pure function of what is known about it.

use super::event::FieldConflict;
use super::flight::Cause;
use super::health::Health;
use super::live::Live;
use super::object::{Foreign, Looked, Object};
use super::occurrence::Fault;
use super::record::Applied;
use crate::config::Policy;
use crate::desired::{RunPolicy, WriteMode};
use crate::manifest::spec::{self, Adopt, Conflicts, Mode};
use std::time::Duration;

/// What surrounds the object at the moment of the decision.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any of them can hold"
)]
pub struct Surroundings<'a> {
    /// Its service's policy.
    pub policy: Policy,
    /// Whether anything may be written at all.
    pub enforce: bool,
    /// Whether a request about it is on its way that is not its own flight.
    pub flies: bool,
    /// Whether nothing is known yet, because the watch or the inventories are missing.
    pub unknown: bool,
    /// What has to come before a write.
    pub waits_for: Option<String>,
    /// Why a person has to decide about the whole service.
    pub blocked: Option<&'a str>,
    /// Whether the stored inventory names the object, and nobody stored another since.
    pub recorded: bool,
    /// Whether fields differ that were not healed over and over.
    pub beyond_fight: bool,
    /// Monotonic time.
    pub now: Duration,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: too little is known.
    Unknown,
    /// Nothing: a write is on its way.
    Leave,
    /// Nothing: it is as applied.
    InOrder,
    /// Nothing until something else has come.
    Wait(String),
    /// Nothing until this time.
    Rest(Duration),
    /// Say that it differs.
    Report(Cause),
    /// Let a person decide.
    Block(String),
    /// Look whether the name is taken.
    Look,
    /// Put the object into the inventory first.
    Record,
    /// Write it.
    Write(Cause),
}

/// Decides about one object.
#[must_use]
pub fn decide(object: &Object, around: &Surroundings<'_>) -> Decision {
    if object.flight.is_some() || around.flies {
        return Decision::Leave;
    }
    if around.unknown {
        return Decision::Unknown;
    }
    let cause = match difference(object, around.policy) {
        Difference::None => return Decision::InOrder,
        Difference::Terminating => return Decision::Wait("is being deleted".into()),
        Difference::LookFirst => return Decision::Look,
        Difference::Looking => return Decision::Leave,
        Difference::Foreign(why) => return Decision::Block(why),
        Difference::Cause(cause) => cause,
    };
    if let Some(why) = around.blocked {
        return Decision::Block(why.to_owned());
    }
    let left_alone = object.suspended().is_some();
    if !around.enforce || around.policy.mode == Mode::Report || left_alone {
        return Decision::Report(cause);
    }
    if let Some(first) = &around.waits_for {
        return Decision::Wait(first.clone());
    }
    if let Some(until) = resting_until(object, cause, around).filter(|until| *until > around.now) {
        return Decision::Rest(until);
    }
    if !around.recorded && object.desired.mode != WriteMode::Ensure {
        return Decision::Record;
    }
    Decision::Write(cause)
}

/// Whether an object has additions of others that policy removes.
#[must_use]
pub fn strips(object: &Object, policy: Policy) -> bool {
    removes(policy) && object.additions().next().is_some()
}

/// Whether policy removes what others add.
#[must_use]
pub fn removes(policy: Policy) -> bool {
    policy.foreign == spec::Foreign::Remove
}

/// Whether a live object is not as applied, as far as it and its record tell.
#[must_use]
pub fn differs(object: &Object) -> bool {
    let known = object
        .record
        .as_ref()
        .and_then(|record| record.applied.as_ref());
    match (&object.live, known) {
        // Whoever made it, it is as it ought to be.
        (Some(_), _) if matches!(object.desired.mode, WriteMode::Generate(_)) => false,
        (Some(live), Some(known)) => {
            !matches!(compared(object, live, known, None), Difference::None)
        }
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn resting_until(object: &Object, cause: Cause, around: &Surroundings<'_>) -> Option<Duration> {
    let trouble = object.trouble.as_ref().and_then(|trouble| trouble.until);
    let heals = object
        .rests_until()
        .filter(|_| matches!(cause, Cause::Drift(_)) && !around.beyond_fight);
    trouble.max(heals)
}

enum Difference {
    None,
    Terminating,
    LookFirst,
    Looking,
    Foreign(String),
    Cause(Cause),
}

fn difference(object: &Object, policy: Policy) -> Difference {
    match &object.desired.mode {
        WriteMode::Ensure => unwatched(object),
        WriteMode::Generate(_) => generated(object),
        WriteMode::Job(run) => job(object, *run, policy),
        WriteMode::Apply => applied(object, policy),
    }
}

/// A namespace: it is there, or it is created.
fn unwatched(object: &Object) -> Difference {
    match &object.looked {
        Looked::No => Difference::LookFirst,
        Looked::Pending => Difference::Looking,
        Looked::Absent => Difference::Cause(Cause::Missing),
        Looked::Present(found) if found.health == Health::Terminating => Difference::Terminating,
        Looked::Present(_) => Difference::None,
    }
}

/// A Secret with made-up values: whoever made it, its values are the ones in use. One that was
/// made and left our sight may only have lost our label.
fn generated(object: &Object) -> Difference {
    let made = object
        .record
        .as_ref()
        .is_some_and(|record| record.applied.is_some());
    match &object.live {
        Some(live) if live.health == Health::Terminating => Difference::Terminating,
        Some(_) => Difference::None,
        None if made && object.looked == Looked::Absent => {
            Difference::Cause(Cause::Drift(Fault::Deleted))
        }
        None => unwatched(object),
    }
}

fn job(object: &Object, run: RunPolicy, policy: Policy) -> Difference {
    let Some(known) = object
        .record
        .as_ref()
        .and_then(|record| record.applied.as_ref())
    else {
        return applied(object, policy);
    };
    let changed = known.digest != object.desired.digest;
    let may_go = object.is_done() && (run == RunPolicy::Once || !changed);
    match (&object.live, run) {
        (Some(live), RunPolicy::Once | RunPolicy::OnChange)
            if live.health == Health::Terminating && may_go =>
        {
            Difference::None
        }
        (Some(live), _) if live.health == Health::Terminating => Difference::Terminating,
        (Some(_), RunPolicy::OnChange | RunPolicy::Always) if changed => {
            Difference::Cause(Cause::Recreate)
        }
        (Some(_), RunPolicy::Once) if changed => Difference::None,
        (Some(_), _) => applied(object, policy),
        (None, RunPolicy::Always) => Difference::Cause(Cause::Missing),
        (None, RunPolicy::OnChange) if changed => Difference::Cause(Cause::Changed),
        (None, _) if object.is_done() => Difference::None,
        (None, _) => Difference::Cause(Cause::Drift(Fault::Deleted)),
    }
}

fn applied(object: &Object, policy: Policy) -> Difference {
    let known = object
        .record
        .as_ref()
        .and_then(|record| record.applied.as_ref());
    match (&object.live, known) {
        (Some(live), _) if live.health == Health::Terminating => Difference::Terminating,
        (Some(live), Some(known)) => compared(object, live, known, Some(policy)),
        (Some(live), None) if live.evidence.is_some() => Difference::Cause(Cause::Unrecorded),
        (Some(_), None) => Difference::Foreign(copied(object)),
        (None, Some(_)) => Difference::Cause(Cause::Drift(Fault::Deleted)),
        (None, None) => match &object.looked {
            Looked::No => Difference::LookFirst,
            Looked::Pending => Difference::Looking,
            Looked::Absent => Difference::Cause(Cause::Missing),
            Looked::Present(foreign) => adoption(object, foreign, policy),
        },
    }
}

fn compared(object: &Object, live: &Live, known: &Applied, policy: Option<Policy>) -> Difference {
    if live.uid != known.uid {
        return Difference::Cause(Cause::Drift(Fault::Replaced));
    }
    let takes = policy.is_some_and(|policy| policy.conflicts == Conflicts::Take)
        && !known.conflicts.iter().all(FieldConflict::is_autoscaled);
    if known.digest != object.desired.digest || takes {
        return Difference::Cause(Cause::Changed);
    }
    let same = match (&live.evidence, &known.evidence) {
        (Some(now), Some(then)) => now.entry == then.entry && now.projection == then.projection,
        (now, then) => now.is_none() && then.is_none(),
    };
    match (same, live.labelled) {
        (true, true) if policy.is_some_and(|policy| strips(object, policy)) => {
            Difference::Cause(Cause::Drift(Fault::Added))
        }
        (true, true) => Difference::None,
        (_, false) => Difference::Cause(Cause::Drift(Fault::Unlabelled)),
        (false, true) => Difference::Cause(Cause::Drift(Fault::Changed)),
    }
}

fn adoption(object: &Object, foreign: &Foreign, policy: Policy) -> Difference {
    if foreign.health == Health::Terminating {
        return Difference::Terminating;
    }
    if foreign.applied_by_us {
        return Difference::Cause(Cause::Unrecorded);
    }
    if policy.adopt == Adopt::Unowned && foreign.owner.is_none() {
        return Difference::Cause(Cause::Unrecorded);
    }
    let whose = match (&foreign.owner, foreign.managers.as_slice()) {
        (Some(owner), _) => format!("it belongs to {owner}"),
        (None, []) => "jsorc did not create it".to_owned(),
        (None, managers) => format!(
            "jsorc did not create it (managers: {})",
            managers.join(", ")
        ),
    };
    Difference::Foreign(format!(
        "exists already and {whose}; take it over with `jsorc adopt {}`",
        object.desired.key.short()
    ))
}

fn copied(object: &Object) -> String {
    format!(
        "carries our label, but jsorc did not apply it; take it over with `jsorc adopt {}`",
        object.desired.key.short()
    )
}

#[cfg(test)]
mod tests {
    use super::super::live::Live;
    use super::super::record::Record;
    use super::super::simulation::samples::{map, service};
    use super::*;
    use std::sync::Arc;

    /// A Job of this policy that is being deleted after it was applied.
    fn going(run: RunPolicy, done: bool) -> Object {
        let mut desired = map("a", "1", &[]);
        desired.mode = WriteMode::Job(run);
        let digest = desired.digest;
        let resource = desired.resource.clone();
        let mut object = Object::new(desired, "one".into());
        let applied = Applied {
            uid: "u".into(),
            digest,
            evidence: None,
            version: None,
            surface: None,
            conflicts: Vec::new(),
        };
        object.record = Some(Arc::new(Record {
            resource,
            applied: Some(applied),
            done,
        }));
        object.live = Some(Box::new(Live {
            uid: "u".into(),
            resource_version: "7".into(),
            evidence: None,
            surface: None,
            additions: Box::default(),
            health: Health::Terminating,
            made: false,
            sole: false,
            labelled: true,
            suspended: None,
            owned: false,
            seen: true,
        }));
        object
    }

    #[test]
    fn a_job_that_came_to_its_end_may_be_on_its_way_out() {
        let policy = service("one", "prod", Vec::new()).policy;
        let found = |run, done| difference(&going(run, done), policy);
        assert!(matches!(found(RunPolicy::Once, true), Difference::None));
        assert!(matches!(found(RunPolicy::OnChange, true), Difference::None));
        assert!(matches!(
            found(RunPolicy::Always, true),
            Difference::Terminating
        ));
        assert!(matches!(
            found(RunPolicy::Once, false),
            Difference::Terminating
        ));
    }
}
