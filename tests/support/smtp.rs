//! A real SMTP server: aiosmtpd, with STARTTLS or implicit TLS and AUTH.

use std::process::Command;

use serde_json::Value;

use super::{
    certs::Certs,
    process::{Process, Scratch, free_port, install},
};

/// How the server speaks TLS.
#[derive(Clone, Copy, Default)]
pub enum SmtpTls<'a> {
    /// Not at all.
    #[default]
    None,
    /// After STARTTLS, which it demands before AUTH.
    StartTls(&'a Certs),
    /// From the first byte.
    Implicit(&'a Certs),
}

/// What the server demands.
#[derive(Clone, Copy, Default)]
pub struct SmtpOptions<'a> {
    /// Encryption.
    pub tls: SmtpTls<'a>,
    /// A user and its password, without which it takes no mail.
    pub user: Option<(&'a str, &'a str)>,
    /// The port to listen on; a free one if none.
    pub port: Option<u16>,
}

/// A running server.
pub struct Smtp {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// The process, to be frozen or looked at.
    pub process: Process,
    _folder: Scratch,
}

impl Smtp {
    /// A server with these options.
    pub fn with(options: &SmtpOptions<'_>) -> Self {
        let folder = Scratch::new("smtp");
        let port = options.port.unwrap_or_else(free_port);
        let mut command = Command::new(install("python").join("bin/python"));
        command.arg("-u").arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/smtp_server.py"
        ));
        command.args(["--port", &port.to_string()]);
        let (mode, certs) = match options.tls {
            SmtpTls::None => ("none", None),
            SmtpTls::StartTls(certs) => ("starttls", Some(certs)),
            SmtpTls::Implicit(certs) => ("implicit", Some(certs)),
        };
        command.args(["--tls", mode]);
        if let Some(certs) = certs {
            command
                .arg("--cert")
                .arg(certs.cert())
                .arg("--key")
                .arg(certs.key());
        }
        if let Some((user, password)) = options.user {
            command.args(["--user", user, "--password", password]);
        }
        let mut process = Process::start("smtp", &mut command, folder.path());
        process.wait_for_port(port);
        Self {
            port,
            process,
            _folder: folder,
        }
    }

    /// The mails it took, each with `from`, `to` and `text`.
    pub fn mails(&self) -> Vec<Value> {
        self.process
            .log()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}
