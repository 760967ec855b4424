//! The steps, in their order.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    harm::{HARMS, Repair, inflict},
    keeper::{Keeper, configuration},
    patience::{Trouble, is_stopped},
    stage::{Backing, NAMESPACE, Stage, start_redis},
    terminal::Terminal,
};

/// What the person asked for.
pub struct Wishes {
    /// A context of the person's kubeconfig, instead of a cluster of our own.
    pub context: Option<String>,
    /// Whether to go on at the end.
    pub keep: bool,
}

/// Tells the whole story.
pub fn tell(terminal: &mut Terminal, wishes: &Wishes) -> Result<(), Trouble> {
    let stage = set_up(terminal, wishes)?;
    let told = play(terminal, wishes, &stage);
    stage.clean();
    told
}

fn set_up(terminal: &mut Terminal, wishes: &Wishes) -> Result<Stage, Trouble> {
    terminal.heading("A cluster");
    let stage = match &wishes.context {
        Some(context) => Stage::of_context(context)?,
        None => Stage::own(),
    };
    terminal.say(match (stage.borrowed, stage.leads) {
        (false, _) => "etcd, kube-apiserver, controller-manager and scheduler, for real. The two nodes are\nmade believe (KWOK): their pods become ready, and port-forwards into them end in the real\nservers of step 2.",
        (true, true) => "Yours. Its nodes are made believe (KWOK): port-forwards into their pods end in the real\nservers of step 2.",
        (true, false) => "Yours, with pods that are real: redis and Prometheus run there and not on this machine.",
    });
    terminal.command("kubectl get nodes");
    terminal.quote(&stage.kubectl(&["get", "nodes"]));
    Ok(stage)
}

fn play(terminal: &mut Terminal, wishes: &Wishes, stage: &Stage) -> Result<(), Trouble> {
    terminal.heading("The servers that an application needs");
    let servers = stage.servers();
    terminal.say(if stage.leads {
        "Prometheus and an SMTP server (STARTTLS, AUTH) listen. redis-server has to wait: its password\nis one that jsorc makes. A Celery worker will take its jobs from there."
    } else {
        "An SMTP server (STARTTLS, AUTH) listens on this machine; a Celery worker will follow."
    });

    terminal.heading("jsorc run: the first check applies every object");
    let text = configuration(&servers, stage);
    terminal.command("cat jsorc.yaml");
    terminal.quote(&text);
    terminal.command("jsorc run --config jsorc.yaml");
    let mut keeper = Keeper::start(stage, &text);
    let mut mark = keeper.mark();
    for service in ["promon:", "redis:"] {
        keeper.line_with(terminal, 0, &[service, "rerun ignored"])?;
    }
    let password = stage.password()?;
    let backing = stage.backing(password.clone(), servers.redis_port);

    terminal.heading("The next checks rerun, as the pods become ready");
    for service in ["redis", "promon", "mail", "task"] {
        keeper.running(terminal, service, true)?;
    }
    let mut backing = backing
        .join()
        .map_err(|_| Trouble::Untrue("redis or the worker does not start".into()))?;
    keeper.says(terminal, "task", "1 worker")?;

    terminal.heading("Everything is Running");
    show(terminal, &keeper, &["status", "--exit-code"])?;
    terminal.command(&format!("kubectl -n {NAMESPACE} get deployments,pods"));
    terminal.quote(&stage.kubectl(&["get", "deployments,pods"]));

    let mut repairs = Vec::new();
    for harm in &HARMS {
        terminal.heading(harm.title);
        let repair = inflict(harm, stage, &mut keeper, terminal)?;
        terminal.result(&verdict(&repair));
        repairs.push(repair);
        for service in ["redis", "promon", "task"] {
            keeper.running(terminal, service, true)?;
        }
    }

    mark = mark.max(keeper.mark());
    terminal.heading("redis dies");
    repairs.push(kill_redis(
        terminal,
        stage,
        &mut keeper,
        &mut backing,
        &password,
        mark,
    )?);

    keeper.says(terminal, "task", "1 worker")?;

    terminal.heading("Nothing is left to do");
    show(terminal, &keeper, &["plan", "--exit-code"])?;
    show(terminal, &keeper, &["status", "--exit-code"])?;
    summary(terminal, &repairs);
    if wishes.keep {
        linger(terminal, stage, &mut keeper);
    }
    match keeper.stop() {
        0 => Ok(()),
        code => Err(Trouble::Untrue(format!("jsorc run ended with {code}"))),
    }
}

/// Runs a command of jsorc, which has to end with 0.
fn show(terminal: &Terminal, keeper: &Keeper, arguments: &[&str]) -> Result<(), Trouble> {
    let command = format!("jsorc {}", arguments.join(" "));
    terminal.command(&command);
    let address = keeper.address();
    let asked = [arguments, &["--server", &address]].concat();
    let ran = keeper.run(if arguments[0] == "status" {
        &asked
    } else {
        arguments
    });
    terminal.result(&ran.stdout);
    if ran.code == 0 {
        return Ok(());
    }
    let text = format!("`{command}` ended with {}: {}", ran.code, ran.stderr);
    Err(Trouble::Untrue(text))
}

fn verdict(repair: &Repair) -> String {
    match repair.measured {
        Some(measured) => format!(
            "put right {measured:.1} ms after the API server had answered kubectl (audit log); jsorc itself: {} from the event to the answer",
            repair.own
        ),
        None => format!(
            "put right; jsorc itself: {} from the event to the answer",
            repair.own
        ),
    }
}

fn kill_redis(
    terminal: &Terminal,
    stage: &Stage,
    keeper: &mut Keeper,
    backing: &mut Backing,
    password: &str,
    mark: usize,
) -> Result<Repair, Trouble> {
    let killed = Instant::now();
    match backing.redis.take() {
        Some(redis) => {
            let port = redis.port;
            terminal.command(&format!("kill -9 {}", redis.process.pid()));
            drop(redis);
            keeper.running(terminal, "redis", false)?;
            let noticed = killed.elapsed();
            keeper.running(terminal, "task", false)?;
            terminal.command(&format!("redis-server --port {port} --requirepass ••••"));
            backing.redis = Some(start_redis(password, port));
            let back = Instant::now();
            for service in ["redis", "task"] {
                keeper.running(terminal, service, true)?;
            }
            let rerun = back.elapsed();
            let text = format!("rerun {:.1} s after it was back", rerun.as_secs_f32());
            terminal.result(&format!("noticed after {noticed:.1?}; {text}"));
            Ok(Repair {
                what: "redis killed".into(),
                by: "kill -9".into(),
                measured: None,
                own: text,
            })
        }
        None => {
            let pods = ["delete", "pod", "-l", "app.kubernetes.io/name=redis"];
            terminal.command(&format!("kubectl -n {NAMESPACE} {}", pods.join(" ")));
            terminal.quote(&stage.kubectl(&pods));
            keeper.line_with(terminal, mark, &["redis:", "→ Running"])?;
            keeper.running(terminal, "redis", true)?;
            let text = format!(
                "Running again after {:.1} s",
                killed.elapsed().as_secs_f32()
            );
            Ok(Repair {
                what: "redis pod deleted".into(),
                by: "kubectl".into(),
                measured: None,
                own: text,
            })
        }
    }
}

fn summary(terminal: &mut Terminal, repairs: &[Repair]) {
    terminal.heading("In short");
    let titles = [
        "WHAT HAPPENED",
        "BY",
        "PUT RIGHT AFTER",
        "JSORC'S OWN FIGURE",
    ];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    for repair in repairs {
        let measured = repair.measured.map(|took| format!("{took:.1} ms"));
        rows.push(vec![
            repair.what.clone(),
            repair.by.clone(),
            measured.unwrap_or_else(|| "–".into()),
            repair.own.clone(),
        ]);
    }
    terminal.table(&rows);
    terminal.say(&format!(
        "\nPUT RIGHT AFTER is what the API server's audit log says: from its answer to the intruder to its\nanswer to jsorc. The whole story took {:.0} s.",
        terminal.elapsed().as_secs_f32()
    ));
}

/// Leaves everything alive until somebody says stop.
fn linger(terminal: &mut Terminal, stage: &Stage, keeper: &mut Keeper) {
    terminal.heading("Yours until Ctrl-C");
    terminal.say("In another terminal:");
    terminal.command(&format!(
        "export KUBECONFIG={} JSORC_SERVER={}",
        stage.cluster.kubeconfig().display(),
        keeper.address()
    ));
    let program = stage.cluster.program().display();
    terminal.command(&format!(
        "alias kubectl='{program} kubectl'   # unless you have one"
    ));
    terminal.command(&format!("kubectl -n {NAMESPACE} get all"));
    terminal.command(&format!(
        "kubectl -n {NAMESPACE} delete deployment prometheus-alertmanager   # and look here"
    ));
    terminal.command("jsorc status");
    while !is_stopped() {
        keeper.show_log(terminal);
        thread::sleep(Duration::from_millis(100));
    }
}
