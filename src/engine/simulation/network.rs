//! Requests on their way, and what becomes of them.

use super::dice::Dice;
use super::faults::{Fault, Faults};
use crate::desired::ObjectKey;
use crate::engine::{Inventory, Write, WriteError};
use std::time::Duration;

/// No answer is waited for longer.
pub const DEADLINE: Duration = Duration::from_secs(8);
/// What was given up arrives at most this much later.
const LATEST: usize = 25_000;

/// What a process asks of the server.
#[derive(Clone, Debug)]
pub enum Asked {
    /// To write an object.
    Write(Write),
    /// To store an inventory.
    Save(Box<Inventory>),
    /// All inventories and the orders.
    Read,
    /// The same, for a leader who takes over.
    TakeOver,
    /// An object by name.
    Look(ObjectKey),
    /// The Lease.
    Lease(Option<(u64, Duration)>),
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The process that sent it.
    pub from: usize,
    /// The life in which it did.
    pub life: u32,
    /// When it began.
    pub begun: Duration,
    /// What it asks.
    pub asked: Asked,
    /// How its answer is lost, if it is.
    pub lost: Option<Lost>,
}

/// Why an answer does not say what happened.
#[derive(Clone, Debug)]
pub enum Lost {
    /// There is none: the sender was told so already, or will be.
    Silent,
    /// The server says something else.
    Instead(WriteError),
}

/// What becomes of a request.
#[derive(Default)]
pub struct Fate {
    /// When it arrives, and whether its answer is lost.
    pub arrivals: Vec<(Duration, Option<Lost>)>,
    /// What the sender is told without the server's word, and when.
    pub told: Option<(Duration, WriteError)>,
}

/// Decides about one request: as a test wants it, or as the dice fall.
pub fn fate(asked: &Asked, wanted: Option<Fault>, faults: &mut Faults, dice: &mut Dice) -> Fate {
    let quick = dice.millis(1, 8);
    let mut strike = |fault, dice: &mut Dice| {
        wanted.map_or_else(|| faults.strike(dice, fault, 10), |wanted| wanted == fault)
    };
    let timed_out = Some((DEADLINE, WriteError::TimedOut(DEADLINE)));
    let mutates = matches!(asked, Asked::Write(_) | Asked::Save(_));
    let mut fate = Fate::default();
    if strike(Fault::NeverArrives, dice) {
        let broken = WriteError::Unreachable("connection refused".into());
        fate.told = if dice.chance(500) {
            timed_out
        } else {
            Some((quick, broken))
        };
    } else if strike(Fault::AnswerLost, dice) {
        fate.arrivals.push((quick, Some(Lost::Silent)));
        let broken = WriteError::Unreachable("the answer broke off".into());
        fate.told = if dice.chance(500) {
            timed_out
        } else {
            Some((2 * quick, broken))
        };
    } else if mutates && strike(Fault::ArrivesLate, dice) {
        fate.arrivals
            .push((dice.millis(500, LATEST), Some(Lost::Silent)));
        fate.told = timed_out;
    } else if mutates && strike(Fault::ArrivesTwice, dice) {
        fate.arrivals.push((quick, Some(Lost::Silent)));
        fate.arrivals.push((quick + dice.millis(1, 500), None));
    } else if strike(Fault::Busy, dice) {
        let after = dice.chance(500).then(|| Duration::from_secs(1));
        fate.told = Some((quick, busy("too many requests", after)));
    } else if mutates && strike(Fault::DoneButRefused, dice) {
        let refused = busy("the server does not answer in time", None);
        fate.arrivals.push((quick, Some(Lost::Instead(refused))));
    } else {
        fate.arrivals.push((quick, None));
    }
    fate
}

fn busy(message: &str, after: Option<Duration>) -> WriteError {
    WriteError::Busy {
        message: message.into(),
        after,
    }
}
