//! A services folder that nobody planned for: a database with a claim, a generated password, an
//! init Job, a schedule, and a web server that scales itself and waits for the database.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::support::{Cluster, Jsorc, eventually};

const LONG: Duration = Duration::from_secs(60);

const DATABASE: &[(&str, &str)] = &[
    (
        "postgres/service.yaml",
        "driver: none
description: The shop's database
parameters:
  image: {type: string, default: \"postgres:17-alpine\"}
  storage: {type: quantity, default: 1Gi}
  storage_class: {type: string, default: null}
  password: {type: secret, generate: 32}
",
    ),
    (
        "postgres/kube/postgres.yaml",
        "apiVersion: v1
kind: Secret
metadata: {name: postgres}
stringData:
  password: $g{password}
  url: postgres://shop:$g{password}@postgres.$g{namespace}:5432/shop
---
apiVersion: v1
kind: Service
metadata: {name: postgres}
spec:
  clusterIP: None
  selector: {app: postgres}
  ports: [{name: sql, port: 5432, targetPort: sql}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: postgres}
spec:
  serviceName: postgres
  selector: {matchLabels: {app: postgres}}
  template:
    metadata: {labels: {app: postgres}}
    spec:
      containers:
      - name: postgres
        image: $g{image}
        ports: [{name: sql, containerPort: 5432}]
        env:
        - {name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: postgres, key: password}}}
        volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      accessModes: [ReadWriteOnce]
      storageClassName: $g{storage_class}
      resources: {requests: {storage: \"$g{storage}\"}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: init
  annotations: {jsorc.dev/run: once, jsorc.dev/after: StatefulSet/postgres}
spec:
  ttlSecondsAfterFinished: 1
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: init, image: \"$g{image}\", envFrom: [{secretRef: {name: postgres}}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: backup}
spec:
  schedule: \"0 3 * * *\"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers: [{name: backup, image: \"$g{image}\"}]
",
    ),
    ("web/service.yaml", "driver: none\ndepends_on: [postgres]\n"),
    (
        "web/kube/web.yaml",
        "apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: \"web:1\", envFrom: [{secretRef: {name: postgres}}]}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
",
    ),
];

fn password(cluster: &Cluster, namespace: &str) -> String {
    let encoded = cluster.kubectl([
        "get",
        "secret",
        "postgres",
        "-n",
        namespace,
        "-o",
        "jsonpath={.data.password}",
    ]);
    String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap()
}

#[test]
fn a_database_and_what_depends_on_it_come_up_in_order_and_stay() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "database")
        .services(DATABASE)
        .set("JSORC_INTERVAL", "2s");
    let kubectl = |args: &[&str]| {
        cluster
            .as_admin()
            .run(&[args, &["-n", &jsorc.namespace]].concat())
    };
    let daemon = jsorc.daemon();
    daemon.wait_for("web", "Running", LONG);
    let log = daemon.log();
    let line = |service: &str, text: &str| {
        let mut lines = log.lines();
        lines.position(|line| line.contains(service) && line.contains(text))
    };
    let postgres = line(" postgres: ", "→ Running");
    let web = line(" web: ", "objects applied");
    assert!(
        postgres.is_some() && postgres < web,
        "web waits for the database:\n{log}"
    );

    let made = password(cluster, &jsorc.namespace);
    assert_eq!(made.len(), 32);
    assert!(!log.contains(&made));

    // The finished Job is removed by its TTL, which is no drift; it never runs again.
    let uid = |object: &str| kubectl(&["get", object, "-o", "jsonpath={.items[*].metadata.uid}"]);
    eventually("the end of the Job", LONG, || {
        uid("jobs").is_empty().then_some(())
    });
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(uid("jobs"), "");
    jsorc.run(&["plan", "--exit-code"]).expect(0);

    // What the autoscaler does to the replicas is its business.
    kubectl(&["scale", "deployment/web", "--replicas=3"]);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(
        kubectl(&["get", "deployment/web", "-o", "jsonpath={.spec.replicas}"]),
        "3"
    );
    jsorc.run(&["plan", "--exit-code"]).expect(0);
    assert_eq!(daemon.stop(), 0);

    // A restart makes no new password and runs no Job.
    let daemon = jsorc.daemon();
    daemon.wait_for("web", "Running", LONG);
    assert_eq!(password(cluster, &jsorc.namespace), made);
    assert_eq!(uid("jobs"), "");
    let plan = jsorc.run(&["plan", "-v"]).expect(0);
    assert!(!plan.stdout.contains(&made) && !plan.stdout.contains(&BASE64_STANDARD.encode(&made)));
}

#[test]
fn image_replicas_storage_class_and_password_are_overridden_by_environment_and_patches() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "overridden")
        .services(DATABASE)
        .set(
            "JSORC_SERVICES__POSTGRES__PARAMETERS__IMAGE",
            "mirror:5000/postgres:16",
        )
        .set(
            "JSORC_SERVICES__POSTGRES__PARAMETERS__STORAGE_CLASS",
            "standard",
        )
        .set(
            "JSORC_SERVICES__POSTGRES__PARAMETERS__PASSWORD",
            "hunter2-canary",
        );
    let file = jsorc.file(
        "jsorc.yaml",
        "services:\n  postgres:\n    patches:\n    - {target: StatefulSet/postgres, merge: {spec: {replicas: 2}}}\n",
    );
    let jsorc = jsorc.with("--config").with(&file.display().to_string());
    let applied = jsorc
        .run(&["apply", "--wait", "--timeout", "60s"])
        .expect(0);
    let get = |path: &str| {
        cluster.kubectl([
            "get",
            "statefulset",
            "postgres",
            "-n",
            &jsorc.namespace,
            "-o",
            &format!("jsonpath={path}"),
        ])
    };
    assert_eq!(get("{.spec.replicas}"), "2");
    assert_eq!(
        get("{.spec.template.spec.containers[0].image}"),
        "mirror:5000/postgres:16"
    );
    assert_eq!(
        get("{.spec.volumeClaimTemplates[0].spec.storageClassName}"),
        "standard"
    );
    assert_eq!(password(cluster, &jsorc.namespace), "hunter2-canary");
    for output in [
        &applied.stdout,
        &applied.stderr,
        &jsorc.run(&["render"]).expect(0).stdout,
        &jsorc.run(&["config", "show"]).expect(0).stdout,
    ] {
        assert!(!output.contains("hunter2-canary"), "{output}");
    }
    jsorc.run(&["plan", "--exit-code"]).expect(0);
}
