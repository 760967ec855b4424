//! The steps, in their order.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    harm::{HARMS, Repair, inflict},
    keeper::{Keeper, configuration},
    patience::{Trouble, is_stopped, wait},
    stage::{Backing, NAMESPACE, Servers, Stage, start_redis},
    support::Redis,
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
    let servers = start_servers(terminal, stage);
    let mut keeper = first_check(terminal, stage, &servers)?;
    let password = stage.password()?;
    let starting = stage.backing(password.clone(), servers.redis_port);
    terminal.heading("The next checks rerun, as the pods become ready");
    all_running(terminal, &mut keeper)?;
    let backing = starting.join();
    let mut backing =
        backing.map_err(|_| Trouble::Untrue("redis or the worker does not start".into()))?;
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
        all_running(terminal, &mut keeper)?;
    }
    terminal.heading("redis dies");
    repairs.push(match backing.redis.take() {
        Some(redis) => kill_redis(terminal, &mut keeper, &mut backing, redis, &password)?,
        None => delete_pod(terminal, stage, &mut keeper)?,
    });
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

fn start_servers(terminal: &mut Terminal, stage: &Stage) -> Servers {
    terminal.heading("The servers that an application needs");
    let servers = stage.servers();
    terminal.say(if stage.leads {
        "Prometheus and an SMTP server (STARTTLS, AUTH) listen. redis-server has to wait: its password\nis one that jsorc makes. A Celery worker will take its jobs from there."
    } else {
        "An SMTP server (STARTTLS, AUTH) listens on this machine; a Celery worker will follow."
    });
    servers
}

fn first_check(
    terminal: &mut Terminal,
    stage: &Stage,
    servers: &Servers,
) -> Result<Keeper, Trouble> {
    terminal.heading("jsorc run: the first check applies every object");
    let text = configuration(servers, stage);
    terminal.command("cat jsorc.yaml");
    terminal.quote(&text);
    terminal.command("jsorc run --config jsorc.yaml");
    let mut keeper = Keeper::start(stage, &text);
    for service in ["promon:", "redis:"] {
        keeper.line_with(terminal, 0, &[service, "rerun ignored"])?;
    }
    Ok(keeper)
}

fn all_running(terminal: &Terminal, keeper: &mut Keeper) -> Result<(), Trouble> {
    for service in ["redis", "promon", "mail", "task"] {
        keeper.running(terminal, service, true)?;
    }
    Ok(())
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
    keeper: &mut Keeper,
    backing: &mut Backing,
    redis: Redis,
    password: &str,
) -> Result<Repair, Trouble> {
    let (port, killed) = (redis.port, Instant::now());
    terminal.command(&format!("kill -9 {}", redis.process.pid()));
    drop(redis);
    keeper.running(terminal, "redis", false)?;
    let noticed = killed.elapsed().as_secs_f32();
    keeper.running(terminal, "task", false)?;
    terminal.command(&format!("redis-server --port {port} --requirepass ••••"));
    backing.redis = Some(start_redis(password, port));
    let back = Instant::now();
    all_running(terminal, keeper)?;
    let rerun = format!(
        "rerun {:.1} s after it was back",
        back.elapsed().as_secs_f32()
    );
    terminal.result(&format!("noticed after {noticed:.1} s; {rerun}"));
    Ok(Repair {
        what: "redis killed".into(),
        by: "kill -9".into(),
        measured: None,
        own: rerun,
    })
}

/// On nodes that are real, Kubernetes itself starts another redis.
fn delete_pod(terminal: &Terminal, stage: &Stage, keeper: &mut Keeper) -> Result<Repair, Trouble> {
    let pods = ["delete", "pod", "-l", "app.kubernetes.io/name=redis"];
    let killed = Instant::now();
    terminal.command(&format!("kubectl -n {NAMESPACE} {}", pods.join(" ")));
    terminal.quote(&stage.kubectl(&pods));
    wait("another redis pod", Duration::from_secs(180), || {
        keeper.show_log(terminal);
        let ready = stage.value("deployment/redis", "{.status.readyReplicas}");
        (ready? == "1").then_some(())
    })?;
    all_running(terminal, keeper)?;
    let own = format!(
        "Running again {:.1} s later",
        killed.elapsed().as_secs_f32()
    );
    terminal.result(&own);
    Ok(Repair {
        what: "redis pod deleted".into(),
        by: "kubectl".into(),
        measured: None,
        own,
    })
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
    let seconds = terminal.elapsed().as_secs_f32();
    terminal.say(&format!("\nThe whole story took {seconds:.0} s."));
    if repairs.iter().any(|repair| repair.measured.is_some()) {
        terminal.say("PUT RIGHT AFTER is the audit log's: from the API server's answer to the intruder until its\nanswer to jsorc.");
    }
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
    terminal.command("target/debug/jsorc status");
    while !is_stopped() {
        keeper.show_log(terminal);
        thread::sleep(Duration::from_millis(100));
    }
}
