//! A unified diff of values with many lines.
//!
//! One algorithm is asked for by name: `similar`'s text diffs carry all of theirs into the program,
//! which is two thirds of a megabyte.

use super::super::layout::safe;
use super::super::measure::count;
use super::change::Laid;
use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{ChangeTag, DiffOp};
use std::time::{Duration, Instant};

/// Unchanged lines that are shown on either side of a change.
const CONTEXT: usize = 3;
/// What takes longer is shown less cleverly.
const PATIENCE: Duration = Duration::from_millis(500);

/// Lays out what differs between two texts; one that is not there is `None`.
pub(super) fn lines(from: Option<&str>, to: Option<&str>) -> Laid {
    let (old, new) = (split(from), split(to));
    let mut laid = Vec::new();
    for hunk in hunks(&old, &new) {
        laid.push(('@', UnifiedHunkHeader::new(&hunk).to_string()));
        let slices = hunk.iter().flat_map(|op| op.iter_slices(&*old, &*new));
        for (sign, line) in
            slices.flat_map(|(tag, lines)| lines.iter().map(move |line| (sign(tag), *line)))
        {
            let text = line.strip_suffix('\n');
            laid.push((sign, safe(text.unwrap_or(line)).into_owned()));
            if text.is_none() && from.is_some() && to.is_some() {
                laid.push(('\\', " no line feed at the end".to_owned()));
            }
        }
    }
    let signed = |sign: char| laid.iter().filter(|(of, _)| *of == sign).count();
    let (added, removed) = (signed('+'), signed('-'));
    let value = match (from, to) {
        (None, _) => format!("not set → {}", count(added, "line")),
        (_, None) => format!("{} → removed", count(removed, "line")),
        _ => format!("{} added, {removed} removed", count(added, "line")),
    };
    Laid {
        value,
        diff: laid,
        shortened: false,
    }
}

fn split(text: Option<&str>) -> Vec<&str> {
    text.unwrap_or("").split_inclusive('\n').collect()
}

fn hunks(old: &[&str], new: &[&str]) -> Vec<Vec<DiffOp>> {
    let mut hook = Compact::new(Replace::new(Capture::new()), old, new);
    let until = Some(Instant::now() + PATIENCE);
    // A capture takes everything.
    let _ = myers::diff_deadline(&mut hook, old, 0..old.len(), new, 0..new.len(), until);
    hook.into_inner().into_inner().into_grouped_ops(CONTEXT)
}

fn sign(tag: ChangeTag) -> char {
    match tag {
        ChangeTag::Insert => '+',
        ChangeTag::Delete => '-',
        ChangeTag::Equal => ' ',
    }
}
