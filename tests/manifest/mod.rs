//! The services folder: what is refused, with the exact words, and what is read.

mod bindings;
mod documents;
mod embedded;
mod folders;
mod lists;
mod numbers;
mod parameters;
mod placeholders;
mod reading;
mod references;
mod secrecy;
mod secrets;
mod settings;
mod syntax;
mod tables;
mod texts;
mod versions;

use jsorc::manifest::assembly::{self, ServiceTexts};
use jsorc::manifest::source::Source;
use jsorc::manifest::{Checked, Problems};

/// Checks a services folder given as paths and texts; a service without settings gets the least.
fn checked(files: &[(&str, &str)]) -> Result<Checked, Problems> {
    let mut services: Vec<ServiceTexts> = Vec::new();
    for (path, text) in files {
        let name = path.split('/').nth(1).expect("services/NAME/…");
        let at = services
            .iter()
            .position(|service| service.name == name)
            .unwrap_or_else(|| {
                let spec = Source::new(format!("services/{name}/service.yaml"), "driver: none\n");
                services.push(ServiceTexts {
                    name: name.to_owned(),
                    spec,
                    kube: Vec::new(),
                });
                services.len() - 1
            });
        let source = Source::new((*path).to_owned(), text);
        if path.ends_with("/service.yaml") {
            services[at].spec = source;
        } else {
            services[at].kube.push(source);
        }
    }
    assembly::assemble(services, Vec::new())
}

/// Checks one kube file of a service that has next to no settings.
fn checked_kube(text: &str) -> Result<Checked, Problems> {
    checked(&[("services/web/kube/web.yaml", text)])
}

fn refused_files(files: &[(&str, &str)], expected: &str) {
    let problems = checked(files).expect_err("refused");
    assert_eq!(problems.to_string(), expected, "\n{problems}");
}

fn refused_kube(text: &str, expected: &str) {
    refused_files(&[("services/web/kube/web.yaml", text)], expected);
}

fn refused_settings(text: &str, expected: &str) {
    refused_files(&[("services/web/service.yaml", text)], expected);
}

fn refused_service(settings: &str, kube: &str, expected: &str) {
    let files = [
        ("services/web/service.yaml", settings),
        ("services/web/kube/web.yaml", kube),
    ];
    refused_files(&files, expected);
}
