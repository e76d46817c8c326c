//! The short form of `make torture`.

use sextant_tests::torture::{Form, Scenario};

/// One after the other: what is measured is the server, and not the other scenarios.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_stands_what_strangers_do() {
    let mut wrong = Vec::new();
    for scenario in Scenario::ALL.into_iter().filter(|scenario| !scenario.proves()) {
        let began = std::time::Instant::now();
        let outcome = scenario.run(Form::Short).await;
        println!("{} ({:.1} s)\n{outcome}", scenario.name(), began.elapsed().as_secs_f64());
        wrong.extend(outcome.wrong().iter().map(|what| format!("{}: {what}", scenario.name())));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn scenarios_are_found_by_their_names() {
    for scenario in Scenario::ALL {
        assert_eq!(Scenario::from_name(scenario.name()), Some(scenario));
    }
    assert_eq!(Scenario::from_name("nothing"), None);
}
