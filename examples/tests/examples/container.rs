//! The example `container` from outside: what a container runtime does to it, and what is left.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use llm_observe_test_support::{
    listener::{Listener, Reply},
    peers,
};
use serde_json::Value;

use crate::support::{Folder, Running};

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(60);

const CONFIG: &str = include_str!("../../examples/container/llm-observe.toml");
const DOCKERFILE: &str = include_str!("../../examples/container/Dockerfile");

/// The service, and the lines that it has written so far.
struct Service {
    running: Running,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    url: String,
}

impl Service {
    fn start(command: &mut Command) -> Service {
        let mut running = Running(command.spawn().expect("the example runs"));
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let out = running.0.stdout.take().expect("piped");
        let seen = lines.clone();
        let reader = thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                seen.lock().expect("no panic holds it").push(line);
            }
        });
        let mut service = Service {
            running,
            lines,
            reader: Some(reader),
            url: String::new(),
        };
        let address = service.wait(|line| line["fields"]["address"].as_str().map(str::to_owned));
        service.url = format!("http://{address}");
        service
    }

    /// Returns the lines so far. Each has to be JSON.
    fn lines(&self) -> Vec<Value> {
        let lines = self.lines.lock().expect("no panic holds it");
        let parse =
            |line: &String| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        lines.iter().map(parse).collect()
    }

    /// Waits for a line in which `find` finds something.
    fn wait<T>(&self, find: impl Fn(&Value) -> Option<T>) -> T {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(found) = self.lines().iter().find_map(&find) {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "no such line in {:?}",
                self.lines()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end, and returns all lines.
    fn end(mut self) -> Vec<Value> {
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.running.0.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "it goes on");
            thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{status}");
        self.reader.take().map(JoinHandle::join);
        self.lines()
    }
}

/// Returns a command that runs the service with its configuration for a container, changed for a test.
fn command(folder: &Folder, more: &str) -> Command {
    let outbox = folder.path().join("outbox");
    let config = CONFIG.replace("/var/lib/answers/outbox", outbox.to_str().expect("UTF-8"));
    fs::write(folder.path().join("config.toml"), config + more).expect("writable");
    let mut command = folder.command("container");
    command
        .env("LISTEN", "127.0.0.1:0")
        .stderr(Stdio::inherit());
    command
}

fn client() -> reqwest::Client {
    // An error means that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
}

async fn ask(client: &reqwest::Client, url: &str) -> reqwest::Response {
    let request = client
        .post(format!("{url}/answer"))
        .body("what is lost without a volume?");
    request.send().await.expect("a response")
}

async fn text(client: &reqwest::Client, url: String) -> String {
    let response = client.get(url).send().await.expect("a response");
    response.text().await.expect("text")
}

/// Returns the value of a series of `/metrics`, by parts of its labels.
fn metric(text: &str, name: &str, labels: &[&str]) -> f64 {
    let is_it =
        |line: &&str| line.starts_with(name) && labels.iter().all(|label| line.contains(label));
    let line = text.lines().find(is_it);
    let line = line.unwrap_or_else(|| panic!("no {name} {labels:?} in {text}"));
    let (_, value) = line.rsplit_once(' ').expect("a value");
    value.parse().expect("a number")
}

fn of_event<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

/// Requests under load, some that fail; then SIGTERM in the middle of an answer and of an alert's `group_wait`.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_container_accounts_for_every_call_line_and_alert() {
    let slack = Listener::start(Reply::status(200, "ok"));
    let folder = Folder::new();
    let prompt = folder.path().join("prompt.txt");
    fs::write(&prompt, "It says here:").expect("writable");
    let mut command = command(&folder, "\n[alerts]\ngroup_wait = \"10m\"\n");
    command
        .env("PROMPT_FILE", &prompt)
        .env("SLACK_WEBHOOK_URL", slack.url("/services/T/B/x"));
    let service = Service::start(&mut command);
    let (client, url) = (client(), service.url.clone());

    let workers = (0..8).map(|_| {
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move {
            for _ in 0..5 {
                let answer = ask(&client, &url).await.text().await.expect("text");
                assert!(
                    answer.starts_with("It says here: Without a volume"),
                    "{answer}"
                );
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no panic");
    }
    fs::remove_file(&prompt).expect("there");
    for _ in 0..3 {
        assert_eq!(ask(&client, &url).await.status(), 503);
    }
    fs::write(&prompt, "It says here:").expect("writable");

    let mut stream = ask(&client, &url).await;
    let first = stream.chunk().await.expect("a chunk").expect("not empty");
    assert_eq!(text(&client, format!("{url}/readyz")).await, "ok\n");
    let metrics = text(&client, format!("{url}/metrics")).await;
    assert!(slack.requests().is_empty(), "the alert waits for its group");
    service.running.terminate();
    let mut answer = String::from_utf8_lossy(&first).into_owned();
    while let Some(chunk) = stream.chunk().await.expect("the stream goes on") {
        answer += &String::from_utf8_lossy(&chunk);
    }
    assert!(answer.ends_with("lost with the container.\n"), "{answer}");
    let lines = service.end();

    // Calls: in the metrics before the signal, and in the lines.
    let counted = |labels: &[&str]| metric(&metrics, "llm_observe_calls_total", labels);
    assert_eq!(counted(&["event=\"answer\"", "outcome=\"ok\""]), 41.0);
    assert_eq!(counted(&["event=\"prompt\"", "outcome=\"error\""]), 3.0);
    for (event, calls) in [
        ("answer", 44),
        ("prompt", 44),
        ("retrieval", 41),
        ("http_request", 44),
    ] {
        assert_eq!(of_event(&lines, event).len(), calls, "{event}");
    }
    // Lines: each belongs to its request and says where it is from.
    let ids = |event: &str| -> BTreeSet<String> {
        let lines = of_event(&lines, event).into_iter();
        lines.map(|line| line["request_id"].to_string()).collect()
    };
    assert_eq!(ids("answer").len(), 44);
    assert_eq!(ids("answer"), ids("http_request"));
    for line in &lines {
        assert_eq!(line["service"], "answers", "{line}");
        assert_eq!(line["version"], env!("CARGO_PKG_VERSION"), "{line}");
        assert!(
            line["host"].is_string() && line["environment"].is_string(),
            "{line}"
        );
    }
    // The alert: one, at once, for all three failures.
    let alerts = slack.requests();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(
        alerts[0].text().contains("prompt failing: 3 calls"),
        "{}",
        alerts[0].text()
    );
    // And nothing else is left.
    assert!(!folder.path().join("logs").exists());
    assert_eq!(
        waiting(&folder.path().join("outbox")),
        Vec::<PathBuf>::new()
    );
}

/// Slack does not answer: the service ends within its limit, and the alert waits in the volume for the next start.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_slack_does_not_take_waits_for_the_next_container() {
    let slack = Listener::start(Reply::Stall);
    let folder = Folder::new();
    let start = || {
        let mut command = command(&folder, "");
        command
            .env("PROMPT_FILE", folder.path().join("nowhere.txt"))
            .env("SLACK_WEBHOOK_URL", slack.url("/services/T/B/x"));
        Service::start(&mut command)
    };
    let service = start();
    assert_eq!(ask(&client(), &service.url).await.status(), 503);
    let asked = Instant::now();
    service.running.terminate();
    service.end();
    assert!(
        asked.elapsed() < Duration::from_secs(20),
        "{:?}",
        asked.elapsed()
    );
    let before = slack.requests().len();
    slack.usually(Reply::status(200, "ok"));
    let service = start();
    slack.wait_for(before + 1);
    service.running.terminate();
    service.end();
    let last = slack.requests().pop().expect("there is one");
    assert!(last.text().contains("prompt failing"), "{}", last.text());
    assert_eq!(
        waiting(&folder.path().join("outbox")),
        Vec::<PathBuf>::new()
    );
}

/// Returns the messages that wait in an outbox: the files that hold something, but for what is known of alerts
/// that are firing.
fn waiting(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map_while(Result::ok);
    let below = entries.flat_map(|entry| match entry.path() {
        path if path.is_dir() => waiting(&path),
        path => vec![path],
    });
    let holds = |path: &PathBuf| {
        !path.ends_with("alerts.json") && fs::metadata(path).is_ok_and(|file| file.len() > 0)
    };
    below.filter(holds).collect()
}

/// Returns what follows `instruction` in each line of the Dockerfile that begins so.
fn instructions(instruction: &str) -> Vec<&'static str> {
    let lines = DOCKERFILE.lines();
    lines
        .filter_map(|line| line.strip_prefix(instruction)?.strip_prefix(' '))
        .collect()
}

/// Where no container can be built: what the Dockerfile copies is there, and what it runs is what the tests run.
#[test]
fn the_dockerfile_builds_and_copies_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let build = "cargo build --release --locked --package llm-observe-examples --example container";
    assert_eq!(instructions("RUN"), [build]);
    let args = build.replace(" --release", "");
    let mut words = args.split(' ');
    let cargo = words.next().map(|_| env!("CARGO")).expect("a program");
    let built = Command::new(cargo).args(words).current_dir(&root).status();
    assert!(built.is_ok_and(|status| status.success()));
    for copied in instructions("COPY")
        .into_iter()
        .filter(|copy| !copy.starts_with("--from"))
    {
        let (from, _) = copied.split_once(' ').expect("from and to");
        assert!(root.join(from).exists(), "{from}");
    }
}

/// Makes a folder into the last stage of the Dockerfile; `None` when this machine lacks what it takes.
fn image(folder: &Folder) -> Option<PathBuf> {
    let root = folder.path().join("root");
    let built = folder.command("container").get_program().to_owned();
    let place = |from: &Path, to: &str| {
        let to = root.join(to.trim_start_matches('/'));
        fs::create_dir_all(to.parent()?).ok()?;
        fs::copy(from, to).ok()
    };
    place(built.as_ref(), "/usr/local/bin/answers")?;
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/container/llm-observe.toml");
    place(&config, "/etc/answers/llm-observe.toml")?;
    let libraries = Command::new("ldd").arg(&built).output().ok()?;
    let libraries = String::from_utf8_lossy(&libraries.stdout).into_owned();
    for library in libraries
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
    {
        place(&fs::canonicalize(library).ok()?, library)?;
    }
    let volume = root.join("var/lib/answers");
    fs::create_dir_all(&volume).ok()?;
    std::os::unix::fs::chown(&volume, Some(65532), Some(65532)).ok()?;
    Some(root)
}

/// As user 65532, in a root folder that it cannot write and that has nothing but the program, its libraries and its
/// configuration.
#[tokio::test(flavor = "multi_thread")]
async fn it_runs_as_the_dockerfile_says() {
    let folder = Folder::new();
    let Some(root) = image(&folder) else {
        peers::not_possible_here("the container's root folder: not root, or no ldd");
        return;
    };
    let mut command = Command::new("chroot");
    command
        .args(["--userspec=65532:65532"])
        .arg(&root)
        .arg("/usr/local/bin/answers")
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin") // where chroot is
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    for variable in instructions("ENV") {
        let (name, value) = variable.split_once('=').expect("a value");
        command.env(name, value.replace("0.0.0.0:8080", "127.0.0.1:0"));
    }
    let service = Service::start(&mut command);
    let answer = ask(&client(), &service.url)
        .await
        .text()
        .await
        .expect("text");
    assert!(answer.contains("Without a volume"), "{answer}");
    service.running.terminate();
    let lines = service.end();
    assert_eq!(of_event(&lines, "answer").len(), 1);
    let levels = lines
        .iter()
        .filter(|line| line["level"] != "INFO")
        .collect::<Vec<_>>();
    assert!(levels.is_empty(), "{levels:?}");
}

/// The page shows the files of the example, as they are.
#[test]
fn the_documents_files_are_those_of_the_example() {
    let page = include_str!("../../../docs/containers.md");
    for file in [
        DOCKERFILE,
        CONFIG,
        include_str!("../../examples/container/kubernetes.yaml"),
        include_str!("../../examples/container/service_monitor.yaml"),
        include_str!("../../examples/container/sidecar.yaml"),
    ] {
        assert!(page.contains(file), "not in docs/containers.md: {file}");
    }
}

/// The configuration in the sidecar's ConfigMap is one.
#[test]
fn the_sidecars_configuration_has_no_mistake() {
    let (_, text) = include_str!("../../examples/container/sidecar.yaml")
        .split_once("llm-observe.toml: |\n")
        .expect("it is last");
    let parsed = llm_observe::config::Config::parse(text, "sidecar.yaml".as_ref());
    assert!(parsed.is_ok(), "{parsed:?}");
}

/// Kubernetes' own schemas, which the package brings along.
#[test]
fn kubernetes_takes_the_files() {
    let Some(python) = peers::python("kubernetes_validate", "kubernetes-validate") else {
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/container");
    let check = "import sys, yaml, kubernetes_validate as k
for path in sys.argv[1:]:
    for document in yaml.safe_load_all(open(path)):
        k.validate(document, k.latest_version(), strict=True)
        print(document['kind'])";
    let output = Command::new(python)
        .args(["-c", check, "kubernetes.yaml", "sidecar.yaml"])
        .current_dir(folder)
        .output()
        .expect("python runs");
    let kinds = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let kinds: Vec<_> = kinds.lines().collect();
    assert_eq!(kinds, ["Deployment", "Service", "Deployment", "ConfigMap"]);
}
