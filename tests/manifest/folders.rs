//! Folders on disk: what is read, what is ignored, what does not belong there.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use jsorc::manifest::folder;

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

/// A services folder that goes when the test ends.
struct Folder {
    root: PathBuf,
    path: PathBuf,
}

impl Folder {
    fn new(test: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("folder-{test}"));
        let _ = fs::remove_dir_all(&root);
        let path = root.join("services");
        fs::create_dir_all(&path).unwrap();
        Self { root, path }
    }

    fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn refused(&self) -> String {
        folder::read(&self.path).expect_err("refused").to_string()
    }

    fn digest(&self) -> String {
        let checked = folder::read(&self.path).unwrap_or_else(|problems| panic!("{problems}"));
        checked.catalog.digest.into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

#[test]
fn services_are_sorted_and_leftovers_ignored() {
    let folder = Folder::new("sorted")
        .with("web/service.yaml", "driver: none\n")
        .with("web/kube/b.yml", CONFIG_MAP.replace("name: a", "name: b"))
        .with("web/kube/a.yaml", CONFIG_MAP)
        .with("web/kube/.a.yaml.swp", "x")
        .with("web/kube/a.yaml~", "x")
        .with("web/.DS_Store", "x")
        .with("cache/service.yaml", "driver: none\n")
        .with(".git/x", "x");
    let checked = folder::read(&folder.path).unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<&str> = checked.catalog.names().collect();
    assert_eq!(names, ["cache", "web"]);
    let web = checked.catalog.service("web").unwrap();
    let files: Vec<&str> = web
        .manifests()
        .map(|manifest| manifest.file.as_ref())
        .collect();
    assert_eq!(
        files,
        ["services/web/kube/a.yaml", "services/web/kube/b.yml"]
    );
    assert_eq!(web.spec_place.to_string(), "services/web/service.yaml:1:1");
}

#[test]
fn paths_begin_with_the_folders_own_name() {
    let folder = Folder::new("named").with("web/service.yaml", "driver: 5\n");
    let renamed = folder.root.join("mine");
    fs::rename(&folder.path, &renamed).unwrap();
    let problems = folder::read(&renamed).expect_err("refused").to_string();
    assert!(
        problems.starts_with("error: mine/web/service.yaml:1:9: "),
        "{problems}"
    );
}

#[test]
fn all_that_does_not_belong_there_is_named_at_once() {
    let folder = Folder::new("strangers")
        .with("README.md", "x")
        .with("web/service.yaml", "driver: none\n")
        .with("web/notes.txt", "x")
        .with("web/kube/values.json", "x")
        .with("web/kube/more/a.yaml", CONFIG_MAP)
        .with("cache/kube/a.yaml", CONFIG_MAP)
        .with("queue/service.yml", "driver: none\n");
    assert_eq!(
        folder.refused(),
        "error: services/README.md: does not belong here\n\
         hint: a service is a folder with a service.yaml\n\n\
         error: services/cache: has no service.yaml\n\
         hint: write one, at least with `driver: none`\n\n\
         error: services/queue/service.yml: must be named service.yaml\n\n\
         error: services/web/kube/more: does not belong here\n\
         hint: kube/ holds *.yaml and *.yml files only\n\n\
         error: services/web/kube/values.json: does not belong here\n\
         hint: kube/ holds *.yaml and *.yml files only\n\n\
         error: services/web/notes.txt: does not belong here\n\
         hint: a service has service.yaml and kube/*.yaml"
    );
}

#[test]
fn links_are_refused() {
    let folder = Folder::new("links").with("web/service.yaml", "driver: none\n");
    fs::create_dir(folder.path.join("web/kube")).unwrap();
    symlink("/etc/hostname", folder.path.join("web/kube/a.yaml")).unwrap();
    symlink("web", folder.path.join("other")).unwrap();
    assert_eq!(
        folder.refused(),
        "error: services/other: is a link or a special file\n\
         hint: put the file itself here\n\n\
         error: services/web/kube/a.yaml: is a link or a special file\n\
         hint: put the file itself here"
    );
}

#[test]
fn names_and_texts_must_be_utf8() {
    let folder = Folder::new("utf8")
        .with("web/service.yaml", "driver: none\n")
        .with("web/kube/a.yaml", b"a: b\nc: \xff\n");
    let name = std::ffi::OsStr::from_bytes(b"b\xff.yaml");
    fs::write(folder.path.join("web/kube").join(name), "x").unwrap();
    assert_eq!(
        folder.refused(),
        "error: services/web/kube/a.yaml: is not UTF-8 (line 2)\n\n\
         error: services/web/kube/b\u{fffd}.yaml: its name is not UTF-8"
    );
}

#[test]
fn a_folder_that_is_not_there_says_so() {
    let folder = Folder::new("absent");
    let path = folder.path.join("none");
    let problems = folder::read(&path).expect_err("refused").to_string();
    assert_eq!(
        problems,
        format!(
            "error: {}: cannot be read: no such file or directory\nhint: --services, or JSORC_SERVICES_DIR, takes a folder of services",
            path.display()
        )
    );
}

#[test]
fn the_digest_is_about_meaning_only() {
    let spec = "driver: none\n";
    let one = Folder::new("digest-1")
        .with("web/service.yaml", spec)
        .with("web/kube/a.yaml", CONFIG_MAP);
    let same = Folder::new("digest-2")
        .with(
            "web/kube/a.yaml",
            format!("# a comment\r\n---\n\n{CONFIG_MAP}"),
        )
        .with("web/service.yaml", "# a comment\ndriver: \"none\"\n");
    assert_eq!(one.digest(), same.digest());

    let other = [
        ("web/kube/a.yaml", CONFIG_MAP.replace("name: a", "name: b")),
        (
            "web/service.yaml",
            "driver: none\nenabled: false\n".to_owned(),
        ),
        ("cache/service.yaml", spec.to_owned()),
    ];
    for (index, (path, text)) in other.into_iter().enumerate() {
        let folder = Folder::new(&format!("digest-other-{index}"))
            .with("web/service.yaml", spec)
            .with("web/kube/a.yaml", CONFIG_MAP)
            .with(path, text);
        assert_ne!(one.digest(), folder.digest(), "{path}");
    }
}
