//! Finds the objects in a list in protobuf that comes in parts: each is shown once it is there as a
//! whole, and none is kept.
//!
//! After four letters comes a `runtime.Unknown`, whose `raw` is the list (Kubernetes, "API concepts":
//! protobuf encoding). Of both messages every field says its length.

use prost::decode_length_delimiter as number;

/// What every answer begins with.
const LETTERS: &[u8] = b"k8s\0";
/// The field `raw` of `Unknown`.
const RAW: usize = 2;
/// The field `items` of a list.
const ITEMS: usize = 2;
/// The wire type of what says its length.
const WITH_LENGTH: usize = 2;
/// The most bytes that two numbers take.
const LONGEST_HEAD: usize = 20;

/// A list, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Items {
    place: Place,
    listed: bool,
    count: usize,
    /// The beginning of a field whose end has not come yet.
    part: Vec<u8>,
}

/// Where the next byte belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    /// Among the fields around the list.
    Around,
    /// In the list, of which so many bytes are still to come.
    List(usize),
}

/// The number of a field, and how long its content is.
struct Head {
    field: usize,
    length: usize,
    content: usize,
}

impl Items {
    /// Takes the next bytes in; `None` when `show` says no to an object, or they are no list.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        show: &mut impl FnMut(&[u8]) -> bool,
    ) -> Option<()> {
        let mut part = std::mem::take(&mut self.part);
        part.extend_from_slice(bytes);
        let mut taken = 0;
        loop {
            match self.step(&part[taken..], show)? {
                0 => break,
                step => taken += step,
            }
        }
        part.drain(..taken);
        self.part = part;
        Some(())
    }

    /// How many objects the list has, once it is whole.
    pub(super) fn count(&self) -> Option<usize> {
        let ended = matches!(self.place, Place::Around | Place::List(0));
        (self.listed && ended && self.part.is_empty()).then_some(self.count)
    }

    /// Takes the next head or field in: how long it was, or 0 where more has to come first.
    fn step(&mut self, rest: &[u8], show: &mut impl FnMut(&[u8]) -> bool) -> Option<usize> {
        if self.place == Place::Start {
            if rest.len() < LETTERS.len() {
                return LETTERS.starts_with(rest).then_some(0);
            }
            self.place = Place::Around;
            return rest.starts_with(LETTERS).then_some(LETTERS.len());
        }
        if self.place == Place::List(0) {
            self.place = Place::Around;
        }
        let Some(head) = Head::of(rest)? else {
            return Some(0);
        };
        if self.place == Place::Around && head.field == RAW {
            self.place = Place::List(head.content);
            self.listed = true;
            return Some(head.length);
        }
        let end = head.length.checked_add(head.content)?;
        let Some(content) = rest.get(head.length..end) else {
            return Some(0);
        };
        if let Place::List(left) = self.place {
            self.place = Place::List(left.checked_sub(end)?);
            if head.field == ITEMS {
                self.count += 1;
                show(content).then_some(())?;
            }
        }
        Some(end)
    }
}

#[expect(
    clippy::option_option,
    reason = "there is none, and there is none yet, are two things"
)]
impl Head {
    /// What these bytes begin with: nothing yet where they are too few, and `None` where that is no
    /// head of a field with a length.
    fn of(bytes: &[u8]) -> Option<Option<Self>> {
        let mut rest = bytes;
        let (Ok(tag), Ok(content)) = (number(&mut rest), number(&mut rest)) else {
            return (bytes.len() < LONGEST_HEAD).then_some(None);
        };
        let head = Self {
            field: tag >> 3,
            length: bytes.len() - rest.len(),
            content,
        };
        (tag & 7 == WITH_LENGTH).then_some(Some(head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        prost::encode_length_delimiter(content.len(), &mut bytes).unwrap();
        bytes.extend_from_slice(content);
        bytes
    }

    /// A list as the server writes it: of short objects, and one whose length takes two bytes.
    fn list(objects: &[&[u8]]) -> Vec<u8> {
        let mut raw = field(1, &field(2, b"7"));
        raw.extend(objects.iter().flat_map(|object| field(2, object)));
        let kind = field(1, &field(2, b"PartialObjectMetadataList"));
        let around = [kind, field(2, &raw), field(3, b""), field(4, b"")];
        [LETTERS, &around.concat()].concat()
    }

    fn shown(parts: &[&[u8]]) -> Option<(Vec<Vec<u8>>, Option<usize>)> {
        let mut items = Items::default();
        let mut seen = Vec::new();
        for part in parts {
            items.take(part, &mut |object: &[u8]| {
                seen.push(object.to_vec());
                true
            })?;
        }
        Some((seen, items.count()))
    }

    #[test]
    fn each_object_of_a_list_is_shown_wherever_the_bytes_are_cut() {
        let long = [b'x'; 300];
        let objects: [&[u8]; 3] = [b"a", &long, b""];
        let bytes = list(&objects);
        for cut in 0..=bytes.len() {
            let second = (cut + 7).min(bytes.len());
            let parts = [&bytes[..cut], &bytes[cut..second], &bytes[second..]];
            let (seen, count) = shown(&parts).unwrap();
            assert_eq!(seen, objects, "cut at {cut}");
            assert_eq!(count, Some(3), "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(shown(&single).unwrap().0, objects);
    }

    #[test]
    fn a_list_that_breaks_off_is_not_whole() {
        let bytes = list(&[b"a", b"b"]);
        let last = bytes.len() - field(3, b"").len() - field(4, b"").len();
        for cut in 0..last {
            let (_, count) = shown(&[&bytes[..cut]]).unwrap();
            assert_eq!(count, None, "cut at {cut}");
        }
        assert_eq!(shown(&[&bytes[..last]]).unwrap().1, Some(2));
        assert_eq!(shown(&[&list(&[])]), Some((Vec::new(), Some(0))));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let mut longer = list(&[b"a"]);
        let at = longer.iter().position(|byte| *byte == b'a').unwrap();
        // The object says that it is longer than the list.
        longer[at - 1] = 100;
        longer.extend([0; 200]);
        let rows: [&[u8]; 4] = [b"{\"kind\"", b"k8s\x01", b"k8s\0\x08\x05", &longer];
        for bytes in rows {
            assert_eq!(shown(&[bytes]), None, "{bytes:?}");
        }
        assert_eq!(shown(&[LETTERS, &[0xff; 30]]), None);
    }

    #[test]
    fn nothing_is_shown_after_one_that_is_refused() {
        let mut shown = 0;
        let verdict = Items::default().take(&list(&[b"a", b"b"]), &mut |_: &[u8]| {
            shown += 1;
            false
        });
        assert_eq!((verdict, shown), (None, 1));
    }
}
