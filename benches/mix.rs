//! The sets of objects that are applied, in the forms that each program takes.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

/// How many documents one file of a services folder has.
const DOCUMENTS_PER_FILE: usize = 100;

/// What a set is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// `ConfigMap`s of 1 KB.
    C1,
    /// Applications of a `ServiceAccount`, a headless Service, a Deployment of none and an Ingress.
    F4,
}

impl Mix {
    /// Both.
    pub const ALL: &[Self] = &[Self::C1, Self::F4];

    /// The one of that name.
    pub fn named(name: &str) -> Self {
        let found = Self::ALL.iter().find(|mix| mix.name() == name);
        *found.expect("a mix is C1 or F4")
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::C1 => "C1",
            Self::F4 => "F4",
        }
    }

    /// The service that it is, so many objects large.
    pub fn service(self, size: usize) -> String {
        format!("{}-{size}", self.name().to_lowercase())
    }

    /// Its objects, without a namespace; those of another size have other names.
    pub fn objects(self, size: usize) -> Vec<Value> {
        match self {
            Self::C1 => (0..size).map(|number| config_map(size, number)).collect(),
            Self::F4 => (0..size / 4)
                .flat_map(|number| application(size, number))
                .collect(),
        }
    }

    /// Writes it as a services folder with one service.
    pub fn write_service(self, size: usize, services: &Path) {
        let folder = services.join(self.service(size));
        fs::create_dir_all(folder.join("kube")).unwrap();
        fs::write(
            folder.join("service.yaml"),
            "driver: none\ndescription: Objects to be measured\n",
        )
        .unwrap();
        for (number, chunk) in self.objects(size).chunks(DOCUMENTS_PER_FILE).enumerate() {
            let file = folder.join(format!("kube/{number:04}.yaml"));
            fs::write(file, documents(chunk)).unwrap();
        }
    }

    /// Writes it as one file of manifests.
    pub fn write_file(self, size: usize, folder: &Path) -> PathBuf {
        let file = folder.join(format!("{}.yaml", self.service(size)));
        fs::write(&file, documents(&self.objects(size))).unwrap();
        file
    }

    /// Writes it as a Helm chart.
    pub fn write_chart(self, size: usize, folder: &Path) -> PathBuf {
        let chart = folder.join(format!("chart-{}", self.service(size)));
        fs::create_dir_all(chart.join("templates")).unwrap();
        let about = "apiVersion: v2\nname: bench\nversion: 1.0.0\n";
        fs::write(chart.join("Chart.yaml"), about).unwrap();
        self.write_file(size, &chart.join("templates"));
        chart
    }
}

/// Writes every mix of every usual size as one services folder.
pub fn write_all(folder: &Path) {
    for mix in Mix::ALL {
        for size in [100, 1000, 5000] {
            mix.write_service(size, folder);
        }
    }
}

/// The path of an object below the API server's address.
pub fn path_of(object: &Value, namespace: &str) -> String {
    let root = match object["kind"].as_str().unwrap() {
        "ConfigMap" => "api/v1 configmaps",
        "ServiceAccount" => "api/v1 serviceaccounts",
        "Service" => "api/v1 services",
        "Deployment" => "apis/apps/v1 deployments",
        _ => "apis/networking.k8s.io/v1 ingresses",
    };
    let name = object["metadata"]["name"].as_str().unwrap();
    format!("{}/{name}", collection(root, namespace))
}

/// The path of a collection in a namespace.
pub fn collection(root: &str, namespace: &str) -> String {
    let (api, plural) = root.split_once(' ').unwrap();
    format!("/{api}/namespaces/{namespace}/{plural}")
}

fn documents(objects: &[Value]) -> String {
    objects.iter().fold(String::new(), |mut text, object| {
        let yaml = serde_saphyr::to_string(object).unwrap();
        writeln!(text, "---\n{}", yaml.trim_end()).unwrap();
        text
    })
}

fn config_map(size: usize, number: usize) -> Value {
    let line = |key: usize| format!("value {key} of {number}: {}", "0123456789abcdef".repeat(6));
    let data: serde_json::Map<String, Value> = (0..7)
        .map(|key| (format!("key-{key}"), line(key).into()))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": format!("cm{size}-{number:05}"), "labels": {"app": "bench"}},
        "data": data,
    })
}

fn application(size: usize, number: usize) -> [Value; 4] {
    let name = format!("app{size}-{number:05}");
    let labels = json!({"app": name});
    let metadata = json!({"name": name, "labels": labels});
    let probe = json!({"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 10});
    [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata,
               "automountServiceAccountToken": false}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
               "spec": {"clusterIP": "None", "selector": labels,
                        "ports": [{"name": "http", "port": 8080, "targetPort": "http", "protocol": "TCP"}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
               "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {
                   "metadata": {"labels": labels},
                   "spec": {"serviceAccountName": name, "containers": [{
                       "name": "main", "image": "registry.example/bench/app:1.2.3",
                       "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                       "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "NUMBER", "value": number.to_string()}],
                       "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
                       "readinessProbe": probe, "livenessProbe": probe}]}}}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata,
               "spec": {"rules": [{"host": format!("{name}.example.com"), "http": {"paths": [{
                   "path": "/", "pathType": "Prefix",
                   "backend": {"service": {"name": name, "port": {"name": "http"}}}}]}}]}}),
    ]
}
