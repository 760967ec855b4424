//! Where a service is: `host` and `port`, `service: NAME[:PORT]`, or a URL.
//!
//! The host wins over the service, so that one setting in a higher layer moves a service out of the
//! cluster; a port alone replaces the service's own.

use secrecy::SecretString;

use super::{
    driver::{Endpoint, Reach},
    error::DriverError,
    settings::{Kind, Setting, Settings, SettingsProblem},
};

pub(super) const HOST: Setting = Setting {
    name: "host",
    kind: Kind::Text,
    help: "A name or an address; wins over `service`",
};
pub(super) const PORT: Setting = Setting {
    name: "port",
    kind: Kind::Number(1, 65535),
    help: "The port; replaces `service`'s",
};
pub(super) const SERVICE: Setting = Setting {
    name: "service",
    kind: Kind::Text,
    help: "NAME[:PORT] of a Service: cluster DNS inside a cluster, a port-forward outside",
};

/// An address as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// Directly.
    Direct(String, u16),
    /// A Service of the cluster.
    Service(String),
}

impl Address {
    /// Reads host, port and service.
    pub(super) fn read(settings: Settings<'_>, default_port: u16) -> Option<Self> {
        let port = settings.port("port");
        if let Some(host) = settings.text("host") {
            return Some(Self::Direct(host.to_owned(), port.unwrap_or(default_port)));
        }
        let service = settings.text("service")?;
        let name = service.split_once(':').map_or(service, |(name, _)| name);
        Some(Self::Service(
            port.map_or(service.to_owned(), |port| format!("{name}:{port}")),
        ))
    }

    /// The same, or the error that there is none.
    pub(super) fn require(settings: Settings<'_>, port: u16) -> Result<Self, DriverError> {
        Self::read(settings, port).ok_or_else(not_configured)
    }

    /// How messages name it.
    pub(super) fn place(&self, scheme: &str) -> String {
        match self {
            Self::Direct(host, port) if host.contains(':') => format!("{scheme}://[{host}]:{port}"),
            Self::Direct(host, port) => format!("{scheme}://{host}:{port}"),
            Self::Service(service) => format!("{scheme}://{service}"),
        }
    }

    /// Opens the way to it.
    pub(super) async fn reach(&self, reach: &dyn Reach) -> Result<Endpoint, DriverError> {
        match self {
            Self::Direct(host, port) => Ok(Endpoint {
                host: host.clone(),
                port: *port,
                keep: None,
            }),
            Self::Service(service) => reach.address(service).await,
        }
    }

    /// The name that its certificate bears: at the end of a port-forward, the Service's.
    pub(super) fn name(&self, endpoint: &Endpoint) -> String {
        let is_address = endpoint.host.parse::<std::net::IpAddr>().is_ok();
        match self {
            Self::Service(service) if is_address => service
                .split_once(':')
                .map_or(service.clone(), |(name, _)| name.to_owned()),
            _ => endpoint.host.clone(),
        }
    }
}

/// Problems with the shape of host and service.
pub(super) fn review(settings: Settings<'_>) -> Vec<SettingsProblem> {
    let mut problems = Vec::new();
    if let Some(service) = settings.text("service") {
        let (name, port) = service.split_once(':').unwrap_or((service, "1"));
        let letters =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if name.is_empty() || !name.chars().all(letters) || port.parse::<u16>().is_err() {
            problems.push(SettingsProblem::new("service", "takes NAME or NAME:PORT"));
        }
    }
    if settings
        .text("host")
        .is_some_and(|host| host.contains("//") || host.contains(' '))
    {
        let problem = SettingsProblem::new("host", "takes a name or an address, not a URL");
        problems.push(problem);
    }
    problems
}

pub(super) fn not_configured() -> DriverError {
    DriverError::NotConfigured("no address is configured (host, service)".to_owned())
}

/// A URL, taken apart. Its user and password are never printed.
pub(super) struct Url {
    pub(super) scheme: String,
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// Path and query, with the `/` in front, or empty.
    pub(super) path: String,
}

impl Url {
    /// Reads `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH]`. The error does not repeat it.
    pub(super) fn parse(text: &str, schemes: &[&str]) -> Result<Self, String> {
        let expected = || format!("takes a URL such as {}://HOST:PORT", schemes[0]);
        let (scheme, rest) = text.split_once("://").ok_or_else(expected)?;
        if !schemes.contains(&scheme) {
            return Err(expected());
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let (host, port) = host_and_port(place).ok_or_else(expected)?;
        Ok(Self {
            scheme: scheme.to_owned(),
            user: Some(decode(name)).filter(|name| !name.is_empty()),
            password: Some(decode(password))
                .filter(|text| !text.is_empty())
                .map(Into::into),
            host,
            port,
            path: path.to_owned(),
        })
    }
}

fn host_and_port(place: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => place
            .split_once(':')
            .map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(str::parse).transpose().ok()?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// Undoes percent encoding.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) if bytes[at] == b'%' => {
                decoded.push(code);
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn read(given: &serde_json::Value) -> Option<Address> {
        Address::read(Settings(given.as_object().unwrap()), 6379)
    }

    #[test]
    fn the_host_wins_and_a_port_alone_replaces_the_services() {
        let direct = Some(Address::Direct("cache".to_owned(), 6379));
        assert_eq!(
            read(&json!({"host": "cache", "service": "redis:1"})),
            direct
        );
        let service = Some(Address::Service("redis:7000".to_owned()));
        assert_eq!(read(&json!({"port": 7000, "service": "redis:1"})), service);
        assert_eq!(read(&json!({"host": "", "port": 7000})), None);
    }

    #[test]
    fn shapes_that_are_no_address_are_problems() {
        for given in [
            json!({"service": "Redis!"}),
            json!({"service": "redis:http"}),
            json!({"host": "redis://cache"}),
        ] {
            assert_eq!(
                review(Settings(given.as_object().unwrap())).len(),
                1,
                "{given}"
            );
        }
    }

    #[test]
    fn urls_are_taken_apart() {
        let url = Url::parse("redis://app:p%40ss%2Fword@[::1]:7000/2", &["redis"]).unwrap();
        assert_eq!(
            (url.host.as_str(), url.port, url.path.as_str()),
            ("::1", Some(7000), "/2")
        );
        assert_eq!(url.user.as_deref(), Some("app"));
        assert_eq!(url.password.unwrap().expose_secret(), "p@ss/word");
        let secret = "http://u:hunter2@:80x";
        assert!(
            !Url::parse(secret, &["http"])
                .err()
                .unwrap()
                .contains("hunter2")
        );
        assert!(Url::parse("ftp://host", &["http"]).is_err());
    }
}
