//! A real redis-server.

use std::{process::Command, time::Duration};

use super::{
    certs::Certs,
    process::{Process, Scratch, free_port},
};

/// What the server demands.
#[derive(Default)]
pub struct RedisOptions<'a> {
    /// The default user's password.
    pub password: Option<&'a str>,
    /// One more user, with every right, and its password.
    pub user: Option<(&'a str, &'a str)>,
    /// TLS only, with this server certificate.
    pub tls: Option<&'a Certs>,
    /// The port to listen on; a free one if none.
    pub port: Option<u16>,
}

/// A running server that keeps nothing on disk.
pub struct Redis {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// The process, to be frozen or looked at.
    pub process: Process,
    _folder: Scratch,
}

impl Redis {
    /// A server without password.
    pub fn start() -> Self {
        Self::with(&RedisOptions::default())
    }

    /// A server with these options.
    pub fn with(options: &RedisOptions<'_>) -> Self {
        let folder = Scratch::new("redis");
        let port = options.port.unwrap_or_else(free_port);
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
        ]);
        command.arg(folder.path());
        if let Some(password) = options.password {
            command.args(["--requirepass", password]);
        }
        if let Some((name, password)) = options.user {
            command.args([
                "--user",
                name,
                "on",
                &format!(">{password}"),
                "~*",
                "&*",
                "+@all",
            ]);
        }
        match options.tls {
            Some(certs) => {
                command.args(["--port", "0", "--tls-auth-clients", "no"]);
                command.args(["--tls-port", &port.to_string(), "--tls-cert-file"]);
                command
                    .arg(certs.cert())
                    .arg("--tls-key-file")
                    .arg(certs.key());
                command.arg("--tls-ca-cert-file").arg(certs.ca());
            }
            None => {
                command.args(["--port", &port.to_string()]);
            }
        }
        let mut process = Process::start("redis", &mut command, folder.path());
        process.wait_until(Duration::from_secs(20), |process| {
            process.log().contains("Ready to accept connections")
        });
        Self {
            port,
            process,
            _folder: folder,
        }
    }

    /// Its address without user, for a server without TLS.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
