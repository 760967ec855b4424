//! Aligned tables. The last column is never padded and never cut; where the terminal's width is
//! known, it is wrapped under itself.

use super::layout::{pad, safe, width, wrap};
use super::style::{Meaning, Palette};

/// Below this many columns the last cell is left to the terminal to wrap.
const LEAST: usize = 24;

/// Rows of cells with a common width per column.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
    right: Vec<usize>,
    indent: usize,
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    meaning: Meaning,
}

impl Table {
    /// A table whose rows begin after `indent` spaces.
    #[must_use]
    pub fn new(indent: usize) -> Self {
        Self {
            indent,
            ..Self::default()
        }
    }

    /// Aligns these columns to the right.
    #[must_use]
    pub fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, each with its line feed.
    #[must_use]
    pub fn render(&self, palette: Palette, terminal: Option<usize>) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in &self.rows {
            self.render_row(row, &widths, palette, terminal, &mut text);
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        (0..columns)
            .map(|column| {
                let inner = self.rows.iter().filter(|row| row.len() > column + 1);
                inner.map(|row| width(&row[column].text)).max().unwrap_or(0)
            })
            .collect()
    }

    fn render_row(
        &self,
        row: &[Cell],
        widths: &[usize],
        palette: Palette,
        terminal: Option<usize>,
        text: &mut String,
    ) {
        let Some((last, inner)) = row.split_last() else {
            return text.push('\n');
        };
        let mut line = " ".repeat(self.indent);
        let mut column = self.indent;
        for (position, cell) in inner.iter().enumerate() {
            let missing = " ".repeat(widths[position].saturating_sub(width(&cell.text)));
            let painted = palette.paint(cell.meaning, &cell.text);
            let (before, after) = if self.right.contains(&position) {
                (missing.as_str(), "")
            } else {
                ("", missing.as_str())
            };
            line.extend([before, &painted, after, "  "]);
            column += widths[position] + 2;
        }
        let room = terminal.map_or(0, |columns| columns.saturating_sub(column));
        let lines = if room >= LEAST {
            wrap(&last.text, room)
        } else {
            vec![last.text.clone()]
        };
        for (number, part) in lines.iter().enumerate() {
            if number > 0 {
                text.push('\n');
                line = pad("", column);
            }
            text.push_str(format!("{line}{}", palette.paint(last.meaning, part)).trim_end());
        }
        text.push('\n');
    }
}

impl Cell {
    /// A cell with a meaning.
    #[must_use]
    pub fn new(meaning: Meaning, text: impl AsRef<str>) -> Self {
        Self {
            text: safe(text.as_ref()).into_owned(),
            meaning,
        }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(Meaning::Plain, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_line_up_and_the_last_one_is_wrapped_under_itself() {
        let mut table = Table::new(2).right(&[1]);
        table.row([Cell::from("名前"), "5".into(), "short".into()]);
        table.row([
            Cell::from("b"),
            "100".into(),
            "a reason that is too long for it".into(),
        ]);
        assert_eq!(
            table.render(Palette::PLAIN, Some(40)),
            "  名前    5  short\n  b     100  a reason that is too long\n             for it\n"
        );
        assert_eq!(
            table.render(Palette::PLAIN, None),
            "  名前    5  short\n  b     100  a reason that is too long for it\n"
        );
    }

    #[test]
    fn colours_do_not_count() {
        let mut table = Table::new(0);
        table.row([Cell::new(Meaning::Good, "up"), "x".into()]);
        table.row([Cell::new(Meaning::Bad, "failed"), "y".into()]);
        assert_eq!(
            table.render(Palette::COLOURED, None),
            "\u{1b}[32mup\u{1b}[0m      x\n\u{1b}[31mfailed\u{1b}[0m  y\n"
        );
    }

    proptest! {
        #[test]
        fn no_cell_is_lost(
            rows in proptest::collection::vec(
                proptest::collection::vec("[a-zé東=]{1,12}( [a-z]{1,9}){0,4}", 1..5), 1..8),
            terminal in proptest::option::of(10_usize..120),
        ) {
            let mut table = Table::new(1);
            for row in &rows {
                table.row(row.iter().map(Cell::from));
            }
            let text = table.render(Palette::PLAIN, terminal);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let given: Vec<String> = rows.iter().flatten().flat_map(|cell| words(cell)).collect();
            prop_assert_eq!(words(&text), given);
        }

        #[test]
        fn columns_begin_at_the_same_place(
            rows in proptest::collection::vec(("[a-z東]{1,9}", "[A-Z]{1,9}"), 1..8),
        ) {
            let mut table = Table::new(0);
            for (left, right) in &rows {
                table.row([Cell::from(left), right.into()]);
            }
            let text = table.render(Palette::PLAIN, None);
            let starts: Vec<usize> = text
                .lines()
                .zip(&rows)
                .map(|(line, (_, right))| width(line) - width(right))
                .collect();
            prop_assert!(starts.windows(2).all(|pair| pair[0] == pair[1]), "{}", text);
        }
    }
}
