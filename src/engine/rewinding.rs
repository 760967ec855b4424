//! A store that was put back to an older state, as a restored etcd is: its versions go back, what
//! was deleted since is there again, and what was made since is not.
//!
//! Versions tell old from new, and only within one history. So what is known keeps its place until
//! it is seen again, but no version of it counts any more, and the inventories and orders that are
//! in force are those of the store. Whoever reads a watch notices, and says so before it starts
//! over.

use super::event::WatchKey;
use super::keeping::Reading;
use super::live::Live;
use super::watches::watch_of;
use super::{Command, Engine};
use std::sync::Arc;

impl Engine {
    /// What a watch showed is of a history that is no more.
    pub(super) fn on_rewound(&mut self, watch: &WatchKey) {
        for object in &mut self.objects {
            if watch_of(&object.desired.key, &object.desired.resource) != *watch {
                continue;
            }
            object
                .live
                .iter_mut()
                .for_each(|live| live.forget_version());
            object.gone = None;
            object.rehearsal = None;
            // The same number may stand for something else in the store's new history.
            if let Some(record) = &mut object.record
                && let Some(applied) = &mut Arc::make_mut(record).applied
            {
                applied.version = None;
            }
        }
        for (key, live) in &mut self.strays {
            if watch.shows(key) {
                live.forget_version();
            }
        }
        self.sought.retain(|key, _| !watch.shows(key));
        // Nothing is decided before the watch has named what there is now.
        self.forget_seen(watch);
        self.orders.now.resource_version = None;
        let known = self.has_inventories();
        self.inventories = Reading::All;
        if known {
            self.out.push(Command::ReadInventories);
        }
    }
}

impl Live {
    /// Whatever is shown next is newer.
    fn forget_version(&mut self) {
        self.resource_version = "".into();
    }
}
