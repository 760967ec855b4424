use super::*;
use crate::engine::Fault;
use proptest::prelude::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn applied(seconds: i64, created: u32) -> Entry {
    let what = What::Applied {
        created,
        changed: 0,
        version: "1.0.0".into(),
        services: "abc".into(),
    };
    Entry::new(at(seconds), "ann@laptop", what)
}

fn healed(seconds: i64, name: &str, from: &str) -> Entry {
    let what = What::Healed {
        object: Named {
            group: String::new(),
            kind: "ConfigMap".into(),
            namespace: None,
            name: name.into(),
        },
        fault: Fault::Changed,
        fields: vec![Field {
            path: "data.a".into(),
            from: Some(from.into()),
            to: Some("1".into()),
        }],
        more: 0,
        culprit: Some("kubectl-edit".into()),
        micros: 4_000,
    };
    Entry::new(at(seconds), "pod jsorc-0", what)
}

#[test]
fn a_history_comes_back_as_it_was_stored_without_what_cannot_be_read() {
    let mut history = History::default();
    history.note(applied(0, 3));
    history.note(healed(20, "one", "2"));
    let text = history.text();
    assert_eq!(History::read(&text), history);
    let odd = format!(
        "{{\"at\":1}}\n{{\"at\":\"2026-01-01T00:00:00Z\",\"what\":{{\"exploded\":{{}}}}}}\nx\n\n{text}"
    );
    assert_eq!(History::read(&odd), history);
    let later = text.replacen("{\"at\"", "{\"later\":[1],\"at\"", 1);
    assert_eq!(History::read(&later), history, "what is new is left out");
}

#[test]
fn what_one_run_applies_is_one_entry_and_the_next_run_another() {
    let mut history = History::default();
    for entry in [applied(0, 1), applied(0, 2), applied(9, 4), applied(40, 1)] {
        history.note(entry);
    }
    let created = |entry: &Entry| match entry.what {
        What::Applied { created, .. } => created,
        _ => 0,
    };
    let counts: Vec<u32> = history.entries().iter().map(created).collect();
    assert_eq!(counts, [7, 1]);
}

#[test]
fn a_fight_is_one_entry_with_a_count_and_washes_nothing_out() {
    let mut history = History::default();
    history.note(applied(0, 3));
    for second in 0..500 {
        history.note(healed(second * 2, "one", &second.to_string()));
        history.note(healed(second * 2 + 1, "two", "x"));
    }
    assert_eq!(history.entries().len(), 3, "{history:?}");
    let last = history
        .entries()
        .iter()
        .find(|entry| entry.at == at(998))
        .unwrap();
    assert_eq!((last.times, last.since), (500, Some(at(0))));
    let What::Healed { fields, .. } = &last.what else {
        panic!("{last:?}")
    };
    assert_eq!(fields[0].from.as_deref(), Some("499"));
}

#[test]
fn what_is_rare_stays_when_a_thousand_objects_are_healed() {
    let mut history = History::default();
    history.note(applied(0, 3));
    for number in 0..1_000 {
        history.note(healed(60 + number, &format!("map-{number}"), "x"));
    }
    assert_eq!(history.entries().len(), ENTRIES);
    assert_eq!(history.entries()[0], applied(0, 3));
}

#[test]
fn news_that_were_stored_already_are_not_counted_twice() {
    let mut stored = History::default();
    stored.note(healed(0, "one", "2"));
    let mut news = History::default();
    news.note(healed(5, "one", "3"));
    stored.absorb(&news);
    assert_eq!(stored.entries()[0].times, 2);
    stored.absorb(&news);
    assert_eq!(stored.entries()[0].times, 2, "an answer that got lost");
}

proptest! {
    #[test]
    fn a_history_never_outgrows_its_bounds(names in proptest::collection::vec("[a-z]{1,200}", 1..25), from in ".{0,400}") {
        let mut history = History::default();
        for (number, name) in (0..).zip(&names) {
            let mut news = History::default();
            news.note(healed(number, name, &from));
            news.note(applied(number * 30, 1));
            history.absorb(&news);
            prop_assert!(history.entries().len() <= ENTRIES);
            prop_assert!(history.text().len() <= BYTES);
            prop_assert_eq!(&History::read(&history.text()), &history);
        }
    }
}
