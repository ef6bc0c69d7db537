//! Long work, as it goes on: a bar on a terminal, else a line now and then, or JSON for machines.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::Ui;

/// How it is told.
enum Way {
    Bar(ProgressBar),
    /// A line every so often.
    Lines(Duration),
    Json,
    Silent,
}

/// Tells how far long work is.
pub struct Progress {
    ui: Ui,
    way: Way,
    told: Instant,
}

/// How often a line comes off a terminal.
const LINE: Duration = Duration::from_secs(10);

/// How often JSON comes.
const JSON: Duration = Duration::from_secs(1);

impl Progress {
    /// Begins to tell of so many things. `json`: for machines.
    pub fn begin(ui: Ui, total: u64, json: bool) -> Self {
        let way = if json {
            Way::Json
        } else if ui.quiet {
            Way::Silent
        } else if ui.stderr_is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
            let style = if ui.colors_stderr() {
                "{bar:20.cyan/blue} {pos}/{len} {wide_msg}"
            } else {
                "{bar:20} {pos}/{len} {wide_msg}"
            };
            bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
            Way::Bar(bar)
        } else {
            Way::Lines(LINE)
        };
        Progress { ui, way, told: Instant::now() }
    }

    /// How often there may be something to show.
    pub fn interval(&self) -> Duration {
        match self.way {
            Way::Bar(_) => Duration::from_millis(125),
            Way::Lines(_) | Way::Json | Way::Silent => Duration::from_millis(500),
        }
    }

    /// It is that far by now: as a person reads it, and as a machine does.
    pub fn at(&mut self, done: u64, total: u64, message: &str, value: impl FnOnce() -> Value) {
        match &self.way {
            Way::Bar(bar) => {
                bar.set_position(done);
                bar.set_message(message.to_owned());
            }
            Way::Lines(every) if self.told.elapsed() >= *every => {
                self.told = Instant::now();
                let message = if message.is_empty() { String::new() } else { format!(", {message}") };
                self.ui.note(&format!("{done} of {total}{message}"));
            }
            Way::Json if self.told.elapsed() >= JSON => {
                self.told = Instant::now();
                self.ui.line(&value().to_string());
            }
            Way::Lines(_) | Way::Json | Way::Silent => {}
        }
    }

    /// Clears what was drawn; for machines the last word is said.
    pub fn end(self, value: impl FnOnce() -> Value) {
        match self.way {
            Way::Bar(bar) => bar.finish_and_clear(),
            Way::Json => self.ui.line(&value().to_string()),
            Way::Lines(_) | Way::Silent => {}
        }
    }
}
