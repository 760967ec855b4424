//! Colours that repeat what a sign already says: green `+`, yellow `~`, red `-`, bold `!`.

use anstyle::{AnsiColor, Style};

/// When colours are used: the value of `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Colour or plain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    coloured: bool,
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// New, or in order.
    Good,
    /// Changed, or not there yet.
    Change,
    /// Removed, or failed.
    Bad,
    /// To be looked at.
    Strong,
    /// Beside the point.
    Faint,
    /// Nothing special.
    Plain,
}

impl Palette {
    /// Without colours.
    pub const PLAIN: Self = Self { coloured: false };
    /// With colours.
    pub const COLOURED: Self = Self { coloured: true };

    /// What `--color`, `NO_COLOR` (set and not empty) and the output ask for.
    #[must_use]
    pub fn choose(when: When, no_color: bool, terminal: bool) -> Self {
        Self {
            coloured: match when {
                When::Always => true,
                When::Never => false,
                When::Auto => terminal && !no_color,
            },
        }
    }

    /// Whether there are colours.
    #[must_use]
    pub fn is_coloured(self) -> bool {
        self.coloured
    }

    /// The text in the colour of its meaning.
    #[must_use]
    pub fn paint(self, meaning: Meaning, text: &str) -> String {
        let style = match meaning {
            Meaning::Good => AnsiColor::Green.on_default(),
            Meaning::Change => AnsiColor::Yellow.on_default(),
            Meaning::Bad => AnsiColor::Red.on_default(),
            Meaning::Strong => Style::new().bold(),
            Meaning::Faint => Style::new().dimmed(),
            Meaning::Plain => Style::new(),
        };
        if self.coloured && meaning != Meaning::Plain && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

impl std::str::FromStr for When {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err("expected auto, always or never".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_wins_then_no_color_then_the_terminal() {
        let rows = [
            (When::Always, true, false, true),
            (When::Never, false, true, false),
            (When::Auto, false, true, true),
            (When::Auto, true, true, false),
            (When::Auto, false, false, false),
        ];
        for (when, no_color, terminal, coloured) in rows {
            let palette = Palette::choose(when, no_color, terminal);
            assert_eq!(
                palette.is_coloured(),
                coloured,
                "{when:?} {no_color} {terminal}"
            );
        }
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(Palette::PLAIN.paint(Meaning::Bad, "-"), "-");
        assert_eq!(
            Palette::COLOURED.paint(Meaning::Bad, "-"),
            "\u{1b}[31m-\u{1b}[0m"
        );
        assert_eq!(Palette::COLOURED.paint(Meaning::Bad, ""), "");
        assert_eq!(Palette::COLOURED.paint(Meaning::Plain, "x"), "x");
    }
}
