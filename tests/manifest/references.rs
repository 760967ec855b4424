//! References to objects, ports and pods that are not there.

use super::refused_kube;

#[test]
fn service_that_selects_nothing() {
    refused_kube(
        r"apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: wbe}
  ports:
    - {port: 80, targetPort: http}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:1
          ports: [{name: http, containerPort: 80}]
",
        r"error: services/web/kube/web.yaml:5:3: Service `web` selects no pods of any service here
  |
5 |   selector: {app: wbe}
  |   ^^^^^^^^
hint: its labels must be those of a pod template (spec.template.metadata.labels)",
    );
}

#[test]
fn target_port_that_nobody_declares() {
    refused_kube(
        r"apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
    - {port: 80, targetPort: htpp}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:1
          ports: [{name: http, containerPort: 80}]
",
        r"error: services/web/kube/web.yaml:7:30: no container of its pods declares the port `htpp`
  |
7 |     - {port: 80, targetPort: htpp}
  |                              ^^^^
hint: did you mean `http`?",
    );
}

#[test]
fn workload_that_does_not_match_itself() {
    refused_kube(
        r"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: other}}
    spec:
      containers:
        - name: web
          image: web:1
          ports: [{name: http, containerPort: 80}]
",
        r"error: services/web/kube/web.yaml:5:3: the selector of Deployment `web` does not match its own pods
  |
5 |   selector: {matchLabels: {app: web}}
  |   ^^^^^^^^
hint: spec.template.metadata.labels are {app: other}",
    );
}

#[test]
fn workload_without_selector() {
    refused_kube(
        r#"apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: a, image: "a:1"}]
"#,
        r"error: services/web/kube/web.yaml:1:1: DaemonSet `web` has no `spec.selector`
  |
1 | apiVersion: apps/v1
  | ^^^^^^^^^^^^^^^^^^^",
    );
}

#[test]
fn disruption_budget_for_nobody() {
    refused_kube(
        r"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:1
          ports: [{name: http, containerPort: 80}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  minAvailable: 1
  selector:
    matchExpressions: [{key: app, operator: NotIn, values: [web]}]
",
        r"error: services/web/kube/web.yaml:19:3: PodDisruptionBudget `web` selects no pods of any service here
   |
19 |   selector:
   |   ^^^^^^^^
hint: its labels must be those of a pod template (spec.template.metadata.labels)",
    );
}

#[test]
fn probe_of_an_unknown_port() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      ports: [{name: http, containerPort: 80}]
      livenessProbe: {httpGet: {path: /, port: htp}}
",
        r"error: services/web/kube/web.yaml:9:48: container `a` declares no port `htp`
  |
9 |       livenessProbe: {httpGet: {path: /, port: htp}}
  |                                                ^^^
hint: did you mean `http`?",
    );
}

#[test]
fn service_account_that_is_not_there() {
    refused_kube(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  serviceAccountName: robot
  containers: [{name: a, image: "a:1"}]
"#,
        r"error: services/web/kube/web.yaml:5:23: no ServiceAccount `robot` in any service here
  |
5 |   serviceAccountName: robot
  |                       ^^^^^
hint: if others provide it, say so: `jsorc.dev/external: ServiceAccount/robot`",
    );
}

#[test]
fn config_map_with_a_slip() {
    refused_kube(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: [{name: a, image: "a:1"}]
  volumes:
    - name: c
      configMap: {name: setings}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
"#,
        r"error: services/web/kube/web.yaml:8:25: no ConfigMap `setings` in any service here
  |
8 |       configMap: {name: setings}
  |                         ^^^^^^^
hint: did you mean `settings`?",
    );
}

#[test]
fn key_that_the_secret_does_not_have() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      env:
        - name: P
          valueFrom: {secretKeyRef: {name: s, key: pasword}}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {password: x}
",
        r"error: services/web/kube/web.yaml:10:52: Secret `s` has no key `pasword`
   |
10 |           valueFrom: {secretKeyRef: {name: s, key: pasword}}
   |                                                    ^^^^^^^
hint: did you mean `password`?",
    );
}

#[test]
fn claim_that_is_not_there() {
    refused_kube(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: [{name: a, image: "a:1"}]
  volumes:
    - name: d
      persistentVolumeClaim: {claimName: data}
"#,
        r"error: services/web/kube/web.yaml:8:42: no PersistentVolumeClaim `data` in any service here
  |
8 |       persistentVolumeClaim: {claimName: data}
  |                                          ^^^^
hint: if others provide it, say so: `jsorc.dev/external: PersistentVolumeClaim/data`",
    );
}
