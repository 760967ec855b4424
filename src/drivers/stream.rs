//! A byte stream to a server, plain or encrypted.

use std::io;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{
    address::Address,
    driver::{Endpoint, Reach},
    error::DriverError,
    tls::Tls,
};

/// What both kinds of stream can do.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Io for T {}

/// A stream of either kind.
pub(super) type Stream = Box<dyn Io>;

/// A server with the way to it kept open, to be connected to again and again.
pub(super) struct Server {
    /// How messages name it.
    pub(super) place: String,
    /// The name that it goes by, for its certificate and for HTTP.
    pub(super) name: String,
    endpoint: Endpoint,
    tls: Option<Tls>,
}

impl Server {
    /// Opens the way to an address.
    pub(super) async fn reach(
        address: &Address,
        scheme: &str,
        tls: Option<Tls>,
        reach: &dyn Reach,
    ) -> Result<Self, DriverError> {
        let endpoint = address.reach(reach).await?;
        let name = address.name(&endpoint);
        Ok(Self {
            place: address.place(scheme),
            name,
            endpoint,
            tls,
        })
    }

    /// The port that is connected to.
    pub(super) fn port(&self) -> u16 {
        self.endpoint.port
    }

    /// Connects, with TLS from the first byte where it is wanted.
    pub(super) async fn connect(&self) -> Result<Stream, DriverError> {
        let stream = self.connect_plain().await?;
        match &self.tls {
            Some(tls) => self.encrypt(stream, tls).await,
            None => Ok(Box::new(stream)),
        }
    }

    /// Connects without TLS, whatever is wanted later.
    pub(super) async fn connect_plain(&self) -> Result<TcpStream, DriverError> {
        let address = (self.endpoint.host.as_str(), self.endpoint.port);
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|error| DriverError::unreachable(&self.place, error))?;
        stream
            .set_nodelay(true)
            .map_err(|error| DriverError::unreachable(&self.place, error))?;
        Ok(stream)
    }

    /// Goes over to TLS on a stream that was plain so far.
    pub(super) async fn encrypt(
        &self,
        stream: TcpStream,
        tls: &Tls,
    ) -> Result<Stream, DriverError> {
        let name = tls.name(&self.name)?;
        let connector = TlsConnector::from(tls.config.clone());
        let stream = connector.connect(name, stream).await;
        Ok(Box::new(
            stream.map_err(|error| self.handshake_failed(error))?,
        ))
    }

    fn handshake_failed(&self, error: io::Error) -> DriverError {
        let cause = error
            .get_ref()
            .and_then(|cause| cause.downcast_ref::<rustls::Error>());
        match cause {
            Some(rustls::Error::InvalidCertificate(reason)) => DriverError::refused(
                &self.place,
                format!("certificate not trusted: {}", certificate(reason)),
                "give its authority with `ca`, the name it bears with `server_name`, \
                 or take any with `insecure: true`",
            ),
            Some(rustls::Error::InvalidMessage(_)) => {
                DriverError::protocol(&self.place, "the server does not speak TLS at this port")
                    .with_hint("check `tls` and `port`")
            }
            Some(other) => DriverError::protocol(&self.place, format!("TLS: {other}")),
            None => DriverError::unreachable(&self.place, error),
        }
    }
}

fn certificate(reason: &rustls::CertificateError) -> String {
    use rustls::CertificateError as E;
    match reason {
        // An authority of the same name with another key gives a bad signature.
        E::UnknownIssuer | E::BadSignature => "unknown authority".to_owned(),
        E::Expired | E::ExpiredContext { .. } => "expired".to_owned(),
        E::NotValidYet | E::NotValidYetContext { .. } => "not valid yet".to_owned(),
        E::NotValidForName | E::NotValidForNameContext { .. } => "it bears another name".to_owned(),
        other => other.to_string(),
    }
}
