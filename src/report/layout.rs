//! Text on a terminal: its width, padding, wrapping, shortening, and nothing in it that could
//! steer the terminal.

use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that a text without colours takes.
#[must_use]
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text followed by spaces, at least `columns` wide.
#[must_use]
pub fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// The text on one line: control characters and marks that reorder text are spelled out.
#[must_use]
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut spelled = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => spelled.push_str("\\n"),
            '\t' => spelled.push_str("\\t"),
            '\r' => spelled.push_str("\\r"),
            other if is_unsafe(other) => {
                let _ = write!(spelled, "\\u{{{:x}}}", u32::from(other));
            }
            other => spelled.push(other),
        }
    }
    Cow::Owned(spelled)
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

/// The text in at most `columns`, with `…` for what its end loses.
#[must_use]
pub fn shorten(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let kept = fitting(text, columns.saturating_sub(1));
    Cow::Owned(format!("{kept}…"))
}

/// Two texts in at most `columns` each, shortened so that the place where they part stays visible.
#[must_use]
pub fn shorten_pair(from: &str, to: &str, columns: usize) -> (String, String) {
    let common: usize = from
        .chars()
        .zip(to.chars())
        .take_while(|(a, b)| a == b)
        .map(|(character, _)| character.len_utf8())
        .sum();
    let long = width(from) > columns || width(to) > columns;
    if !long || width(&from[..common]) <= columns / 2 {
        return (
            shorten(from, columns).into_owned(),
            shorten(to, columns).into_owned(),
        );
    }
    let tail = width(&from[common..]).max(width(&to[common..]));
    let room = columns.saturating_sub(tail + 1).max(columns / 4);
    let start = common - ending(&from[..common], room);
    let cut = |text: &str| {
        let tail = format!("…{}", &text[start..]);
        shorten(&tail, columns).into_owned()
    };
    (cut(from), cut(to))
}

/// The lines of a text broken between words; a word longer than a line stays whole.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// How many bytes at the end of a text fit into so many columns.
fn ending(text: &str, columns: usize) -> usize {
    let mut taken = 0;
    let fits = |character: &char| {
        taken += character.width().unwrap_or(1);
        taken <= columns
    };
    text.chars()
        .rev()
        .take_while(fits)
        .map(char::len_utf8)
        .sum()
}

/// The longest beginning that surely fits; a sequence of characters can be wider than its parts.
fn fitting(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    let wide = text.char_indices().find(|(_, character)| {
        taken += character.width().unwrap_or(1);
        taken > columns
    });
    let mut kept = wide.map_or(text, |(position, _)| &text[..position]);
    while width(kept) > columns {
        let last = kept.char_indices().next_back();
        kept = last.map_or("", |(position, _)| &kept[..position]);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("東京"), 4);
        assert_eq!(pad("東京", 6), "東京  ");
        assert_eq!(shorten("東京タワー", 6), "東京…");
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("a\u{b}\u{b}bcd", 3), "a\u{b}…");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(
            safe("a\u{1b}[31mb\nc\td\u{202e}e\u{7}"),
            "a\\u{1b}[31mb\\nc\\td\\u{202e}e\\u{7}"
        );
        assert!(matches!(safe("plain – text"), Cow::Borrowed(_)));
    }

    #[test]
    fn two_long_values_show_where_they_part() {
        let (from, to) = (
            "registry.example.com/very/long/path/to/an/image:1.0.0",
            "registry.example.com/very/long/path/to/an/image:1.0.1",
        );
        assert_eq!(
            shorten_pair(from, to, 24),
            (
                "…/path/to/an/image:1.0.0".into(),
                "…/path/to/an/image:1.0.1".into()
            )
        );
        assert_eq!(
            shorten_pair("short", &"x".repeat(30), 10),
            ("short".into(), "xxxxxxxxx…".into())
        );
    }

    #[test]
    fn words_move_to_the_next_line_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn a_shortened_text_fits(text in ".{0,60}", columns in 1_usize..40) {
            prop_assert!(width(&shorten(&text, columns)) <= columns);
        }

        #[test]
        fn shortened_values_that_differ_look_different(
            head in "[a-z]{0,50}", from in "[0-4]{1,9}", to in "[5-9]{1,9}", columns in 12_usize..60,
        ) {
            let (a, b) = shorten_pair(&format!("{head}{from}"), &format!("{head}{to}"), columns);
            prop_assert_ne!(&a, &b);
            prop_assert!(width(&a) <= columns && width(&b) <= columns);
        }

        #[test]
        fn wrapping_loses_nothing(text in "[a-z ]{0,80}", columns in 1_usize..30) {
            prop_assert_eq!(wrap(&text, columns).join(" "), text);
        }
    }
}
