//! The line on a terminal in memory: when it comes, what it says, and that nothing of it stays.

use bytes::Bytes;
use indicatif::InMemoryTerm;

use super::*;

fn line() -> (Arc<Progress>, InMemoryTerm) {
    let terminal = InMemoryTerm::new(6, 60);
    let own = terminal.clone();
    (Arc::new(Progress::on(move || ProgressDrawTarget::term_like(Box::new(own.clone())))), terminal)
}

fn draw(progress: &Progress, now: Instant) {
    progress.draw(&mut lock(&progress.state), now);
}

#[test]
fn it_comes_late_and_goes_without_a_trace() {
    let (progress, terminal) = line();
    let begun = Instant::now();
    let reading = progress.begin("Reading Azure", begun);
    reading.expects(50);
    draw(&progress, begun + Duration::from_millis(400));
    assert_eq!(terminal.contents(), "");
    draw(&progress, begun + Duration::from_millis(1600));
    let shown = terminal.contents();
    assert!(shown.ends_with(" Reading Azure: 0 of 50 answers, 1 s"), "{shown}");
    drop(reading);
    assert_eq!(terminal.contents(), "");
    // Nothing goes on: it is not drawn, however late it is.
    draw(&progress, begun + Duration::from_secs(10));
    assert_eq!(terminal.contents(), "");
    // What follows has waited already, and its time is its own.
    let next = progress.begin("Asking who did it", begun + Duration::from_secs(11));
    draw(&progress, begun + Duration::from_secs(11));
    assert!(terminal.contents().ends_with("Asking who did it, 0 s"), "{}", terminal.contents());
    drop(next);
    assert_eq!(terminal.contents(), "");
}

#[test]
fn what_is_printed_stands_above_it() {
    use indicatif::TermLike as _;
    let (progress, terminal) = line();
    let begun = Instant::now();
    let reading = progress.begin("Reading Azure", begun);
    draw(&progress, begun + Duration::from_secs(2));
    {
        let state = lock(&progress.state);
        let bar = state.bar.as_ref().expect("it is shown");
        bar.suspend(|| {
            assert_eq!(terminal.contents(), "", "the line is out of the way");
            terminal.write_line("a warning").expect("the terminal is in memory");
        });
    }
    let shown: Vec<String> = terminal.contents().lines().map(str::to_owned).collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0] == "a warning" && shown[1].contains("Reading Azure"), "{shown:?}");
    drop(reading);
    assert_eq!(terminal.contents(), "a warning");
}

/// A line that is wider than the terminal would wrap, and only its last part would be taken away.
#[test]
fn it_is_one_line_however_long() {
    let (progress, terminal) = line();
    let begun = Instant::now();
    let reading =
        progress.begin("Looking for what nobody declares, in a terminal that is not wide enough for it", begun);
    draw(&progress, begun + Duration::from_secs(1));
    assert_eq!(terminal.contents().lines().count(), 1, "{}", terminal.contents());
    drop(reading);
    assert_eq!(terminal.contents(), "");
}

#[test]
fn several_at_once_share_it() {
    let (progress, terminal) = line();
    let begun = Instant::now();
    let (one, two) = (progress.begin("Reading Azure", begun), progress.begin("Signing in", begun));
    draw(&progress, begun + Duration::from_secs(1));
    assert!(terminal.contents().contains("Signing in"), "{}", terminal.contents());
    drop(two);
    draw(&progress, begun + Duration::from_secs(2));
    assert!(terminal.contents().contains("Reading Azure"), "{}", terminal.contents());
    drop(one);
    assert_eq!(terminal.contents(), "");
}

struct Slow;

#[async_trait::async_trait]
impl Transport for Slow {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, akson_azure::TransportError> {
        let busy = request.uri().path() == "/busy";
        let answer = http::Response::builder().status(if busy { 429 } else { 200 });
        let answer = if busy { answer.header("retry-after", "30") } else { answer };
        if request.uri().path() == "/never" {
            std::future::pending::<()>().await;
        }
        Ok(answer.body(Bytes::new()).expect("an answer"))
    }
}

#[tokio::test]
async fn requests_are_counted_on_their_way() {
    let (progress, _) = line();
    let transport = progress.counted(Arc::new(Slow));
    let send = |path: &str| {
        let request = http::Request::get(format!("https://kv.vault.azure.net{path}")).body(Bytes::new());
        transport.send(request.expect("a request"))
    };
    let message = || {
        let (now, counts) = (Instant::now(), lock(&progress.counts));
        counts.message(&Open { number: 1, what: "Reading", since: now, before: 0, expected: 0 }, now)
    };
    assert!(send("/a").await.is_ok());
    assert_eq!(message(), "Reading: 1 of 1 answer, 0 s");
    let mut never = send("/never");
    assert!(futures_util::poll!(&mut never).is_pending());
    assert_eq!(message(), "Reading: 1 of 2 answers, 0 s; waiting for kv");
    // Given up: nobody waits for it.
    drop(never);
    assert_eq!(message(), "Reading: 1 of 1 answer, 0 s");
    assert!(send("/busy").await.is_ok());
    assert!(message().starts_with("Reading: 1 of 1 answer, 0 s; Azure asks to wait for "), "{}", message());
}
