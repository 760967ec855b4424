//! What is no mistake is said on stdout, and reads well.

use std::{
    io::Read as _,
    process::{Command, Stdio},
};

use crate::support::{Cluster, Jsorc};

const COMMANDS: &[&str] = &[
    "run",
    "plan",
    "apply",
    "status",
    "refresh",
    "render",
    "services",
    "config",
    "rbac",
    "version",
    "completions",
];

#[test]
fn jsorc_alone_shows_its_commands() {
    let ran = Jsorc::alone("pleasant").run(&[]).expect(2);
    assert_eq!(ran.stdout, "");
    for command in COMMANDS {
        assert!(
            ran.stderr.contains(&format!("\n  {command} ")),
            "{command}: {}",
            ran.stderr
        );
    }
    assert!(
        ran.stderr.contains("Begin with `jsorc services`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn help_fits_a_screen_and_shows_no_value_of_the_environment() {
    let jsorc = Jsorc::alone("pleasant").set("JSORC_SERVER", "http://hunter2-canary@host");
    for command in COMMANDS {
        let help = jsorc.run(&["help", command]).expect(0);
        assert_eq!(help.stderr, "", "{command}");
        assert_eq!(
            help.stdout,
            jsorc.run(&[command, "--help"]).expect(0).stdout
        );
        assert!(
            help.stdout.contains(&format!("Usage: jsorc {command}")),
            "{}",
            help.stdout
        );
        assert!(help.stdout.lines().count() < 50, "{}", help.stdout);
        assert!(
            help.stdout.lines().all(|line| line.chars().count() <= 100),
            "{}",
            help.stdout
        );
        assert!(!help.stdout.contains("hunter2"), "{}", help.stdout);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for command in ["services", "render", "help"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_jsorc"))
            .arg(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(said, "", "{command}");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{command}");
    }
}

#[test]
fn a_quiet_apply_says_what_came_of_it_and_nothing_on_the_way() {
    let jsorc = Jsorc::on(Cluster::shared(), "quiet").services(&[
        ("one/service.yaml", "driver: none\n"),
        (
            "one/kube/one.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: \"1\"}\n",
        ),
    ]);
    let ran = jsorc.run(&["apply", "--quiet"]).expect(0);
    assert_eq!(ran.stderr, "");
    assert!(
        ran.stdout.starts_with("Applied: 1 created"),
        "{}",
        ran.stdout
    );
}
