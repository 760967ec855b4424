//! A line between jsorc and the API server, or between that and its store, that can be cut, or go
//! dead without a word, as a cable, a firewall or a suspended machine makes it. What passes is not
//! looked at: TLS goes from end to end.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use super::process::Scratch;

/// The line; its threads end with the process.
pub struct Line {
    shared: Arc<Shared>,
    near: String,
    folder: Scratch,
}

#[derive(Default)]
struct Shared {
    swallow: AtomicUsize,
    swallowed: AtomicUsize,
    dialled: AtomicUsize,
    open: Mutex<Vec<Connection>>,
    lost: Mutex<Vec<TcpStream>>,
}

struct Connection {
    dead: Arc<AtomicBool>,
    ends: [TcpStream; 2],
}

impl Line {
    /// A line to the server of a kubeconfig.
    pub fn to(kubeconfig: &Path) -> Self {
        let text = std::fs::read_to_string(kubeconfig).unwrap();
        let (_, rest) = text.split_once("https://").expect("a server's address");
        let far: String = rest
            .chars()
            .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ':'))
            .collect();
        let line = Self::to_address(&far);
        line.folder
            .file("kubeconfig", &text.replace(&far, &line.near));
        line
    }

    /// A line to whoever listens at this address.
    pub fn to_address(far: &str) -> Self {
        let far = far.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared::default());
        let line = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                line.answer(stream.unwrap(), &far);
            }
        });
        Self {
            shared,
            near,
            folder: Scratch::new("line"),
        }
    }

    /// Where it begins.
    pub fn address(&self) -> &str {
        &self.near
    }

    /// The way over it.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Breaks every connection that is open; new ones work.
    pub fn cut(&self) {
        for connection in self.shared.open.lock().unwrap().drain(..) {
            for end in connection.ends {
                let _ = end.shutdown(Shutdown::Both);
            }
        }
    }

    /// From now on nothing passes on the connections that are open, and neither end is told; the
    /// next `swallowed` connections are taken and never answered. Later ones work.
    pub fn go_dead(&self, swallowed: usize) {
        self.shared.swallow.store(swallowed, Ordering::SeqCst);
        for connection in self.shared.open.lock().unwrap().drain(..) {
            connection.dead.store(true, Ordering::SeqCst);
            self.shared.lost.lock().unwrap().extend(connection.ends);
        }
    }

    /// Tells the ends of dead connections that they are; new ones work from now on.
    pub fn mend(&self) {
        self.shared.swallow.store(0, Ordering::SeqCst);
        for end in self.shared.lost.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// How many connections were taken and never answered.
    pub fn swallowed(&self) -> usize {
        self.shared.swallowed.load(Ordering::SeqCst)
    }

    /// How many connections were asked for.
    pub fn dialled(&self) -> usize {
        self.shared.dialled.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn answer(&self, near: TcpStream, far: &str) {
        self.dialled.fetch_add(1, Ordering::SeqCst);
        let less = |left: usize| left.checked_sub(1);
        let swallows = self
            .swallow
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        if swallows.is_ok() {
            self.swallowed.fetch_add(1, Ordering::SeqCst);
            self.lost.lock().unwrap().push(near.try_clone().unwrap());
            thread::spawn(move || drain(near));
            return;
        }
        let far = TcpStream::connect(far).unwrap();
        let dead = Arc::new(AtomicBool::new(false));
        let both = || [near.try_clone().unwrap(), far.try_clone().unwrap()];
        self.open.lock().unwrap().push(Connection {
            dead: dead.clone(),
            ends: both(),
        });
        for turned in [false, true] {
            let [mut from, mut to] = both();
            if turned {
                std::mem::swap(&mut from, &mut to);
            }
            let dead = dead.clone();
            thread::spawn(move || pass(from, to, &dead));
        }
    }
}

/// Passes on what comes; on a dead connection it vanishes.
fn pass(mut from: TcpStream, mut to: TcpStream, dead: &AtomicBool) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read) = from.read(&mut bytes) {
        let dead = dead.load(Ordering::SeqCst);
        if read == 0 {
            if !dead {
                let _ = to.shutdown(Shutdown::Write);
            }
            return;
        }
        if !dead && to.write_all(&bytes[..read]).is_err() {
            return;
        }
    }
}

/// Takes what comes and never answers, until the other side gives up.
fn drain(mut stream: TcpStream) {
    let mut bytes = [0; 1024];
    while stream.read(&mut bytes).is_ok_and(|read| read > 0) {}
}
