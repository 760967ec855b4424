//! Live progress of `apply --wait`.

use super::style::Palette;
use crate::engine::Status;

/// Progress on stderr: live lines on a terminal, elsewhere one line per change of state.
#[derive(Debug)]
pub struct Progress {
    palette: Palette,
}

impl Progress {
    /// Progress of these services.
    #[must_use]
    pub fn new(terminal: bool, palette: Palette, services: &[impl AsRef<str>]) -> Self {
        let _ = (terminal, services);
        Self { palette }
    }

    /// Shows where the services stand now.
    pub fn update(&mut self, status: &Status) {
        let _ = (status, self.palette);
    }

    /// Prints a line above the live ones.
    pub fn print(&mut self, line: &str) {
        let _ = line;
    }

    /// Shows where the services stand in the end; the lines stay.
    pub fn finish(self, status: &Status) {
        let _ = status;
    }
}
