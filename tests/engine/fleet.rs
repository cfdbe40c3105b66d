//! Stacks that share a subscription, each with an engine that knows of no other, under limits that they share.

use akson_tests::fleet::{Size, come_up};

#[tokio::test(start_paused = true)]
async fn stacks_that_share_a_subscription_come_through_close_to_the_bound() {
    let came = come_up(6, Size::SMALL, 1).await;
    assert_eq!(came.operations, 6 * Size::SMALL.resources());
    assert!(came.ratio() >= 1.0 && came.ratio() < 1.1, "{:.3} times the bound: {came:#?}", came.ratio());
}
