//! A console comes back for a snapshot when something is missing, and stops when it is told to.

use std::time::Duration;

use doorstep_shared::protocol::{
    Codec,
    fleet::{FleetEvent, FleetPositions, FleetSnapshot},
};
use doorstep_simulator::{FleetBot, FleetOptions, random::generator};

use crate::stage::{PATIENCE, Stage};

fn snapshot() -> FleetEvent {
    FleetEvent::Snapshot(FleetSnapshot { seq: 0, server_time_ms: 0, couriers: vec![], orders: vec![] })
}

fn batch(seq: u64) -> FleetEvent {
    FleetEvent::Positions(FleetPositions { seq, fixes: vec![] })
}

#[tokio::test]
async fn a_gap_brings_the_console_back_for_a_snapshot_and_4500_sends_it_away() {
    for codec in Codec::ALL {
        let stage = Stage::new().await;
        let bot = FleetBot::start(FleetOptions {
            server: stage.server(),
            api_key: "ds_key".into(),
            codec,
            random: generator(1, 0),
        });
        let mut peer = stage.accept().await;
        assert_eq!((peer.path.as_str(), peer.authorization.as_deref()), ("/ws/fleet", Some("Bearer ds_key")));
        peer.send(&snapshot()).await;
        peer.send(&batch(1)).await;
        peer.send(&batch(3)).await;
        let mut again = stage.accept().await;
        again.send(&snapshot()).await;
        assert!(bot.wait_until(PATIENCE, |log| log.connections == 2 && log.is_live).await);
        again.close(4500).await;
        assert!(bot.wait_until(PATIENCE, |log| log.stopped_with == Some(4500)).await);
        assert!(!stage.is_called(Duration::from_millis(800)).await);
        let log = bot.stop().await;
        assert_eq!((log.picture.gaps, log.picture.batches, log.received.frames, log.snapshots.frames), (1, 1, 4, 2));
        assert_eq!(log.picture.violations, Vec::<String>::new());
    }
}
