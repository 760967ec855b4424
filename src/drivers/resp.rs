//! Redis's own protocol, as much of it as the drivers speak.

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::{
    error::{DriverError, one_line},
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

/// A connection that is logged in.
pub(super) struct Connection {
    place: String,
    stream: BufReader<Stream>,
}

impl Connection {
    /// Connects, logs in and selects the database.
    pub(super) async fn open(server: &Server, login: &Login) -> Result<Self, DriverError> {
        let stream = BufReader::new(server.connect().await?);
        let mut connection = Self {
            place: server.place.clone(),
            stream,
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
        let reply = self.read_one().await?;
        let Reply::List(mut items) = reply else {
            return Ok(reply);
        };
        // The commands in use answer lists of plain values: one level is enough.
        for item in &mut items {
            *item = self.read_one().await?;
        }
        Ok(Reply::List(items))
    }

    /// Reads one value; of a list only its length, as items that are nothing.
    async fn read_one(&mut self) -> Result<Reply, DriverError> {
        const MOST: usize = 16 << 20;
        let line = self.line().await?;
        let (kind, rest) = line.split_at_checked(1).unwrap_or(("", ""));
        let count = || rest.parse::<i64>().map_err(|_| self.strange(&line));
        match kind {
            "+" => Ok(Reply::Status(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            ":" => Ok(Reply::Number(count()?)),
            "$" | "*" => match usize::try_from(count()?) {
                Err(_) => Ok(Reply::Nothing),
                Ok(length) if length > MOST => Err(self.strange(&line)),
                Ok(length) if kind == "$" => self.bytes(length).await,
                Ok(length) => Ok(Reply::List((0..length).map(|_| Reply::Nothing).collect())),
            },
            _ => Err(self.strange(&line)),
        }
    }

    async fn line(&mut self) -> Result<String, DriverError> {
        const LONGEST: u64 = 64 << 10;
        let mut line = Vec::new();
        let read = (&mut self.stream)
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .await;
        match read {
            Err(error) => Err(DriverError::unreachable(&self.place, error)),
            Ok(0) => Err(DriverError::closed(&self.place)),
            Ok(_) => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
        }
    }

    async fn bytes(&mut self, length: usize) -> Result<Reply, DriverError> {
        let mut bytes = vec![0; length + 2];
        let read = self.stream.read_exact(&mut bytes).await;
        read.map_err(|error| DriverError::unreachable(&self.place, error))?;
        bytes.truncate(length);
        Ok(Reply::Bytes(bytes))
    }

    /// The server's error in our words.
    fn error(&self, text: &str) -> DriverError {
        let code = text.split(' ').next().unwrap_or_default();
        let message = one_line(text);
        match code {
            "WRONGPASS" => DriverError::refused(&self.place, "wrong user or password", CREDENTIALS),
            "NOAUTH" => DriverError::refused(&self.place, "it wants a password", CREDENTIALS),
            "NOPERM" => DriverError::refused(&self.place, message, "give the user this right"),
            _ if text.contains("DB index") => DriverError::protocol(&self.place, message)
                .with_hint("check `db`: the server has fewer databases"),
            _ => DriverError::protocol(&self.place, message),
        }
    }

    fn strange(&self, line: &str) -> DriverError {
        let message = format!(
            "the server does not speak Redis's protocol: {}",
            one_line(line)
        );
        DriverError::protocol(&self.place, message).with_hint("check `port` and `tls`")
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
