//! Finds objects by their keys. Only positions are kept: the objects have the keys.

use super::object::Object;
use crate::desired::ObjectKey;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::hash::{BuildHasher as _, RandomState};

/// Where the object of each key is in a list.
#[derive(Debug, Default)]
pub(super) struct Positions {
    table: HashTable<usize>,
    hasher: RandomState,
}

impl Positions {
    /// Those of a list. Of two objects with one key, which only namespaces have, the later counts.
    pub(super) fn of(objects: &[Object]) -> Self {
        let hasher = RandomState::new();
        let key_at = |position: usize| &objects[position].desired.key;
        let hash_at = |position: &usize| hasher.hash_one(key_at(*position));
        let mut table = HashTable::with_capacity(objects.len());
        for position in 0..objects.len() {
            let same = |known: &usize| key_at(*known) == key_at(position);
            match table.entry(hash_at(&position), same, hash_at) {
                Entry::Occupied(mut known) => *known.get_mut() = position,
                Entry::Vacant(place) => drop(place.insert(position)),
            }
        }
        Self { table, hasher }
    }

    /// The position of an object; the list says which key is where.
    pub(super) fn find<'a>(
        &self,
        key: &ObjectKey,
        key_at: impl Fn(usize) -> Option<&'a ObjectKey>,
    ) -> Option<usize> {
        let is_it = |position: &usize| key_at(*position) == Some(key);
        self.table.find(self.hasher.hash_one(key), is_it).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::simulation::samples::{map, map_key};
    use super::*;

    #[test]
    fn each_is_found_where_it_is() {
        let names: Vec<String> = (0..500).map(|number| format!("m{number}")).collect();
        let objects = names.iter().map(|name| map(name, "1", &[]));
        let objects: Vec<Object> = objects.map(|map| Object::new(map, "one".into())).collect();
        let positions = Positions::of(&objects);
        let find = |name: &str| {
            positions.find(&map_key(name), |position| {
                Some(&objects[position].desired.key)
            })
        };
        for (position, name) in names.iter().enumerate() {
            assert_eq!(find(name), Some(position));
        }
        assert_eq!(find("other"), None);
    }

    #[test]
    fn of_two_with_one_key_the_later_counts() {
        let object = |name: &str| Object::new(map(name, "1", &[]), "one".into());
        let objects = [object("a"), object("b"), object("a")];
        let found = Positions::of(&objects).find(&map_key("a"), |position| {
            Some(&objects[position].desired.key)
        });
        assert_eq!(found, Some(2));
    }
}
