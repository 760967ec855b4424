//! Stages: an object's stage is one more than the highest stage of what comes before it.

use super::key::ObjectKey;
use super::set::Prerequisite;
use std::collections::HashMap;

/// The stage of each object, or the keys of one circle.
///
/// # Errors
/// A circle, first key repeated at the end.
pub fn stages(objects: &[(&ObjectKey, &[Prerequisite])]) -> Result<Vec<u32>, Vec<ObjectKey>> {
    let index: HashMap<&ObjectKey, usize> = objects
        .iter()
        .enumerate()
        .map(|(position, (key, _))| (*key, position))
        .collect();
    let mut walk = Walk {
        objects,
        index,
        stage: vec![None; objects.len()],
        path: Vec::new(),
    };
    (0..objects.len())
        .map(|position| walk.visit(position))
        .collect()
}

struct Walk<'a> {
    objects: &'a [(&'a ObjectKey, &'a [Prerequisite])],
    index: HashMap<&'a ObjectKey, usize>,
    stage: Vec<Option<u32>>,
    path: Vec<usize>,
}

impl Walk<'_> {
    fn visit(&mut self, position: usize) -> Result<u32, Vec<ObjectKey>> {
        if let Some(stage) = self.stage[position] {
            return Ok(stage);
        }
        if let Some(start) = self.path.iter().position(|other| *other == position) {
            let circle = self.path[start..].iter().chain([&position]);
            return Err(circle.map(|p| self.objects[*p].0.clone()).collect());
        }
        self.path.push(position);
        let mut stage = 0;
        for prerequisite in self.objects[position].1 {
            if let Some(before) = self.index.get(&prerequisite.key).copied() {
                stage = stage.max(self.visit(before)? + 1);
            }
        }
        self.path.pop();
        self.stage[position] = Some(stage);
        Ok(stage)
    }
}

#[cfg(test)]
mod tests {
    use super::super::set::Need;
    use super::*;
    use proptest::prelude::*;

    fn key(number: usize) -> ObjectKey {
        ObjectKey::new("", "ConfigMap", None, &number.to_string())
    }

    fn order(edges: &[Vec<usize>]) -> Result<Vec<u32>, Vec<ObjectKey>> {
        let keys: Vec<_> = (0..edges.len()).map(key).collect();
        let after: Vec<Vec<Prerequisite>> = edges
            .iter()
            .map(|list| {
                list.iter()
                    .map(|n| Prerequisite {
                        key: key(*n),
                        need: Need::Applied,
                    })
                    .collect()
            })
            .collect();
        let objects: Vec<_> = keys
            .iter()
            .zip(&after)
            .map(|(key, after)| (key, after.as_slice()))
            .collect();
        stages(&objects)
    }

    #[test]
    fn a_circle_is_named() {
        assert_eq!(
            order(&[vec![], vec![2], vec![1]]),
            Err(vec![key(1), key(2), key(1)])
        );
    }

    #[test]
    fn what_is_not_in_the_set_orders_nothing() {
        assert_eq!(order(&[vec![9], vec![0]]), Ok(vec![0, 1]));
    }

    proptest! {
        #[test]
        fn every_object_comes_after_all_that_it_needs(
            edges in proptest::collection::vec(proptest::collection::vec(0_usize..20, 0..4), 1..20)
        ) {
            let forward: Vec<Vec<usize>> = edges.iter().enumerate()
                .map(|(n, list)| list.iter().copied().filter(|m| *m < n).collect()).collect();
            let stages = order(&forward).unwrap();
            for (n, list) in forward.iter().enumerate() {
                for m in list {
                    prop_assert!(stages[n] > stages[*m]);
                }
            }
        }
    }
}
