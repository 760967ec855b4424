//! Carries a decision about one object out, and says what an object has to wait for.

use super::census::ITS_INVENTORY;
use super::decide::Decision;
use super::diff::{Showing, lacking};
use super::object::{Looked, Object};
use super::{Engine, Now, Standing};
use crate::desired::Need;
use crate::desired::path::Path;
use std::time::Duration;

impl Engine {
    /// What has to come before an object, in words; `None` when nothing does.
    pub(super) fn waits_for(&self, object: &Object, service: &super::Service) -> Option<String> {
        if !object.desired.key.is("", "Namespace") {
            for name in &service.desired.depends_on {
                if let Some(first) = self.services.get(name)
                    && !self.is_ready_for_others(first)
                {
                    return Some(format!("service {name} ({})", first.phase));
                }
            }
        }
        object.desired.after.iter().find_map(|prerequisite| {
            let position = self.position(&prerequisite.key)?;
            let first = &self.objects[position];
            let there = match first.standing {
                Standing::InOrder => true,
                Standing::Differs(_) => first.live.is_some(),
                _ => false,
            };
            let health = first.health();
            let unanswered = self.is_unanswered(object, first);
            let ready = health.is_current() && !unanswered;
            let met = there && (prerequisite.need == Need::Applied || ready);
            let lonely = unanswered.then_some("has no ready endpoint");
            (!met).then(|| match health.reason().or(lonely).filter(|_| there) {
                Some(reason) => format!("{} ({reason})", prerequisite.key.short()),
                None => prerequisite.key.short(),
            })
        })
    }

    /// Whether an object hands requests of the API server to a Service that nobody answers for yet:
    /// a webhook before its pods could keep those very pods from being made.
    fn is_unanswered(&self, object: &Object, front: &Object) -> bool {
        let asks = matches!(
            &*object.desired.key.group,
            "admissionregistration.k8s.io" | "apiregistration.k8s.io"
        );
        asks && front.desired.wants_endpoint && self.ready_endpoints(&front.desired.key) == 0
    }

    /// Whether an object that rests from a fight differs in other fields too: those are nobody's
    /// quarrel and are healed at once.
    pub(super) fn differs_beyond_fight(&self, position: usize, now: Now) -> bool {
        let object = &self.objects[position];
        let resting = object.heals.as_ref();
        let resting =
            resting.filter(|heals| heals.rest_until.is_some_and(|until| until > now.mono));
        let Some(heals) = resting else {
            return false;
        };
        let known = |path: &Path| heals.fields.contains(path);
        if self.has_to_strip(position) && object.additions().any(|addition| !known(&addition.path))
        {
            return true;
        }
        let wanted = object.desired.body.value();
        let body = self.body_seen(position);
        body.zip(wanted).is_some_and(|(live, wanted)| {
            lacking(&live.value(), &wanted, Showing::Plain)
                .iter()
                .any(|change| !known(&change.path))
        })
    }

    /// Does what was decided, about an object that may have waited for it. Where it stands then.
    pub(super) fn act(
        &mut self,
        position: usize,
        decision: Decision,
        since: Option<Duration>,
        now: Now,
    ) -> Option<Standing> {
        Some(match decision {
            Decision::Unknown => Standing::Unknown,
            Decision::Leave => return None,
            Decision::InOrder => {
                // A watch that was faster than the answer to a write showed something new.
                self.objects[position].stash = None;
                Standing::InOrder
            }
            Decision::Wait(what) => Standing::Waiting(what),
            Decision::Block(why) => Standing::Blocked(why),
            Decision::Rest(until) => {
                self.wake(until);
                let trouble = self.objects[position].trouble.as_ref();
                Standing::Failed(
                    trouble.map_or_else(|| "healed too often".into(), |t| t.reason.clone()),
                )
            }
            Decision::Look => {
                let object = &mut self.objects[position];
                object.looked = Looked::Pending;
                self.looks
                    .push((object.desired.key.clone(), object.desired.resource.clone()));
                return None;
            }
            Decision::Record => {
                self.want_recorded(position, now);
                Standing::Waiting(ITS_INVENTORY.into())
            }
            Decision::Report(cause) => {
                self.note_drift(position, cause);
                self.rehearse(position, cause, now);
                Standing::Differs(cause)
            }
            Decision::Write(cause) => {
                if self.has_room() {
                    self.write(position, cause, now);
                    let flight = self.objects[position].flight.as_mut();
                    if let (Some(flight), Some(since)) = (flight, since) {
                        flight.since = since;
                    }
                } else {
                    self.room.enter(position, since, now);
                }
                Standing::Writing
            }
        })
    }
}
