//! A real Prometheus that scrapes itself every second.

use std::{fmt::Write, process::Command, time::Duration};

use super::{
    certs::Certs,
    process::{Process, Scratch, free_port},
};

/// What the server demands.
#[derive(Default)]
pub struct PrometheusOptions<'a> {
    /// Basic authentication as [`Prometheus::USER`] with [`Prometheus::PASSWORD`].
    pub auth: bool,
    /// HTTPS, with this server certificate.
    pub tls: Option<&'a Certs>,
    /// The port to listen on; a free one if none.
    pub port: Option<u16>,
}

/// A running server.
pub struct Prometheus {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// The process, to be frozen or looked at.
    pub process: Process,
    _folder: Scratch,
}

impl Prometheus {
    /// The user, where one is demanded.
    pub const USER: &'static str = "rig";
    /// Its password.
    pub const PASSWORD: &'static str = "rig-password";
    /// The password as the server's file wants it.
    const HASH: &'static str = "$2b$04$rCW2/E1fivdFvRSR/YQlgOiNmfHDeMAkq6PJUPuZfAmaa0NmuVUiC";

    /// A server for everyone.
    pub fn start() -> Self {
        Self::with(&PrometheusOptions::default())
    }

    /// A server with these options.
    pub fn with(options: &PrometheusOptions<'_>) -> Self {
        let folder = Scratch::new("prometheus");
        let port = options.port.unwrap_or_else(free_port);
        let address = format!("127.0.0.1:{port}");
        let scrape = format!(
            "global: {{scrape_interval: 1s}}\n\
             scrape_configs: [{{job_name: prometheus, static_configs: [{{targets: ['{address}']}}]}}]\n"
        );
        let mut command = Command::new("prometheus");
        command
            .arg("--config.file")
            .arg(folder.file("prometheus.yml", &scrape));
        command
            .arg("--web.config.file")
            .arg(folder.file("web.yml", &web(options)));
        command
            .arg("--storage.tsdb.path")
            .arg(folder.path().join("data"));
        command.args(["--web.listen-address", &address]);
        let mut process = Process::start("prometheus", &mut command, folder.path());
        process.wait_until(Duration::from_secs(30), |process| {
            process
                .log()
                .contains("Server is ready to receive web requests")
        });
        Self {
            port,
            process,
            _folder: folder,
        }
    }
}

fn web(options: &PrometheusOptions<'_>) -> String {
    let mut text = String::new();
    if options.auth {
        let (user, hash) = (Prometheus::USER, Prometheus::HASH);
        writeln!(text, "basic_auth_users: {{{user}: '{hash}'}}").unwrap();
    }
    if let Some(certs) = options.tls {
        let (cert, key) = (certs.cert(), certs.key());
        let files = format!("cert_file: {}, key_file: {}", cert.display(), key.display());
        writeln!(text, "tls_server_config: {{{files}}}").unwrap();
    }
    text
}
