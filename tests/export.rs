//! `jsorc services export`: who has only the program gets its YAML, edits it and goes on from there.

use serde_json::Value;
use std::fs;
use std::path::Path;

use crate::support::{Cluster, Jsorc};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn digest(jsorc: &Jsorc, more: &[&str]) -> Value {
    let listed = jsorc.run(&[&["services", "-o", "json"], more].concat());
    listed.expect(0).json()["digest"].clone()
}

#[test]
fn an_unchanged_export_plans_nothing_and_an_edit_plans_exactly_that() {
    let jsorc = Jsorc::on(Cluster::shared(), "export");
    let _ = jsorc.run(&["apply", "redis", "--yes"]).expect(0);
    let dir = jsorc.folder().join("mine");
    let said = jsorc.run(&["services", "export", text(&dir)]).expect(0);
    assert!(said.stdout.contains("jsorc --services"), "{}", said.stdout);
    let folder = ["--services", text(&dir)];
    assert_eq!(digest(&jsorc, &[]), digest(&jsorc, &folder));
    let plan = |more: &[&str]| jsorc.run(&[&["plan", "redis"], &folder[..], more].concat());
    let unchanged = plan(&["--exit-code"]).expect(0);
    assert!(!unchanged.stdout.contains("~ "), "{}", unchanged.stdout);

    let file = dir.join("redis/kube/redis.yaml");
    let yaml = fs::read_to_string(&file).unwrap();
    let edited = yaml.replace("tcp-keepalive 60", "tcp-keepalive 61");
    assert_ne!(yaml, edited);
    fs::write(&file, edited).unwrap();
    assert_ne!(digest(&jsorc, &[]), digest(&jsorc, &folder));
    let plan = plan(&["-o", "json"]).expect(0).json();
    let steps = plan["steps"].as_array().unwrap();
    let changed: Vec<(&str, &str)> = steps
        .iter()
        .flat_map(|step| {
            let fields = step["fields"].as_array().unwrap().iter();
            let kind = step["object"]["kind"].as_str().unwrap();
            fields.map(move |field| (kind, field["path"].as_str().unwrap()))
        })
        .collect();
    let [("ConfigMap", conf), ("Deployment", rolled)] = changed[..] else {
        panic!("{changed:?}")
    };
    assert!(conf.contains("redis.conf"), "{conf}");
    assert!(rolled.contains("jsorc.dev/config"), "{rolled}");
}

#[test]
fn an_export_never_touches_a_file_that_is_there() {
    let jsorc = Jsorc::alone("export");
    let dir = jsorc.folder().join("mine");
    fs::create_dir_all(dir.join("redis")).unwrap();
    let mine = dir.join("redis/service.yaml");
    fs::write(&mine, "mine").unwrap();
    let refused = jsorc.run(&["services", "export", text(&dir)]).expect(2);
    assert!(
        refused
            .stderr
            .contains("redis/service.yaml is there already: nothing was written"),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);

    fs::remove_file(&mine).unwrap();
    std::os::unix::fs::symlink("nowhere", &mine).unwrap();
    let refused = jsorc.run(&["services", "export", text(&dir)]).expect(2);
    assert!(
        refused.stderr.contains("is there already"),
        "{}",
        refused.stderr
    );
    assert!(mine.is_symlink());
}

#[test]
fn an_export_of_another_folder_is_refused() {
    let jsorc = Jsorc::alone("export").services(&[("web/service.yaml", "driver: none\n")]);
    let dir = jsorc.folder().join("mine");
    let refused = jsorc.run(&["services", "export", text(&dir)]).expect(2);
    assert!(
        refused.stderr.contains("leave --services away"),
        "{}",
        refused.stderr
    );
    assert!(!dir.exists());
}
