//! The program's size, and how long it takes from exec to the first byte that a server sees.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use crate::{
    figures::{Times, milliseconds},
    report::Report,
    subject::program,
    support::Scratch,
    wishes::Wishes,
};

/// Starts are short, so more of them are measured.
const STARTS: usize = 40;

/// Measures both.
pub fn measure(_: &Wishes, report: &mut Report) {
    let program = &program();
    let size = fs::metadata(program).unwrap().len();
    let mut first = Times::default();
    let mut version = Times::default();
    for _ in 0..STARTS {
        first.add(first_byte(program));
        let begun = Instant::now();
        let output = Command::new(program).arg("version").output().unwrap();
        assert!(output.status.success());
        version.add(begun.elapsed());
    }
    let tenths = size / 100_000;
    let shown = |times: &Times| {
        format!(
            "{} (p99 {})",
            milliseconds(times.median()),
            milliseconds(times.percentile(99))
        )
    };
    let rows = [
        vec![
            "size of the program".into(),
            format!("{}.{} MB", tenths / 10, tenths % 10),
        ],
        vec![
            "exec to the first byte at the server, `plan`".into(),
            shown(&first),
        ],
        vec!["`jsorc version`, from exec to exit".into(), shown(&version)],
    ];
    report.table(&["", ""], &rows);
}

/// From exec to the first byte at a server that never answers.
fn first_byte(program: &Path) -> std::time::Duration {
    let scratch = Scratch::new("start");
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let kubeconfig = scratch.file(
        "kubeconfig",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters: [{{name: c, cluster: {{server: 'https://{address}', insecure-skip-tls-verify: true}}}}]\n\
             users: [{{name: u, user: {{token: t}}}}]\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
        ),
    );
    let begun = Instant::now();
    let mut child = Command::new(program)
        .arg("plan")
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut stream, _) = server.accept().unwrap();
    let mut byte = [0; 1];
    stream.read_exact(&mut byte).unwrap();
    let took = begun.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    took
}
