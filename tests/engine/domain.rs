//! The whole domain, as `examples/myapp` declares it, through a life with accidents: killed here and there, changed behind its
//! back, taken away again.

use akson_applier::End;
use akson_planner::{Action, options::Mode};
use serde_json::Value;

use akson_tests::{
    root,
    world::{Kill, World, sends},
};

/// Between two kills: all of them would take minutes, and over time every place is hit, since requests come and go.
const STRIDE: usize = 23;

/// The example as one text, and a world in which what it expects exists.
fn domain() -> (String, World) {
    let folder = root().join("examples/myapp");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let sources = files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "aks"));
    let source: Vec<String> = sources.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let seed = std::fs::read_to_string(folder.join("emulator.json")).unwrap();
    let world = World::new();
    world.emulator.seed(serde_json::from_str::<Vec<Value>>(&seed).unwrap()).unwrap();
    (source.join("\n"), world)
}

/// Ids of what lies in the stack's group and in its clusters.
fn ids(world: &World) -> Vec<String> {
    world.objects().into_keys().filter(|id| id.contains("myapp")).collect()
}

async fn check(number: usize, kill: Kill, undisturbed: &[String]) -> bool {
    let (source, world) = domain();
    let died = world.kill(&source, Mode::Apply, kill).await;
    world.converge(&source).await;
    assert_eq!(ids(&world).len(), undisturbed.len(), "killed at {number}");
    if died {
        world.kill(&source, Mode::Destroy, kill).await;
        world.destroy(&source).await;
        let outcome = world.destroy(&source).await;
        assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
        assert_eq!(ids(&world), [""; 0], "killed at {number}");
        assert!(world.store.document().unwrap().entries.is_empty(), "killed at {number}");
    }
    died
}

#[tokio::test(start_paused = true)]
async fn killed_now_and_then_it_comes_up_whole_and_goes_whole() {
    let (source, world) = domain();
    world.converge(&source).await;
    let undisturbed = ids(&world);
    let mut number = 5;
    let mut kinds = [Kill::Before, Kill::After, Kill::OnItsWay].into_iter().cycle();
    while check(number, kinds.next().unwrap()(number), &undisturbed).await {
        number += STRIDE;
    }
    assert!(number > 100, "only {number} requests");
}

#[tokio::test(start_paused = true)]
async fn an_edit_is_one_update_in_every_plane() {
    let (source, world) = domain();
    world.converge(&source).await;
    let check = async |from: &str, to: &str, address: &str| {
        assert!(source.contains(from), "{from}");
        let edited = source.replacen(from, to, 1);
        let outcome = world.apply(&edited).await;
        assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
        let changed: Vec<(&str, Action)> = (outcome.plan.changes.iter())
            .filter(|change| change.action != Action::NoOp)
            .map(|change| (change.address.as_str(), change.action))
            .collect();
        assert_eq!(changed, [(address, Action::Update)], "{to}");
        let again = world.apply(&edited).await;
        assert!(again.plan.is_empty() && !sends(&again.plan), "{to}: {:#?}", again.plan.changes);
        world.converge(&source).await;
    };
    check("autoscale(1, 10)", "autoscale(2, 10)", "cluster.main.node_pool.apps").await;
    check("upgrade_channel   = patch", "upgrade_channel   = stable", "cluster.main").await;
    check("members      = [user.developer]", "members      = [user.developer, user.auditor]", "group.developers").await;
    check("retention_days = 90", "retention_days = 120", "log_workspace.security").await;
    check("priority = 200", "priority = 210", "firewall_policy.egress.rules.aks").await;
    check("DB_PASSWORD = secret", "PASSWORD    = secret", "workload.myapp.secret_provider_class").await;
}
