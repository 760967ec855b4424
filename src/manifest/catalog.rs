//! The tables: every service with its settings and its manifests, grouped by kind.
//!
//! All of it can live in `static` memory (`Cow::Borrowed`), as the build script emits it, or be
//! read from a folder at run time. Either way it has passed every check of this room.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::parameter::ParameterType;
use super::placeholder::{self, Reference};
use super::problem::{Place, Problem};
use super::spec::ServiceSpec;

/// Every service there is, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    /// The services, sorted by name.
    pub services: Vec<Service>,
    /// SHA-256 (hex) over the digests of the services.
    pub digest: Cow<'static, str>,
}

/// A folder `services/NAME`: its settings and, if it has any, its kube table.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// The folder's name, an RFC 1123 label.
    pub name: Cow<'static, str>,
    /// What `service.yaml` says.
    pub spec: ServiceSpec,
    /// Where `service.yaml` is.
    pub spec_place: Place,
    /// The kube table; empty for a service without manifests.
    pub kube: Cow<'static, [KindTable]>,
    /// SHA-256 (hex) over name, settings and manifests; the same for a folder and its embedding.
    pub digest: Cow<'static, str>,
}

/// The documents of one kind within one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindTable {
    /// The kind, such as `Deployment`. Tables are sorted by it.
    pub kind: Cow<'static, str>,
    /// The documents, in the order of their files and within them.
    pub manifests: Cow<'static, [Manifest]>,
}

/// One Kubernetes document as it was written, placeholders still in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `apiVersion`, such as `apps/v1`.
    pub api_version: Cow<'static, str>,
    /// `kind`.
    pub kind: Cow<'static, str>,
    /// `metadata.name`; may hold placeholders.
    pub name: Cow<'static, str>,
    /// `metadata.namespace`, if the document gives one; may hold placeholders.
    pub namespace: Option<Cow<'static, str>>,
    /// The file as people know it, such as `services/redis/kube/redis.yaml`.
    pub file: Cow<'static, str>,
    /// The line on which the document begins.
    pub line: u32,
    /// The document as JSON, keys in file order, placeholders still in it.
    pub json: Cow<'static, str>,
}

/// One service as the build script embeds it; the settings are parsed at start.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedService {
    /// The folder's name.
    pub name: &'static str,
    /// The path of its `service.yaml`.
    pub file: &'static str,
    /// A [`ServiceSpec`] as JSON, with its line numbers.
    pub spec: &'static str,
    /// The kube table, empty without manifests.
    pub kube: &'static [KindTable],
    /// The digest of the service.
    pub digest: &'static str,
}

/// A catalog together with what should be looked at but stops nothing.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The catalog; every problem that refuses a folder has been ruled out.
    pub catalog: Catalog,
    /// The warnings, in file order.
    pub warnings: Vec<Problem>,
}

/// The name of a service's table: `redis` has `REDIS_KUBE`.
#[must_use]
pub fn table_name(service: &str) -> String {
    format!("{}_KUBE", environment_name(service))
}

/// A service's name in environment variables: upper case, `-` as `_`.
#[must_use]
pub fn environment_name(service: &str) -> String {
    service.to_uppercase().replace('-', "_")
}

impl Catalog {
    /// The service of that name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        let found = self
            .services
            .binary_search_by(|service| service.name.as_ref().cmp(name));
        found.ok().and_then(|at| self.services.get(at))
    }

    /// The names of all services, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|service| service.name.as_ref())
    }
}

impl Service {
    /// All documents of the service, kind by kind.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.kube.iter().flat_map(|table| table.manifests.iter())
    }
}

impl EmbeddedService {
    /// The service as the rest of the program knows it.
    ///
    /// # Errors
    /// When the embedded settings are not what this build writes.
    pub fn service(&self) -> Result<Service, serde_json::Error> {
        Ok(Service {
            name: Cow::Borrowed(self.name),
            spec: serde_json::from_str(self.spec)?,
            spec_place: Place {
                file: Cow::Borrowed(self.file),
                line: 1,
                column: 1,
            },
            kube: Cow::Borrowed(self.kube),
            digest: Cow::Borrowed(self.digest),
        })
    }
}

impl Manifest {
    /// The document as a JSON value, placeholders still in it.
    ///
    /// # Errors
    /// When the table was not made by this room.
    pub fn value(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&self.json)
    }

    /// The names of the parameters that the document uses, built-in ones included, sorted.
    #[must_use]
    pub fn parameters(&self) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        if let Ok(value) = self.value() {
            placeholder::each_reference(&value, &mut |reference| {
                if let Reference::Parameter(name) = reference {
                    used.insert(name.clone());
                }
            });
        }
        used
    }

    /// The secret parameters that the document uses, sorted.
    ///
    /// Only a `Secret` can use any. Where one of them is generated and not given a value, the
    /// Secret is created once and never changed afterwards.
    #[must_use]
    pub fn secret_parameters(&self, spec: &ServiceSpec) -> Vec<String> {
        if self.kind != "Secret" {
            return Vec::new();
        }
        let secret = |name: &String| {
            spec.parameters
                .get(name)
                .is_some_and(|p| p.kind == ParameterType::Secret)
        };
        self.parameters().into_iter().filter(secret).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_after_their_service() {
        assert_eq!(table_name("redis"), "REDIS_KUBE");
        assert_eq!(table_name("node-pool-2"), "NODE_POOL_2_KUBE");
    }
}
