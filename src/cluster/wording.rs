//! What kube, rustls and the system say of a cluster that cannot be reached, in words for people.
//!
//! Their own texts name Rust types, and some quote what they could not read; a token may stand in
//! it. So nothing is passed on here that comes out of a kubeconfig or of a credential helper.

use crate::manifest::system;
use kube::client::{AuthError, RustlsTlsError};
use kube::config::{InClusterError, KubeconfigError, LoadDataError};
use rustls::CertificateError;
use std::error::Error;
use std::io;

/// How a sentence about the server's certificate begins.
pub(super) const ITS_CERTIFICATE: &str = "its certificate";

/// What is missing where neither kubeconfig nor system says whose certificates are good.
pub(super) const NO_AUTHORITY: &str =
    "the kubeconfig names no certificate authority for its cluster, and this system trusts none";

/// Why a kubeconfig cannot be used.
pub(super) fn kubeconfig(error: &KubeconfigError) -> String {
    use KubeconfigError as E;
    match error {
        E::ReadConfig(error, _) => system::words(error),
        E::Parse(error) => error.location().map_or_else(
            || "it cannot be read as a kubeconfig".to_owned(),
            |at| {
                format!(
                    "it cannot be read as a kubeconfig (line {}, column {})",
                    at.line(),
                    at.column()
                )
            },
        ),
        E::LoadContext(name) => format!("it has no context `{name}`"),
        E::LoadClusterOfContext(name) => format!("it has no cluster `{name}`"),
        E::MissingClusterUrl => "the cluster of its context has no `server`".to_owned(),
        E::ParseClusterUrl(_) => "the `server` of its cluster is no address".to_owned(),
        E::ParseProxyUrl(_) => "the `proxy-url` of its cluster is no address".to_owned(),
        E::LoadCertificateAuthority(error) => data("the certificate authority", error),
        E::LoadClientCertificate(error) => data("the client certificate", error),
        E::LoadClientKey(error) => data("the client key", error),
        E::ParseCertificates(_) => "its certificates are not in the PEM form".to_owned(),
        other => other.to_string(),
    }
}

fn data(what: &str, error: &LoadDataError) -> String {
    match error {
        LoadDataError::DecodeBase64(_) => format!("{what} of its user or cluster is not base64"),
        LoadDataError::ReadFile(error, path) => {
            format!(
                "{what}, {}, cannot be read: {}",
                path.display(),
                system::words(error)
            )
        }
        LoadDataError::NoBase64DataOrFile => format!("{what} is missing"),
    }
}

/// Why a pod's own credentials cannot be used.
pub(super) fn in_cluster(error: &InClusterError) -> String {
    use InClusterError as E;
    match error {
        E::ReadEnvironmentVariable(_) | E::ParseClusterPort(_) | E::ParseClusterUrl(_) => {
            "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, as they are in a pod"
                .to_owned()
        }
        E::ReadDefaultNamespace(error) | E::ReadCertificateBundle(error) => format!(
            "the files of its service account are not mounted: {}",
            system::words(error)
        ),
        E::ParseCertificates(_) => "its certificates are not in the PEM form".to_owned(),
    }
}

/// Why credentials cannot be used.
pub fn credentials(error: &(dyn Error + 'static)) -> String {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<AuthError>() {
            return helper(error);
        }
        if let Some(error) = error.downcast_ref::<KubeconfigError>() {
            return kubeconfig(error);
        }
        if let Some(error) = error.downcast_ref::<LoadDataError>() {
            return data("the certificate or key", error);
        }
        if let Some(RustlsTlsError::AddRootCertificate(error)) = error.downcast_ref()
            && let Some(rustls::Error::General(_)) = error.downcast_ref()
        {
            return NO_AUTHORITY.to_owned();
        }
        next = error.source();
    }
    connection(error).unwrap_or_else(|| "its certificate or key cannot be read".to_owned())
}

/// What came of a program that makes credentials, or of a token. What the program printed is not
/// repeated: it may be the token.
fn helper(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecStart(error) => {
            format!(
                "its credential helper cannot be started: {}",
                system::words(error)
            )
        }
        AuthError::AuthExecRun { out, .. } => {
            format!("its credential helper ended with {}", out.status)
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            "its credential helper printed no credentials".to_owned()
        }
        AuthError::ReadTokenFile(error, path) => format!(
            "the token file {} cannot be read: {}",
            path.display(),
            system::words(error)
        ),
        AuthError::InvalidBasicAuth(_) | AuthError::InvalidBearerToken(_) => {
            "its token or password has characters that cannot be sent".to_owned()
        }
        _ => "its credentials cannot be used".to_owned(),
    }
}

/// What broke a connection, where it is the network or TLS.
pub(super) fn connection(error: &(dyn Error + 'static)) -> Option<String> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            found = Some(input_output(error));
        }
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(tls(error));
        }
        next = error.source();
    }
    found
}

/// Errors of TLS come wrapped in one or two of the system's.
fn input_output(error: &io::Error) -> String {
    // What rustls says of it is meant for whoever programs with it.
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "the server closed the connection".to_owned();
    }
    let Some(inner) = error.get_ref() else {
        return system::words(error);
    };
    if inner.to_string().contains("failed to lookup address") {
        return "its host name is not known".to_owned();
    }
    if let Some(error) = inner.downcast_ref() {
        return tls(error);
    }
    inner
        .downcast_ref()
        .map_or_else(|| system::words(error), input_output)
}

fn tls(error: &rustls::Error) -> String {
    use CertificateError as C;
    let what = match error {
        rustls::Error::InvalidCertificate(why) => match why {
            C::UnknownIssuer | C::BadSignature => {
                "is not signed by the authority that the kubeconfig trusts"
            }
            C::Expired | C::ExpiredContext { .. } => "has expired",
            C::NotValidYet | C::NotValidYetContext { .. } => "is not valid yet",
            C::NotValidForName | C::NotValidForNameContext { .. } => "is for another name",
            C::Revoked => "was revoked",
            _ => "is not valid",
        },
        rustls::Error::InvalidMessage(_) => {
            return "it does not speak TLS; is its address really https?".to_owned();
        }
        rustls::Error::AlertReceived(_) => {
            return "it refuses our TLS: perhaps the client certificate".to_owned();
        }
        _ => return "TLS cannot be set up with it".to_owned(),
    };
    format!("{ITS_CERTIFICATE} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{ExitStatus, Output};

    #[test]
    fn what_a_credential_helper_printed_is_not_repeated() {
        let out = Output {
            status: ExitStatus::from_raw(256),
            stdout: b"hunter2".to_vec(),
            stderr: b"hunter2".to_vec(),
        };
        let error = AuthError::AuthExecRun {
            cmd: "helper --password hunter2".into(),
            out: Box::new(out),
        };
        let error = kube::Error::Auth(error);
        assert_eq!(
            credentials(&error),
            "its credential helper ended with exit status: 1"
        );
    }

    #[test]
    fn tls_and_the_network_speak_plainly() {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        assert_eq!(
            connection(&io::Error::new(io::ErrorKind::InvalidData, unknown)).unwrap(),
            "its certificate is not signed by the authority that the kubeconfig trusts"
        );
        assert_eq!(
            connection(&io::Error::from_raw_os_error(111)).unwrap(),
            "connection refused"
        );
        let cut = io::Error::new(io::ErrorKind::UnexpectedEof, "see https://docs.rs/rustls");
        assert_eq!(
            connection(&cut).unwrap(),
            "the server closed the connection"
        );
    }
}
