//! What goes wrong, how often, and how often it did.

use super::dice::Dice;
use std::collections::BTreeMap;

/// Something that goes wrong between processes and server, or in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A request is carried out, and its answer is lost.
    AnswerLost,
    /// A request never arrives.
    NeverArrives,
    /// A request arrives long after its sender gave it up, or died.
    ArrivesLate,
    /// A request arrives twice, and the second answer counts.
    ArrivesTwice,
    /// The server is busy.
    Busy,
    /// The server does it, and says that it failed.
    DoneButRefused,
    /// A watch breaks, and goes on where it was.
    WatchLost,
    /// A watch breaks, and starts over.
    WatchRestarted,
    /// A watch stands still for a while.
    WatchLags,
    /// A watch tells history again.
    WatchRepeats,
    /// A watch leaves out what was overtaken.
    WatchSkips,
    /// A process dies between two commands.
    Crash,
    /// A process stands still, and goes on as if nothing had been.
    Pause,
    /// A driver does not answer.
    DriverFails,
    /// Somebody else changes a field of ours.
    Edited,
    /// Somebody else takes a field of ours by a forced apply.
    Taken,
    /// Somebody else adds a field of their own.
    Annotated,
    /// Somebody else fills a struct that we want empty.
    Filled,
    /// Somebody else makes a volume of another source, beside which ours is not taken.
    Resourced,
    /// Somebody else writes status.
    StatusWritten,
    /// Somebody else takes our label off.
    Unlabelled,
    /// Somebody else deletes an object.
    Deleted,
    /// Somebody else deletes an object and makes one of that name.
    Replaced,
    /// Somebody else makes an object before we do.
    Forestalled,
    /// Somebody copies an object with its labels.
    Copied,
    /// Somebody puts a finalizer on an object that is to go.
    Held,
    /// Somebody changes a field again and again.
    Fought,
    /// A person suspends a service.
    Suspended,
    /// The server refuses an object for good.
    Refused,
    /// Files change, and with them what is wanted.
    Reloaded,
    /// Files change, and are put back at once.
    PutBack,
    /// Another version with another set is rolled out.
    RolledOut,
}

/// All of them.
pub const ALL: &[Fault] = &[
    Fault::AnswerLost,
    Fault::NeverArrives,
    Fault::ArrivesLate,
    Fault::ArrivesTwice,
    Fault::Busy,
    Fault::DoneButRefused,
    Fault::WatchLost,
    Fault::WatchRestarted,
    Fault::WatchLags,
    Fault::WatchRepeats,
    Fault::WatchSkips,
    Fault::Crash,
    Fault::Pause,
    Fault::DriverFails,
    Fault::Edited,
    Fault::Taken,
    Fault::Annotated,
    Fault::Filled,
    Fault::Resourced,
    Fault::StatusWritten,
    Fault::Unlabelled,
    Fault::Deleted,
    Fault::Replaced,
    Fault::Forestalled,
    Fault::Copied,
    Fault::Held,
    Fault::Fought,
    Fault::Suspended,
    Fault::Refused,
    Fault::Reloaded,
    Fault::PutBack,
    Fault::RolledOut,
];

/// How much goes wrong, and what did.
#[derive(Default)]
pub struct Faults {
    /// How often each strikes where it can, in a thousand.
    pub per_mille: usize,
    /// How often each struck.
    pub struck: BTreeMap<Fault, u64>,
}

impl Faults {
    /// Whether a fault strikes now; a `weight` of ten is the usual.
    pub fn strike(&mut self, dice: &mut Dice, fault: Fault, weight: usize) -> bool {
        let strikes = self.per_mille > 0 && dice.chance(self.per_mille * weight / 10);
        if strikes {
            self.count(fault);
        }
        strikes
    }

    /// Counts one that was brought about otherwise.
    pub fn count(&mut self, fault: Fault) {
        *self.struck.entry(fault).or_default() += 1;
    }
}
