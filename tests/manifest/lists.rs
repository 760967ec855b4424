//! Containers and their lists: ports, variables, mounts, images, resources.

use super::refused_kube;

#[test]
fn container_twice() {
    refused_kube(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - {name: a, image: "a:1"}
    - {name: a, image: "b:1"}
"#,
        r#"error: services/web/kube/web.yaml:7:14: container `a` is there twice
  |
7 |     - {name: a, image: "b:1"}
  |              ^ first on line 6"#,
    );
}

#[test]
fn port_name_twice() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      ports:
        - {name: http, containerPort: 80}
        - {name: http, containerPort: 81}
",
        r"error: services/web/kube/web.yaml:10:18: port `http` is there twice
   |
10 |         - {name: http, containerPort: 81}
   |                  ^^^^ first on line 9",
    );
}

#[test]
fn port_number_twice() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      ports:
        - {name: x, containerPort: 80}
        - {name: y, containerPort: 80, protocol: TCP}
        - {name: z, containerPort: 80, protocol: UDP}
",
        r"error: services/web/kube/web.yaml:10:36: port 80/TCP is there twice
   |
10 |         - {name: y, containerPort: 80, protocol: TCP}
   |                                    ^^ first on line 9",
    );
}

#[test]
fn port_name_too_long() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      ports:
        - {name: a-very-long-port-name, containerPort: 80}
",
        r"error: services/web/kube/web.yaml:9:18: the name of port `a-very-long-port-name` must be at most 15 lower case letters, digits and single `-`, with at least one letter
  |
9 |         - {name: a-very-long-port-name, containerPort: 80}
  |                  ^^^^^^^^^^^^^^^^^^^^^",
    );
}

#[test]
fn variable_twice() {
    refused_kube(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      env:
        - {name: X, value: "1"}
        - {name: X, value: "2"}
"#,
        r#"error: services/web/kube/web.yaml:10:18: variable `X` of container `a` is there twice
   |
10 |         - {name: X, value: "2"}
   |                  ^ first on line 9"#,
    );
}

#[test]
fn volume_twice() {
    refused_kube(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - {name: a, image: "a:1"}
  volumes:
    - {name: v, emptyDir: {}}
    - {name: v, emptyDir: {}}
"#,
        r"error: services/web/kube/web.yaml:9:14: volume `v` is there twice
  |
9 |     - {name: v, emptyDir: {}}
  |              ^ first on line 8",
    );
}

#[test]
fn mount_path_twice() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      volumeMounts:
        - {name: v, mountPath: /x}
        - {name: v, mountPath: /x}
  volumes:
    - {name: v, emptyDir: {}}
",
        r"error: services/web/kube/web.yaml:10:32: mount `/x` of container `a` is there twice
   |
10 |         - {name: v, mountPath: /x}
   |                                ^^ first on line 9",
    );
}

#[test]
fn mount_of_no_volume() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      volumeMounts:
        - {name: dta, mountPath: /x}
  volumes:
    - {name: data, emptyDir: {}}
",
        r"error: services/web/kube/web.yaml:9:18: container `a` mounts the volume `dta`, which is not there
  |
9 |         - {name: dta, mountPath: /x}
  |                  ^^^
hint: did you mean `data`?",
    );
}

#[test]
fn no_containers() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: []
",
        r"error: services/web/kube/web.yaml:5:3: Pod `a` has no containers
  |
5 |   containers: []
  |   ^^^^^^^^^^",
    );
}

#[test]
fn no_image() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
",
        r"error: services/web/kube/web.yaml:6:7: container `a` has no image
  |
6 |     - name: a
  |       ^",
    );
}

#[test]
fn image_without_tag() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: localhost:5000/redis
",
        r"error: services/web/kube/web.yaml:7:14: image `localhost:5000/redis` has no tag
  |
7 |       image: localhost:5000/redis
  |              ^^^^^^^^^^^^^^^^^^^^
hint: name a version, such as `localhost:5000/redis:1.2.3`",
    );
}

#[test]
fn image_latest() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: redis:latest
",
        r"error: services/web/kube/web.yaml:7:14: image `redis:latest` changes under way
  |
7 |       image: redis:latest
  |              ^^^^^^^^^^^^
hint: name a version, such as `redis:1.2.3`",
    );
}

#[test]
fn request_above_its_limit() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      resources:
        requests: {cpu: 1, memory: 2Gi}
        limits: {cpu: 1500m, memory: 1Gi}
",
        r"error: services/web/kube/web.yaml:9:36: container `a` requests 2Gi memory, more than its limit 1Gi
  |
9 |         requests: {cpu: 1, memory: 2Gi}
  |                                    ^^^",
    );
}

#[test]
fn quantity_that_is_none() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      resources:
        limits: {memory: 1GB}
",
        r"error: services/web/kube/web.yaml:9:26: `limits.memory` of container `a`: `1GB` is no quantity (write 256Mi, 500m or 2)
  |
9 |         limits: {memory: 1GB}
  |                          ^^^",
    );
}
