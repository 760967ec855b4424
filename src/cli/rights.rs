//! What is said when the cluster forbids something: every right that is missing, at once.

use super::context::Context;
use super::failure::Failure;
use crate::cluster::passing_key;
use crate::daemon::{Connected, SessionError, Settings};
use crate::desired::rights::{Purpose, Right, rights};
use crate::engine::WriteError;

/// The failure for rights that are missing; a hint names the roles that have them.
pub(super) fn missing(context: &Context, missing: &[Right], purpose: Purpose) -> Failure {
    let list: Vec<String> = missing.iter().map(|right| format!("  {right}")).collect();
    let count = match missing.len() {
        1 => "1 right is missing".to_owned(),
        count => format!("{count} rights are missing"),
    };
    let whose = if purpose == Purpose::Plan {
        "plan"
    } else {
        "cli"
    };
    let folder = context.globals.services.as_ref();
    let folder = folder.map_or_else(String::new, |f| format!(" --services {}", f.display()));
    Failure::failed(
        format!("{count}:\n{}", list.join("\n")),
        Some(format!(
            "`jsorc rbac --for {whose}{folder}` prints roles that have them"
        )),
    )
}

/// A refusal at the beginning of a session, with all that would be refused after it.
pub(super) async fn refused(
    context: &Context,
    error: SessionError,
    settings: &Settings,
    connected: &Connected,
    purpose: Purpose,
) -> Failure {
    let forbidden = matches!(
        &error,
        SessionError::Prepare {
            source: WriteError::Forbidden(_),
            ..
        }
    );
    if !forbidden {
        return error.into();
    }
    match lacking(settings, connected, purpose).await {
        Some(list) if !list.is_empty() => missing(context, &list, purpose),
        // The server does not say; its refusal is all there is.
        _ => error.into(),
    }
}

async fn lacking(
    settings: &Settings,
    connected: &Connected,
    purpose: Purpose,
) -> Option<Vec<Right>> {
    let set = settings.desired(&passing_key().ok()?, &[]).ok()?;
    let wanted = set.objects().map(|(_, object)| object);
    let needed = rights(&set.instance, wanted, purpose);
    connected.reader().missing_rights(&needed).await.ok()
}
