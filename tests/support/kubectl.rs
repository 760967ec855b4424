//! kubectl, taken from the control plane's program so that no other one is needed.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A kubectl with a kubeconfig.
#[derive(Clone)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// Takes the control plane's program and whose kubeconfig to use.
    pub fn new(program: &Path, kubeconfig: &Path) -> Self {
        Self {
            program: program.to_owned(),
            kubeconfig: kubeconfig.to_owned(),
        }
    }

    /// A command to add to: for a kubectl that goes on, such as a port-forward.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("kubectl").env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// Runs it, whatever comes of it.
    pub fn output(&self, args: &[&str]) -> Output {
        self.command()
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs it and gives what it printed; the test ends if it fails.
    pub fn run(&self, args: &[&str]) -> String {
        expect(args, self.output(args))
    }

    /// Runs it with an input and gives what it printed; the test ends if it fails.
    pub fn run_with(&self, args: &[&str], input: &str) -> String {
        let mut command = self.command();
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        expect(args, child.wait_with_output().unwrap())
    }
}

fn expect(args: &[&str], output: Output) -> String {
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "kubectl {}: {message}",
        args.join(" ")
    );
    String::from_utf8(output.stdout).unwrap()
}
