//! A certificate authority and a server certificate for `localhost` and 127.0.0.1.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::process::Scratch;

/// Certificates in a folder of their own.
pub struct Certs {
    folder: Scratch,
}

impl Certs {
    /// Makes a new authority and a server certificate signed by it.
    pub fn new() -> Self {
        let certs = Self {
            folder: Scratch::new("certs"),
        };
        certs.openssl(
            "ca",
            "rig authority",
            &["-addext", "keyUsage=keyCertSign,cRLSign"],
        );
        let authority = (certs.ca(), certs.path("ca.key"));
        let (ca, key) = (authority.0.to_str().unwrap(), authority.1.to_str().unwrap());
        let names = "subjectAltName=DNS:localhost,DNS:rig.test,IP:127.0.0.1";
        let extensions = [
            "-addext",
            names,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ];
        certs.openssl(
            "server",
            "localhost",
            &[&["-CA", ca, "-CAkey", key], &extensions[..]].concat(),
        );
        certs
    }

    /// The authority's certificate.
    pub fn ca(&self) -> PathBuf {
        self.path("ca.crt")
    }

    /// The server's certificate.
    pub fn cert(&self) -> PathBuf {
        self.path("server.crt")
    }

    /// The server's key.
    pub fn key(&self) -> PathBuf {
        self.path("server.key")
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn openssl(&self, name: &str, common_name: &str, more: &[&str]) {
        let mut command = Command::new("openssl");
        command.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ]);
        command.args([
            "-nodes",
            "-days",
            "30",
            "-subj",
            &format!("/CN={common_name}"),
        ]);
        command.args([
            "-keyout",
            &format!("{name}.key"),
            "-out",
            &format!("{name}.crt"),
        ]);
        run(command.args(more).current_dir(self.folder.path()));
        readable(&self.path(&format!("{name}.key")));
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("openssl is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn readable(key: &Path) {
    assert!(key.is_file(), "no key at {}", key.display());
}
