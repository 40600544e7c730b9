//! The guarantees of every broker, tested on each of them.

use std::sync::Arc;

use doorstep_server::{
    domain::fleet::FleetChange,
    live::{
        broker::{
            Broker, Fact, Inbound, PeerLink,
            in_process::{Bus, InProcess},
            redis::{Channels, Redis, Started},
        },
        fleet::Fleet,
        hub::Hub,
    },
    platform::tasks::Tasks,
};
use doorstep_shared::{CourierId, DeviceId, Position, RawFix};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::{RedisServer, eventually, within};

/// An instance as far as a broker knows one.
struct Instance {
    broker: Arc<dyn Broker>,
    inbound: mpsc::Receiver<Inbound>,
}

impl Instance {
    /// The next fact that is not about the link itself.
    async fn fact(&mut self) -> Fact {
        loop {
            match within("waiting for a fact", self.inbound.recv()).await.expect("the broker lives") {
                Inbound::Told { fact: Fact::Hello { .. } | Fact::Alive | Fact::Bye, .. } => {}
                Inbound::Told { fact, .. } => return fact,
                Inbound::Missed => panic!("nothing was lost"),
            }
        }
    }
}

fn heard(courier: CourierId, time_ms: i64) -> Fact {
    let fix = RawFix { time_ms, lat: 35.9, lon: 14.5, ..RawFix::default() };
    Fact::Heard { courier, device: DeviceId::new(), fixes: vec![fix] }
}

fn for_all(at_ms: i64) -> Fact {
    Fact::DeviceConnected { courier: CourierId::new(), device: DeviceId::new(), at_ms }
}

/// Everything in the contract of [`Broker`] that is about several instances.
async fn keeps_its_promises(mut ours: Instance, mut theirs: Instance) {
    eventually("connecting", async || ours.broker.link() == PeerLink::Up && theirs.broker.link() == PeerLink::Up).await;
    assert!(ours.broker.has_peers());

    // Every instance but the sender receives facts for all, in order.
    let told: Vec<_> = (0..500).map(for_all).collect();
    told.iter().for_each(|fact| ours.broker.tell(fact.clone()));
    for fact in &told {
        assert_eq!(theirs.fact().await, *fact);
    }
    theirs.broker.tell(for_all(1_000));
    assert!(matches!(ours.fact().await, Fact::DeviceConnected { at_ms: 1_000, .. }), "and not its own words before");

    // Fixes reach the followers of the courier, from the moment at which following is done until it ends.
    let (ana, ben) = (CourierId::new(), CourierId::new());
    ours.broker.tell(heard(ana, 1));
    ours.broker.tell(for_all(1));
    assert!(matches!(theirs.fact().await, Fact::DeviceConnected { at_ms: 1, .. }), "nobody follows Ana yet");
    within("following", theirs.broker.follow(ana)).await;
    within("following her again", theirs.broker.follow(ana)).await;
    ours.broker.tell(heard(ben, 2));
    ours.broker.tell(heard(ana, 2));
    ours.broker.tell(heard(ana, 3));
    for expected in [2, 3] {
        let Fact::Heard { courier, fixes, .. } = theirs.fact().await else { panic!("a fix is a fix") };
        assert_eq!((courier, fixes[0].time_ms), (ana, expected), "Ana's in order, and no other courier's");
    }
    assert_eq!(theirs.broker.followed(), [ana]);
    theirs.broker.unfollow(&[ana, ben]);
    assert!(theirs.broker.followed().is_empty());
    // Following another courier is done after the unfollowing, so Ana's fix cannot be on its way any more.
    within("following", theirs.broker.follow(ben)).await;
    ours.broker.tell(heard(ana, 4));
    ours.broker.tell(heard(ben, 5));
    let Fact::Heard { courier, .. } = theirs.fact().await else { panic!("a fix is a fix") };
    assert_eq!(courier, ben);

    // A change to the fleet reaches the others as a fact; of movements only the newest does.
    let at = |time_ms| Position { time_ms, lat: 35.9, lon: 14.5, accuracy_m: None, speed_mps: None, heading_deg: None };
    for time_ms in 1..=50 {
        let moved = FleetChange::Moved { courier: ana, position: at(time_ms), battery: Some(0.5) };
        ours.broker.publish_fleet(moved);
    }
    loop {
        let Fact::Moved(movements) = theirs.fact().await else { panic!("movements alone were told") };
        assert!(movements.iter().all(|movement| movement.courier == ana && movement.battery == Some(0.5)));
        if movements.iter().any(|movement| movement.position.time_ms == 50) {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_within_a_process_keeps_its_promises() {
    let bus = Arc::new(Bus::default());
    let instance = || {
        let (broker, inbound) = InProcess::on(&bus, Arc::default(), Arc::default());
        Instance { broker: Arc::new(broker), inbound }
    };
    keeps_its_promises(instance(), instance()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_through_redis_keeps_its_promises() {
    let server = RedisServer::start().await;
    let (tasks, shutdown) = (Tasks::default(), CancellationToken::new());
    let instance = |database: &str| {
        let client = redis::Client::open(server.url()).expect("a sound address");
        let means: (Arc<Hub>, Arc<Fleet>) = Default::default();
        let started = Redis::start(client, Channels::of(database), means, &tasks, &shutdown);
        let Started { broker, inbound, .. } = started.expect("a thread");
        Instance { broker: Arc::new(broker), inbound }
    };
    // Another deployment on the same Redis, which no instance here may receive.
    let other = instance("other");
    let chatter = tokio::spawn(async move {
        loop {
            other.broker.tell(for_all(7));
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    });
    keeps_its_promises(instance("ours"), instance("ours")).await;
    chatter.abort();
    shutdown.cancel();
    assert!(within("stopping", tasks.join(std::time::Duration::from_secs(5))).await, "its tasks end");
}

#[test]
fn a_server_on_its_own_sends_no_facts() {
    let broker = InProcess::new(Arc::default(), Arc::default());
    assert_eq!((broker.has_peers(), broker.link()), (false, PeerLink::Alone));
    assert!(broker.followed().is_empty());
}
