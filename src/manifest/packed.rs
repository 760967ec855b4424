//! The text of documents: as it was read from a folder, or packed in the binary.
//!
//! Thousands of documents say much the same, and all of a binary that is read stays in memory. So
//! those of a build lie one after another in blocks, each compressed by itself, in the order of the
//! tables. Invariants: no document is in two blocks; what is unpacked of a block is what was packed.
//! Each thread keeps the last few blocks that it unpacked, since documents are read kind by kind and
//! some kinds at the same time.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

/// So many bytes of text are packed together: enough to say twice what most documents say.
const BLOCK: usize = 16 * 1024;
/// So many blocks are kept unpacked.
const KEPT: usize = 4;

/// The JSON text of a document.
#[derive(Clone)]
pub struct Text(Held);

#[derive(Clone)]
enum Held {
    Whole(Box<str>),
    Packed(Slot),
}

/// Where the text of a document is in the binary.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    block: &'static Block,
    start: u32,
    end: u32,
}

/// Documents that are packed together.
#[derive(Debug)]
pub struct Block {
    packed: &'static [u8],
    length: usize,
}

impl Text {
    /// The text of a document that the build packed.
    #[must_use]
    pub const fn packed(block: &'static Block, start: u32, end: u32) -> Self {
        Self(Held::Packed(Slot { block, start, end }))
    }

    /// The text.
    #[must_use]
    pub fn read(&self) -> Cow<'_, str> {
        match &self.0 {
            Held::Whole(text) => Cow::Borrowed(text),
            Held::Packed(slot) => Cow::Owned(slot.read()),
        }
    }

    /// Looks at the text without a copy of it; no other text is read meanwhile.
    pub fn peek<R>(&self, look: impl FnOnce(&str) -> R) -> R {
        match &self.0 {
            Held::Whole(text) => look(text),
            Held::Packed(slot) => slot.peek(look),
        }
    }

    /// Where it is in the binary; nothing for what was read from a folder.
    #[must_use]
    pub fn slot(&self) -> Option<Slot> {
        match self.0 {
            Held::Packed(slot) => Some(slot),
            Held::Whole(_) => None,
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Held::Whole(text.into()))
    }
}

/// Folder and binary hold the same where they say the same.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.read() == other.read()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.read(), f)
    }
}

impl Slot {
    /// The text. Of a block that no build wrote it is empty, and no document.
    #[must_use]
    pub fn read(self) -> String {
        self.peek(str::to_owned)
    }

    /// Looks at the text without a copy of it; no other text is read meanwhile.
    pub fn peek<R>(self, look: impl FnOnce(&str) -> R) -> R {
        UNPACKED.with_borrow_mut(|unpacked| look(unpacked.text_of(self)))
    }
}

/// The same place, whatever is there.
impl PartialEq for Slot {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.block, other.block) && (self.start, self.end) == (other.start, other.end)
    }
}

impl Eq for Slot {}

impl Block {
    /// A block that unpacks to so many bytes.
    #[must_use]
    pub const fn new(packed: &'static [u8], length: usize) -> Self {
        Self { packed, length }
    }

    fn unpack(&self, room: String) -> String {
        let mut bytes = room.into_bytes();
        bytes.resize(self.length, 0);
        match lz4_flex::block::decompress_into(self.packed, &mut bytes) {
            Ok(length) if length == self.length => String::from_utf8(bytes).unwrap_or_default(),
            _ => String::new(),
        }
    }
}

thread_local! {
    static UNPACKED: RefCell<Unpacked> = const { RefCell::new(Unpacked(Vec::new())) };
}

/// The blocks that were unpacked last; the one before the last read is first.
struct Unpacked(Vec<(&'static Block, String)>);

impl Unpacked {
    fn text_of(&mut self, slot: Slot) -> &str {
        let Slot { block, start, end } = slot;
        let is_it = |(known, _): &(&Block, String)| std::ptr::eq(*known, block);
        if let Some(at) = self.0.iter().position(is_it) {
            self.0[at..].rotate_left(1);
        } else {
            let oldest = (self.0.len() == KEPT).then(|| self.0.remove(0).1);
            let text = block.unpack(oldest.unwrap_or_default());
            self.0.push((block, text));
        }
        let newest = self.0.last().map_or("", |(_, text)| text);
        newest.get(start as usize..end as usize).unwrap_or("")
    }
}

/// Packs documents in the order in which they come.
#[derive(Debug, Default)]
pub struct Packer {
    blocks: Vec<(Vec<u8>, usize)>,
    open: String,
}

impl Packer {
    /// The number of the block that a document is in, and where it begins and ends there.
    pub fn add(&mut self, text: &str) -> (usize, usize, usize) {
        if self.open.len() + text.len() > BLOCK {
            self.close();
        }
        let start = self.open.len();
        self.open.push_str(text);
        (self.blocks.len(), start, self.open.len())
    }

    /// The blocks, each with the length of its text.
    #[must_use]
    pub fn finish(mut self) -> Vec<(Vec<u8>, usize)> {
        self.close();
        self.blocks
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            let packed = lz4_flex::block::compress(self.open.as_bytes());
            self.blocks.push((packed, self.open.len()));
            self.open.clear();
        }
    }
}

#[cfg(test)]
impl Text {
    /// Texts as the tables of a build hold them.
    pub(crate) fn embedded<T: AsRef<str>>(texts: &[T]) -> Vec<Self> {
        let mut packer = Packer::default();
        let places: Vec<_> = texts.iter().map(|text| packer.add(text.as_ref())).collect();
        let blocks = packer.finish().into_iter();
        let blocks = blocks.map(|(bytes, length)| Block::new(bytes.leak(), length));
        let blocks: &'static [Block] = blocks.collect::<Vec<_>>().leak();
        let number = |at: usize| u32::try_from(at).unwrap();
        let text = |(block, start, end)| Self::packed(&blocks[block], number(start), number(end));
        places.into_iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents() -> Vec<String> {
        let long = "é".repeat(BLOCK);
        let several = (0..200).map(|number| format!("{{\"n\":{number},\"t\":\"{number:0300}\"}}"));
        let others = [String::new(), "ü".to_owned(), long, "{}".to_owned()];
        several.chain(others).collect()
    }

    fn blocks_of(texts: &[Text]) -> Vec<&'static Block> {
        let blocks = texts.iter().map(|text| text.slot().unwrap().block);
        let mut blocks: Vec<_> = blocks.collect();
        blocks.dedup_by(|one, other| std::ptr::eq(*one, *other));
        blocks
    }

    #[test]
    fn what_is_read_is_what_was_packed_in_any_order() {
        let documents = documents();
        let texts = Text::embedded(&documents);
        let blocks = blocks_of(&texts);
        assert!(blocks.iter().any(|block| block.length > BLOCK));
        let sum = |size: fn(&Block) -> usize| blocks.iter().map(|block| size(block)).sum::<usize>();
        assert!(sum(|block| block.packed.len()) * 4 < sum(|block| block.length));
        let all: usize = documents.iter().map(String::len).sum();
        assert_eq!(sum(|block| block.length), all);
        for (text, document) in texts.iter().zip(&documents) {
            assert_eq!(text.read(), **document);
        }
        for stride in [7, 53, 101] {
            for step in 0..documents.len() {
                let at = step * stride % documents.len();
                assert_eq!(texts[at].read(), *documents[at]);
            }
        }
        let (texts, documents) = (&texts, &documents);
        std::thread::scope(|scope| {
            for from in 0..4 {
                scope.spawn(move || {
                    for at in (from..documents.len()).step_by(3) {
                        assert_eq!(texts[at].read(), *documents[at]);
                    }
                });
            }
        });
    }

    #[test]
    fn a_block_is_unpacked_once_by_whoever_reads_in_order() {
        let texts = Text::embedded(&documents());
        let mut unpacked = Unpacked(Vec::new());
        let mut begun = 0;
        for slot in texts.iter().map(|text| text.slot().unwrap()) {
            let newest = unpacked.0.last();
            let known = newest.is_some_and(|(block, _)| std::ptr::eq(*block, slot.block));
            begun += usize::from(!known);
            assert_eq!(unpacked.text_of(slot).trim().is_empty(), known);
            assert!(unpacked.0.len() <= KEPT);
            // So that what is kept is told from what is unpacked again.
            let (_, kept) = unpacked.0.last_mut().unwrap();
            *kept = " ".repeat(kept.len());
        }
        assert_eq!(begun, blocks_of(&texts).len());
        assert!(begun > KEPT);
    }

    #[test]
    fn the_blocks_that_were_read_last_are_kept() {
        let texts = Text::embedded(&documents());
        let of_block = |number: usize| {
            let mut texts = texts.iter().map(|text| text.slot().unwrap());
            let first = texts.clone().next().unwrap().block;
            let block = std::ptr::from_ref(first).wrapping_add(number);
            texts.find(|slot| std::ptr::eq(slot.block, block)).unwrap()
        };
        let mut unpacked = Unpacked(Vec::new());
        for number in [0, 1, 2, 3, 0, 4] {
            unpacked.text_of(of_block(number));
        }
        let kept: Vec<_> = unpacked.0.iter().map(|(block, _)| *block).collect();
        for (kept, number) in kept.iter().zip([2, 3, 0, 4]) {
            assert!(std::ptr::eq(*kept, of_block(number).block), "{number}");
        }
    }

    #[test]
    fn what_no_build_wrote_is_empty() {
        static BROKEN: Block = Block::new(b"\xf0 nothing of the kind", 5000);
        static SHORT: Block = Block::new(&[], 9);
        let less = Block::new(lz4_flex::block::compress(b"[{}]").leak(), 9);
        for block in [&BROKEN, &SHORT, Box::leak(Box::new(less))] {
            assert_eq!(Text::packed(block, 0, 4).read(), "");
        }
        let texts = Text::embedded(&["{}"]);
        let slot = texts[0].slot().unwrap();
        assert_eq!(Text::packed(slot.block, 0, 9).read(), "");
    }

    #[test]
    fn texts_are_compared_by_what_they_say_and_slots_by_where_they_are() {
        let same = Text::embedded(&["{}", "{}"]);
        assert_eq!(same[0], same[1]);
        assert_eq!(same[0], Text::from("{}".to_owned()));
        assert_ne!(same[0], Text::from("[]".to_owned()));
        assert_ne!(same[0].slot(), same[1].slot());
        assert_eq!(same[0].slot(), same[0].clone().slot());
    }
}
