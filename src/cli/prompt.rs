//! Questions on a terminal.

use super::failure::Failure;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Whether questions can be asked.
#[must_use]
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question that nothing but a clear yes answers with yes. Meanwhile connections are kept.
///
/// # Errors
/// When the terminal went away.
pub async fn ask(question: &str) -> Result<bool, Failure> {
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    });
    let answer = answer.await.map_err(std::io::Error::from)??;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
