//! What the build script embeds is what the folder says.

use std::collections::BTreeMap;
use std::path::Path;

use jsorc::embedded;
use jsorc::manifest::{Catalog, KindTable, emit, folder};

fn from_folder() -> Catalog {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("services");
    let checked = folder::read(&services).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
    checked.catalog
}

fn counts(table: &[KindTable]) -> BTreeMap<&str, usize> {
    table
        .iter()
        .map(|kind| (kind.kind.as_ref(), kind.manifests.len()))
        .collect()
}

#[test]
fn the_embedded_catalog_is_the_folders() {
    let embedded = embedded::catalog().unwrap();
    assert_eq!(embedded, from_folder());
    assert_eq!(embedded.digest.len(), 64);
    let names: Vec<&str> = embedded.names().collect();
    assert_eq!(names, ["mail", "promon", "redis", "task"]);
}

#[test]
fn promon_has_its_whole_stack() {
    let expected = [
        ("ClusterRole", 2),
        ("ClusterRoleBinding", 2),
        ("ConfigMap", 2),
        ("DaemonSet", 1),
        ("Deployment", 4),
        ("PersistentVolumeClaim", 2),
        ("Service", 5),
        ("ServiceAccount", 5),
    ];
    assert_eq!(counts(embedded::PROMON_KUBE), expected.into());
}

#[test]
fn redis_has_its_table_and_task_and_mail_have_none() {
    let expected = [
        ("ConfigMap", 1),
        ("Deployment", 1),
        ("Secret", 1),
        ("Service", 1),
    ];
    assert_eq!(counts(embedded::REDIS_KUBE), expected.into());
    let catalog = embedded::catalog().unwrap();
    for name in ["task", "mail"] {
        assert!(catalog.service(name).unwrap().kube.is_empty(), "{name}");
    }
}

#[test]
fn tables_are_sorted_by_kind_and_name_their_lines() {
    for service in &embedded::catalog().unwrap().services {
        let kinds: Vec<&str> = service
            .kube
            .iter()
            .map(|table| table.kind.as_ref())
            .collect();
        assert!(kinds.is_sorted(), "{kinds:?}");
        for manifest in service.manifests() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest.file.as_ref());
            let text = std::fs::read_to_string(path).unwrap();
            let line = text.lines().nth(manifest.line as usize - 1).unwrap();
            assert_eq!(line, format!("apiVersion: {}", manifest.api_version));
        }
    }
}

#[test]
fn the_build_writes_the_same_text_every_time() {
    let first = emit::source(&from_folder(), "crate::manifest").unwrap();
    let second = emit::source(&embedded::catalog().unwrap(), "crate::manifest").unwrap();
    assert_eq!(first, second);
    assert!(first.contains("pub static PROMON_KUBE: &[crate::manifest::KindTable] = &["));
    assert!(!first.contains("MAIL_KUBE") && !first.contains("TASK_KUBE"));
}

#[test]
fn the_lines_of_settings_survive() {
    let catalog = embedded::catalog().unwrap();
    let mail = &catalog.service("mail").unwrap().spec;
    assert_eq!(mail.line_of("config.host"), Some(4));
    assert_eq!(mail.line_of("config.unheard.of"), mail.line_of("config"));
    assert_eq!(mail.line_of("nothing"), None);
}

#[test]
fn only_the_redis_secret_uses_the_password() {
    let catalog = embedded::catalog().unwrap();
    let redis = catalog.service("redis").unwrap();
    let users: Vec<&str> = redis
        .manifests()
        .filter(|manifest| manifest.secret_parameters(&redis.spec) == ["password"])
        .map(|manifest| manifest.kind.as_ref())
        .collect();
    assert_eq!(users, ["Secret"]);
}
