//! The services that this binary carries, as the build script checked and wrote them.

use std::borrow::Cow;

use crate::manifest::{Catalog, EmbeddedService};
use include_dir::{Dir, include_dir};

include!(concat!(env!("OUT_DIR"), "/services.rs"));

/// The files of the services as they were written, byte for byte: the build script copies exactly
/// those that it read.
pub static FILES: Dir<'static> = include_dir!("$OUT_DIR/services");

/// The embedded services could not be taken out of the binary.
#[derive(Debug, thiserror::Error)]
#[error("read the embedded settings of service `{service}`")]
pub struct EmbeddedError {
    /// The service's name.
    service: &'static str,
    /// What the settings have that was not expected.
    source: serde_json::Error,
}

/// The catalog of the embedded services; the same as reading the folder it was built from.
///
/// # Errors
/// When the settings of a service are not what this build wrote, which a test rules out.
pub fn catalog() -> Result<Catalog, EmbeddedError> {
    let service = |embedded: &EmbeddedService| {
        let service = embedded.name;
        embedded
            .service()
            .map_err(|source| EmbeddedError { service, source })
    };
    let services = SERVICES.iter().map(service).collect::<Result<_, _>>()?;
    Ok(Catalog {
        services,
        digest: Cow::Borrowed(DIGEST),
    })
}
