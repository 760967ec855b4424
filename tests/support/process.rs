//! Child processes that never outlive the test process, and what they need: ports, folders, waiting.

use std::{
    fs::File,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// A server of the rig: killed and waited for when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
    name: String,
}

impl Process {
    /// Starts a program whose output goes to `NAME.log` in the folder.
    pub fn start(name: &str, command: &mut Command, folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        outlive_nothing(child.id());
        Self {
            child,
            log,
            name: name.to_owned(),
        }
    }

    /// Returns when the condition holds; the test ends with the program's output when it does not.
    pub fn wait_until(&mut self, timeout: Duration, mut ready: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + timeout;
        while !ready(self) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ended with {status}:\n{}", self.name, self.log());
            }
            assert!(
                Instant::now() < end,
                "{} is not ready:\n{}",
                self.name,
                self.log()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns when something listens on the port.
    pub fn wait_for_port(&mut self, port: u16) {
        self.wait_until(Duration::from_secs(30), |_| {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }

    /// All that the program has written so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Freezes the program: its connections stay open and nothing answers.
    pub fn freeze(&self) {
        signal("STOP", self.pid());
    }

    /// Lets a frozen program go on.
    pub fn thaw(&self) {
        signal("CONT", self.pid());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        has_ended(self.child.id());
    }
}

/// A folder of its own that is removed when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes an empty folder under the system's temporary one.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("jsorc-test-{}-{count}-{name}", std::process::id());
        let path = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it and gives its path.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Runs `tests/install PART` and gives the path that it prints.
pub fn install(part: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/install");
    let output = Command::new(script)
        .arg(part)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "tests/install {part}: {}",
        output.status
    );
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// Repeats a look until it finds something; the test ends when it finds nothing in time.
pub fn eventually<T>(what: &str, timeout: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + timeout;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {timeout:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

pub(super) fn signal(name: &str, pid: u32) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .status();
    assert!(status.unwrap().success());
}

/// Kills a process at once; it may have ended by itself.
pub(super) fn kill(pid: u32) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
}

/// Has a child killed at the end of this process, however that ends.
pub(super) fn outlive_nothing(pid: u32) {
    reaper(&format!("+ {pid}\n"));
}

/// Takes a child back that has ended: its number may be somebody else's soon.
pub(super) fn has_ended(pid: u32) {
    reaper(&format!("- {pid}\n"));
}

/// A shell that reads which processes live and, at the end of its input, which is the end of this
/// process, kills those that are left. A killed test run thus leaves no server behind.
fn reaper(line: &str) {
    const SCRIPT: &str = r#"
        trap '' INT TERM HUP
        pids=' '
        while read -r sign pid; do
            case $sign in
                +) pids="$pids$pid " ;;
                -) pids="${pids%% "$pid" *} ${pids#* "$pid" }" ;;
            esac
        done
        [ "$pids" = ' ' ] || kill -9 $pids 2>/dev/null
    "#;
    static REAPER: OnceLock<Mutex<Child>> = OnceLock::new();
    let reaper = REAPER.get_or_init(|| {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        Mutex::new(shell.stderr(Stdio::null()).spawn().unwrap())
    });
    let mut reaper = reaper.lock().unwrap();
    let _ = reaper.stdin.as_mut().unwrap().write_all(line.as_bytes());
}
