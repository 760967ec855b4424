//! The objects that the intruders find: one of the right kind per case.

use std::fmt::Write as _;

/// A kind of object, and where it is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ConfigMap,
    Secret,
    Service,
    Deployment,
    Autoscaler,
    NetworkPolicy,
    RoleBinding,
    /// A custom resource with a schema.
    Gadget,
    /// A custom resource that keeps unknown fields.
    Widget,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
            Self::Service => "Service",
            Self::Deployment => "Deployment",
            Self::Autoscaler => "HorizontalPodAutoscaler",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::RoleBinding => "RoleBinding",
            Self::Gadget => "Gadget",
            Self::Widget => "Widget",
        }
    }

    pub fn api_version(self) -> &'static str {
        match self {
            Self::ConfigMap | Self::Secret | Self::Service => "v1",
            Self::Deployment => "apps/v1",
            Self::Autoscaler => "autoscaling/v2",
            Self::NetworkPolicy => "networking.k8s.io/v1",
            Self::RoleBinding => "rbac.authorization.k8s.io/v1",
            Self::Gadget | Self::Widget => "intruders.example.com/v1",
        }
    }

    pub fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
            Self::Service => "services",
            Self::Deployment => "deployments",
            Self::Autoscaler => "horizontalpodautoscalers",
            Self::NetworkPolicy => "networkpolicies",
            Self::RoleBinding => "rolebindings",
            Self::Gadget => "gadgets",
            Self::Widget => "widgets",
        }
    }

    fn manifest(self, name: &str) -> String {
        let head = format!(
            "apiVersion: {}\nkind: {}\nmetadata:\n  name: {name}\n",
            self.api_version(),
            self.name()
        );
        head + &match self {
            Self::ConfigMap => "  labels: {tier: front}
  annotations: {example.com/note: hello}
  finalizers: [example.com/kept]
data: {a: one, b: two}
"
            .to_owned(),
            Self::Secret => "stringData: {p: hunter2-canary, q: other-canary}\n".to_owned(),
            Self::Service => "spec:
  selector: {app: web, tier: front}
  ports: [{name: http, port: 80, targetPort: 8080}]
"
            .to_owned(),
            Self::Deployment => format!(
                "  labels: {{tier: front}}
  annotations: {{example.com/note: hello}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      volumes: [{{name: scratch, emptyDir: {{}}}}]
      containers:
      - name: main
        image: main:1
        args: [--one, --two]
        env: [{{name: A, value: \"1\"}}, {{name: B, value: \"2\"}}]
        resources: {{requests: {{cpu: 1000m}}}}
        readinessProbe: {{httpGet: {{path: /ready, port: 80}}}}
        volumeMounts: [{{name: scratch, mountPath: /scratch}}]
      - name: side
        image: side:1
"
            ),
            Self::Autoscaler => "  annotations: {jsorc.dev/external: Deployment/nobody}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nobody}
  minReplicas: 2
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
"
            .to_owned(),
            Self::NetworkPolicy => "spec: {podSelector: {}, policyTypes: [Ingress]}\n".to_owned(),
            Self::RoleBinding => "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: someone}]
"
            .to_owned(),
            Self::Gadget | Self::Widget => {
                "spec: {size: 1, nested: {key: one, other: two}, list: [k, l]}\n".to_owned()
            }
        }
    }
}

/// The definitions and one object for each case, named by its number.
pub fn manifests(kinds: &[Kind]) -> String {
    let mut all = FRONT.to_owned();
    if kinds
        .iter()
        .any(|kind| matches!(kind, Kind::Gadget | Kind::Widget))
    {
        all.push_str(DEFINITIONS);
    }
    for (number, kind) in kinds.iter().enumerate() {
        write!(all, "---\n{}", kind.manifest(&name(number))).unwrap();
    }
    all
}

pub fn name(number: usize) -> String {
    format!("case-{number}")
}

/// A pod for the Services to select.
const FRONT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: front}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: web, image: \"web:1\"}]}
";

/// Two kinds of custom resources.
const DEFINITIONS: &str = "---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.intruders.example.com}
spec:
  group: intruders.example.com
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer}
              nested: {type: object, additionalProperties: {type: string}}
              list: {type: array, items: {type: string}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.intruders.example.com}
spec:
  group: intruders.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
";
