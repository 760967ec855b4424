//! `prometheus`: ready, its build, and an instant query that answers.

use std::time::{Duration, Instant};

use futures::{FutureExt, future::BoxFuture};
use serde_json::{Map, Value};

use super::{
    driver::{Answer, Driver, Reach, Running, Start},
    error::{DriverError, one_line, within},
    get::{self, SITE, Site},
    settings::{Kind, Setting, Settings, SettingsProblem},
};

/// The `prometheus` driver.
pub(super) struct Prometheus;

const PORT: u16 = 9090;

const QUERY: Setting = Setting {
    name: "query",
    kind: Kind::Text,
    help: "The query of the probe; `up` if none",
};

const SETTINGS: &[Setting] = &{
    let mut all = [QUERY; SITE.len() + 1];
    let mut index = 0;
    while index < SITE.len() {
        all[index] = SITE[index];
        index += 1;
    }
    all
};

impl Driver for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn review(&self, settings: &Map<String, Value>) -> Vec<SettingsProblem> {
        get::review(Settings(settings))
    }

    fn start<'a>(
        &'a self,
        start: Start<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, DriverError>> {
        async move {
            let client = PrometheusClient::open(start.settings, start.reach, start.timeout).await?;
            let query = Settings(start.settings)
                .text("query")
                .unwrap_or("up")
                .to_owned();
            within(start.timeout, client.site.place(), client.ready()).await?;
            Ok(Box::new(RunningPrometheus { client, query }) as Box<dyn Running>)
        }
        .boxed()
    }
}

struct RunningPrometheus {
    client: PrometheusClient,
    query: String,
}

impl RunningPrometheus {
    async fn ask(&self) -> Result<Answer, DriverError> {
        let asked = Instant::now();
        self.client.ready().await?;
        let latency = asked.elapsed();
        let version = self.client.version().await?;
        let count = self.client.ask(&self.query).await?.len();
        let plural = if count == 1 { "" } else { "s" };
        let note = format!(
            "{version}, `{}` has {count} result{plural}",
            one_line(&self.query)
        );
        Ok(Answer {
            latency,
            note,
            advice: None,
        })
    }
}

impl Running for RunningPrometheus {
    fn probe(&mut self) -> BoxFuture<'_, Result<Answer, DriverError>> {
        async move { within(self.client.timeout, self.client.site.place(), self.ask()).await }
            .boxed()
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }
}

/// Asks a Prometheus.
pub struct PrometheusClient {
    site: Site,
    timeout: Duration,
}

/// One result of an instant query.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: Map<String, Value>,
    /// Its value.
    pub value: f64,
}

impl PrometheusClient {
    /// A client for the driver's settings; nothing is asked yet.
    ///
    /// # Errors
    /// There is no address, or no way to it.
    pub async fn open(
        settings: &Map<String, Value>,
        reach: &dyn Reach,
        timeout: Duration,
    ) -> Result<Self, DriverError> {
        let settings = Settings(settings);
        let (place, _) = get::place(settings, PORT)?;
        let site = within(timeout, &place, Site::open(settings, PORT, reach)).await?;
        Ok(Self { site, timeout })
    }

    /// The results of an instant query, within the deadline.
    ///
    /// # Errors
    /// The server does not answer, or not with results.
    pub async fn query(&self, query: &str) -> Result<Vec<Sample>, DriverError> {
        within(self.timeout, self.site.place(), self.ask(query)).await
    }

    async fn ready(&self) -> Result<(), DriverError> {
        let page = self.site.get("/-/ready").await?;
        self.site.expect_success(page).map(|_| ())
    }

    async fn version(&self) -> Result<String, DriverError> {
        let build = self.get("/api/v1/status/buildinfo").await?;
        let version = build.get("version").and_then(Value::as_str);
        version
            .map(str::to_owned)
            .ok_or_else(|| self.strange("it does not say its version"))
    }

    async fn ask(&self, query: &str) -> Result<Vec<Sample>, DriverError> {
        let answer = self
            .get(&format!("/api/v1/query?query={}", encode(query)))
            .await?;
        samples(&answer).ok_or_else(|| self.strange("the query does not answer with samples"))
    }

    /// The `data` of an answer of the API.
    async fn get(&self, path: &str) -> Result<Value, DriverError> {
        let page = self.site.get(path).await?;
        let status = page.status;
        let mut answer: Value = serde_json::from_str(&page.body).unwrap_or_default();
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            return Err(self.strange(error));
        }
        if !(200..300).contains(&status) {
            return Err(self.site.unexpected(status, &page.body));
        }
        answer
            .get_mut("data")
            .map(Value::take)
            .ok_or_else(|| self.strange("this is no Prometheus"))
    }

    fn strange(&self, message: &str) -> DriverError {
        DriverError::protocol(self.site.place(), message)
    }
}

fn samples(data: &Value) -> Option<Vec<Sample>> {
    let number = |pair: &Value| pair.get(1)?.as_str()?.parse::<f64>().ok();
    let result = data.get("result")?;
    match data.get("resultType")?.as_str()? {
        "vector" => result
            .as_array()?
            .iter()
            .map(|item| {
                let labels = item.get("metric")?.as_object()?.clone();
                Some(Sample {
                    labels,
                    value: number(item.get("value")?)?,
                })
            })
            .collect(),
        "scalar" => Some(vec![Sample {
            labels: Map::new(),
            value: number(result)?,
        }]),
        _ => None,
    }
}

/// Percent encoding of a query's value.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(
                [byte >> 4, byte & 15]
                    .map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])),
            );
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn samples_of_vectors_and_scalars_are_read() {
        let vector = json!({"resultType": "vector", "result": [
            {"metric": {"job": "a"}, "value": [1.0, "0.5"]},
            {"metric": {}, "value": [1.0, "+Inf"]},
        ]});
        let found = samples(&vector).unwrap();
        assert_eq!(found[0].labels["job"], "a");
        assert!(found[0].value < 1.0 && found[1].value.is_infinite());
        let scalar = json!({"resultType": "scalar", "result": [1.0, "3"]});
        assert_eq!(samples(&scalar).unwrap().len(), 1);
        assert_eq!(
            samples(&json!({"resultType": "matrix", "result": []})),
            None
        );
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(encode("up{a=\"b c\"}"), "up%7Ba%3D%22b%20c%22%7D");
    }
}
