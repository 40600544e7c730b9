//! The `doorstep` command as it was built.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use nix::{sys::signal::Signal, unistd::Pid};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    embedded::Cluster,
    support::{Answer, Database, eventually, with_app, within},
};

/// The command without any setting from our own environment.
pub(crate) fn doorstep(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorstep"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars()
        .filter(|(name, _)| name.starts_with("DOORSTEP_") || name == "DATABASE_URL" || name == "RUST_LOG")
    {
        command.env_remove(name);
    }
    command
}

pub(crate) async fn output(mut command: Command) -> Output {
    let finished = tokio::task::spawn_blocking(move || command.output()).await.expect("waiting does not panic");
    finished.expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the command writes text")
}

/// Standard output of a command that succeeds.
pub(crate) async fn stdout(command: Command) -> String {
    let output = output(command).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_printed_alone_and_works_within_its_scopes() {
    with_app(async |app| {
        let create = |scopes: &[&str]| {
            let mut command = doorstep(&["api-key", "create", "--name", "a test"]);
            command.args(scopes).env("DATABASE_URL", &app.database_url);
            command
        };
        let everything = stdout(create(&[])).await;
        let key = everything.strip_suffix('\n').expect("one line");
        assert!(key.starts_with("ds_") && key.len() == 35 && !key.contains(char::is_whitespace), "{everything:?}");
        let narrow = stdout(create(&["--scope", "orders:read", "--scope", "fleet:read"])).await;
        for (key, orders, couriers) in [(key, 200, 200), (narrow.trim_end(), 200, 403)] {
            for (path, status) in [("/api/v1/orders", orders), ("/api/v1/couriers", couriers)] {
                let answer = Answer::to(app.bare(reqwest::Method::GET, path).bearer_auth(key)).await;
                assert_eq!(answer.status.as_u16(), status, "{path}");
            }
        }
        let unknown = output(create(&["--scope", "everything"])).await;
        assert!(!unknown.status.success() && unknown.stdout.is_empty());
        assert!(
            text(&unknown.stderr).contains("orders:read"),
            "it names the scopes there are: {}",
            text(&unknown.stderr)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_added_once_and_signs_in() {
    with_app(async |app| {
        let create = |email: &str, password: &str| {
            let mut command = doorstep(&["user", "create", "--role", "admin", "--email", email]);
            command.env("DATABASE_URL", &app.database_url).env("DOORSTEP_PASSWORD", password);
            command
        };
        stdout(create("Dora@example.com", "correct horse battery")).await;
        let body = serde_json::json!({ "email": "dora@example.com", "password": "correct horse battery" });
        let session = Answer::to(app.bare(reqwest::Method::POST, "/api/v1/session").json(&body)).await;
        assert_eq!(session.expect(200)["role"], "admin");
        for (email, password, reason) in [
            ("dora@example.com", "seven quiet herons", "has an account already"),
            ("eve@example.com", "short", "at least 12 characters"),
            ("eve@example.com", "Password2026!", "first that are tried"),
            ("eve", "correct horse battery", "has an @"),
        ] {
            let refused = output(create(email, password)).await;
            assert!(!refused.status.success() && text(&refused.stderr).contains(reason), "{}", text(&refused.stderr));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_what_the_server_serves() {
    let printed: Value = serde_json::from_str(&stdout(doorstep(&["openapi"])).await).expect("JSON");
    with_app(async |app| {
        assert_eq!(app.get("/api/v1/openapi.json").await.expect(200), printed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn config_prints_every_setting_and_no_secret() {
    let mut command = doorstep(&["config"]);
    command.env("DATABASE_URL", "postgres://me:hunter2@db/doorstep").env("DOORSTEP_RETENTION_DAYS", "7");
    let printed = stdout(command).await;
    for line in
        ["DOORSTEP_BIND=127.0.0.1:8080", "DOORSTEP_RETENTION_DAYS=7", "DOORSTEP_DATA_DIR=data", "#DOORSTEP_PUBLIC_URL="]
    {
        assert!(printed.lines().any(|printed| printed == line), "{line} is missing from\n{printed}");
    }
    assert!(printed.contains("DATABASE_URL") && !printed.contains("hunter2"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_a_sentence_and_not_a_trace() {
    let nowhere = ["serve", "--database-url", "postgres://localhost:1/x"];
    let everywhere = [&nowhere[..], &["--bind", "0.0.0.0:0"]].concat();
    let below = [&nowhere[..], &["--bind", "127.0.0.1:0", "--public-url", "https://example.com/track"]].concat();
    let cases: [(&[&str], &str); 6] = [
        (&everywhere, "DOORSTEP_PUBLIC_URL"),
        (&below, "DOORSTEP_PUBLIC_URL=https://example.com"),
        (&["serve", "--bind", "nowhere"], "--bind"),
        (&["serve", "--retention-days", "0"], "--retention-days"),
        (&nowhere, "doorstep: "),
        (&["migrate", "--database-url", "nonsense"], "DATABASE_URL is not a Postgres address"),
    ];
    for (arguments, expected) in cases {
        let output = output(doorstep(arguments)).await;
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said.contains(expected) && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_of_connections_that_cannot_be_kept_is_refused_at_the_start() {
    let mut command = Command::new("sh");
    let serve = "ulimit -n 1024; exec \"$0\" serve --max-connections 19000 --database-url postgres://localhost:1/x";
    command.args(["-c", serve, env!("CARGO_BIN_EXE_doorstep")]).stdin(Stdio::null());
    let output = output(command).await;
    let said = text(&output.stderr);
    assert!(!output.status.success(), "it would turn couriers away: {said}");
    assert!(said.contains("19000 live connections need") && said.contains("DOORSTEP_MAX_CONNECTIONS to "), "{said}");
}

/// A `doorstep serve` of its own, stopped with the test.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
    /// What it has logged since then, a line each.
    log: Arc<Mutex<String>>,
    /// Reads the log to its end.
    reader: Option<JoinHandle<()>>,
    /// How long that took: what this machine needs for such things today.
    took: Duration,
}

impl Serving {
    async fn start(data_dir: &str) -> Self {
        Self::start_by(doorstep(&["serve", "--data-dir", data_dir])).await
    }

    /// With a command of its own, which gets a port and readable logs.
    pub(crate) async fn start_by(mut command: Command) -> Self {
        let began = Instant::now();
        command.args(["--bind", "127.0.0.1:0", "--log-json"]);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the command starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let log = Arc::<Mutex<String>>::default();
        let logged = Arc::clone(&log);
        let listening = tokio::task::spawn_blocking(move || {
            let mut lines = lines.map_while(Result::ok);
            let address = lines.by_ref().find_map(|line| {
                let line: Value = serde_json::from_str(&line).ok()?;
                (line["fields"]["message"] == "listening")
                    .then(|| line["fields"]["address"].as_str().map(str::to_owned))?
            });
            // The pipe is read to its end, or the server would block on it.
            let reader = std::thread::spawn(move || {
                for line in lines {
                    let mut log = logged.lock().unwrap_or_else(PoisonError::into_inner);
                    log.push_str(&line);
                    log.push('\n');
                }
            });
            (address, reader)
        });
        let (address, reader) = listening.await.expect("reading does not panic");
        let address = address.expect("it says where it listens");
        Self { child, address, log, reader: Some(reader), took: began.elapsed() }
    }

    /// How often the log says this.
    pub(crate) fn said(&self, what: &str) -> usize {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).matches(what).count()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it, and gives the lines of its whole log that ask for a person.
    async fn stop(mut self) -> Vec<String> {
        self.signal(Signal::SIGTERM);
        let ended = tokio::task::spawn_blocking(move || {
            self.child.wait().expect("it ends");
            self.reader.take().expect("it was not stopped before").join().expect("reading does not panic");
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            log.lines().filter(|line| line.contains("\"ERROR\"")).map(str::to_owned).collect()
        });
        ended.await.expect("waiting does not panic")
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).expect("a process id"));
        nix::sys::signal::kill(pid, signal).expect("it runs");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_can_be_made_while_serve_runs_on_its_own_database_and_when_it_does_not() {
    let cluster = Cluster::new("served");
    let data_dir = cluster.home().display().to_string();
    let make_key = async || {
        stdout(doorstep(&["api-key", "create", "--name", "x", "--data-dir", &data_dir])).await.trim_end().to_owned()
    };
    let early_key = make_key().await;
    assert!(!cluster.is_running().await, "a command that started the database stops it again");

    let mut serving = Serving::start(&data_dir).await;
    let key = make_key().await;
    let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client needs nothing");
    let url = format!("http://{}/api/v1/orders", serving.address);
    for key in [&early_key, &key] {
        assert_eq!(Answer::to(http.get(&url).bearer_auth(key)).await.status, 200);
    }
    assert!(cluster.is_running().await, "a command leaves the database of the server alone");

    cluster.kill(Signal::SIGKILL).await;
    let again = async || Answer::to(http.get(&url).bearer_auth(&key)).await.status == 200;
    eventually("the server starting its database again", again).await;

    let (asked, took) = (Instant::now(), serving.took);
    serving.signal(Signal::SIGTERM);
    let status = tokio::task::spawn_blocking(move || serving.child.wait().map(|status| (status, asked.elapsed())));
    let (status, elapsed) = status.await.expect("waiting does not panic").expect("it ends");
    let allowed = Duration::from_secs(5).max(3 * took);
    assert!(status.success() && elapsed < allowed, "{status} after {elapsed:?}; it had started in {took:?}");
    assert!(!cluster.is_running().await, "the database ends with its server");
}

/// What some client sends that is no request, or no sound one.
const MALFORMED: [&[u8]; 9] = [
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%ff%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
    b"GET / HTTP/1.1\r\nno header\r\n\r\n",
    b"GET /ws/courier HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n\r\n",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_sends_wrongly_is_no_error_in_the_log() {
    let database = Database::create().await;
    let data_dir = std::env::temp_dir().join(format!("doorstep-malformed-{}", std::process::id()));
    let data_dir = data_dir.display().to_string();
    let serving =
        Serving::start_by(doorstep(&["serve", "--data-dir", &data_dir, "--database-url", &database.url()])).await;
    for request in MALFORMED {
        let mut socket = TcpStream::connect(&serving.address).await.expect("it listens");
        socket.write_all(request).await.expect("it reads");
        // Nothing else comes.
        let _ = socket.shutdown().await;
        let mut answer = Vec::new();
        // Some are answered, all are hung up on.
        let _ = within("hanging up", socket.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(!answer.starts_with("HTTP/1.1 5"), "{answer}");
    }
    let http = reqwest::Client::builder().no_proxy().build().expect("a client needs nothing");
    for body in ["{", "\u{0}", r#"{"email":"a\u0000@example.com","password":"wrong horse battery"}"#] {
        let session = http.post(format!("http://{}/api/v1/session", serving.address));
        let answer = Answer::to(session.header("content-type", "application/json").body(body)).await;
        assert!((400..500).contains(&answer.status.as_u16()), "{body}: {answer:?}");
    }
    assert_eq!(serving.stop().await, [""; 0]);
    let _ = std::fs::remove_dir_all(data_dir);
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_is_followed_by_one_that_finds_everything() {
    let cluster = Cluster::new("crashed");
    let data_dir = cluster.home().display().to_string();
    let key =
        stdout(doorstep(&["api-key", "create", "--name", "x", "--data-dir", &data_dir])).await.trim_end().to_owned();
    let first = Serving::start(&data_dir).await;
    let undisturbed = first.took;
    first.signal(Signal::SIGKILL);
    drop(first);
    let second = Serving::start(&data_dir).await;
    let allowed = Duration::from_secs(10).max(4 * undisturbed);
    assert!(second.took < allowed, "it took {:?} and before that {undisturbed:?}", second.took);
    let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client needs nothing");
    let answer = Answer::to(http.get(format!("http://{}/api/v1/orders", second.address)).bearer_auth(&key)).await;
    assert_eq!(answer.status, 200);
    second.signal(Signal::SIGINT);
    eventually("the database ending", async || !cluster.is_running().await).await;
}
