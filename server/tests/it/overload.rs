//! What strangers can do to the server's connections and memory, and cannot do to couriers.

use std::time::{Duration, Instant};

use doorstep_area::{built_in, files};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::{
    cli::{Serving, doorstep},
    support::{
        Answer, BUILT_IN_AREA, PATIENCE, Socket, TestApp, eventually, now_ms, step, with_app, with_settings, within,
    },
};

/// The address of the built-in area's map, of some megabytes.
fn map() -> String {
    format!("/area/{}/{}", built_in::manifest().area.id, files::MAP)
}

/// A client that asks for `path` and takes what fits into its small buffer.
async fn asking(address: &str, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let address = address.parse().expect("an address");
    let mut tcp = within("connecting", socket.connect(address)).await.expect("the server accepts");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    within("asking", tcp.write_all(request.as_bytes())).await.expect("the server reads");
    tcp
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_who_ask_for_the_map_and_take_nothing_hold_little_memory() {
    with_app(async |app| {
        let data_dir = app.data_dir().join("another").display().to_string();
        let mut command = doorstep(&["serve", "--workers", "2", "--data-dir", &data_dir]);
        command.env("DATABASE_URL", &app.database_url);
        let serving = Serving::start_by(command).await;
        assert!(built_in::file(files::MAP).is_some_and(|map| map.len() > 2_000_000), "there is something to hold");
        let first = begun(asking(&serving.address, &map()).await).await;
        let before = resident_kib(serving.pid());
        let mut idle = vec![first];
        for _ in 0..60 {
            idle.push(begun(asking(&serving.address, &map()).await).await);
        }
        let grown = resident_kib(serving.pid()).saturating_sub(before);
        assert!(grown < 60 * 256, "{grown} KiB for 60 clients");
    })
    .await;
}

/// Waits until the answer has begun to come.
async fn begun(tcp: TcpStream) -> TcpStream {
    within("the answer", tcp.peek(&mut [0; 12])).await.expect("an answer");
    tcp
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_takes_is_given_up() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let asked = Instant::now();
        let mut idle = Vec::new();
        for _ in 0..5 {
            idle.push(begun(asking(&app.address.to_string(), &map()).await).await);
        }
        assert_eq!(app.state().accepted.len(), 5);
        eventually("every connection being given up", async || app.state().accepted.is_empty()).await;
        assert!(asked.elapsed() > Duration::from_secs(8), "slow clients have their time: {:?}", asked.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_pieces_is_the_whole() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let mut tcp = asking(&app.address.to_string(), &map()).await;
        let (mut taken, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        let wanted = built_in::file(files::MAP).expect("the program holds its map");
        while !taken.ends_with(&wanted[wanted.len() - 64..]) {
            let read = within("the next piece", tcp.read(&mut buffer)).await.expect("the connection lasts");
            assert!(read > 0, "it ended after {} bytes", taken.len());
            taken.extend_from_slice(&buffer[..read]);
        }
        assert!(taken.ends_with(wanted), "the pieces are the whole");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_for_ever_is_hung_up_on() {
    with_app(async |app| {
        let mut tcp = within("connecting", TcpStream::connect(app.address)).await.expect("the server accepts");
        let head = "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                    Transfer-Encoding: chunked\r\n\r\n";
        within("asking", tcp.write_all(head.as_bytes())).await.expect("the server reads");
        let (mut reading, mut writing) = tcp.into_split();
        let answer = tokio::spawn(async move {
            let mut answer = Vec::new();
            // A reset after the answer is as good an end as any.
            let _ = reading.read_to_end(&mut answer).await;
            answer
        });
        let began = Instant::now();
        while !answer.is_finished() && began.elapsed() < PATIENCE {
            let _ = writing.write_all(b"1\r\n \r\n").await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let answer = within("the server hanging up", answer).await.expect("reading does not panic");
        assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
        eventually("the connection being gone", async || app.state().accepted.is_empty()).await;
    })
    .await;
}

/// Opens a connection, is answered once, and keeps it.
async fn keeping_alive(app: &TestApp) -> TcpStream {
    begun(asking(&app.address.to_string(), "/health/live").await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn couriers_get_in_and_stay_while_strangers_hold_every_connection() {
    with_settings(&["--max-connections=64"], async |app| {
        let (ana, order) = (app.courier("Ana").await, app.order("A-1").await);
        let mut strangers = Vec::new();
        for _ in 0..200 {
            strangers.push(keeping_alive(app).await);
        }
        let mut phone = app.connect(&ana).await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        for _ in 0..200 {
            strangers.push(keeping_alive(app).await);
        }
        assert!(app.state().accepted.len() <= 140, "{} are open", app.state().accepted.len());
        assert_eq!(phone.report(1, &[step(now_ms(), 0)]).await["stored"], 1, "the phone was not cut for them");
        page.everything_so_far().await;
        let (mut first, mut rest) = (strangers.remove(0), Vec::new());
        within("the longest idle being hung up on", first.read_to_end(&mut rest)).await.expect("a clean end");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn couriers_get_in_when_customers_hold_every_socket() {
    with_settings(&["--max-connections=4"], async |app| {
        let order = app.order("A-1").await;
        let mut pages = Vec::new();
        for _ in 0..4 {
            pages.push(app.watch(&order).await);
        }
        let path = format!("/ws/track/{}", order.token);
        assert_eq!(Socket::try_connect(app, &path, &[]).await.err().expect("it is full").status, 429);
        // Eight places are for couriers and dispatchers, and for the ninth a customer leaves.
        let mut phones = Vec::new();
        for n in 0..9 {
            let courier = app.courier(&format!("Courier {n}")).await;
            phones.push(app.connect(&courier).await);
        }
        assert_eq!(pages[0].close_code().await, 4003, "who has been silent for longest");
        pages[1].everything_so_far().await;
        for phone in &mut phones {
            assert_eq!(phone.report(1, &[step(now_ms(), 0)]).await["stored"], 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_link_takes_its_share_of_sockets_and_no_more() {
    with_settings(&["--trust-proxy"], async |app| {
        let (shared, other) = (app.order("A-1").await, app.order("A-2").await);
        let path = format!("/ws/track/{}", shared.token);
        let mut pages = Vec::new();
        for n in 0..100 {
            let from = format!("192.0.2.{}", n % 5);
            pages.push(Socket::connect(app, &path, &[("x-forwarded-for", &from)]).await);
        }
        let from = [("x-forwarded-for", "198.51.100.1")];
        let refusal = Socket::try_connect(app, &path, &from).await.err().expect("the link has its share");
        assert_eq!((refusal.status, refusal.code.as_str()), (429, "too_many_attempts"));
        Socket::connect(app, &format!("/ws/track/{}", other.token), &from).await.expect("snapshot").await;
        drop(pages.pop());
        eventually("the place being free", async || Socket::try_connect(app, &path, &from).await.is_ok()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_courier_s_fixes_have_an_allowance_and_a_real_backlog_fits_into_it() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let (mut backlog, began) = (app.connect(&ana).await, Instant::now());
        let first_ms = now_ms() - 20_000_000;
        for id in 0..40 {
            let fixes: Vec<_> = (0..500).map(|n| step(first_ms + (id * 500 + n) * 1_000, n % 7)).collect();
            backlog.send_fixes(id as u64, &fixes).await;
        }
        for _ in 0..40 {
            assert_eq!(backlog.expect("ack").await["stored"], 500);
        }
        assert!(began.elapsed() < Duration::from_secs(60), "a real backlog of 20 000 took {:?}", began.elapsed());

        let courier = ben.id.parse().expect("an id");
        app.state().ingest.rows_of(courier).spend(40_000);
        let mut phone = app.connect(&ben).await;
        phone.send_fixes(1, &[step(now_ms(), 0)]).await;
        let url = format!("/ingest/osmand?id={}&lat=35.9&lon=14.5", ben.device_token);
        let refused = Answer::to(app.bare(Method::GET, &url)).await;
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 60), "{refused:?}");
        refused.expect_problem(503, "slow_down");
        assert_eq!(backlog.report(41, &[step(now_ms(), 1)]).await["stored"], 1, "another courier waits for nobody");
        assert_eq!(app.stored(&ben).await, 0, "and who sent too much is not read");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_s_pings_have_an_allowance() {
    with_app(async |app| {
        let order = app.order("A-1").await;
        let (mut page, mut other) = (app.watch(&order).await, app.watch(&order).await);
        let ping = [0x89, 0x80, 0, 0, 0, 0].repeat(100);
        within("sending", page.tcp().write_all(&ping)).await.expect("the connection is open");
        for _ in 0..60 {
            page.pong().await;
        }
        let empty = Instant::now();
        for _ in 0..10 {
            page.pong().await;
        }
        assert!(empty.elapsed() > Duration::from_millis(1_000), "ten more came within {:?}", empty.elapsed());
        other.everything_so_far().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_addresses_that_are_hard_to_find_is_answered_in_time() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let words = "Triq San Triq Santa Marija Triq il Kbira Block Sliema Valletta Flat ".repeat(4);
        let row = |n: usize| format!("H-{n},{n} {words} {n},{n} {words} {},Eve\n", n + 1);
        let head = "reference,pickup_address,dropoff_address,customer_name\n";
        let file: String = std::iter::once(head.to_owned()).chain((0..250).map(row)).collect();
        assert!(file.len() > 140_000, "{}", file.len());
        let began = Instant::now();
        let request = app.request(Method::POST, "/api/v1/orders/import?preview=true");
        let answer = Answer::to(request.header("content-type", "text/csv").body(file)).await;
        assert!([200, 422].contains(&answer.status.as_u16()), "{}", answer.text());
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    })
    .await;
}
