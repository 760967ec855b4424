//! Redis's own protocol, as much of it as the drivers speak.
//!
//! Invariants:
//! - a reply costs no more memory than a few times its budget, whatever the server announces;
//! - what the server says is quoted without the password.

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take};

use super::{
    error::{DriverError, one_line, without},
    stream::{Server, Stream},
};

/// What a server answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Status(String),
    Error(String),
    Number(i64),
    Bytes(Vec<u8>),
    List(Vec<Reply>),
    Nothing,
}

/// Who logs in, and into which database.
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) db: u64,
}

/// The most bytes of one reply. The longest that is asked for is INFO's, of a few thousand.
const BUDGET: usize = 1 << 20;

/// A connection that is logged in.
pub(super) struct Connection {
    place: String,
    stream: BufReader<Stream>,
    /// How many bytes the reply that is being read may still take.
    budget: usize,
    /// The password that was sent.
    password: Option<SecretString>,
}

impl Connection {
    /// Connects, logs in and selects the database.
    pub(super) async fn open(server: &Server, login: &Login) -> Result<Self, DriverError> {
        let stream = BufReader::new(server.connect().await?);
        let mut connection = Self {
            place: server.place.clone(),
            stream,
            budget: 0,
            password: login.password.clone(),
        };
        connection.authenticate(login).await?;
        if login.db != 0 {
            connection.ask(&["SELECT", &login.db.to_string()]).await?;
        }
        Ok(connection)
    }

    async fn authenticate(&mut self, login: &Login) -> Result<(), DriverError> {
        let Some(password) = &login.password else {
            return Ok(());
        };
        let user = login.user.as_deref();
        let command: Vec<&str> = ["AUTH"]
            .into_iter()
            .chain(user)
            .chain([password.expose_secret()])
            .collect();
        match self.send(&command).await? {
            // A server without password takes everybody: the password was for another one.
            Reply::Error(text) if text.contains("without any password configured") => Ok(()),
            Reply::Error(text) => Err(self.error(&text)),
            _ => Ok(()),
        }
    }

    /// Sends a command; an error of the server is an error here.
    pub(super) async fn ask(&mut self, command: &[&str]) -> Result<Reply, DriverError> {
        match self.send(command).await? {
            Reply::Error(text) => Err(self.error(&text)),
            reply => Ok(reply),
        }
    }

    /// Sends a command; an error of the server is a reply.
    pub(super) async fn send(&mut self, command: &[&str]) -> Result<Reply, DriverError> {
        let sent = self.stream.get_mut().write_all(&encode(command)).await;
        sent.map_err(|error| DriverError::unreachable(&self.place, error))?;
        self.read().await
    }

    /// Says that the connection is not needed any more.
    pub(super) async fn close(mut self) {
        let _ = self.stream.get_mut().write_all(&encode(&["QUIT"])).await;
        let _ = self.stream.get_mut().shutdown().await;
    }

    async fn read(&mut self) -> Result<Reply, DriverError> {
        self.budget = BUDGET;
        let line = self.line().await?;
        if !line.starts_with('*') {
            return self.value(&line).await;
        }
        let Some(count) = self.length(&line)? else {
            return Ok(Reply::Nothing);
        };
        // The commands in use answer lists of plain values: one level is enough.
        let mut items = Vec::new();
        for _ in 0..count {
            let line = self.line().await?;
            items.push(self.value(&line).await?);
        }
        Ok(Reply::List(items))
    }

    /// Reads a value that begins with this line and is no list.
    async fn value(&mut self, line: &str) -> Result<Reply, DriverError> {
        let (kind, rest) = line.split_at_checked(1).unwrap_or(("", ""));
        match kind {
            "+" => Ok(Reply::Status(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            ":" => rest
                .parse()
                .map(Reply::Number)
                .map_err(|_| self.strange(line)),
            "$" => match self.length(line)? {
                Some(length) => self.bytes(length).await,
                None => Ok(Reply::Nothing),
            },
            _ => Err(self.strange(line)),
        }
    }

    /// The length that a line announces, in bytes or items; a negative one stands for nothing.
    fn length(&self, line: &str) -> Result<Option<usize>, DriverError> {
        match line.get(1..).map(str::parse::<i64>) {
            Some(Ok(..0)) => Ok(None),
            Some(Ok(length)) => usize::try_from(length)
                .ok()
                .filter(|length| length.saturating_add(2) <= self.budget)
                .map(Some)
                .ok_or_else(|| self.strange(line)),
            _ => Err(self.strange(line)),
        }
    }

    async fn line(&mut self) -> Result<String, DriverError> {
        let mut line = Vec::new();
        let read = self.rest().read_until(b'\n', &mut line).await;
        read.map_err(|error| DriverError::unreachable(&self.place, error))?;
        self.budget -= line.len();
        let text = String::from_utf8_lossy(&line);
        match line.last() {
            Some(b'\n') => Ok(text.trim_end().to_owned()),
            _ if self.budget == 0 => Err(self.strange(&text)),
            _ => Err(DriverError::closed(&self.place)),
        }
    }

    async fn bytes(&mut self, length: usize) -> Result<Reply, DriverError> {
        let end = length + 2;
        let mut bytes = Vec::new();
        let read = self.rest().take(end as u64).read_to_end(&mut bytes).await;
        read.map_err(|error| DriverError::unreachable(&self.place, error))?;
        self.budget -= bytes.len();
        if bytes.len() < end {
            return Err(DriverError::closed(&self.place));
        }
        bytes.truncate(length);
        Ok(Reply::Bytes(bytes))
    }

    /// What may still be read of this reply.
    fn rest(&mut self) -> Take<&mut BufReader<Stream>> {
        (&mut self.stream).take(self.budget as u64)
    }

    /// The server's error in our words.
    fn error(&self, text: &str) -> DriverError {
        let code = text.split(' ').next().unwrap_or_default();
        let message = self.quote(text);
        match code {
            "WRONGPASS" => DriverError::refused(&self.place, "wrong user or password", CREDENTIALS),
            "NOAUTH" => DriverError::refused(&self.place, "it wants a password", CREDENTIALS),
            "LOADING" => DriverError::not_ready(&self.place, message),
            "NOPERM" => DriverError::refused(&self.place, message, "give the user this right"),
            _ if text.contains("DB index") => DriverError::protocol(&self.place, message)
                .with_hint("check `db`: the server has fewer databases"),
            _ => DriverError::protocol(&self.place, message),
        }
    }

    fn strange(&self, line: &str) -> DriverError {
        let message = format!(
            "the server does not speak Redis's protocol: {}",
            self.quote(line)
        );
        DriverError::protocol(&self.place, message).with_hint("check `port` and `tls`")
    }

    /// The server's words. Some servers repeat the command that they do not know.
    fn quote(&self, text: &str) -> String {
        let password = self.password.as_ref().map(ExposeSecret::expose_secret);
        one_line(&without(text, password))
    }
}

const CREDENTIALS: &str = "check `user` and `password`";

fn encode(command: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
    for word in command {
        bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &'static [u8]) -> Result<Reply, DriverError> {
        let stream: Stream = Box::new(tokio::io::join(bytes, tokio::io::sink()));
        let mut connection = Connection {
            place: "redis://x:1".to_owned(),
            stream: BufReader::new(stream),
            budget: 0,
            password: None,
        };
        connection.ask(&["PING"]).await
    }

    #[tokio::test]
    async fn replies_are_read() {
        assert_eq!(
            read(b"+PONG\r\n").await.unwrap(),
            Reply::Status("PONG".to_owned())
        );
        assert_eq!(
            read(b"$2\r\nhi\r\n").await.unwrap(),
            Reply::Bytes(b"hi".to_vec())
        );
        assert_eq!(read(b"*-1\r\n").await.unwrap(), Reply::Nothing);
        let list = Reply::List(vec![Reply::Bytes(b"q".to_vec()), Reply::Number(3)]);
        assert_eq!(read(b"*2\r\n$1\r\nq\r\n:3\r\n").await.unwrap(), list);
    }

    #[tokio::test]
    async fn a_server_that_loads_its_data_counts_as_unreachable_and_a_refused_login_does_not() {
        for (bytes, unreachable) in [
            (&b"-LOADING Redis is loading\r\n"[..], true),
            (b"", true),
            (b"-WRONGPASS invalid\r\n", false),
            (b"HTTP/1.1 400 Bad Request\r\n", false),
        ] {
            let error = read(bytes).await.unwrap_err();
            assert_eq!(error.is_unreachable(), unreachable, "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_not_redis_is_named() {
        for (bytes, message) in [
            (
                &b"HTTP/1.1 400 Bad Request\r\n"[..],
                "does not speak Redis's protocol",
            ),
            (b"$99999999999\r\n", "does not speak Redis's protocol"),
            (b"$5\r\nhi", "closed the connection"),
            (b"", "closed the connection"),
            (
                b"-NOAUTH Authentication required.\r\n",
                "it wants a password",
            ),
            (b"-LOADING Redis is loading\r\n", "LOADING Redis is loading"),
        ] {
            let error = read(bytes).await.unwrap_err().to_string();
            assert!(
                error.starts_with("redis://x:1: ") && error.contains(message),
                "{error}"
            );
        }
    }
}
