//! The servers beside the cluster.

use std::{net::TcpStream, process::Command};

use super::{ask, is_alive};
use crate::support::{
    CeleryWorker, Certs, Prometheus, PrometheusOptions, Redis, RedisOptions, Smtp, SmtpOptions,
    SmtpTls, install,
};

#[test]
fn redis_answers_over_tls_to_a_named_user() {
    let certs = Certs::new();
    let options = RedisOptions {
        tls: Some(&certs),
        user: Some(("app", "rig-secret")),
        ..Default::default()
    };
    let redis = Redis::with(&options);
    let mut command = Command::new("redis-cli");
    command
        .args(["-p", &redis.port.to_string(), "--tls", "--cacert"])
        .arg(certs.ca());
    command.args([
        "--user",
        "app",
        "--pass",
        "rig-secret",
        "--no-auth-warning",
        "ACL",
        "WHOAMI",
    ]);
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "app");
}

#[test]
fn prometheus_demands_a_password() {
    let server = Prometheus::with(&PrometheusOptions {
        auth: true,
        ..Default::default()
    });
    let answer = ask(server.port, "GET /-/ready HTTP/1.0\r\n\r\n", "\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 401"), "{answer}");
    let answer = ask(
        server.port,
        "GET /-/ready HTTP/1.0\r\nAuthorization: Basic cmlnOnJpZy1wYXNzd29yZA==\r\n\r\n",
        "\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
}

#[test]
fn smtp_takes_a_mail_after_starttls_and_auth() {
    const SCRIPT: &str = "
import smtplib, ssl, sys
client = smtplib.SMTP('localhost', int(sys.argv[1]), timeout=10)
client.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))
client.login('app', 'rig-secret')
client.sendmail('a@rig.test', ['b@rig.test'], 'Subject: hello\\n\\nbody')
";
    let certs = Certs::new();
    let options = SmtpOptions {
        tls: SmtpTls::StartTls(&certs),
        user: Some(("app", "rig-secret")),
        ..Default::default()
    };
    let smtp = Smtp::with(&options);
    let mut python = Command::new(install("python").join("bin/python"));
    let sent = python
        .args(["-c", SCRIPT, &smtp.port.to_string()])
        .arg(certs.ca())
        .output();
    let sent = sent.unwrap();
    assert!(
        sent.status.success(),
        "{}",
        String::from_utf8_lossy(&sent.stderr)
    );
    let mails = smtp.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["to"][0], "b@rig.test");
}

#[test]
fn a_celery_worker_answers_a_ping() {
    let redis = Redis::start();
    let broker = format!("{}/1", redis.url());
    let _worker = CeleryWorker::start(&broker, "one");
    let mut command = Command::new(install("python").join("bin/python"));
    command.args([
        "-m",
        "celery",
        "--broker",
        &broker,
        "inspect",
        "ping",
        "--timeout=5",
    ]);
    let output = command.output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        answer.contains("one@rig: OK") && answer.contains("pong"),
        "{answer}"
    );
}

#[test]
fn a_server_ends_with_its_guard() {
    let redis = Redis::start();
    let (pid, port) = (redis.process.pid(), redis.port);
    assert!(ask(port, "PING\r\n", "PONG").starts_with("+PONG"));
    drop(redis);
    assert!(!is_alive(pid));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
