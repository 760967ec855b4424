//! Questions on a terminal.

use super::failure::Failure;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Whether questions can be asked.
#[must_use]
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question that nothing but a clear yes answers with yes.
///
/// # Errors
/// When the terminal went away.
pub fn ask(question: &str) -> Result<bool, Failure> {
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
