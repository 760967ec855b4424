//! Finds the cluster and makes sure that it lets us in, before anything else is asked of it.

use super::hands::Reader;
use super::request::{Call, read, send};
use super::wording;
use crate::config::{Kubernetes, KubernetesMode};
use crate::engine::WriteError;
use http::Method;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Who comes without credentials.
const ANONYMOUS: &str = "system:anonymous";

/// How a cluster was found.
#[derive(Clone, Debug)]
pub struct Target {
    /// kube's configuration for it.
    pub config: Config,
    /// Where it was found, for people: `context kind-dev` or `in-cluster`.
    pub found: String,
    /// Whether a person named it, or it is the pod's own; false for a default kubeconfig.
    pub named: bool,
    /// Whether jsorc runs inside it.
    pub inside: bool,
}

/// Why there is no cluster to work with.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// None is wanted.
    #[error("kubernetes.mode is off")]
    Off,
    /// No way to one was found.
    #[error("no cluster is configured: not inside a pod, and no kubeconfig at {0}")]
    NotFound(String),
    /// A kubeconfig cannot be used.
    #[error("kubeconfig {path}: {reason}")]
    Kubeconfig {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A kubeconfig that was named is not there.
    #[error("kubeconfig {0}: no such file")]
    Missing(String),
    /// Nothing says which context is meant.
    #[error("kubeconfig {path} has no current context")]
    NoContext {
        /// The file.
        path: String,
        /// The contexts that it has.
        known: Vec<String>,
    },
    /// The credentials of a context cannot be used.
    #[error("{found}: {reason}")]
    Credentials {
        /// The context.
        found: String,
        /// What is wrong with them.
        reason: String,
    },
    /// A context is not in the kubeconfig.
    #[error("kubeconfig {path} has no context `{context}`")]
    Context {
        /// The file.
        path: String,
        /// The context.
        context: String,
        /// The contexts that it has.
        known: Vec<String>,
    },
    /// The pod's service account cannot be used.
    #[error("the cluster cannot be reached as a pod: {0}")]
    InCluster(String),
    /// The server does not let us in, or does not answer.
    #[error("{server}: {source}")]
    Server {
        /// Its address.
        server: String,
        /// What it said.
        source: WriteError,
    },
}

/// What the server said about us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Who we are to it.
    pub user: String,
}

impl ConnectError {
    /// What a person can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Off => Some("set kubernetes.mode to auto to work with a cluster".into()),
            Self::NotFound(_) => {
                Some("name one with --kubeconfig FILE or --context NAME, or set KUBECONFIG".into())
            }
            Self::Missing(_) => {
                Some("--kubeconfig, KUBECONFIG or kubernetes.kubeconfig names the file".into())
            }
            Self::Kubeconfig { path, .. } => Some(format!(
                "`kubectl config view --kubeconfig {path}` shows what kubectl makes of it"
            )),
            Self::Credentials { reason, .. } if reason == wording::NO_AUTHORITY => Some(
                "set certificate-authority-data for its cluster, or install the system's certificates (ca-certificates)"
                    .into(),
            ),
            Self::Credentials { .. } => {
                Some("`kubectl auth whoami` shows whether kubectl can use them".into())
            }
            Self::InCluster(_) => Some(
                "outside a pod, set kubernetes.mode to kubeconfig; inside, let the pod mount its service account's token"
                    .into(),
            ),
            Self::NoContext { known, .. } => Some(match known.as_slice() {
                [] => "it has no contexts at all; name another file with --kubeconfig".into(),
                known => format!("name one with --context: it has {}", known.join(", ")),
            }),
            Self::Context { context, known, .. } => {
                let near = crate::config::nearest(context, known.iter().map(String::as_str));
                Some(near.map_or_else(
                    || format!("it has: {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                ))
            }
            Self::Server {
                source: WriteError::Forbidden(_),
                ..
            } => Some(
                "the context's user may be missing, or its token or certificate expired; `kubectl auth whoami` shows who the server takes you for"
                    .into(),
            ),
            Self::Server {
                source: WriteError::Unreachable(said),
                ..
            } if said.starts_with(wording::ITS_CERTIFICATE) => Some(
                "the kubeconfig may be older than the cluster at this address: fetch it anew".into(),
            ),
            Self::Server { .. } => {
                Some("check that the API server runs and that its address is right".into())
            }
        }
    }
}

/// Finds the cluster that the settings mean. Nothing is asked of it yet.
///
/// # Errors
/// When there is none, or its credentials cannot be read.
pub async fn find(
    settings: &Kubernetes,
    environment: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Result<Target, ConnectError> {
    let inside = environment("KUBERNETES_SERVICE_HOST").is_some()
        && settings.kubeconfig.is_none()
        && settings.context.is_none();
    match settings.mode {
        KubernetesMode::Off => Err(ConnectError::Off),
        KubernetesMode::InCluster => in_cluster(),
        KubernetesMode::Auto if inside => in_cluster(),
        KubernetesMode::Auto | KubernetesMode::Kubeconfig => from_file(settings, environment).await,
    }
}

fn in_cluster() -> Result<Target, ConnectError> {
    let config = Config::incluster()
        .map_err(|error| ConnectError::InCluster(wording::in_cluster(&error)))?;
    Ok(Target {
        config,
        found: "in-cluster".into(),
        named: true,
        inside: true,
    })
}

async fn from_file(
    settings: &Kubernetes,
    environment: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Result<Target, ConnectError> {
    let variable = environment("KUBECONFIG").filter(|value| !value.is_empty());
    let named = settings.kubeconfig.is_some() || settings.context.is_some() || variable.is_some();
    let files = match (&settings.kubeconfig, &variable) {
        (Some(file), _) => vec![PathBuf::from(file)],
        (None, Some(list)) => std::env::split_paths(list)
            .filter(|path| path.exists())
            .collect(),
        (None, None) => {
            vec![PathBuf::from(environment("HOME").unwrap_or_default()).join(".kube/config")]
        }
    };
    let shown = files.first().map_or_else(
        || variable.clone().unwrap_or_default(),
        |path| path.display().to_string(),
    );
    if !files.iter().any(|path| path.exists()) {
        return Err(match &settings.kubeconfig {
            Some(_) => ConnectError::Missing(shown),
            None => ConnectError::NotFound(shown),
        });
    }
    let kubeconfig = merged(&files)?;
    let context = settings
        .context
        .clone()
        .or_else(|| kubeconfig.current_context.clone());
    let known: Vec<String> = kubeconfig
        .contexts
        .iter()
        .map(|context| context.name.clone())
        .collect();
    if context.is_none() {
        return Err(ConnectError::NoContext { path: shown, known });
    }
    if let Some(context) = &context
        && !known.contains(context)
    {
        return Err(ConnectError::Context {
            path: shown,
            context: context.clone(),
            known,
        });
    }
    let options = KubeConfigOptions {
        context: context.clone(),
        ..KubeConfigOptions::default()
    };
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| ConnectError::Kubeconfig {
            path: shown.clone(),
            reason: wording::kubeconfig(&error),
        })?;
    if nobody_is_trusted(&config) {
        config.root_cert.get_or_insert_default();
    }
    let found = context.map_or_else(
        || format!("kubeconfig {shown}"),
        |name| format!("context {name}"),
    );
    Ok(Target {
        config,
        found,
        named,
        inside: false,
    })
}

/// Whether the server's certificate is not looked at. Whom the system trusts need not be known then:
/// that is hundreds of files to read, and an image with nothing but the program has none of them.
fn nobody_is_trusted(config: &Config) -> bool {
    config.accept_invalid_certs || config.cluster_url.scheme_str() == Some("http")
}

fn merged(files: &[PathBuf]) -> Result<Kubeconfig, ConnectError> {
    let mut all = Kubeconfig::default();
    for file in files {
        let refuse = |reason: String| ConnectError::Kubeconfig {
            path: file.display().to_string(),
            reason,
        };
        let one = Kubeconfig::read_from(Path::new(file))
            .map_err(|error| refuse(wording::kubeconfig(&error)))?;
        all = all
            .merge(one)
            .map_err(|error| refuse(wording::kubeconfig(&error)))?;
    }
    Ok(all)
}

impl Target {
    /// The server's address.
    #[must_use]
    pub fn server(&self) -> String {
        server_of(&self.config)
    }
}

/// The address of a configuration's server, for people.
pub(super) fn server_of(config: &Config) -> String {
    let address = config.cluster_url.to_string();
    address.trim_end_matches('/').to_owned()
}

impl Reader {
    /// Asks who we are: an authenticated request, unlike `/readyz`.
    ///
    /// # Errors
    /// When the server does not answer, or does not accept our credentials.
    pub async fn greet(&self, server: &str) -> Result<Greeting, ConnectError> {
        let refused = |source| ConnectError::Server {
            server: server.to_owned(),
            source,
        };
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let uri = "/apis/authentication.k8s.io/v1/selfsubjectreviews".to_owned();
        let user = match send(self.client(), Call::json(Method::POST, uri, &review)).await {
            Ok(reply) => text(
                &reply.value().map_err(refused)?,
                "/status/userInfo/username",
            ),
            // Servers before 1.28 do not have the review; they are asked something else soon.
            Err(WriteError::KindNotServed) => String::new(),
            Err(WriteError::Forbidden(said)) if said.contains(ANONYMOUS) => ANONYMOUS.to_owned(),
            Err(source) => return Err(refused(source)),
        };
        if user == ANONYMOUS {
            return Err(refused(WriteError::Forbidden(
                "it takes us for anonymous: the context has no user, or one without credentials"
                    .into(),
            )));
        }
        Ok(Greeting { user })
    }

    /// The server's version, such as `v1.36.3`; empty when it does not say.
    pub async fn version(&self) -> String {
        let version = read(self.client(), "/version").await.unwrap_or_default();
        text(&version, "/gitVersion")
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_owned()
}
