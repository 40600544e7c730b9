//! The simulator's command line.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use doorstep_simulator::{ServerUrl, crowd, demo, load, misbehaviour, pace, streets::Streets};
use tracing_subscriber::EnvFilter;

/// Couriers and customers for a Doorstep server, speaking only its public protocol.
#[derive(Parser)]
#[command(name = "simulator", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Couriers deliver in the built-in area until Ctrl-C.
    Demo(DemoArgs),
    /// Couriers and customers in numbers, on a fixed schedule; prints what the server made of it.
    Load(load::LoadOptions),
    /// Customers who only watch, kept until standard input ends.
    Crowd(crowd::CrowdOptions),
    /// The deliveries of a load test through another program, to compare with.
    Fanout(load::fanout::FanoutOptions),
    /// Counts what a phone sends at the paces that the server asks for: watched or not, near, standing, low battery.
    Pace(pace::PaceOptions),
    /// Clients that misbehave, with the checks that the server must pass.
    Trouble(misbehaviour::MisbehaviourOptions),
}

#[derive(Args)]
struct DemoArgs {
    /// Where the server is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: ServerUrl,
    /// An API key with every scope, as `doorstep api-key create` prints it.
    #[arg(long, env = "DOORSTEP_API_KEY", hide_env_values = true)]
    api_key: String,
    /// How many couriers deliver.
    #[arg(long, default_value_t = 8)]
    couriers: usize,
    /// Decides everything that is drawn; any when left out.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .init();
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    // Two cores are shared with the server: more workers would only take turns with it.
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(2);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    match cli.command {
        Command::Demo(args) => runtime.block_on(show(args)).map(|()| ExitCode::SUCCESS),
        Command::Load(options) => {
            let passed = runtime.block_on(load::run(&options))?;
            Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Crowd(options) => runtime.block_on(crowd::run(&options)).map(|()| ExitCode::SUCCESS),
        Command::Fanout(options) => {
            runtime.block_on(load::fanout::run(&options))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Trouble(options) => {
            let passed = runtime.block_on(misbehaviour::run(&options))?;
            Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Pace(options) => {
            let passed = runtime.block_on(pace::run(&options))?;
            Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

async fn show(args: DemoArgs) -> Result<()> {
    let seed = args.seed.unwrap_or_else(doorstep_simulator::random::any_seed);
    println!("seed {seed}");
    let options = demo::DemoOptions {
        server: args.server,
        api_key: args.api_key,
        couriers: args.couriers,
        seed: Some(seed),
        streets: Streets::built_in().clone(),
    };
    let interrupted = async {
        // Without a signal handler there is no Ctrl-C to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let say = |links: demo::Introduction| {
        println!("customer's link: {}", links.customer_url);
        println!("courier's sign-in link: {}", links.guest.sign_in_url);
        println!("their customer's link: {}", links.guest.customer_url);
    };
    let say_next = |customer_url: &str| println!("the customer's next link: {customer_url}");
    demo::run(options, say, say_next, interrupted).await
}
