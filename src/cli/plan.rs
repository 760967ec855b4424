//! `jsorc plan`: what would be changed.

use super::arguments::{Output, PlanArgs};
use super::context::{Context, print_whole};
use super::failure::{Exit, Failure};
use super::{rights, saving};
use crate::cluster::Lease;
use crate::daemon::{Access, Beginning, Connected, Session, SessionError, Settings};
use crate::desired::rights::Purpose;
use crate::engine::{Mode, Plan};
use crate::report::plan::{self as report, PlanView, Target};
use crate::report::saved::{Circumstances, SavedPlan};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the comparison may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn command(context: &Context, args: PlanArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&args.services)?;
    let connected = context.connect(&settings).await?;
    let settings = if args.local_config {
        settings
    } else {
        as_the_leader(context, settings, &connected).await?
    };
    let out = args.out.as_deref();
    let beginning = begin(context, &settings, &connected, Access::ReadOnly).await?;
    if is_brief(context) && out.is_none() {
        let found = beginning.unchanged(&settings, &connected, false).await;
        if let Some(found) = found {
            show(context, &settings, &connected, &found.plan, None)?;
            return Ok(Exit::Fine);
        }
    }
    let mut session = compared(context, &settings, &connected, beginning, true).await?;
    session.allow_delete(args.allow_delete.clone());
    if args.yes {
        session.confirm_deletions();
    }
    let plan = session.engine().plan();
    let saved = out.map(|_| saved(context, &args, &settings, &connected, &session));
    session.close().await;
    show(context, &settings, &connected, &plan, out)?;
    if let Some((out, saved)) = out.zip(saved) {
        saving::write(out, &saved.text())?;
    }
    Ok(if args.exit_code && plan.differs() {
        Exit::Differs
    } else {
        Exit::Fine
    })
}

/// The settings with the configuration of the process that leads, where one does.
pub(super) async fn as_the_leader(
    context: &Context,
    settings: Settings,
    connected: &Connected,
) -> Result<Settings, Failure> {
    let reader = connected.reader();
    // Who may not read Lease or configuration plans with its own.
    let lease = reader.lease(&settings.instance).await.ok().flatten();
    let Some(lease) = lease.filter(Lease::looks_alive) else {
        return Ok(settings);
    };
    let stored = reader
        .effective_configuration(&settings.instance)
        .await
        .ok()
        .flatten();
    let key = reader
        .fingerprint_key(&settings.instance)
        .await
        .ok()
        .flatten();
    let Some((stored, key)) = stored.zip(key) else {
        return Ok(settings);
    };
    let (theirs, differ) = settings.with_configuration_of_leader(&stored, &key)?;
    if !differ.is_empty() && !context.globals.quiet {
        eprintln!(
            "with the configuration of {}, which differs from this shell's in: {}",
            lease.holder,
            differ.join(", ")
        );
        eprintln!("hint: --local-config uses this shell's");
    }
    Ok(theirs)
}

/// The plan with everything that it was made on.
fn saved(
    context: &Context,
    args: &PlanArgs,
    settings: &Settings,
    connected: &Connected,
    session: &Session,
) -> SavedPlan {
    let engine = session.engine();
    let around = Circumstances {
        author: engine.author(),
        digest: &settings.catalog.digest,
        key: session.shared_key(),
        services: &settings.selection,
        confirmed: args.yes,
        allow_delete: &args.allow_delete,
    };
    let view = view(context, settings, connected);
    SavedPlan::of(&engine.plan(), &engine.pins(), &view, &around)
}

/// Whether no more is shown than what differs: nobody asks for what others added to objects that
/// are in order.
pub(super) fn is_brief(context: &Context) -> bool {
    context.globals.verbose == 0
}

/// What a comparison begins with.
pub(super) async fn begin(
    context: &Context,
    settings: &Settings,
    connected: &Connected,
    access: Access,
) -> Result<Beginning, Failure> {
    match Beginning::read(settings, connected, access).await {
        Ok(beginning) => Ok(beginning),
        Err(error) => Err(not_begun(context, error, settings, connected, access).await),
    }
}

async fn not_begun(
    context: &Context,
    error: SessionError,
    settings: &Settings,
    connected: &Connected,
    access: Access,
) -> Failure {
    let purpose = match access {
        Access::ReadOnly => Purpose::Plan,
        Access::ReadWrite => Purpose::Apply,
    };
    rights::refused(context, error, settings, connected, purpose).await
}

/// A session that has compared everything and written nothing.
pub(super) async fn observed(
    context: &Context,
    settings: &Settings,
    connected: &Connected,
    access: Access,
    rehearse: bool,
) -> Result<Session, Failure> {
    let beginning = begin(context, settings, connected, access).await?;
    compared(context, settings, connected, beginning, rehearse).await
}

/// The same, from what was read.
pub(super) async fn compared(
    context: &Context,
    settings: &Settings,
    connected: &Connected,
    beginning: Beginning,
    rehearse: bool,
) -> Result<Session, Failure> {
    let mut session = begun(context, settings, connected, beginning, rehearse).await?;
    compare(&mut session).await?;
    Ok(session)
}

/// A session that is about to compare.
pub(super) async fn begun(
    context: &Context,
    settings: &Settings,
    connected: &Connected,
    beginning: Beginning,
    rehearse: bool,
) -> Result<Session, Failure> {
    let waiting = crate::engine::ClusterState::Unreachable("not connected yet".into());
    let mut session = Session::idle(settings, waiting, Mode::Observe { rehearse })?;
    session.look_once();
    let access = beginning.access();
    match Box::pin(session.take_up(settings, connected, beginning)).await {
        Ok(()) => Ok(session),
        Err(error) => Err(not_begun(context, error, settings, connected, access).await),
    }
}

/// Has it compare everything.
pub(super) async fn compare(session: &mut Session) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        session.step(Duration::from_millis(200)).await;
        if session.engine().has_compared() {
            return Ok(());
        }
        if Instant::now() > until {
            let waiting: Vec<String> = session
                .engine()
                .open_questions()
                .into_iter()
                .take(5)
                .collect();
            let message = format!(
                "no comparison within {} s: still open: {}",
                PATIENCE.as_secs(),
                waiting.join("; ")
            );
            return Err(Failure::failed(
                message,
                Some("try again with -v, or name fewer services".into()),
            ));
        }
    }
}

/// The command that carries out what a plan shows.
fn apply_command(settings: &Settings, out: Option<&Path>) -> String {
    if let Some(file) = out {
        return format!("jsorc apply {}", saving::argument(file));
    }
    let mut command = "jsorc apply".to_owned();
    for service in &settings.selection {
        command = format!("{command} {service}");
    }
    command
}

/// Prints a plan in the form that was asked for.
pub(super) fn show(
    context: &Context,
    settings: &Settings,
    connected: &Connected,
    plan: &Plan,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let view = PlanView {
        apply: Some(apply_command(settings, out)),
        ..view(context, settings, connected)
    };
    if context.output == Output::Markdown {
        return print_whole(&report::markdown(plan, &view));
    }
    context.print(|| report::json(plan, &view), || report::text(plan, &view))
}

fn view(context: &Context, settings: &Settings, connected: &Connected) -> PlanView {
    PlanView {
        target: Target {
            server: connected.target.server(),
            found: connected.target.found.clone(),
            namespace: settings.loaded.config.namespace.clone(),
            instance: settings.instance.identity(),
        },
        apply: None,
        verbose: context.globals.verbose > 0,
        quiet: context.globals.quiet,
        width: context.width,
        palette: context.palette,
        now: jiff::Timestamp::now(),
    }
}
