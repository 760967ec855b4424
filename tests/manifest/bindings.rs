//! References of roles, routes, scalers and annotations that lead nowhere.

use super::refused_kube;

#[test]
fn role_that_is_not_there() {
    refused_kube(
        r"apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: default}]
",
        r"error: services/web/kube/web.yaml:4:66: no Role `reader` in any service here
  |
4 | roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
  |                                                                  ^^^^^^
hint: if others provide it, say so: `jsorc.dev/external: Role/reader`",
    );
}

#[test]
fn subject_that_is_not_there() {
    refused_kube(
        r#"apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
  - {kind: ServiceAccount, name: robot, namespace: "$g{namespace}"}
"#,
        r#"error: services/web/kube/web.yaml:6:34: no ServiceAccount `robot` in any service here
  |
6 |   - {kind: ServiceAccount, name: robot, namespace: "$g{namespace}"}
  |                                  ^^^^^
hint: if others provide it, say so: `jsorc.dev/external: ServiceAccount/robot`"#,
    );
}

#[test]
fn ingress_to_a_missing_port() {
    refused_kube(
        r"apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
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
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  defaultBackend:
    service: {name: web, port: {number: 8080}}
",
        r"error: services/web/kube/web.yaml:27:41: Service `web` has no port 8080
   |
27 |     service: {name: web, port: {number: 8080}}
   |                                         ^^^^",
    );
}

#[test]
fn ingress_to_a_missing_service() {
    refused_kube(
        r"apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
    - http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]
",
        r"error: services/web/kube/web.yaml:7:71: no Service `web` in any service here
  |
7 |         paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]
  |                                                                       ^^^
hint: if others provide it, say so: `jsorc.dev/external: Service/web`",
    );
}

#[test]
fn autoscaler_of_a_missing_deployment() {
    refused_kube(
        r"apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
",
        r"error: services/web/kube/web.yaml:6:65: no Deployment `web` in any service here
  |
6 |   scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  |                                                                 ^^^
hint: if others provide it, say so: `jsorc.dev/external: Deployment/web`",
    );
}

#[test]
fn stateful_set_without_its_service() {
    refused_kube(
        r#"apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: a, image: "a:1"}]}
"#,
        r"error: services/web/kube/web.yaml:5:16: no Service `db` in any service here
  |
5 |   serviceName: db
  |                ^^
hint: if others provide it, say so: `jsorc.dev/external: Service/db`",
    );
}

#[test]
fn order_after_a_missing_object() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations: {jsorc.dev/after: StatefulSet/postgres}
",
        r"error: services/web/kube/web.yaml:5:34: no StatefulSet `postgres` in any service here
  |
5 |   annotations: {jsorc.dev/after: StatefulSet/postgres}
  |                                  ^^^^^^^^^^^^^^^^^^^^
hint: if others provide it, say so: `jsorc.dev/external: StatefulSet/postgres`",
    );
}

#[test]
fn external_that_names_nothing() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations: {jsorc.dev/external: registry-login}
",
        r"error: services/web/kube/web.yaml:5:37: `registry-login` names no object
  |
5 |   annotations: {jsorc.dev/external: registry-login}
  |                                     ^^^^^^^^^^^^^^
hint: write KIND/NAME, KIND/NAME …",
    );
}
