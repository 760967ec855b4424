//! TLS to a service: whom to trust, and which name to expect.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    credential::{self, Credential},
    driver::Reach,
    error::DriverError,
    settings::{Kind, Setting, Settings},
};

pub(super) const TLS: Setting = Setting {
    name: "tls",
    kind: Kind::Flag,
    help: "Whether to speak TLS",
};
pub(super) const CA: Setting = Setting {
    name: "ca",
    kind: Kind::Secret,
    help: "Certificate authority to trust instead of the system's: a path, PEM text or a credential",
};
pub(super) const INSECURE: Setting = Setting {
    name: "insecure",
    kind: Kind::Flag,
    help: "Take any certificate; the connection can then be listened to",
};
pub(super) const SERVER_NAME: Setting = Setting {
    name: "server_name",
    kind: Kind::Text,
    help: "The name that the certificate bears",
};

/// How to speak TLS with one server.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) config: Arc<ClientConfig>,
    server_name: Option<String>,
}

impl Tls {
    /// Reads `ca`, `insecure` and `server_name`.
    pub(super) async fn read(
        settings: Settings<'_>,
        reach: &dyn Reach,
    ) -> Result<Self, DriverError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|e| broken(&e))?;
        let config = if settings.flag("insecure") {
            let anyone = Arc::new(Anyone(provider));
            builder
                .dangerous()
                .with_custom_certificate_verifier(anyone)
                .with_no_client_auth()
        } else {
            let roots = match authority(settings, reach).await? {
                Some(pem) => trusted(&pem)?,
                None => system_roots(),
            };
            builder.with_root_certificates(roots).with_no_client_auth()
        };
        let server_name = settings.text("server_name").map(str::to_owned);
        Ok(Self {
            config: Arc::new(config),
            server_name,
        })
    }

    /// The name to expect of the server at this host.
    pub(super) fn name(&self, host: &str) -> Result<ServerName<'static>, DriverError> {
        let name = self.server_name.as_deref().unwrap_or(host).to_owned();
        let wrong = format!("{name} is no name that a certificate can bear");
        ServerName::try_from(name).map_err(|_| DriverError::protocol("tls", wrong))
    }
}

/// The text of the authority's certificates, if one is given.
async fn authority(
    settings: Settings<'_>,
    reach: &dyn Reach,
) -> Result<Option<SecretString>, DriverError> {
    let given = match settings.get("ca") {
        Some(Value::String(text)) if !text.contains("-----BEGIN") => {
            Some(Credential::File(text.into()))
        }
        _ => settings.secret("ca"),
    };
    credential::resolve(given, reach).await
}

fn trusted(pem: &SecretString) -> Result<RootCertStore, DriverError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.expose_secret().as_bytes()) {
        roots
            .add(certificate.map_err(|e| broken(&e))?)
            .map_err(|e| broken(&e))?;
    }
    if roots.is_empty() {
        return Err(broken(&"there is no certificate in it"));
    }
    Ok(roots)
}

/// The system's authorities; where it has none, as in a bare container, those that browsers trust.
fn system_roots() -> RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    let load = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        roots
    };
    ROOTS.get_or_init(load).clone()
}

fn broken(error: &impl std::fmt::Display) -> DriverError {
    DriverError::refused(
        "ca",
        error.to_string(),
        "`ca` takes certificates in PEM form",
    )
}

/// Takes every certificate, but still wants the handshake to be signed with it.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
