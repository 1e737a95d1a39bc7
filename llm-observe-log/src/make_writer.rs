//! The writer behind `tracing_subscriber::fmt`.

use std::io;

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::{file::LogFile, level::Level, line_buffer::LineBuffer, writer::LogWriter};

/// Every event is written with its own level: an error wakes the writer thread at once, and lower
/// levels are dropped first when the buffer is full.
///
/// ```
/// use llm_observe_log::LogOptions;
/// # let dir = std::env::temp_dir().join(format!("llm-observe-log-make-{}", std::process::id()));
///
/// let writer = LogOptions::new(&dir, "app.log").open()?;
/// let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
/// tracing::subscriber::with_default(subscriber, || tracing::info!("ready"));
/// # let text = std::fs::read_to_string(dir.join("app.log"))?;
/// # assert!(text.ends_with("ready\n"), "{text:?}");
/// # std::fs::remove_dir_all(dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = EventWriter<'a>;

    fn make_writer(&'a self) -> EventWriter<'a> {
        EventWriter::new(self, Level::Info)
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> EventWriter<'a> {
        EventWriter::new(self, Level::from(*metadata.level()))
    }
}

/// Writes one event of `tracing`; made by [`LogWriter`] as a
/// [`MakeWriter`](tracing_subscriber::fmt::MakeWriter).
#[derive(Debug)]
pub struct EventWriter<'a> {
    file: &'a LogFile,
    level: Level,
    buffer: LineBuffer,
}

impl<'a> EventWriter<'a> {
    fn new(writer: &'a LogWriter, level: Level) -> EventWriter<'a> {
        EventWriter {
            file: writer.file(),
            level,
            buffer: LineBuffer::default(),
        }
    }
}

impl io::Write for EventWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (file, level) = (self.file, self.level);
        self.buffer.push(bytes, |line| file.write(level, line));
        Ok(bytes.len())
    }

    /// Does nothing: lines are safe from the moment they are taken.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for EventWriter<'_> {
    fn drop(&mut self) {
        let (file, level) = (self.file, self.level);
        self.buffer.finish(|line| file.write(level, line));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::{
        Layer, Registry,
        layer::{Context, SubscriberExt},
    };

    use super::*;
    use crate::options::LogOptions;

    /// Notes with which level each event would be written.
    struct Levels(LogWriter, Arc<Mutex<Vec<Level>>>);

    impl Layer<Registry> for Levels {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, Registry>) {
            let level = self.0.make_writer_for(event.metadata()).level;
            self.1.lock().unwrap().push(level);
        }
    }

    #[test]
    fn each_event_is_written_with_its_own_level() {
        let dir = std::env::temp_dir().join(format!("llm-observe-log-{:016x}", fastrand::u64(..)));
        let writer = LogOptions::new(&dir, "app.log").open().unwrap();
        let levels = Arc::default();
        let subscriber = tracing_subscriber::registry().with(Levels(writer, Arc::clone(&levels)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!("away");
            tracing::warn!("slow");
            tracing::info!("ready");
            tracing::debug!("asked");
            tracing::trace!("polled");
        });
        let all = [
            Level::Error,
            Level::Warn,
            Level::Info,
            Level::Debug,
            Level::Trace,
        ];
        assert_eq!(*levels.lock().unwrap(), all);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
