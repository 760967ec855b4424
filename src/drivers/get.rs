//! HTTP GET, as much of it as a probe needs: a new connection each time, and an end to every body.

use base64::{Engine, prelude::BASE64_STANDARD};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};

use super::{
    address::{self, Address, Url},
    credential,
    driver::Reach,
    error::{DriverError, one_line},
    redis::{PASSWORD, USER},
    settings::{Kind, Setting, Settings, SettingsProblem},
    stream::Server,
    tls::{self, Tls},
};

/// The settings of everything that is asked over HTTP, for a driver to list beside its own.
pub(super) const SITE: [Setting; 11] = [
    address::HOST,
    address::PORT,
    address::SERVICE,
    Setting {
        name: "url",
        kind: Kind::Text,
        help: "http(s)://HOST[:PORT][/PATH]; in place of the others",
    },
    USER,
    PASSWORD,
    Setting {
        name: "token",
        kind: Kind::Secret,
        help: "A bearer token, in place of user and password",
    },
    tls::TLS,
    tls::CA,
    tls::INSECURE,
    tls::SERVER_NAME,
];

/// A web server, and who asks.
pub(super) struct Site {
    server: Server,
    /// The path of the URL, with which every other path begins.
    base: String,
    authorization: Option<SecretString>,
}

/// What a server answered.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Where a site is, before the way to it is opened.
struct Target {
    address: Address,
    encrypted: bool,
    path: String,
    user: Option<String>,
    password: Option<SecretString>,
}

impl Target {
    fn read(settings: Settings<'_>, default_port: u16) -> Result<Self, DriverError> {
        let url = settings
            .text("url")
            .and_then(|text| Url::parse(text, &["http", "https"]).ok());
        let Some(url) = url else {
            return Ok(Self {
                address: Address::require(settings, default_port)?,
                encrypted: settings.flag("tls"),
                path: String::new(),
                user: None,
                password: None,
            });
        };
        let encrypted = url.scheme == "https";
        let port = url.port.unwrap_or(if encrypted { 443 } else { 80 });
        Ok(Self {
            address: Address::Direct(url.host, port),
            encrypted,
            path: url.path,
            user: url.user,
            password: url.password,
        })
    }

    fn scheme(&self) -> &'static str {
        if self.encrypted { "https" } else { "http" }
    }
}

/// How messages name the site, and the path of its URL.
pub(super) fn place(settings: Settings<'_>, port: u16) -> Result<(String, String), DriverError> {
    let target = Target::read(settings, port)?;
    Ok((target.address.place(target.scheme()), target.path))
}

/// Problems with address, URL and credentials.
pub(super) fn review(settings: Settings<'_>) -> Vec<SettingsProblem> {
    let mut problems = address::review(settings);
    let given = |name| settings.get(name).is_some();
    if let Some(text) = settings.text("url") {
        if let Err(message) = Url::parse(text, &["http", "https"]) {
            problems.push(SettingsProblem::new("url", message));
        }
        if given("host") {
            problems.push(SettingsProblem::new("url", "is given beside `host`").hint("keep one"));
        }
    }
    if given("token") && (given("user") || given("password")) {
        let problem = SettingsProblem::new("token", "is given beside `user` or `password`");
        problems.push(problem.hint("keep one"));
    }
    problems
}

impl Site {
    /// Opens the way to the site.
    pub(super) async fn open(
        settings: Settings<'_>,
        port: u16,
        reach: &dyn Reach,
    ) -> Result<Self, DriverError> {
        let target = Target::read(settings, port)?;
        let scheme = target.scheme();
        let tls = if target.encrypted {
            Some(Tls::read(settings, reach).await?)
        } else {
            None
        };
        let server = Server::reach(&target.address, scheme, tls, reach).await?;
        let authorization = authorization(settings, &target, reach).await?;
        let base = target.path.clone();
        Ok(Self {
            server,
            base,
            authorization,
        })
    }

    /// How messages name it.
    pub(super) fn place(&self) -> &str {
        &self.server.place
    }

    /// Gets a path below the URL's own, or that one if there is none.
    pub(super) async fn get(&self, path: &str) -> Result<Page, DriverError> {
        const LARGEST: usize = 4 << 20;
        let place = &self.server.place;
        let strange = |error: &dyn std::error::Error| self.strange(error);
        let stream = TokioIo::new(self.server.connect().await?);
        let (mut sender, connection) = http1::handshake(stream).await.map_err(|e| strange(&e))?;
        let request = self.request(path)?;
        // The connection does its work only while it is polled, and ends with its one request.
        let exchange = async {
            let answer = sender
                .send_request(request)
                .await
                .map_err(|e| strange(&e))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), LARGEST).collect().await;
            let body = body.map_err(|error| DriverError::protocol(place, error.to_string()))?;
            let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            Ok(Page { status, body })
        };
        let exchange = std::pin::pin!(exchange);
        let connection = std::pin::pin!(connection);
        match futures::future::select(exchange, connection).await {
            futures::future::Either::Left((page, _)) => page,
            futures::future::Either::Right((_, exchange)) => exchange.await,
        }
    }

    fn path(&self, path: &str) -> String {
        match (self.base.as_str(), path) {
            ("", "") => "/".to_owned(),
            (base, "") => base.to_owned(),
            (base, path) => format!("{}{path}", base.trim_end_matches('/')),
        }
    }

    fn request(&self, path: &str) -> Result<Request<Empty<Bytes>>, DriverError> {
        let host = match (self.server.name.as_str(), self.server.port()) {
            (name, 80 | 443) => name.to_owned(),
            (name, port) if name.contains(':') => format!("[{name}]:{port}"),
            (name, port) => format!("{name}:{port}"),
        };
        let mut request = Request::get(self.path(path)).header(header::HOST, host);
        let agent = concat!("jsorc/", env!("CARGO_PKG_VERSION"));
        request = request.header(header::USER_AGENT, agent);
        if let Some(value) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value.expose_secret());
        }
        let request = request.body(Empty::new());
        request.map_err(|_| {
            DriverError::protocol(
                self.place(),
                "the path or the token is no text \
                                                                 that HTTP can carry",
            )
        })
    }

    /// The answer, if its status is one of success.
    pub(super) fn expect_success(&self, page: Page) -> Result<String, DriverError> {
        match page.status {
            200..=299 => Ok(page.body),
            status => Err(self.unexpected(status, &page.body)),
        }
    }

    /// The error for a status that was not expected.
    pub(super) fn unexpected(&self, status: u16, body: &str) -> DriverError {
        let name = http::StatusCode::from_u16(status).ok();
        let reason = name.and_then(|name| name.canonical_reason()).unwrap_or("?");
        let said = if body.trim_start().starts_with('<') {
            ""
        } else {
            body
        };
        let text = one_line(&format!("answered {status} {reason}: {said}"));
        let text = text.trim_end_matches([':', ' ']);
        match status {
            401 | 403 => DriverError::refused(
                self.place(),
                text,
                "check `user` and `password`, or `token`",
            ),
            _ => DriverError::protocol(self.place(), text),
        }
    }

    fn strange(&self, error: &dyn std::error::Error) -> DriverError {
        let cause = error
            .source()
            .map(|cause| format!(" ({cause})"))
            .unwrap_or_default();
        let message = format!("no HTTP answer: {error}{cause}");
        DriverError::protocol(self.place(), message).with_hint("check `port` and `tls`")
    }
}

async fn authorization(
    settings: Settings<'_>,
    target: &Target,
    reach: &dyn Reach,
) -> Result<Option<SecretString>, DriverError> {
    if let Some(token) = credential::resolve(settings.secret("token"), reach).await? {
        return Ok(Some(format!("Bearer {}", token.expose_secret()).into()));
    }
    let given = credential::resolve(settings.secret("password"), reach).await?;
    let password = target.password.clone().or(given);
    let user = target.user.as_deref().or(settings.text("user"));
    if user.is_none() && password.is_none() {
        return Ok(None);
    }
    let password = password.unwrap_or_default();
    let pair = format!("{}:{}", user.unwrap_or_default(), password.expose_secret());
    Ok(Some(
        format!("Basic {}", BASE64_STANDARD.encode(pair)).into(),
    ))
}
