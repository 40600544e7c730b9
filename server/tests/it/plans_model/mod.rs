//! Whatever dispatch and couriers do, and in whatever order it arrives: the plan over REST, the courier's phone and the
//! customers' pages agree, and of each courier's customers exactly the one whose stop is first sees them.
//!
//! Random steps from a fixed seed, some of them two at once, against real servers and a database. Phones lose their network
//! and send what was pressed meanwhile when they are back, in order and with its time. After each step all screens are
//! compared. Requests may be refused; they may not fail.

mod phone;
mod screens;
mod steps;

use doorstep_server::store::access::Role;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use self::{phone::Phone, screens::World, steps::Step};
use crate::support::{TestApp, with_app, with_two_instances};

const STEPS_IN_A_ROUND: usize = 12;
const ORDERS: usize = 4;

/// Rounds of steps that a seed makes up, against one server or two.
async fn play(apps: [&TestApp; 2], seed: [u8; 32], rounds: usize) {
    let dora = apps[0].person("dora@example.com", Role::Dispatcher).await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for round in 0..rounds {
        let steps = prop::collection::vec(steps::step(), STEPS_IN_A_ROUND).new_tree(&mut runner);
        let steps = steps.expect("steps can be made up").current();
        let mut phones = [Phone::connect(apps, 0, "Ana").await, Phone::connect(apps, 1, "Ben").await];
        let mut world = World::new(apps, &dora, round).await;
        let ends = [0, 1].map(|courier| Step::Back { courier });
        for step in steps.iter().chain(&ends) {
            steps::take(step, &world, &mut phones).await;
            world.check(&mut phones, step).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_all_screens_agree_and_one_customer_sees_the_courier() {
    with_app(async |app| play([app, app], *b"an order has one plan,a plan one", 14).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_matter_which_of_two_instances_hears_of_it() {
    with_two_instances(async |a, b, _| play([a, b], *b"two instances,one plan:all agree", 8).await).await;
}
