//! Other programs that apply a set: kubectl, Helm, the library inside Flux, and kapp where it is on
//! the PATH. `benches/peers/install` builds the first three.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{mix::Mix, support::Cluster};

/// A program with the flags that it is measured with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// `kubectl apply --server-side`.
    Kubectl,
    /// `helm upgrade --install`, server-side as is its default.
    Helm,
    /// Flux's library as kustomize-controller sets it up: 50 requests a second of each kind.
    Flux,
    /// The same without a limit, twice as wide.
    FluxTuned,
    /// `kapp deploy`, which waits for nothing.
    Kapp,
}

/// Where the programs are.
pub struct Peers {
    folder: PathBuf,
}

/// A set in the forms that they take.
pub struct Forms {
    file: PathBuf,
    chart: PathBuf,
}

impl Peer {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Kubectl,
        Self::Helm,
        Self::Flux,
        Self::FluxTuned,
        Self::Kapp,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubectl => "kubectl apply --server-side",
            Self::Helm => "helm upgrade --install",
            Self::Flux => "flux ssa, 4 wide, 50/s",
            Self::FluxTuned => "flux ssa, 8 wide, no limit",
            Self::Kapp => "kapp deploy",
        }
    }

    /// Whether it takes most of a minute for a thousand objects, and so is measured once.
    pub fn is_slow(self) -> bool {
        self == Self::Flux
    }
}

impl Forms {
    /// Writes them.
    pub fn write(mix: Mix, size: usize, folder: &Path) -> Self {
        Self {
            file: mix.write_file(size, folder),
            chart: mix.write_chart(size, folder),
        }
    }
}

impl Peers {
    /// Builds them if they are not there.
    pub fn install() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/install");
        let output = Command::new(script)
            .stderr(std::process::Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "benches/peers/install");
        Self {
            folder: String::from_utf8(output.stdout).unwrap().trim().into(),
        }
    }

    /// Those that are there.
    pub fn known() -> Vec<Peer> {
        let all = Peer::ALL.iter().copied();
        all.filter(|peer| *peer != Peer::Kapp || on_path("kapp"))
            .collect()
    }

    /// The command that applies a set into a namespace that is there.
    pub fn apply(&self, peer: Peer, forms: &Forms, cluster: &Cluster, namespace: &str) -> Command {
        let own = |name: &str| Command::new(self.folder.join(name));
        let mut command = match peer {
            Peer::Kubectl => {
                let mut command = own("kubectl");
                command.args([
                    "apply",
                    "--server-side",
                    "--force-conflicts",
                    "-n",
                    namespace,
                    "-f",
                ]);
                command.arg(&forms.file);
                command
            }
            Peer::Helm => {
                let mut command = own("helm");
                command.args([
                    "upgrade",
                    "--install",
                    "bench",
                    "--force-conflicts",
                    "-n",
                    namespace,
                ]);
                command.arg(&forms.chart);
                command
            }
            Peer::Flux | Peer::FluxTuned => {
                let mut command = own("flux");
                if peer == Peer::FluxTuned {
                    command.args(["-concurrency", "8", "-qps", "-1"]);
                }
                command.args(["-n", namespace]).arg("-f").arg(&forms.file);
                command
            }
            Peer::Kapp => {
                let mut command = Command::new("kapp");
                command.args([
                    "deploy",
                    "-y",
                    "-a",
                    "bench",
                    "--wait=false",
                    "-n",
                    namespace,
                    "-f",
                ]);
                command.arg(&forms.file);
                command
            }
        };
        command
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("HOME", cluster.kubeconfig().parent().unwrap());
        command
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
