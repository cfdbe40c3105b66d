//! Each operation on the ledger's files fails in turn, once and from there on: nothing is sent that was not announced, and a run on a
//! good disk comes to the end.

use akson_applier::{Cancel, End};
use akson_planner::options::Mode;
use akson_tests::world::{Disk, STACK, World};

async fn fails_at(number: usize, for_ever: bool, appends: bool) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let disk = Disk::failing(folder.path(), number, for_ever);
    let mut disk = if appends { disk.appending() } else { disk };
    world.disk = Some(disk.clone());
    let outcome = world.attempt(STACK, Mode::Apply, &Cancel::new()).await;
    let hit = disk.operations() > number;
    match &outcome {
        Ok(outcome) if outcome.report.end != End::Done => {
            assert!(outcome.report.diagnostics.has_errors(), "{number}: it does not say why");
        }
        Ok(_) => {}
        Err(why) => assert!(why.contains("ledger"), "{number}: {why}"),
    }
    disk.mend();
    world.disk = Some(disk);
    world.settle_to(STACK).await;
    assert_eq!(world.objects().keys().filter(|id| id.contains("app-rg")).count(), 6, "{number}");
    world.destroy(STACK).await;
    assert!(world.objects().keys().all(|id| !id.contains("app-rg")), "{number}");
    hit
}

#[tokio::test(start_paused = true)]
async fn every_operation_of_the_disk_fails_once() {
    for (appends, least) in [(false, 40), (true, 20)] {
        let mut number = 0;
        while fails_at(number, false, appends).await {
            number += 1;
        }
        assert!(number > least, "only {number} operations");
    }
}

#[tokio::test(start_paused = true)]
async fn every_operation_of_the_disk_fails_from_there_on() {
    for (appends, least) in [(false, 40), (true, 20)] {
        let mut number = 0;
        while fails_at(number, true, appends).await {
            number += 1;
        }
        assert!(number > least, "only {number} operations");
    }
}
