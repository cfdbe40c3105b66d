//! What the same stacks take where ten operations are under way at once and each keeps its place while it waits: as other tools do it, with
//! the waits that their sources have. A model: nothing is sent.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use akson_tests::fleet::Size;

/// How many operations are under way at once.
const SLOTS: usize = 10;
/// Until an operation is asked after for the first time, and between.
const POLL: f64 = 10.0;

/// Something to make: how long it keeps its place, and which of the others it waits for.
struct Task {
    seconds: f64,
    needs: Vec<usize>,
}

/// How long it takes until all is there.
pub(super) fn makespan(stacks: usize, size: Size) -> Duration {
    let mut tasks = Vec::new();
    for _ in 0..stacks {
        stack(size, &mut tasks);
    }
    Duration::from_secs_f64(run(&tasks))
}

/// A stack, as the fleet has it. Median durations as recorded; of what is answered at once, as measured for it.
fn stack(size: Size, tasks: &mut Vec<Task>) {
    let mut add = |seconds: f64, needs: &[usize]| {
        tasks.push(Task { seconds, needs: needs.to_vec() });
        tasks.len() - 1
    };
    let group = add(1.0, &[]);
    let cluster = add(polled(303.0), &[group]);
    // Ten seconds, thirty more, and ten good answers ten seconds apart.
    let vault = add(polled(22.0) + 30.0 + 9.0 * POLL, &[group]);
    add(polled(10.0), &[group]);
    for _ in 0..size.identities {
        let identity = add(3.0, &[group]);
        add(1.5, &[identity, cluster]);
        // Four looks that are five seconds apart.
        add(4.0 + 20.0, &[identity, group]);
        add(4.0 + 20.0, &[identity, vault]);
    }
    for _ in 0..size.secrets {
        add(1.0, &[vault]);
    }
    for _ in 0..size.policies {
        // Twenty in a row that are five seconds apart.
        add(1.5 + 95.0, &[group]);
    }
    for _ in 0..size.groups {
        add(2.0 + 20.0, &[]);
    }
}

/// An operation whose end is only noticed when it is asked for.
fn polled(seconds: f64) -> f64 {
    (seconds / POLL).ceil() * POLL
}

/// First come, first served.
fn run(tasks: &[Task]) -> f64 {
    let mut unmet: Vec<usize> = tasks.iter().map(|task| task.needs.len()).collect();
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..tasks.len()).filter(|task| unmet[*task] == 0).map(Reverse).collect();
    // Milliseconds at which they end, so that they can be put in order.
    let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut now = 0;
    loop {
        while running.len() < SLOTS {
            let Some(Reverse(task)) = ready.pop() else { break };
            running.push(Reverse((now + millis(tasks[task].seconds), task)));
        }
        let Some(Reverse((ends, ended))) = running.pop() else { break };
        now = ends;
        for (task, _) in tasks.iter().enumerate().filter(|(_, task)| task.needs.contains(&ended)) {
            unmet[task] -= 1;
            if unmet[task] == 0 {
                ready.push(Reverse(task));
            }
        }
    }
    Duration::from_millis(now).as_secs_f64()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some minutes")]
fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}
