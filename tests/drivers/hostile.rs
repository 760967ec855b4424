//! A server that keeps to no protocol: it plays a script on every connection, and then closes it.
//!
//! No real program can be made to behave so; everything else is tested against real ones.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jsorc::drivers::{DriverError, Log};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::{Nowhere, keeps_secrets, start_with};
use crate::support::Certs;

/// What the server does next.
#[derive(Clone)]
pub enum Step {
    /// Reads what the client sends.
    Hear,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes again and again until the client is gone.
    Flood(&'static [u8]),
    /// Sends this byte now and then until the client is gone.
    Drip(u8),
    /// Goes over to TLS.
    Encrypt(Arc<ServerConfig>),
    /// Sends nothing until the client is gone.
    Hold,
}

/// Sends this text.
pub fn say(text: impl AsRef<[u8]>) -> Step {
    Step::Send(text.as_ref().to_vec())
}

/// Answers each command with the next of these texts.
pub fn replies(texts: &[&str]) -> Vec<Step> {
    let step = |text: &&str| [Step::Hear, say(text)];
    texts.iter().flat_map(step).collect()
}

/// The server; it ends with the test's runtime.
pub struct Hostile {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    flooded: Arc<AtomicUsize>,
}

impl Hostile {
    /// Listens at a port of its own.
    pub async fn playing(script: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            flooded: Arc::default(),
        };
        let (connections, flooded) = (server.connections.clone(), server.flooded.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(play(stream, script.clone(), flooded.clone()));
            }
        });
        server
    }

    /// How often a client has connected.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Whether the client took no more of a flood than fits into the buffers of both sockets.
    pub fn was_cut_off(&self) -> bool {
        const BUFFERS: usize = 32 << 20;
        self.flooded.load(Ordering::SeqCst) < BUFFERS
    }

    /// The error of a driver that is started and probed at this server, within a deadline.
    pub async fn error(
        &self,
        driver: &str,
        mut settings: Value,
        deadline: Duration,
    ) -> DriverError {
        settings["host"] = "localhost".into();
        settings["port"] = self.port.into();
        let started = start_with(driver, &settings, &Nowhere, deadline, Log::new(|_| {})).await;
        let error = match started {
            Err(error) => error,
            Ok(mut running) => running.probe().await.expect_err("it fails"),
        };
        keeps_secrets(&error);
        error
    }
}

/// What a server with this certificate needs for TLS.
pub fn identity(certs: &Certs) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(certs.cert()).unwrap();
    let key = PrivateKeyDer::from_pem_file(certs.key()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key);
    Arc::new(config.unwrap())
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

async fn play(stream: TcpStream, script: Vec<Step>, flooded: Arc<AtomicUsize>) -> io::Result<()> {
    let mut stream: Box<dyn Io> = Box::new(stream);
    let mut heard = [0; 4096];
    for step in script {
        match step {
            Step::Hear => {
                if stream.read(&mut heard).await? == 0 {
                    return Ok(());
                }
            }
            Step::Send(bytes) => stream.write_all(&bytes).await?,
            Step::Flood(bytes) => {
                let bytes = bytes.repeat(4096);
                loop {
                    let sent = stream.write(&bytes).await?;
                    flooded.fetch_add(sent, Ordering::SeqCst);
                }
            }
            Step::Drip(byte) => loop {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            },
            Step::Encrypt(config) => {
                stream = Box::new(TlsAcceptor::from(config).accept(stream).await?);
            }
            Step::Hold => while stream.read(&mut heard).await? > 0 {},
        }
        stream.flush().await?;
    }
    stream.shutdown().await
}
