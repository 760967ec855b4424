//! What somebody does to the cluster, and how fast it is put right.

use jiff::Timestamp;

use crate::{
    keeper::Keeper,
    patience::Trouble,
    stage::{NAMESPACE, Stage},
    support::AuditEntry,
    terminal::Terminal,
};

/// Something that somebody does with kubectl.
pub struct Harm {
    /// What the step is called.
    pub title: &'static str,
    /// In a word or two, for the summary.
    pub what: &'static str,
    /// The command as one types it, without `kubectl` and the namespace.
    pub arguments: &'static [&'static str],
    /// What stands before it, for an editor that needs no hands.
    pub editor: Option<&'static str>,
    /// The object, as jsorc writes it and as the API server does.
    pub object: (&'static str, &'static str, &'static str),
    /// How it is proved that all is as before: where to look, and what has to be there.
    pub proof: (&'static str, &'static str, &'static str),
}

/// What the story does.
pub const HARMS: [Harm; 3] = [
    Harm {
        title: "Somebody deletes a Deployment",
        what: "Deployment deleted",
        arguments: &["delete", "deployment", "redis"],
        editor: None,
        object: ("Deployment/redis", "deployments", "redis"),
        proof: ("deployment/redis", "{.spec.replicas}", "1"),
    },
    Harm {
        title: "Somebody edits a ConfigMap",
        what: "ConfigMap edited",
        arguments: &["edit", "configmap", "redis"],
        editor: Some("sed -i s/volatile-lru/allkeys-random/"),
        object: ("ConfigMap/redis", "configmaps", "redis"),
        proof: ("configmap/redis", "{.data}", "volatile-lru"),
    },
    Harm {
        title: "Somebody scales a Deployment",
        what: "Deployment scaled",
        arguments: &["scale", "deployment", "prometheus-server", "--replicas=5"],
        editor: None,
        object: (
            "Deployment/prometheus-server",
            "deployments",
            "prometheus-server",
        ),
        proof: ("deployment/prometheus-server", "{.spec.replicas}", "1"),
    },
];

/// How a harm was put right.
pub struct Repair {
    /// What had been done.
    pub what: String,
    /// Who did it, as far as is known, and who knows it.
    pub by: String,
    /// From the API server's answer to the intruder until its answer to jsorc, in milliseconds.
    pub measured: Option<f64>,
    /// What jsorc says itself: from the event to the answer.
    pub own: String,
}

/// Does it and watches the repair.
pub fn inflict(
    harm: &Harm,
    stage: &Stage,
    keeper: &mut Keeper,
    terminal: &Terminal,
) -> Result<Repair, Trouble> {
    let audit = (!stage.borrowed).then(|| stage.cluster.audit());
    let begin = audit.as_ref().map(|audit| (audit, audit.mark()));
    let mark = keeper.mark();
    let editor = harm.editor.map(|editor| format!("KUBE_EDITOR='{editor}' "));
    terminal.command(&format!(
        "{}kubectl -n {NAMESPACE} {}",
        editor.unwrap_or_default(),
        harm.arguments.join(" ")
    ));
    let mut kubectl = stage.cluster.as_admin().command();
    kubectl.args(["-n", NAMESPACE]).args(harm.arguments);
    kubectl.env("KUBE_EDITOR", harm.editor.unwrap_or("false"));
    let said = kubectl.output().unwrap();
    terminal.quote(&String::from_utf8_lossy(&said.stdout));
    if !said.status.success() {
        let message = String::from_utf8_lossy(&said.stderr).into_owned();
        return Err(Trouble::Untrue(message));
    }
    let line = keeper.line_with(terminal, mark, &["healed", harm.object.0])?;
    let (object, path, value) = harm.proof;
    let now = stage.value(object, path).unwrap_or_default();
    if !now.contains(value) {
        let text = format!("{object} {path} is {now} instead of {value}");
        return Err(Trouble::Untrue(text));
    }
    let seen = match begin {
        Some((audit, mark)) => Some(between(&audit.since(mark), harm)?),
        None => None,
    };
    let user = seen.as_ref().map(|(user, _)| format!("{user} (audit log)"));
    Ok(Repair {
        what: harm.what.to_owned(),
        by: who(&line).or(user).unwrap_or_else(|| "unknown".into()),
        measured: seen.map(|(_, took)| took),
        own: own_figure(&line),
    })
}

/// Who wrote with kubectl, and the milliseconds from the answer to that until the answer to the
/// write of jsorc that follows.
fn between(entries: &[AuditEntry], harm: &Harm) -> Result<(String, f64), Trouble> {
    let (_, resource, name) = harm.object;
    let writes = entries.iter().filter(|entry| {
        let of_object = entry.resource == resource && entry.name == name;
        of_object && entry.stage == "ResponseComplete" && entry.is_write() && entry.code < 300
    });
    let (mut done, mut repaired) = (None, None);
    for write in writes {
        let at: Timestamp = write.answered.parse().unwrap();
        if write.agent.starts_with("kubectl/") {
            done = Some((write.user.clone(), at));
        } else if write.agent.starts_with("jsorc/") && write.verb == "patch" {
            let since = |(user, done)| (user, at.duration_since(done));
            repaired = repaired.or(done.take().map(since));
        }
    }
    let (user, took) = repaired.ok_or_else(|| {
        let text = format!("the audit log has no PATCH of {} by jsorc", harm.object.0);
        Trouble::Untrue(text)
    })?;
    Ok((user, took.as_secs_f64() * 1000.0))
}

/// The manager that a line of the log blames; a deleted object names none.
fn who(line: &str) -> Option<String> {
    let named = line.split("changed by ").nth(1)?;
    named.split(',').next().map(str::to_owned)
}

/// The time at the end of a line of the log.
fn own_figure(line: &str) -> String {
    line.rsplit("after ").next().unwrap_or_default().to_owned()
}
