//! `jsorc apply`: plan, ask where something could be lost, write, and with `--wait` bring up.

use super::arguments::ApplyArgs;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::interrupt::interrupted;
use super::plan::{begin, begun, compare, is_brief, observed, show};
use super::prompt::{ask, can_ask};
use super::rights;
use super::tally::{Outcome, Tally};
use super::{apply_plan, saving};
use crate::daemon::{Access, Beginning, Connected, Session, Settings};
use crate::desired::rights::Purpose;
use crate::engine::{Action, Event, Mode, Occurrence, Order, Orders, PlanSummary, Unchanged};
use crate::report::measure::count;
use crate::report::occurrence;
use crate::report::progress::{Manner, Progress};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

pub(super) async fn command(context: &Context, args: ApplyArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&[])?;
    if let Some(file) = saving::named_file(&args.services, settings.catalog.names())? {
        return Box::pin(apply_plan::command(context, args, settings, &file)).await;
    }
    let settings = settings.select(&args.services)?;
    let connected = context.connect(&settings).await?;
    if args.dry_run {
        let mut session = observed(context, &settings, &connected, Access::ReadOnly, true).await?;
        session.allow_delete(args.allow_delete.clone());
        if args.yes {
            session.confirm_deletions();
        }
        let plan = session.engine().plan();
        session.close().await;
        show(context, &settings, &connected, &plan, None)?;
        return Ok(Exit::Fine);
    }
    refuse_disabled(&settings)?;
    let (alone, beginning) = tokio::join!(
        refuse_beside_a_leader(&args, &settings, &connected),
        begin(context, &settings, &connected, Access::ReadWrite),
    );
    alone?;
    let beginning = beginning?;
    require_named_target(&connected, &beginning).await?;
    if is_brief(context) && !args.wait {
        let found = beginning.unchanged(&settings, &connected, true).await;
        if let Some(found) = found {
            return say_in_order(context, found);
        }
    }
    let mut session = begun(context, &settings, &connected, beginning, false).await?;
    if !session.was_applied_before() {
        // Something will be written, so it can be asked beside what is still read.
        session.step(Duration::ZERO).await;
        session.ask_for_rights(Purpose::Apply);
    }
    compare(&mut session).await?;
    session.allow_delete(args.allow_delete.clone());
    if args.yes || can_ask() {
        session.confirm_deletions();
    }
    let summary = session.engine().plan().summary();
    require_rights(context, &settings, &mut session, &summary).await?;
    match confirm(context, &args, &settings, &connected, &session, &summary).await {
        // Much may have changed while somebody thought about it.
        Ok(true) => session.keep_looking(),
        Ok(false) => {}
        Err(refused) => {
            session.close().await;
            return Err(refused);
        }
    }
    let orders = session.engine().orders().clone();
    let done = Box::pin(carry_out(context, &args, &settings, session, &summary)).await?;
    let left_alone = say_left_alone(&args.services, &summary, &orders);
    Ok(if left_alone && done == Exit::Fine {
        Exit::Differs
    } else {
        done
    })
}

/// Says that there is nothing to do.
fn say_in_order(context: &Context, found: Unchanged) -> Result<Exit, Failure> {
    let Unchanged { plan, status } = found;
    let summary = plan.summary();
    let names: Vec<&str> = status
        .services
        .iter()
        .map(|service| &*service.name)
        .collect();
    Progress::new(manner(context), context.err_palette, &names).finish(&status);
    let outcome = Outcome {
        summary: &summary,
        blocked: 0,
        status: &status,
        waited: false,
        gave_up: None,
    };
    Tally::default().print(context, &outcome)?;
    Ok(Exit::Fine)
}

/// Names the services that orders kept from being applied. Whether anything would have been.
pub(super) fn say_left_alone(names: &[String], summary: &PlanSummary, orders: &Orders) -> bool {
    let mut any = false;
    for service in &summary.services {
        let name = &*service.name;
        let suspended = service.suspended.clone();
        let suspended = suspended.filter(|_| service.differs());
        let asked_for = names.iter().any(|given| given == name);
        let dismissed = orders.dismissal(name).filter(|_| asked_for);
        if let Some(why) = suspended.or_else(|| dismissed.map(Order::words)) {
            eprintln!("{name} is not applied: {why}\nhint: `jsorc resume {name}` ends that");
            any = true;
        }
    }
    any
}

/// A configuration can say that nothing is to be written.
pub(super) fn refuse_disabled(settings: &Settings) -> Result<(), Failure> {
    if settings.loaded.config.enabled {
        return Ok(());
    }
    Err(Failure::usage(
        format!(
            "`enabled` is false ({}), so nothing is written",
            settings.loaded.origin("enabled")
        ),
        "set enabled: true",
    ))
}

/// A daemon that leads would put its own configuration back.
pub(super) async fn refuse_beside_a_leader(
    args: &ApplyArgs,
    settings: &Settings,
    connected: &Connected,
) -> Result<(), Failure> {
    let lease = connected
        .reader()
        .lease(&settings.instance)
        .await
        .ok()
        .flatten();
    match lease.filter(|lease| lease.looks_alive() && !args.takeover) {
        Some(lease) => Err(Failure::usage(
            format!(
                "{} keeps this instance alive and would put its own configuration back",
                lease.holder
            ),
            "change what it runs with; `jsorc apply --takeover` applies all the same",
        )),
        None => Ok(()),
    }
}

/// All missing rights at once, before the first write would find them one by one.
pub(super) async fn require_rights(
    context: &Context,
    settings: &Settings,
    session: &mut Session,
    summary: &PlanSummary,
) -> Result<(), Failure> {
    if !summary.differs() {
        return Ok(());
    }
    let missing = session.missing_rights(settings, Purpose::Apply).await?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(rights::missing(context, &missing, Purpose::Apply))
}

/// The first install into a cluster that nobody named could be the wrong one.
async fn require_named_target(connected: &Connected, found: &Beginning) -> Result<(), Failure> {
    if connected.target.named || found.was_applied_before() {
        return Ok(());
    }
    let place = format!("{} ({})", connected.target.server(), connected.target.found);
    if can_ask()
        && ask(&format!(
            "jsorc was never applied to {place}. Apply it there?"
        ))
        .await?
    {
        return Ok(());
    }
    Err(Failure::usage(
        format!(
            "jsorc was never applied to {place}, and nothing names it but the default kubeconfig"
        ),
        "name it: --context NAME, --kubeconfig FILE, KUBECONFIG or kubernetes.context",
    ))
}

/// Asks before anything is deleted or recreated. Whether anybody was asked.
async fn confirm(
    context: &Context,
    args: &ApplyArgs,
    settings: &Settings,
    connected: &Connected,
    session: &Session,
    summary: &PlanSummary,
) -> Result<bool, Failure> {
    let deletions = summary.deletions();
    if deletions == 0 || args.yes {
        return Ok(false);
    }
    show(context, settings, connected, &session.engine().plan(), None)?;
    if can_ask() {
        let are = if deletions == 1 { "is" } else { "are" };
        if ask(&format!(
            "{} {are} deleted or recreated. Go on?",
            count(deletions, "object")
        ))
        .await?
        {
            return Ok(true);
        }
        return Err(Failure {
            exit: Exit::Interrupted,
            ..Failure::failed("nothing was changed", None)
        });
    }
    Err(Failure {
        exit: Exit::Differs,
        ..Failure::failed(
            format!(
                "{} would be deleted or recreated, and there is no terminal to ask on",
                count(deletions, "object")
            ),
            Some("--yes does it without asking".into()),
        )
    })
}

/// Phases are what the live lines show; single objects are only for those who want to know.
fn is_shown(occurrence: &Occurrence, verbose: bool) -> bool {
    match occurrence {
        Occurrence::Phase { .. } | Occurrence::ProbeFailed { .. } => false,
        Occurrence::Applied { .. } | Occurrence::RerunIgnored { .. } => verbose,
        _ => true,
    }
}

fn manner(context: &Context) -> Manner {
    match (context.globals.quiet, std::io::stderr().is_terminal()) {
        (true, _) => Manner::Silent,
        (false, true) => Manner::Live,
        (false, false) => Manner::Lines,
    }
}

pub(super) async fn carry_out(
    context: &Context,
    args: &ApplyArgs,
    settings: &Settings,
    mut session: Session,
    summary: &PlanSummary,
) -> Result<Exit, Failure> {
    // Without --wait, services without manifests have no part in it.
    let shown = summary.services.iter().filter(|s| s.kept);
    let names: Vec<&str> = shown
        .filter(|s| args.wait || s.has_objects)
        .map(|s| &*s.name)
        .collect();
    let mut progress = Progress::new(manner(context), context.err_palette, &names);
    session.set_mode(Mode::Enforce { run: args.wait });
    let until = Instant::now() + args.timeout;
    let mut tick = Instant::now() + settings.loaded.config.interval;
    let mut tally = Tally::default();
    let mut stopped = std::pin::pin!(interrupted());
    let done = loop {
        let occurrences = tokio::select! {
            occurrences = session.step(Duration::from_millis(100)) => occurrences,
            () = &mut stopped => {
                progress.finish(&session.status());
                session.close().await;
                return Ok(Exit::Interrupted);
            }
        };
        for occurrence in &occurrences {
            tally.count(occurrence);
            if is_shown(occurrence, context.globals.verbose > 0) {
                progress.print(&occurrence::line(occurrence));
            }
        }
        if progress.shows() {
            progress.update(&session.status());
        }
        let applied = session.engine().is_applied();
        if applied && (!args.wait || session.engine().is_settled()) {
            break true;
        }
        if Instant::now() > until {
            break false;
        }
        if Instant::now() > tick {
            tick += settings.loaded.config.interval;
            // The session holds the receiving end as long as it lives.
            let _ = session.events().send(Event::Tick);
        }
    };
    let status = session.status();
    let blocked = session.engine().plan().summary().count(Action::Blocked);
    let beyond = session.engine().beyond_permits();
    progress.finish(&status);
    session.close().await;
    for key in &beyond {
        eprintln!(
            "{} differs by now and is not in the plan: left as it is",
            key.short()
        );
    }
    let outcome = Outcome {
        summary,
        blocked,
        status: &status,
        waited: args.wait,
        gave_up: (!done).then_some(args.timeout),
    };
    tally.print(context, &outcome)?;
    Ok(match (done, blocked, tally.refused) {
        (true, 0, _) if beyond.is_empty() => Exit::Fine,
        (_, blocked, refused) if blocked > 0 && refused > 0 => Exit::Failed,
        _ => Exit::Differs,
    })
}
