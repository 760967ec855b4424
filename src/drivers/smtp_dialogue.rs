//! One session with an SMTP server: EHLO, STARTTLS, AUTH, NOOP, QUIT.

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::{
    error::{DriverError, one_line, without},
    stream::{Io, Server, Stream},
    tls::Tls,
};

/// How a session is encrypted.
pub(super) enum Mode {
    /// Not at all, or from the first byte: the server knows.
    AsConnected,
    /// After STARTTLS.
    StartTls(Tls),
}

/// Who logs in.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: SecretString,
}

/// An open session.
pub(super) struct Session<S = Stream> {
    place: String,
    stream: BufReader<S>,
    /// What the server offers, one extension a line, in capitals.
    offers: Vec<String>,
    /// The password, also as it was sent; what the server says is quoted without them.
    secrets: Vec<SecretString>,
}

struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Session {
    /// Opens a session as far as a mail could be sent in it.
    pub(super) async fn open(
        server: &Server,
        mode: &Mode,
        login: Option<&Login>,
    ) -> Result<Self, DriverError> {
        let mut session = match mode {
            Mode::AsConnected => {
                let mut session = Self::new(server, server.connect().await?);
                session.expect(220).await?;
                session
            }
            Mode::StartTls(tls) => Self::start_tls(server, tls).await?,
        };
        session.hello().await?;
        if let Some(login) = login {
            session.authenticate(login).await?;
        }
        Ok(session)
    }

    /// Opens a plain session and goes over to TLS in it.
    async fn start_tls(server: &Server, tls: &Tls) -> Result<Self, DriverError> {
        let mut plain = Session::new(server, server.connect_plain().await?);
        plain.expect(220).await?;
        plain.hello().await?;
        if !plain.offers.iter().any(|offer| offer == "STARTTLS") {
            return Err(
                DriverError::protocol(&plain.place, "the server does not offer STARTTLS")
                    .with_hint("check `port`, or say `tls: implicit` or `tls: none`"),
            );
        }
        plain.ask("STARTTLS").await?.expect(&plain.place, 220)?;
        // What came behind the answer was not protected: a server has nothing to say there.
        if !plain.stream.buffer().is_empty() {
            return Err(DriverError::protocol(
                &plain.place,
                "data before the TLS handshake",
            ));
        }
        let stream = server.encrypt(plain.stream.into_inner(), tls).await?;
        Ok(Self::new(server, stream))
    }
}

impl<S: Io> Session<S> {
    fn new(server: &Server, stream: S) -> Self {
        let stream = BufReader::new(stream);
        Self {
            place: server.place.clone(),
            stream,
            offers: Vec::new(),
            secrets: Vec::new(),
        }
    }

    async fn hello(&mut self) -> Result<(), DriverError> {
        let reply = self.ask("EHLO jsorc").await?;
        let reply = reply.expect(&self.place, 250)?;
        self.offers = reply
            .lines
            .iter()
            .skip(1)
            .map(|line| line.to_ascii_uppercase())
            .collect();
        Ok(())
    }

    async fn authenticate(&mut self, login: &Login) -> Result<(), DriverError> {
        let methods = self
            .offers
            .iter()
            .find_map(|offer| offer.strip_prefix("AUTH"));
        let methods: Vec<_> = methods.unwrap_or_default().split_whitespace().collect();
        let password = login.password.expose_secret();
        self.secrets.push(login.password.clone());
        let reply = if methods.contains(&"PLAIN") {
            let proof = self.proof(format!("\0{}\0{password}", login.user));
            self.ask(&format!("AUTH PLAIN {proof}")).await?
        } else if methods.contains(&"LOGIN") {
            self.ask("AUTH LOGIN").await?.expect(&self.place, 334)?;
            let user = BASE64_STANDARD.encode(&login.user);
            self.ask(&user).await?.expect(&self.place, 334)?;
            let proof = self.proof(password);
            self.ask(&proof).await?
        } else {
            return Err(DriverError::protocol(
                &self.place,
                "the server takes no user and password",
            )
            .with_hint("it may do so only after TLS: check `tls`, or take `user` away"));
        };
        match reply.code {
            235 => Ok(()),
            530..=539 => {
                let message = format!("wrong user or password: {}", reply.text());
                Err(DriverError::refused(
                    &self.place,
                    message,
                    "check `user` and `password`",
                ))
            }
            _ => reply.expect(&self.place, 235).map(|_| ()),
        }
    }

    /// A password in the form in which it is sent.
    fn proof(&mut self, text: impl AsRef<[u8]>) -> String {
        let proof = BASE64_STANDARD.encode(text);
        self.secrets.push(proof.as_str().into());
        proof
    }

    /// Asks for a sign of life.
    pub(super) async fn noop(&mut self) -> Result<(), DriverError> {
        self.ask("NOOP").await?.expect(&self.place, 250).map(|_| ())
    }

    /// Ends the session as the protocol wants it.
    pub(super) async fn quit(mut self) {
        let _ = self.ask("QUIT").await;
    }

    async fn expect(&mut self, code: u16) -> Result<(), DriverError> {
        let reply = self.read().await?;
        reply.expect(&self.place, code).map(|_| ())
    }

    async fn ask(&mut self, command: &str) -> Result<Reply, DriverError> {
        let sent = self
            .stream
            .get_mut()
            .write_all(format!("{command}\r\n").as_bytes())
            .await;
        sent.map_err(|error| DriverError::unreachable(&self.place, error))?;
        self.read().await
    }

    async fn read(&mut self) -> Result<Reply, DriverError> {
        const MOST: usize = 100;
        let mut lines = Vec::new();
        while lines.len() < MOST {
            let line = self.line().await?;
            let (code, rest) = line.split_at_checked(3).unwrap_or(("", ""));
            let Ok(code) = code.parse() else {
                return Err(self.strange(&line));
            };
            let (dash, text) = rest.split_at_checked(1).unwrap_or((" ", ""));
            lines.push(self.quote(text));
            match dash {
                " " => return Ok(Reply { code, lines }),
                "-" => {}
                _ => return Err(self.strange(&line)),
            }
        }
        Err(self.strange("an answer without end"))
    }

    async fn line(&mut self) -> Result<String, DriverError> {
        const LONGEST: usize = 4096;
        let mut line = Vec::new();
        let mut rest = (&mut self.stream).take(LONGEST as u64);
        let read = rest.read_until(b'\n', &mut line).await;
        read.map_err(|error| DriverError::unreachable(&self.place, error))?;
        let text = String::from_utf8_lossy(&line);
        match line.last() {
            Some(b'\n') => Ok(text.trim_end().to_owned()),
            _ if line.len() == LONGEST => Err(self.strange(&text)),
            _ => Err(DriverError::closed(&self.place)),
        }
    }

    /// The server's words. Some servers repeat the command that they do not know.
    fn quote(&self, text: &str) -> String {
        without(text, self.secrets.iter().map(ExposeSecret::expose_secret))
    }

    fn strange(&self, line: &str) -> DriverError {
        let words = one_line(&self.quote(line));
        let message = format!("the server does not speak SMTP: {words}");
        DriverError::protocol(&self.place, message).with_hint("check `port` and `tls`")
    }
}

impl Reply {
    fn text(&self) -> String {
        one_line(&self.lines.join(" "))
    }

    fn expect(self, place: &str, code: u16) -> Result<Self, DriverError> {
        if self.code == code {
            return Ok(self);
        }
        let message = format!("answered {} {}", self.code, self.text());
        Err(DriverError::protocol(place, message))
    }
}
