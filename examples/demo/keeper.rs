//! jsorc itself: its configuration for the story, the daemon, and the log that is read along.

use std::time::Duration;

use crate::{
    patience::{Trouble, wait},
    stage::{MAIL, NAMESPACE, Servers, Stage},
    support::{Daemon, Jsorc, Ran},
    terminal::Terminal,
};

/// So many lines about single objects are shown; the others are counted.
const OBJECTS_SHOWN: usize = 3;

/// A running jsorc and how much of its log was shown.
pub struct Keeper {
    /// How it is called.
    pub jsorc: Jsorc,
    daemon: Daemon,
    shown: usize,
    folded: usize,
    objects: usize,
}

/// The configuration file of the story.
pub fn configuration(servers: &Servers, stage: &Stage) -> String {
    let (port, ca) = (servers.mail.port, servers.certs.ca());
    let mut text = format!(
        "namespace: {NAMESPACE}
interval: 2s
quiet: false          # a line per object
services:
  mail:
    config: {{host: localhost, port: {port}, tls: starttls, ca: {{file: {ca}}}, user: {user}, password: {{env: MAIL_PASSWORD}}}}
",
        ca = ca.display(),
        user = MAIL.0,
    );
    if stage.leads {
        text.push_str(
            "  redis:
    patches:            # the pods of this cluster are made believe; these take their time
    - target: Deployment/redis
      merge: {spec: {template: {metadata: {annotations: {rig.jsorc.dev/ready-after: 2s}}}}}
  promon:
    patches:
    - target: Deployment/prometheus-server
      merge: {spec: {template: {metadata: {annotations: {rig.jsorc.dev/ready-after: 4s}}}}}
",
        );
    }
    text
}

impl Keeper {
    /// Starts the daemon with this configuration.
    pub fn start(stage: &Stage, configuration: &str) -> Self {
        let jsorc = Jsorc::on(&stage.cluster, "demo");
        let file = jsorc
            .file("jsorc.yaml", configuration)
            .display()
            .to_string();
        let jsorc = jsorc
            .set("JSORC_NAMESPACE", NAMESPACE)
            .set("JSORC_INSTANCE__NAME", "demo")
            .set("MAIL_PASSWORD", MAIL.1)
            .set("JSORC_CONFIG", &file);
        let daemon = jsorc.daemon();
        Self {
            jsorc,
            daemon,
            shown: 0,
            folded: 0,
            objects: 0,
        }
    }

    /// Shows what the log says beyond what was shown.
    pub fn show_log(&mut self, terminal: &Terminal) {
        let log = self.daemon.log();
        let whole = log.rfind('\n').map_or(0, |end| end + 1);
        for line in log[self.shown..whole].lines() {
            if line.contains(": created ") {
                self.objects += 1;
                if self.objects > OBJECTS_SHOWN {
                    self.folded += 1;
                    continue;
                }
            } else {
                self.unfold(terminal);
            }
            terminal.quote(line);
        }
        self.shown = whole;
    }

    fn unfold(&mut self, terminal: &Terminal) {
        if self.folded > 0 {
            terminal.quote(&format!("             … and {} more", self.folded));
        }
        (self.folded, self.objects) = (0, 0);
    }

    /// The log's length now, to look only at what comes after.
    pub fn mark(&self) -> usize {
        self.daemon.log().len()
    }

    /// Waits for a line of the log with all of these texts, showing the log meanwhile.
    pub fn line_with(
        &mut self,
        terminal: &Terminal,
        mark: usize,
        texts: &[&str],
    ) -> Result<String, Trouble> {
        let what = format!("a line of the log with `{}`", texts.join("` and `"));
        wait(&what, Duration::from_secs(60), || {
            self.show_log(terminal);
            let log = self.daemon.log();
            let mut lines = log.get(mark..)?.lines();
            let found = lines.find(|line| texts.iter().all(|text| line.contains(text)));
            found.map(str::to_owned)
        })
    }

    /// Waits until a service is, or is no more, Running.
    pub fn running(
        &mut self,
        terminal: &Terminal,
        service: &str,
        wanted: bool,
    ) -> Result<(), Trouble> {
        let what = if wanted { "Running" } else { "not Running" };
        let what = format!("{service} {what}");
        let found = wait(&what, Duration::from_secs(120), || {
            self.show_log(terminal);
            let phase = self.field(service, "phase")?;
            ((phase == "Running") == wanted).then_some(())
        });
        found.map_err(|trouble| match trouble {
            Trouble::Untrue(text) => {
                let reason = self.field(service, "reason").unwrap_or_default();
                Trouble::Untrue(format!("{text} ({reason})"))
            }
            other => other,
        })
    }

    /// Waits until a service's note says this.
    pub fn says(&mut self, terminal: &Terminal, service: &str, text: &str) -> Result<(), Trouble> {
        let what = format!("`{text}` in the note of {service}");
        wait(&what, Duration::from_secs(60), || {
            self.show_log(terminal);
            let note = self.field(service, "reason")?;
            note.contains(text).then_some(())
        })
    }

    fn field(&self, service: &str, name: &str) -> Option<String> {
        let service = self.daemon.service(service)?;
        service[name].as_str().map(str::to_owned)
    }

    /// Runs another command with the same configuration, and asks the daemon where there is one to
    /// ask.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.jsorc.run(arguments)
    }

    /// Where the daemon can be asked.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.daemon.api)
    }

    /// Ends the daemon and gives its exit code.
    pub fn stop(self) -> i32 {
        self.daemon.stop()
    }
}
