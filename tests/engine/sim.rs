//! A few lives of the simulation with every test run; the gate lives through many more (`cargo xtask sim`).

use akson_tests::sim::live;

#[tokio::test(start_paused = true)]
async fn twenty_lives() {
    for seed in 0..20 {
        let life = live(seed).await;
        assert!(life.requests > 0);
    }
}
