use super::super::samples::{running, service, status};
use super::*;

fn taken(board: &mut Board, services: Vec<ServiceStatus>, seconds: u64) -> Vec<String> {
    let status = Status {
        services,
        ..status()
    };
    board.take(&status, Duration::from_millis(seconds * 1_000 + 100))
}

#[test]
fn one_line_per_change_of_state() {
    let mut board = Board::new(Palette::PLAIN, &["promon", "redis", "task", "mail"]);
    let all = status().services;
    let first = taken(&mut board, all.clone(), 1);
    assert_eq!(
        first,
        [
            "  ✓ promon  25/25 ready  1.1 s  answered in 3 ms",
            "  … redis   3/4 ready    settling 11 s: Deployment redis 0/1 available: pod redis-7c9f ImagePullBackOff: \"redis:8.9\" not found, 1 kept",
            "  ✓ task    rerun        answered in 6 ms: 2 workers, 0 queued",
            "  ✗ mail    rerun        smtp://localhost:1025 connection refused, next try in 8 s (4th)",
        ]
    );
    assert!(
        taken(&mut board, all.clone(), 2).is_empty(),
        "nothing changed"
    );
    let mut next = all;
    next[1] = ServiceStatus {
        objects: Some((4, 4)),
        ..running("redis", 2, "PONG")
    };
    let second = taken(&mut board, next, 3);
    assert_eq!(
        second,
        ["  ✓ redis   4/4 ready    3.1 s  answered in 2 ms: PONG"]
    );
}

#[test]
fn a_service_that_is_up_keeps_the_time_it_took() {
    let mut board = Board::new(Palette::PLAIN, &["promon"]);
    let all = status().services;
    taken(&mut board, all.clone(), 1);
    taken(&mut board, all, 7);
    assert_eq!(board.rows["promon"].text, "1.1 s  answered in 3 ms");
}

#[test]
fn what_is_not_waited_for_is_not_shown_as_wrong() {
    let mut board = Board::new(Palette::COLOURED, &["mail"]);
    let idle = service("mail", Phase::NotConfigured, 1, "no address");
    assert_eq!(
        taken(
            &mut board,
            vec![idle, service("else", Phase::Failed, 1, "")],
            0
        ),
        ["  \u{1b}[2m–\u{1b}[0m mail  rerun  NotConfigured: no address"]
    );
}

#[test]
fn a_reason_is_never_cut() {
    let reason = "r".repeat(500);
    let mut board = Board::new(Palette::PLAIN, &["redis"]);
    let lines = taken(
        &mut board,
        vec![service("redis", Phase::Failed, 1, &reason)],
        0,
    );
    assert!(lines[0].ends_with(&reason));
}

#[test]
fn live_lines_are_drawn_for_every_service() {
    let board = Board::new(Palette::PLAIN, &["promon", "redis", "task", "mail"]);
    let mut progress = Progress {
        live: Some(Live::drawn_to(&board, ProgressDrawTarget::hidden())),
        board,
        manner: Manner::Live,
        began: Instant::now(),
    };
    progress.update(&status());
    let live = progress.live.as_ref().unwrap();
    let said: Vec<String> = live.bars.values().map(ProgressBar::message).collect();
    assert_eq!(said.len(), 4);
    assert!(
        said.iter()
            .any(|line| line.starts_with("redis   3/4 ready    settling 11 s: "))
    );
    progress.print("a line above");
    progress.finish(&status());
}
