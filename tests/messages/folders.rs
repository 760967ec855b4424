//! Services folders that are refused.

use std::os::unix::fs::symlink;

use super::refused;
use crate::support::Jsorc;

const COMMAND: [&str; 3] = ["--services", "services", "render"];

#[test]
fn folders_that_are_none() {
    let jsorc = Jsorc::alone("folders");
    refused(
        "no services folder",
        &jsorc,
        &COMMAND,
        2,
        "error: services: cannot be read: no such file or directory
hint: --services, or JSORC_SERVICES_DIR, takes a folder of services",
    );
    jsorc.file("services", "driver: none\n");
    refused(
        "a file in place of the services folder",
        &jsorc,
        &COMMAND,
        2,
        "error: services: cannot be read: not a directory
hint: --services, or JSORC_SERVICES_DIR, takes a folder of services",
    );
    std::fs::remove_file(jsorc.folder().join("services")).unwrap();
    std::fs::create_dir(jsorc.folder().join("services")).unwrap();
    refused(
        "an empty services folder",
        &jsorc,
        &COMMAND,
        2,
        "error: services: holds no service
hint: a service is a folder with a service.yaml",
    );
}

#[test]
fn what_does_not_belong_there() {
    let jsorc = Jsorc::alone("folders");
    let service =
        |name: &str| jsorc.file(&format!("services/{name}/service.yaml"), "driver: none\n");
    service("web");
    jsorc.file("services/web.yaml", "driver: none\n");
    refused(
        "a file in place of a service",
        &jsorc,
        &COMMAND,
        2,
        "error: services/web.yaml: does not belong here
hint: a service is a folder with a service.yaml",
    );
    std::fs::remove_file(jsorc.folder().join("services/web.yaml")).unwrap();

    symlink("web", jsorc.folder().join("services/linked")).unwrap();
    refused(
        "a link in the services folder",
        &jsorc,
        &COMMAND,
        2,
        "error: services/linked: is a link or a special file
hint: put the file itself here",
    );
    std::fs::remove_file(jsorc.folder().join("services/linked")).unwrap();

    std::fs::create_dir(jsorc.folder().join("services/bare")).unwrap();
    refused(
        "a service without settings",
        &jsorc,
        &COMMAND,
        2,
        "error: services/bare: has no service.yaml
hint: write one, at least with `driver: none`",
    );
    std::fs::remove_dir(jsorc.folder().join("services/bare")).unwrap();

    jsorc.file("services/web/kube/notes.txt", "remember the milk\n");
    refused(
        "a text file among the manifests",
        &jsorc,
        &COMMAND,
        2,
        "error: services/web/kube/notes.txt: does not belong here
hint: kube/ holds *.yaml and *.yml files only",
    );
}
