//! The nearest valid word to one that is not.

/// The candidate most like `word`, if any is near enough to be meant.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let farthest = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|known| {
            (
                strsim::damerau_levenshtein(&word.to_lowercase(), &known.to_lowercase()),
                known,
            )
        })
        .filter(|(distance, known)| *distance <= farthest && *distance < known.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// A hint that names the nearest candidate, or all of them.
#[must_use]
pub fn hint(word: &str, candidates: &[&str]) -> Option<String> {
    match nearest(word, candidates.iter().copied()) {
        Some(known) => Some(format!("did you mean `{known}`?")),
        None if candidates.is_empty() => None,
        None => Some(format!("known: {}", candidates.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_find_their_word() {
        let known = ["memory", "image", "interval", "on"];
        let rows = [
            ("memroy", Some("memory")),
            ("Memory", Some("memory")),
            ("intervall", Some("interval")),
            ("storage", None),
            ("x", None),
        ];
        for (word, expected) in rows {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
