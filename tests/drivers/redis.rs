//! `redis`.

use std::time::{Duration, Instant};

use jsorc::drivers::{DriverError, Log};
use serde_json::json;
use tokio::net::TcpListener;

use super::{Cluster, PATIENCE, SECRET, WRONG, answer, keeps_secrets, refusal, start, start_with};
use crate::support::{Certs, Redis, RedisOptions};

#[tokio::test]
async fn a_service_and_a_secret_of_the_cluster_lead_to_an_answer() {
    let redis = Redis::with(&RedisOptions {
        password: Some(SECRET),
        ..Default::default()
    });
    let settings =
        json!({"service": "redis:6379", "db": "1", "password": {"secret": "auth/password"}});
    let cluster = Cluster { port: redis.port };
    let started = start_with("redis", &settings, &cluster, PATIENCE, Log::new(|_| {})).await;
    let mut running = started.unwrap();
    let answer = running.probe().await.unwrap();
    assert!(
        answer.note.contains(" master, ") && answer.note.ends_with(" used"),
        "{answer:?}"
    );
    assert!(answer.latency < Duration::from_secs(1));
    running.stop().await;
}

#[tokio::test]
async fn wrong_and_missing_passwords_are_refused_with_a_hint() {
    let redis = Redis::with(&RedisOptions {
        password: Some(SECRET),
        ..Default::default()
    });
    let place = format!("redis://127.0.0.1:{}", redis.port);
    let settings = json!({"host": "127.0.0.1", "port": redis.port, "password": WRONG});
    let error = refusal("redis", &settings).await;
    assert_eq!(
        error.to_string(),
        format!("{place}: wrong user or password")
    );
    assert!(error.hint().unwrap().contains("`password`"));

    let settings = json!({"url": format!("redis://:{WRONG}@127.0.0.1:{}", redis.port)});
    assert!(matches!(
        refusal("redis", &settings).await,
        DriverError::Refused { .. }
    ));

    let mut running = start("redis", &json!({"url": place})).await.unwrap();
    let error = running.probe().await.unwrap_err();
    assert_eq!(error.to_string(), format!("{place}: it wants a password"));
}

#[tokio::test]
async fn a_password_for_a_server_without_one_does_no_harm() {
    let redis = Redis::start();
    let settings = json!({"host": "127.0.0.1", "port": redis.port, "password": SECRET});
    assert!(answer("redis", &settings).await.note.contains("master"));
}

#[tokio::test]
async fn tls_trusts_the_right_authority_only() {
    let certs = Certs::new();
    let redis = Redis::with(&RedisOptions {
        tls: Some(&certs),
        user: Some(("app", SECRET)),
        ..Default::default()
    });
    let mut settings = json!({
        "host": "localhost", "port": redis.port, "tls": true,
        "user": "app", "password": SECRET, "ca": certs.ca(),
    });
    assert!(answer("redis", &settings).await.note.contains("master"));

    settings["server_name"] = "other.test".into();
    let error = refusal("redis", &settings).await;
    assert!(
        error
            .to_string()
            .ends_with("certificate not trusted: it bears another name"),
        "{error}"
    );

    settings["server_name"] = "rig.test".into();
    settings["ca"] = Certs::new().ca().to_str().unwrap().into();
    assert!(
        refusal("redis", &settings)
            .await
            .to_string()
            .ends_with("no such file or directory")
    );

    let other = Certs::new();
    settings["ca"] = json!({"file": other.ca()});
    let error = refusal("redis", &settings).await;
    let expected = format!(
        "rediss://localhost:{}: certificate not trusted: unknown authority",
        redis.port
    );
    assert_eq!(error.to_string(), expected);
    assert!(error.hint().unwrap().contains("`ca`"));

    settings["ca"] = "".into();
    assert!(
        refusal("redis", &settings)
            .await
            .to_string()
            .contains("unknown authority")
    );
    settings["insecure"] = true.into();
    assert!(answer("redis", &settings).await.note.contains("master"));
}

#[tokio::test]
async fn tls_where_there_is_none_is_named() {
    let server = crate::support::Prometheus::start();
    let settings = json!({"host": "127.0.0.1", "port": server.port, "tls": true, "insecure": true});
    let error = refusal("redis", &settings).await;
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn a_server_that_dies_is_unreachable_and_its_successor_answers() {
    let redis = Redis::start();
    let port = redis.port;
    let settings = json!({"host": "127.0.0.1", "port": port});
    let mut running = start("redis", &settings).await.unwrap();
    drop(redis);
    let error = running.probe().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("redis://127.0.0.1:{port}: connection refused")
    );
    let _successor = Redis::with(&RedisOptions {
        port: Some(port),
        ..Default::default()
    });
    assert!(running.probe().await.unwrap().note.contains("master"));
}

#[tokio::test]
async fn a_server_that_hangs_costs_the_deadline_and_no_more() {
    let deadline = Duration::from_millis(300);
    let redis = Redis::start();
    let settings = json!({"host": "127.0.0.1", "port": redis.port});
    let started = start_with(
        "redis",
        &settings,
        &super::Nowhere,
        deadline,
        Log::new(|_| {}),
    )
    .await;
    let mut running = started.unwrap();
    redis.process.freeze();
    let asked = Instant::now();
    let error = running.probe().await.unwrap_err();
    assert!(asked.elapsed() < Duration::from_secs(2));
    let place = format!("redis://127.0.0.1:{}", redis.port);
    assert_eq!(
        error.to_string(),
        format!("{place}: no answer within 300 ms")
    );
    redis.process.thaw();
    running.probe().await.unwrap();
}

#[tokio::test]
async fn every_driver_gives_up_on_a_listener_that_never_answers() {
    let deadline = Duration::from_millis(200);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for (driver, settings) in [
        (
            "redis",
            json!({"host": "127.0.0.1", "port": port, "password": SECRET}),
        ),
        (
            "redis",
            json!({"host": "127.0.0.1", "port": port, "tls": true}),
        ),
        (
            "celery",
            json!({"host": "127.0.0.1", "port": port, "password": SECRET}),
        ),
        (
            "prometheus",
            json!({"host": "127.0.0.1", "port": port, "token": SECRET}),
        ),
        (
            "smtp",
            json!({"host": "127.0.0.1", "port": port, "tls": "starttls"}),
        ),
        (
            "smtp",
            json!({"host": "127.0.0.1", "port": port, "tls": "implicit"}),
        ),
        (
            "http",
            json!({"url": format!("http://user:{SECRET}@127.0.0.1:{port}/")}),
        ),
    ] {
        let asked = Instant::now();
        let log = Log::new(|_| {});
        let started = start_with(driver, &settings, &super::Nowhere, deadline, log).await;
        let error = started.err().unwrap();
        keeps_secrets(&error);
        assert!(
            matches!(error, DriverError::Timeout { .. }),
            "{driver}: {error}"
        );
        assert!(asked.elapsed() < Duration::from_secs(2), "{driver}");
    }
}

#[tokio::test]
async fn what_is_not_redis_and_what_is_not_there_is_named() {
    let server = crate::support::Prometheus::start();
    let mut running = start("redis", &json!({"host": "127.0.0.1", "port": server.port}))
        .await
        .unwrap();
    let error = running.probe().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("does not speak Redis's protocol: HTTP/1.1 400"),
        "{error}"
    );

    let error = refusal("redis", &json!({"host": "no-such-host.invalid"})).await;
    assert!(
        error
            .to_string()
            .starts_with("redis://no-such-host.invalid:6379: "),
        "{error}"
    );

    assert!(
        refusal("redis", &json!({"host": "", "db": 1}))
            .await
            .is_not_configured()
    );
    assert!(
        refusal("redis", &json!({"service": "redis:6379"}))
            .await
            .is_not_configured()
    );
    let redis = Redis::start();
    let settings = json!({"host": "127.0.0.1", "port": redis.port, "db": 99});
    assert!(
        refusal("redis", &settings)
            .await
            .hint()
            .unwrap()
            .contains("`db`")
    );
}
