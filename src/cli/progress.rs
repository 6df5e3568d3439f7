//! How far a scan is, on stderr: a line for accounts and one for buckets, gone when the scan is over.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::collect;

/// Between two drawings. A thread of its own draws: what is counted in the meantime costs a few atomic operations,
/// and the time goes on when a scan has to wait.
const REDRAW: Duration = Duration::from_millis(100);

/// Clones share one display: every task may have one.
#[derive(Debug, Clone)]
pub struct Progress(Option<Arc<Display>>);

#[derive(Debug)]
struct Display {
    lines: MultiProgress,
    accounts: ProgressBar,
    buckets: ProgressBar,
}

impl Progress {
    /// Silent with `quiet`, and where nobody looks: when stderr is no terminal.
    pub fn stderr(quiet: bool) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self::silent();
        }
        Self::on(ProgressDrawTarget::stderr())
    }

    pub fn silent() -> Self {
        Self(None)
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let lines = MultiProgress::with_draw_target(target);
        let line = |name: &'static str| {
            let line = lines.add(ProgressBar::no_length()).with_prefix(name);
            line.set_style(style());
            line.enable_steady_tick(REDRAW);
            line
        };
        let (accounts, buckets) = (line("accounts"), line("buckets"));
        Self(Some(Arc::new(Display { lines, accounts, buckets })))
    }

    /// Clears the display, so that what is printed next starts on an empty line.
    pub fn finish(&self) {
        self.each(|display| {
            display.accounts.finish_and_clear();
            display.buckets.finish_and_clear();
        });
    }

    /// Runs `write`, which writes whole lines to the terminal, while the display is out of their way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.0 {
            None => write(),
            Some(display) => display.lines.suspend(write),
        }
    }

    /// Clears the display, for a question on the terminal, until [`Progress::show`].
    pub fn hide(&self) {
        self.each(|display| {
            let _ = display.lines.clear();
            display.lines.set_draw_target(ProgressDrawTarget::hidden());
        });
    }

    pub fn show(&self) {
        self.each(|display| display.lines.set_draw_target(ProgressDrawTarget::stderr()));
    }

    fn each(&self, update: impl FnOnce(&Display)) {
        if let Some(display) = &self.0 {
            update(display);
        }
    }
}

impl collect::Progress for Progress {
    fn accounts_found(&self, accounts: u64) {
        self.each(|display| lengthen(&display.accounts, accounts));
    }

    fn account_done(&self) {
        self.each(|display| display.accounts.inc(1));
    }

    fn buckets_found(&self, buckets: u64) {
        self.each(|display| lengthen(&display.buckets, buckets));
    }

    fn bucket_done(&self) {
        self.each(|display| display.buckets.inc(1));
    }
}

/// A line begins without a length: one of 0 would be drawn as done.
fn lengthen(line: &ProgressBar, count: u64) {
    line.update(|state| state.set_len(state.len().unwrap_or(0).saturating_add(count)));
}

fn style() -> ProgressStyle {
    let template = "{prefix:>8} [{bar:30}] {human_pos}/{human_len} in {elapsed}";
    ProgressStyle::with_template(template).expect("the template is a constant that parses").progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use indicatif::TermLike;

    use super::*;
    use crate::collect::Progress as _;

    /// A terminal that writes down what it is told.
    #[derive(Debug, Clone, Default)]
    struct Recorder(Arc<Mutex<String>>);

    impl Recorder {
        fn push(&self, text: &str) {
            self.0.lock().expect("no test panics with the lock").push_str(text);
        }

        fn text(&self) -> String {
            self.0.lock().expect("no test panics with the lock").clone()
        }
    }

    impl TermLike for Recorder {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.push(text);
            Ok(())
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.push(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.push("<clear>");
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Progress whose lines have been drawn once.
    fn shown() -> (Progress, Recorder) {
        let terminal = Recorder::default();
        let progress = Progress::on(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        progress.accounts_found(2);
        progress.buckets_found(1_000);
        while !(terminal.text().contains("0/2") && terminal.text().contains("0/1,000")) {
            std::thread::sleep(REDRAW);
        }
        (progress, terminal)
    }

    #[test]
    fn the_lines_are_cleared_before_a_log_line_and_drawn_again_after_it() {
        let (progress, terminal) = shown();
        progress.suspend(|| terminal.push("<log>"));
        let text = terminal.text();
        let (before, after) = text.split_once("<log>").expect("logged");
        let cleared = before.rfind("<clear>").expect("cleared");
        assert!(!before[cleared..].contains("accounts") && !before[cleared..].contains("buckets"), "{before}");
        assert!(after.contains("accounts") && after.contains("buckets"), "{after}");
    }

    #[test]
    fn nothing_is_left_at_the_end() {
        let (progress, terminal) = shown();
        progress.account_done();
        progress.finish();
        let text = terminal.text();
        let last = text.rfind("<clear>").expect("cleared");
        assert!(!text[last..].contains("accounts") && !text[last..].contains("buckets"), "{text}");
    }

    #[test]
    fn a_thousand_buckets_are_drawn_a_few_times() {
        let (progress, terminal) = shown();
        (0..1_000).for_each(|_| progress.bucket_done());
        progress.finish();
        assert!(terminal.text().matches("buckets").count() < 500);
    }

    #[test]
    fn silent_progress_still_lets_logs_through() {
        let progress = Progress::silent();
        progress.buckets_found(1);
        progress.finish();
        assert_eq!(progress.suspend(|| 7), 7);
    }
}
