//! What the service logs. The tests of this binary share one process and so one log; whoever reads
//! it looks for words of its own, such as the URL of its issuer.

use std::io::{self, Write};
use std::sync::{LazyLock, Mutex};

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Keeps everything that countersign logs from now on, in all the detail that it can
/// be asked for.
pub fn keep() {
    static KEEPING: LazyLock<()> = LazyLock::new(|| {
        let all = Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("countersign", LevelFilter::DEBUG);
        let lines = fmt::layer().json().flatten_event(true).with_writer(Keeper);
        tracing_subscriber::registry().with(lines.with_filter(all)).init();
    });
    LazyLock::force(&KEEPING);
}

/// The lines, one JSON object each, that have `word` in them.
pub fn with(word: &str) -> Vec<String> {
    let bytes = LINES.lock().unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    text.lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
}

#[derive(Clone, Copy)]
struct Keeper;

impl Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Keeper {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}
