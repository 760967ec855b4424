//! `jsorc apply FILE`: carries out exactly the plan that was saved, or says what changed since.

use super::apply::{
    carry_out, refuse_beside_a_leader, refuse_disabled, require_rights, say_left_alone,
};
use super::arguments::ApplyArgs;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::plan::{observed, show};
use super::saving;
use crate::daemon::{Access, Connected, Settings};
use crate::engine::{Permits, Plan, PlanSummary};
use crate::report::measure::count;
use crate::report::saved::{Change, SavedPlan, Verdict, since};
use std::path::Path;

pub(super) async fn command(
    context: &Context,
    args: ApplyArgs,
    settings: Settings,
    file: &Path,
) -> Result<Exit, Failure> {
    let saved = saving::read(file)?;
    if !args.allow_delete.is_empty() {
        return Err(Failure::usage(
            "--allow-delete: a saved plan says itself what it deletes",
            "`jsorc plan --out FILE --allow-delete KIND/NAME` plans it",
        ));
    }
    refuse_others_manifests(&saved, &settings)?;
    let settings = settings.select(&saved.services)?;
    let connected = context.connect(&settings).await?;
    refuse_other_target(&saved, &settings, &connected)?;
    if !args.dry_run {
        refuse_disabled(&settings)?;
        refuse_beside_a_leader(&args, &settings, &connected).await?;
    }
    let task = Task {
        context,
        args: &args,
        file,
        saved: &saved,
        settings: &settings,
        connected: &connected,
    };
    let Some((plan, permits)) = task.compare().await? else {
        return Ok(Exit::Fine);
    };
    if args.dry_run {
        show(context, &settings, &connected, &plan, None)?;
        return Ok(Exit::Fine);
    }
    let summary = plan.summary();
    drop(plan);
    task.carry_out(&summary, permits).await
}

struct Task<'a> {
    context: &'a Context,
    args: &'a ApplyArgs,
    file: &'a Path,
    saved: &'a SavedPlan,
    settings: &'a Settings,
    connected: &'a Connected,
}

impl Task<'_> {
    /// The plan as it would be made now, when it is the saved one; `None` when that was carried
    /// out already.
    async fn compare(&self) -> Result<Option<(Plan, Permits)>, Failure> {
        let (context, settings) = (self.context, self.settings);
        let mut session =
            observed(context, settings, self.connected, Access::ReadOnly, true).await?;
        session.allow_delete(self.saved.allow_delete.clone());
        if self.saved.confirmed {
            session.confirm_deletions();
        }
        let engine = session.engine();
        let (plan, pins) = (engine.plan(), engine.pins());
        let verdict = since(self.saved, &plan, &pins, session.shared_key());
        let permits = engine.permits_of(&plan);
        session.close().await;
        match verdict {
            Verdict::Same => Ok(Some((plan, permits))),
            Verdict::Done => {
                let said = match self.saved.steps.len() {
                    0 => "Nothing to do: the plan has no steps.\n".to_owned(),
                    steps => format!(
                        "Nothing to do: the plan was carried out already ({}).\n",
                        count(steps, "step")
                    ),
                };
                let document = || {
                    serde_json::json!({"apiVersion": crate::report::API_VERSION,
                        "kind": "Applied", "already": true})
                };
                context.print(document, || said)?;
                Ok(None)
            }
            Verdict::Changed(changes) => Err(self.refused(&changes)),
        }
    }

    async fn carry_out(&self, summary: &PlanSummary, permits: Permits) -> Result<Exit, Failure> {
        let (context, settings) = (self.context, self.settings);
        let mut session =
            observed(context, settings, self.connected, Access::ReadWrite, false).await?;
        require_rights(context, settings, &mut session, summary).await?;
        session.allow_delete(self.saved.allow_delete.clone());
        // Whoever saved the plan has seen what it deletes.
        session.confirm_deletions();
        session.permit(permits);
        let orders = session.engine().orders().clone();
        let done = carry_out(context, self.args, settings, session, summary);
        let done = Box::pin(done).await?;
        let left_alone = say_left_alone(&self.saved.services, summary, &orders);
        Ok(if left_alone && done == Exit::Fine {
            Exit::Differs
        } else {
            done
        })
    }

    fn refused(&self, changes: &[Change]) -> Failure {
        let lines = changes
            .iter()
            .map(|one| format!("\n  {}: {}", one.subject, one.how));
        refusal(
            self.file,
            format!(
                "the plan of {} by {} is not the plan any more:{}",
                self.saved.made.time,
                self.saved.made.by,
                lines.collect::<String>()
            ),
        )
    }
}

/// A plan that is out of date, or was made for something else.
fn refusal(file: &Path, why: String) -> Failure {
    Failure {
        exit: Exit::Differs,
        ..Failure::failed(
            why,
            Some(format!(
                "nothing was changed; plan again: jsorc plan --out {}",
                file.display()
            )),
        )
    }
}

fn refuse_others_manifests(saved: &SavedPlan, settings: &Settings) -> Result<(), Failure> {
    let digest = &*settings.catalog.digest;
    if saved.digest == digest {
        return Ok(());
    }
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    Err(Failure {
        hint: Some("plan again with this one, or apply with the jsorc that planned".to_owned()),
        exit: Exit::Differs,
        ..Failure::failed(
            format!(
                "the plan was made from other manifests (digest {}, these have {})",
                short(&saved.digest),
                short(digest)
            ),
            None,
        )
    })
}

fn refuse_other_target(
    saved: &SavedPlan,
    settings: &Settings,
    connected: &Connected,
) -> Result<(), Failure> {
    let target = &saved.target;
    let (server, instance) = (connected.target.server(), settings.instance.identity());
    let namespace = &settings.loaded.config.namespace;
    let checks = [
        ("server", &target.server, &server),
        ("instance", &target.instance, &instance),
        ("namespace", &target.namespace, namespace),
    ];
    let others: Vec<String> = checks
        .iter()
        .filter(|(_, then, now)| then != now)
        .map(|(what, then, now)| format!("{what} {then}, and this is {now}"))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(Failure {
        exit: Exit::Differs,
        ..Failure::failed(
            format!("the plan was made for {}", others.join("; for ")),
            Some("--context, --kubeconfig, --instance and -n choose another".to_owned()),
        )
    })
}
