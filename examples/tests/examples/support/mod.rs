//! Runs the built examples in separate folders, without the environment variables of real services.

pub(crate) mod mock;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Variables that could change where a run writes, or what it logs.
const FOREIGN: [&str; 16] = [
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_EMBEDDING_MODEL",
    "OPENAI_CHAT_MODEL",
    "SLACK_WEBHOOK_URL",
    "SENTRY_DSN",
    "SENTRY_ENVIRONMENT",
    "SENTRY_RELEASE",
    "OTEL_SERVICE_NAME",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_RESOURCE_ATTRIBUTES",
    "RUST_LOG",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// A folder for one test, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Creates an empty folder with a configuration that serves metrics on a free port.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("llm-observe-examples-{}-{number}", std::process::id());
        // not among the system's temporary files, which other users can write
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).expect("the target folder is writable");
        let config =
            include_str!("../../../llm-observe.toml").replace("127.0.0.1:9464", "127.0.0.1:0");
        std::fs::write(folder.join("config.toml"), config).expect("the folder is writable");
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the text of a log file, or an empty text if the file does not exist.
    pub(crate) fn log(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.join("logs").join(file)).unwrap_or_default()
    }

    /// Returns a command that runs an example in this folder.
    pub(crate) fn command(&self, example: &str) -> Command {
        let mut command = Command::new(examples().join(example));
        command
            .current_dir(&self.0)
            .env("LLM_OBSERVE_CONFIG", self.0.join("config.toml"));
        for name in FOREIGN {
            command.env_remove(name);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // after a failure the folder stays in the target folder
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running program, which ends with the test.
pub(crate) struct Running(pub(crate) Child);

#[cfg(unix)]
impl Running {
    /// Sends it SIGTERM.
    pub(crate) fn terminate(&self) {
        use rustix::process::{Pid, Signal, kill_process};

        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("a child of this process");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the output of a program, for the message of a failed assertion.
pub(crate) fn printed(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{}\n--- stdout\n{out}\n--- stderr\n{err}", output.status)
}

/// Builds the examples once and returns their folder.
///
/// `cargo test` builds an example with tests as a test only.
fn examples() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--quiet", "--examples"])
            .args(if cfg!(debug_assertions) {
                None
            } else {
                Some("--release")
            })
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the examples do not build");
        // this test is <profile>/deps/<name>; the examples are <profile>/examples/<name>
        let test = std::env::current_exe().expect("a test has a path");
        test.ancestors()
            .nth(2)
            .expect("a profile's folder")
            .join("examples")
    })
}
