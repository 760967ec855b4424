//! Everything that is simulated, and its agenda: what happens when. Time goes from one entry to the
//! next; nothing happens between two.

use super::dice::Dice;
use super::election::Lease;
use super::faults::{Fault, Faults};
use super::intruders::Mischief;
use super::laws::Laws;
use super::network::Request;
use super::process::Process;
use super::server::Server;
use super::telling::heard;
use crate::desired::{DesiredSet, ObjectKey};
use crate::engine::{Event, Mode, Now, Occurrence, WatchKey};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a process is woken without a cause.
const TICK: Duration = Duration::from_secs(10);

/// Something that is to happen.
pub enum Item {
    /// A process starts.
    Start(usize),
    /// A process looks into its inbox.
    Run(usize, u32),
    /// An event reaches a process.
    Post(usize, u32, Box<Event>),
    /// A process begins a request; the number is that of its lane.
    Begin(Box<Request>, u32),
    /// A timer is over, unless it was set anew.
    Ring(usize, u32, u32),
    /// A request reaches the server.
    Arrive(Box<Request>),
    /// A watch says something.
    Pump(usize, u32, WatchKey),
    /// A candidate looks at the Lease.
    Elect(usize, u32),
    /// It learnt what came of it.
    Claimed(usize, u32, Duration, Option<(bool, Lease)>),
    /// A leader notices that it is one no more.
    StepDown(usize, u32),
    /// The interval is over.
    Tick(usize, u32),
    /// A process stops in good order.
    Retire(usize),
    /// A process wants another set.
    Reload(usize, usize),
    /// Somebody else does something.
    Mischief(Box<Mischief>),
}

/// The world.
pub struct World {
    /// What decides.
    pub dice: Dice,
    /// What goes wrong.
    pub faults: Faults,
    /// What must hold.
    pub laws: Laws,
    /// The time since the beginning.
    pub clock: Duration,
    /// The server.
    pub server: Server,
    /// The Lease.
    pub lease: Lease,
    /// The processes.
    pub processes: Vec<Process>,
    /// What is wanted, the newest last.
    pub sets: Vec<DesiredSet>,
    /// Whether a Lease decides who writes.
    pub leased: bool,
    /// Whether the fence is asked.
    pub fenced: bool,
    /// What was told.
    pub told: Vec<Occurrence>,
    /// What was written, and changed something.
    pub written: Vec<String>,
    /// What a test wants to become of the next write of an object.
    pub plans: BTreeMap<ObjectKey, Fault>,
    agenda: BTreeMap<(Duration, u64), Item>,
    entries: u64,
    logged: usize,
    /// Whether it is told event by event.
    pub trace: bool,
}

impl World {
    /// A world in which nothing happened yet.
    pub fn new(seed: u64, set: DesiredSet) -> Self {
        Self {
            dice: Dice::new(seed),
            faults: Faults::default(),
            laws: Laws::new(seed),
            clock: Duration::ZERO,
            server: Server::default(),
            lease: Lease::default(),
            processes: Vec::new(),
            sets: vec![set],
            leased: false,
            fenced: true,
            told: Vec::new(),
            written: Vec::new(),
            plans: BTreeMap::new(),
            agenda: BTreeMap::new(),
            entries: 0,
            logged: 0,
            trace: false,
        }
    }

    /// A world with one process, in which nothing goes wrong, after its first check.
    pub fn quiet(set: DesiredSet) -> Self {
        let mut world = Self::new(1, set);
        world.add_process(0);
        world.pass(Duration::from_secs(5));
        world
    }

    /// Another set is wanted from now on.
    pub fn want(&mut self, set: DesiredSet) {
        self.sets.push(set);
        self.reload(0, self.sets.len() - 1);
    }

    /// Adds a process that starts at once.
    pub fn add_process(&mut self, wants: usize) -> usize {
        self.processes.push(Process::new(wants));
        let process = self.processes.len() - 1;
        self.plan(Duration::ZERO, Item::Start(process));
        process
    }

    /// Plans something for later.
    pub fn plan(&mut self, after: Duration, item: Item) {
        self.entries += 1;
        self.agenda.insert((self.clock + after, self.entries), item);
    }

    /// Says what happens, to whoever replays a seed.
    pub fn note(&self, what: impl FnOnce() -> String) {
        if self.trace {
            println!("{:>9.3} {}", self.clock.as_secs_f64(), what());
        }
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        Now {
            mono: self.clock,
            wall: jiff::Timestamp::UNIX_EPOCH + self.clock,
        }
    }

    /// Lets everything happen that is to happen before `until`.
    pub fn run_until(&mut self, until: Duration) {
        self.call_streams();
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > until {
                break;
            }
            let ((at, _), item) = entry.remove_entry();
            self.clock = at;
            self.server.clock = at;
            self.happen(item);
            self.call_streams();
        }
        self.clock = until;
        self.server.clock = until;
    }

    /// Lets some time pass.
    pub fn pass(&mut self, time: Duration) {
        self.run_until(self.clock + time);
    }

    fn happen(&mut self, item: Item) {
        let Some(item) = self.put_off(item) else {
            return;
        };
        match item {
            Item::Start(process) => self.start(process),
            Item::Run(process, _) => self.run(process),
            Item::Post(process, _, event) => self.deliver(process, *event),
            Item::Ring(process, _, alarm) => {
                if self.processes[process].alarm == alarm {
                    self.deliver(process, Event::Woken);
                }
            }
            Item::Begin(request, lane) => self.begin(*request, lane),
            Item::Arrive(request) => self.arrive(&request),
            Item::Pump(process, _, key) => self.pump(process, &key),
            Item::Elect(process, _) => self.elect(process),
            Item::Claimed(process, _, begun, outcome) => self.claimed(process, begun, outcome),
            Item::StepDown(process, _) => self.step_down(process),
            Item::Tick(process, life) => {
                self.deliver(process, Event::Tick);
                self.plan(TICK, Item::Tick(process, life));
            }
            Item::Retire(process) => self.retire(process),
            Item::Reload(process, set) => self.reload(process, set),
            Item::Mischief(mischief) => self.carry_on(*mischief),
        }
    }

    /// Gives what can happen now: nothing of a life that is over, and nothing in a process that
    /// stands still.
    fn put_off(&mut self, item: Item) -> Option<Item> {
        let (process, life) = match &item {
            Item::Run(process, life)
            | Item::Post(process, life, _)
            | Item::Ring(process, life, _)
            | Item::Pump(process, life, _)
            | Item::Elect(process, life)
            | Item::StepDown(process, life)
            | Item::Claimed(process, life, ..)
            | Item::Tick(process, life) => (*process, *life),
            Item::Begin(request, _) => (request.from, request.life),
            _ => return Some(item),
        };
        let process = &self.processes[process];
        if !process.alive || process.life != life {
            return None;
        }
        let left = process.paused_until.saturating_sub(self.clock);
        if left > Duration::ZERO {
            self.plan(left, item);
            return None;
        }
        Some(item)
    }

    /// Puts an event into an inbox; the process looks a moment later, so that several come at once.
    pub fn deliver(&mut self, process: usize, event: Event) {
        let wait = self.dice.millis(0, 2);
        let it = &mut self.processes[process];
        it.inbox.push(event);
        if !it.due {
            it.due = true;
            let life = it.life;
            self.plan(wait, Item::Run(process, life));
        }
    }

    fn run(&mut self, process: usize) {
        let it = &mut self.processes[process];
        it.due = false;
        let events = std::mem::take(&mut it.inbox);
        self.hear(process, events);
    }

    /// A process takes events in, and does what follows; or it dies in the middle of that.
    pub fn hear(&mut self, process: usize, events: Vec<Event>) {
        let now = self.now();
        let it = &mut self.processes[process];
        for event in &events {
            match event {
                Event::Desired(set) => it.note_batches(set, now.mono),
                Event::Woken => it.woken += 1,
                Event::Elected => {
                    it.elected = now.mono;
                    let all = it.engine.services.keys();
                    it.batches = all.map(|name| (name.clone(), now.mono)).collect();
                }
                Event::Wrote { key, attempt, .. } if it.flights.get(key) == Some(attempt) => {
                    it.flights.remove(key);
                }
                Event::InventorySaved(service, Ok(_)) => {
                    it.proofs.insert(service.clone(), now.mono);
                }
                _ => {}
            }
        }
        self.note(|| format!("{process} hears {}", heard(&events)));
        let commands = self.processes[process].engine.handle(events, now);
        self.processes[process].engine.assert_counted();
        let strikes = !commands.is_empty() && self.faults.strike(&mut self.dice, Fault::Crash, 3);
        let cut = if strikes {
            self.dice.roll(commands.len() + 1)
        } else {
            commands.len()
        };
        for command in commands.into_iter().take(cut) {
            self.carry_out(process, command);
        }
        if strikes {
            self.crash(process);
        }
    }

    fn crash(&mut self, process: usize) {
        self.note(|| format!("{process} dies"));
        self.processes[process].die();
        let wait = self.dice.millis(10, 5_000);
        self.plan(wait, Item::Start(process));
    }

    /// What a process does at its start: it reads what is stored, and watches.
    fn start(&mut self, process: usize) {
        if self.processes[process].retired || self.processes[process].alive {
            return;
        }
        let now = self.now();
        let (orders, inventories) = self.server.stored();
        let it = &mut self.processes[process];
        it.begin();
        let (life, set) = (it.life, self.sets[it.wants].clone());
        self.note(|| format!("{process} starts"));
        let it = &mut self.processes[process];
        drop(it.engine.handle([Event::Orders(orders)], now));
        if self.leased {
            it.engine.set_mode(Mode::Follow);
            it.fence = super::election::Fence::Closed;
        }
        self.deliver(process, Event::Desired(Box::new(set)));
        self.deliver(process, Event::Inventories(inventories));
        let ready = crate::engine::ClusterState::Ready;
        self.deliver(process, Event::Cluster(ready));
        self.plan(TICK, Item::Tick(process, life));
        if self.leased {
            let wait = self.dice.millis(0, 100);
            self.plan(wait, Item::Elect(process, life));
        }
    }

    /// Schedules the watches that have something to say.
    pub fn call_streams(&mut self) {
        if self.logged == self.server.log.len() {
            return;
        }
        self.logged = self.server.log.len();
        for process in 0..self.processes.len() {
            self.call_streams_of(process);
        }
    }

    /// Schedules the watches of one process.
    pub fn call_streams_of(&mut self, process: usize) {
        let life = self.processes[process].life;
        let idle = |stream: &super::stream::Stream| !stream.due && stream.has_news(&self.server);
        let streams = self.processes[process].streams.iter();
        let keys: Vec<WatchKey> = streams
            .filter(|(_, stream)| idle(stream))
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            let wait = if self.faults.strike(&mut self.dice, Fault::WatchLags, 10) {
                self.dice.millis(500, 15_000)
            } else {
                self.dice.millis(1, 10)
            };
            if let Some(stream) = self.processes[process].streams.get_mut(&key) {
                stream.due = true;
            }
            self.plan(wait, Item::Pump(process, life, key));
        }
    }
}
