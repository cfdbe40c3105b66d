//! One line on the terminal while something long is read: what, how far, for how long. It comes late and goes without a trace. Not what an
//! apply shows of its steps, which is a view; and not a log.

mod counts;

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    task::Poll,
    thread,
    time::{Duration, Instant},
};

use akson_azure::Transport;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    arguments::{Cloud, Global, LogFormat, OutputFormat},
    exit::Exit,
    output,
};
use counts::{Counted, Counts};

/// What is done sooner needs no line.
const DELAY: Duration = Duration::from_millis(500);
/// How often it is drawn.
const TICK: Duration = Duration::from_millis(100);

/// The line of this process, if it has one: whatever else is printed goes around it.
static LINE: OnceLock<Arc<Progress>> = OnceLock::new();
/// Whether somebody else listens when the user interrupts.
static HEARD: AtomicBool = AtomicBool::new(false);

/// The line, shown or not.
pub(crate) struct Progress {
    state: Mutex<State>,
    counts: Mutex<Counts>,
    wake: Condvar,
    target: Box<dyn Fn() -> ProgressDrawTarget + Send + Sync>,
}

#[derive(Default)]
struct State {
    /// What goes on, in the order that it began.
    open: Vec<Open>,
    began: u64,
    /// When the first of all began: what follows it at once has waited already.
    first: Option<Instant>,
    bar: Option<ProgressBar>,
    /// Who draws, and who listens for Ctrl-C once there is something to take away.
    draws: bool,
    listens: bool,
}

/// Says that something is read from now on, if this run shows it.
pub(crate) fn reading(global: &Global, what: &'static str) -> Option<Reading> {
    global.progress.as_ref().map(|progress| progress.reading(what))
}

/// The same of signing in, which takes its time where the cloud is a real one.
pub(crate) fn signing_in(global: &Global) -> Option<Reading> {
    if global.cloud == Cloud::Emulator { None } else { reading(global, "Signing in") }
}

/// The same of what is in the cloud.
pub(crate) fn reading_cloud(global: &Global) -> Option<Reading> {
    reading(global, if global.cloud == Cloud::Emulator { "Reading the emulator" } else { "Reading Azure" })
}

/// Reads what is in the cloud. Of how many requests it consists, at least, is asked for only once it takes long, and while answers are
/// waited for anyway.
pub(crate) async fn counted<T>(global: &Global, read: impl Future<Output = T>, requests: impl FnOnce() -> usize) -> T {
    let Some(reading) = reading_cloud(global) else { return read.await };
    let mut read = std::pin::pin!(read);
    tokio::select! {
        biased;
        read = &mut read => return read,
        () = tokio::time::sleep(DELAY) => reading.expects(requests()),
    }
    read.await
}

/// What is read now, and how much of it there is.
struct Open {
    number: u64,
    what: &'static str,
    since: Instant,
    /// How many answers there were before.
    before: usize,
    /// How many are known to be needed.
    expected: usize,
}

/// Something that is read; when this goes, so does the line.
#[must_use = "the line is shown as long as this is there"]
pub(crate) struct Reading {
    progress: Arc<Progress>,
    number: u64,
}

impl Progress {
    /// The line of this run, if somebody would see it and wants to.
    pub(crate) fn of(global: &Global) -> Option<Arc<Self>> {
        let people =
            matches!(global.format, None | Some(OutputFormat::Human | OutputFormat::Markdown | OutputFormat::Concise));
        if global.quiet || !people || global.log_format == LogFormat::Json || !output::stderr_may_move() {
            return None;
        }
        Some(Arc::clone(LINE.get_or_init(|| Arc::new(Self::on(ProgressDrawTarget::stderr)))))
    }

    fn on(target: impl Fn() -> ProgressDrawTarget + Send + Sync + 'static) -> Self {
        Self { state: Mutex::default(), counts: Mutex::default(), wake: Condvar::new(), target: Box::new(target) }
    }

    /// Says that something is read from now on.
    pub(crate) fn reading(self: &Arc<Self>, what: &'static str) -> Reading {
        let reading = self.begin(what, Instant::now());
        let mut state = lock(&self.state);
        if !state.draws {
            let progress = Arc::clone(self);
            state.draws = thread::Builder::new().name("progress".to_owned()).spawn(move || progress.go_on()).is_ok();
        }
        drop(state);
        self.wake.notify_all();
        reading
    }

    fn begin(self: &Arc<Self>, what: &'static str, now: Instant) -> Reading {
        let before = lock(&self.counts).answered();
        let mut state = lock(&self.state);
        state.began += 1;
        let number = state.began;
        state.first.get_or_insert(now);
        state.open.push(Open { number, what, since: now, before, expected: 0 });
        Reading { progress: Arc::clone(self), number }
    }

    /// The same transport, with its requests counted.
    pub(crate) fn counted(self: &Arc<Self>, transport: Arc<dyn Transport>) -> Arc<dyn Transport> {
        Arc::new(Counted { transport, progress: Arc::clone(self) })
    }

    /// Draws while there is something to be shown.
    fn go_on(self: Arc<Self>) {
        let mut state = lock(&self.state);
        loop {
            while state.open.is_empty() {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let now = Instant::now();
            if !state.listens && state.is_due(now) {
                state.listens = true;
                listen();
            }
            self.draw(&mut state, now);
            (state, _) = self.wake.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn draw(&self, state: &mut State, now: Instant) {
        let Some(open) = state.open.last().filter(|_| state.is_due(now)) else { return };
        let message = lock(&self.counts).message(open, now);
        let bar = state.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, (self.target)());
            let style = ProgressStyle::with_template("{spinner} {wide_msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        if bar.message() != message {
            bar.set_message(message);
        }
        bar.tick();
    }

    fn end(&self, number: u64) {
        let mut state = lock(&self.state);
        state.open.retain(|open| open.number != number);
        if state.open.is_empty() {
            state.clear();
        }
    }
}

impl State {
    /// Whether it took long enough to be shown.
    fn is_due(&self, now: Instant) -> bool {
        self.first.is_some_and(|first| now.saturating_duration_since(first) >= DELAY)
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Reading {
    /// Takes note that it takes so many requests, at least.
    fn expects(&self, requests: usize) {
        let mut state = lock(&self.progress.state);
        if let Some(open) = state.open.iter_mut().find(|open| open.number == self.number) {
            open.expected = requests;
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.progress.end(self.number);
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

/// Prints something that is not the line, which stands below it again afterwards.
pub(crate) fn around<T>(print: impl FnOnce() -> T) -> T {
    let Some(progress) = LINE.get() else { return print() };
    // Drawing is quick. Should it ever hang, what there is to say is said all the same.
    for _ in 0..100 {
        let state = match progress.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                thread::sleep(Duration::from_millis(2));
                continue;
            }
        };
        return match &state.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        };
    }
    print()
}

/// Takes the line away for good: the process ends at once.
pub(crate) fn take_away() {
    if let Some(progress) = LINE.get() {
        let mut state = lock(&progress.state);
        state.open.clear();
        state.clear();
    }
}

/// Says that Ctrl-C is somebody else's from now on.
pub(crate) fn is_heard() {
    HEARD.store(true, Ordering::Relaxed);
}

/// Who is interrupted while the line is there must not find it in front of the next prompt. Where nobody else listens, this ends the
/// process, as the signal by itself would. It listens when this returns: before the line is drawn for the first time.
fn listen() {
    let (ready, is_ready) = mpsc::channel();
    let listening = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            loop {
                let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
                // Listening begins with the first look.
                let heard = match futures_util::poll!(&mut interrupt) {
                    Poll::Ready(heard) => heard,
                    Poll::Pending => {
                        let _ = ready.send(());
                        interrupt.await
                    }
                };
                if heard.is_err() {
                    return;
                }
                if !HEARD.load(Ordering::Relaxed) {
                    take_away();
                    std::process::exit(Exit::Interrupted as i32);
                }
            }
        });
    };
    // Without it the line may stay behind, and that is all.
    if thread::Builder::new().name("interrupt".to_owned()).spawn(listening).is_ok() {
        let _ = is_ready.recv();
    }
}

/// What is behind the locks is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
