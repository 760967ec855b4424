//! The parser of placeholders: one pass over a text.

use super::names;
use super::placeholder::{FieldReference, ParseError, Piece, Reference, Step, is_plain_char};

/// How far a text has been read.
pub(super) struct Parser<'a> {
    text: &'a str,
    /// Where the next character is, in bytes.
    at: usize,
    pieces: Vec<Piece>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            pieces: Vec::new(),
        }
    }

    pub(super) fn pieces(mut self) -> Result<Vec<Piece>, ParseError> {
        while let Some(next) = self.rest().chars().next() {
            if let Some(literal) = self.escaped() {
                self.push_text(literal);
                self.at += literal.len() + 1;
            } else if self.rest().starts_with("$g{") {
                self.parameter()?;
            } else if self.rest().starts_with("$j{") {
                self.field()?;
            } else {
                self.push_text(next.encode_utf8(&mut [0; 4]));
                self.at += next.len_utf8();
            }
        }
        Ok(self.pieces)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn escaped(&self) -> Option<&'static str> {
        let literals = [("$$g{", "$g{"), ("$$j{", "$j{")];
        literals
            .iter()
            .find(|(written, _)| self.rest().starts_with(written))
            .map(|(_, text)| *text)
    }

    fn push_text(&mut self, text: &str) {
        if let Some(Piece::Text(last)) = self.pieces.last_mut() {
            last.push_str(text);
        } else {
            self.pieces.push(Piece::Text(text.to_owned()));
        }
    }

    fn parameter(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let inside = self.rest().get(3..).unwrap_or_default();
        let end = inside
            .find(['}', '\n'])
            .filter(|end| inside[*end..].starts_with('}'));
        let Some(end) = end else {
            return Err(self.error(start, 3, "`$g{` is not closed by `}`"));
        };
        let name = &inside[..end];
        let width = name.chars().count() + 4;
        if name.is_empty() {
            return Err(self.error(start, width, "`$g{}` names no parameter"));
        }
        if names::parameter(name).is_err() {
            return Err(self.error(start, width, &format!("`{name}` is no parameter name")));
        }
        self.pieces
            .push(Piece::Reference(Reference::Parameter(name.to_owned())));
        self.at = start + end + 4;
        Ok(())
    }

    fn field(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        self.at += 3;
        match self.field_inside() {
            Ok(field) => {
                self.pieces.push(Piece::Reference(Reference::Field(field)));
                Ok(())
            }
            Err(message) => {
                let line = self.text[start..].lines().next().unwrap_or_default();
                let shown = line.find('}').map_or(line, |end| &line[..=end]);
                Err(self.error(start, shown.chars().count(), &message))
            }
        }
    }

    fn field_inside(&mut self) -> Result<FieldReference, String> {
        let kind = self.take_while(|c| c.is_ascii_alphanumeric());
        if kind.is_empty() {
            return Err("expected a kind".to_owned());
        }
        let name = self
            .bracketed_text()
            .ok_or("expected `[\"NAME\"]` after the kind")?;
        let mut path = Vec::new();
        while !self.eat('}') {
            path.push(self.step()?);
        }
        if path.is_empty() {
            return Err("expected a path, such as `.metadata.name`".to_owned());
        }
        Ok(FieldReference {
            kind: kind.to_owned(),
            name,
            path,
        })
    }

    fn step(&mut self) -> Result<Step, String> {
        if self.eat('.') {
            let key = self.take_while(is_plain_char);
            let missing = || "expected a key after `.`".to_owned();
            return if key.is_empty() {
                Err(missing())
            } else {
                Ok(Step::Key(key.to_owned()))
            };
        }
        if self.rest().starts_with('[') {
            if let Some(key) = self.bracketed_text() {
                return Ok(Step::Key(key));
            }
            return self
                .index()
                .ok_or_else(|| "expected a number or a quoted key in `[…]`".to_owned());
        }
        let shown: String = self
            .rest()
            .chars()
            .take_while(|c| !matches!(c, '}' | '\n'))
            .collect();
        if self.rest().contains('}') && !shown.is_empty() {
            return Err(format!("unexpected `{shown}`"));
        }
        Err("`$j{` is not closed by `}`".to_owned())
    }

    fn index(&mut self) -> Option<Step> {
        let inside = self.rest().strip_prefix('[')?;
        let end = inside.find(']')?;
        let index = inside[..end].parse().ok()?;
        self.at += end + 2;
        Some(Step::Index(index))
    }

    /// `["text"]` or `['text']`, if that comes next.
    fn bracketed_text(&mut self) -> Option<String> {
        let inside = self.rest().strip_prefix('[')?;
        let quote = inside.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let text = &inside[1..];
        let end = text.find([quote, '\n'])?;
        let closed = text[end..].strip_prefix(quote)?.starts_with(']');
        if !closed || end == 0 {
            return None;
        }
        self.at += end + 4;
        Some(text[..end].to_owned())
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        self.at += if found { c.len_utf8() } else { 0 };
        found
    }

    fn error(&self, start: usize, width: usize, message: &str) -> ParseError {
        let at = self.text[..start].chars().count();
        ParseError {
            message: message.to_owned(),
            at,
            width,
        }
    }
}
