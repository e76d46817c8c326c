use std::time::Duration;

use super::*;

type Places = Arc<Mutex<Vec<(&'static str, u32)>>>;

struct Job(&'static str, Arc<Mutex<Vec<u8>>>, Places);

impl Waiting for Job {
    fn moved(&self, position: u32) {
        self.2.lock().unwrap().push((self.0, position));
    }

    fn identities(&self) -> Vec<Identity> {
        self.1.lock().unwrap().iter().map(|client| identity(*client)).collect()
    }

    fn displaced(self) {
        self.moved(DISPLACED);
    }
}

/// The place of one that has lost it.
const DISPLACED: u32 = u32::MAX;

fn identity(client: u8) -> Identity {
    Identity::address([10, 0, 0, client].into())
}

fn job(name: &'static str, client: u8, places: &Places) -> Job {
    Job(name, Arc::new(Mutex::new(vec![client])), places.clone())
}

fn queues(count: usize, capacity: usize, share: usize) -> Arc<Queues<Job>> {
    Queues::new(std::iter::repeat_n(QueueLimits { capacity, share }, count), Arc::default())
}

#[tokio::test]
async fn queues_are_served_in_turn_and_places_move_up() {
    let places = Places::default();
    let queues = queues(2, 8, 8);
    let tickets: Vec<_> = [(0, "a1"), (0, "a2"), (0, "a3"), (1, "b1")]
        .into_iter()
        .map(|(queue, name)| queues.push(queue, job(name, 1, &places)).ok().unwrap())
        .collect();
    places.lock().unwrap().clear();
    assert_eq!(queues.next().await.0, "a1");
    assert_eq!(*places.lock().unwrap(), [("b1", 0), ("a2", 1), ("a3", 2)]);
    assert_eq!(queues.next().await.0, "b1");
    assert_eq!(queues.next().await.0, "a2");
    assert_eq!(queues.next().await.0, "a3");
    drop(tickets);
}

#[tokio::test]
async fn any_number_of_queues_is_served_in_turn() {
    let places = Places::default();
    let queues = queues(3, 8, 8);
    let names = [(0, "a1"), (0, "a2"), (1, "b1"), (1, "b2"), (2, "c1"), (2, "c2")];
    let _tickets = names.map(|(queue, name)| queues.push(queue, job(name, 1, &places)).ok().unwrap());
    assert_eq!(queues.total(), 6);
    for (position, name) in ["a1", "b1", "c1", "a2", "b2", "c2"].into_iter().enumerate() {
        let mut told = places.lock().unwrap().clone();
        told.retain(|(job, _)| *job == name);
        assert_eq!(told.last(), Some(&(name, 0)), "{position} have gone before");
        assert_eq!(queues.next().await.0, name);
    }
}

/// A queue in which nobody waits is passed by, and the next one has its turn.
#[tokio::test]
async fn the_turn_passes_an_empty_queue_by() {
    let places = Places::default();
    let queues = queues(3, 8, 8);
    let names = [(0, "a1"), (0, "a2"), (2, "c1")];
    let _tickets = names.map(|(queue, name)| queues.push(queue, job(name, 1, &places)).ok().unwrap());
    assert_eq!((0..3).map(|queue| queues.capacity(queue)).sum::<usize>(), 24);
    places.lock().unwrap().clear();
    assert_eq!(queues.next().await.0, "a1");
    assert_eq!(*places.lock().unwrap(), [("c1", 0), ("a2", 1)]);
    for name in ["c1", "a2"] {
        assert_eq!(queues.next().await.0, name);
    }
}

#[tokio::test]
async fn clients_are_served_in_turn() {
    let places = Places::default();
    let queues = queues(1, 8, 8);
    let mut tickets: Vec<_> = [("a1", 1), ("a2", 1), ("a3", 1), ("b1", 2)]
        .map(|(name, client)| queues.push(0, job(name, client, &places)).ok().unwrap())
        .into();
    assert_eq!(queues.next().await.0, "a1");
    // Whoever comes back at once does not get ahead of those who wait.
    assert_eq!(queues.next().await.0, "b1");
    tickets.push(queues.push(0, job("b2", 2, &places)).ok().unwrap());
    assert_eq!(queues.next().await.0, "a2");
    assert_eq!(queues.next().await.0, "b2");
    assert_eq!(queues.next().await.0, "a3");
}

#[tokio::test]
async fn a_shared_job_has_the_better_of_its_clients_turns() {
    let places = Places::default();
    let queues = queues(1, 8, 8);
    let shared = job("a2", 1, &places);
    let clients = shared.1.clone();
    let _tickets = [job("a1", 1, &places), shared, job("b1", 2, &places), job("c1", 3, &places)]
        .map(|job| queues.push(0, job).ok().unwrap());
    let place_of_a2 = || places.lock().unwrap().iter().rfind(|(name, _)| *name == "a2").unwrap().1;
    assert_eq!(place_of_a2(), 3, "after the others' first");
    clients.lock().unwrap().push(2);
    queues.reorder();
    assert_eq!(place_of_a2(), 1, "it is the first of the second client's");
}

#[tokio::test]
async fn a_full_queue_refuses_and_a_dropped_ticket_makes_room() {
    let places = Places::default();
    let queues = queues(2, 2, 1);
    let first = queues.push(0, job("first", 1, &places)).ok().unwrap();
    assert_eq!(queues.push(0, job("second", 1, &places)).err(), Some(NoPlace::Share(1)));
    let other = queues.push(0, job("other client", 2, &places)).ok().unwrap();
    assert_eq!(queues.push(0, job("third client", 3, &places)).err(), Some(NoPlace::Full));
    assert!(queues.push(1, job("other queue", 1, &places)).is_ok());
    drop((first, other));
    assert_eq!((queues.len(0), queues.len(1)), (0, 0), "dropped tickets leave");
    let waiting = queues.push(0, job("fourth", 1, &places)).ok().unwrap();
    queues.close();
    assert_eq!((queues.total(), queues.push(0, job("late", 1, &places)).err()), (0, Some(NoPlace::Closed)));
    drop(waiting);
}

#[tokio::test]
async fn a_dropped_ticket_takes_its_own_job_out() {
    let places = Places::default();
    let queues = queues(1, 3, 3);
    let [_first, second, _third] =
        ["first", "second", "third"].map(|name| queues.push(0, job(name, 1, &places)).ok().unwrap());
    drop(second);
    assert_eq!((queues.next().await.0, queues.next().await.0), ("first", "third"));
}

/// Not more, where a client's share leaves more, and not less in a large queue.
#[test]
fn a_quarter_of_a_queue_is_kept_for_those_who_have_nothing_in_it() {
    let places = Places::default();
    let queues = queues(1, 32, 20);
    let tickets = [1, 2].map(|client| {
        let greedy = || queues.push(0, job("greedy", client, &places)).ok();
        std::iter::from_fn(greedy).collect::<Vec<_>>()
    });
    assert_eq!(tickets.map(|tickets| tickets.len()), [20, 4]);
}

/// Whatever two clients do, a third one finds a place, in a queue of any size with the default share.
#[test]
fn clients_that_fill_their_shares_leave_places_for_others() {
    for capacity in 3..=64 {
        let places = Places::default();
        let queues = queues(1, capacity, capacity / 2);
        let mut tickets = Vec::new();
        for client in [1, 2] {
            while let Ok(ticket) = queues.push(0, job("greedy", client, &places)) {
                tickets.push(ticket);
            }
        }
        assert!(tickets.len() > capacity / 2, "of {capacity} the first has half, the second some");
        assert!(queues.push(0, job("third", 3, &places)).is_ok(), "{capacity}");
    }
}

#[test]
fn a_share_of_the_whole_queue_is_the_whole_queue() {
    let places = Places::default();
    let queues = queues(1, 5, 5);
    let tickets: Vec<_> = (0..5).map(|_| queues.push(0, job("own", 1, &places)).ok().unwrap()).collect();
    assert_eq!(queues.push(0, job("own", 1, &places)).err(), Some(NoPlace::Full));
    drop(tickets);
}

#[test]
fn joining_counts_as_waiting_but_takes_no_place() {
    let places = Places::default();
    let queues = queues(1, 2, 1);
    let _full = [1, 2].map(|client| queues.push(0, job("own", client, &places)).ok().unwrap());
    assert_eq!(queues.has_place(0, &identity(3)), Err(NoPlace::Full));
    assert_eq!(queues.may_join(0, &identity(3)), Ok(()));
    assert_eq!(queues.may_join(0, &identity(1)), Err(NoPlace::Share(1)));
}

#[tokio::test]
async fn next_waits_for_a_job() {
    let queues = queues(1, 1, 1);
    let waiter = tokio::spawn({
        let queues = queues.clone();
        async move { queues.next().await.0 }
    });
    tokio::task::yield_now().await;
    let ticket = queues.push(0, job("late", 1, &Places::default())).ok().unwrap();
    assert_eq!(waiter.await.unwrap(), "late");
    drop(ticket);
}

/// Who has brought what is not true goes after the others, however early it came.
#[tokio::test]
async fn those_who_have_wasted_time_are_served_last() {
    let places = Places::default();
    let queues = queues(1, 8, 8);
    queues.budgets.check_failed(&identity(1), Duration::from_secs(5));
    let jobs = [("a1", 1), ("a2", 1), ("b1", 2), ("c1", 3), ("b2", 2)];
    let shared = job("a and b", 1, &places);
    shared.1.lock().unwrap().push(2);
    let mut tickets: Vec<_> =
        jobs.map(|(name, client)| queues.push(0, job(name, client, &places)).ok().unwrap()).into();
    tickets.push(queues.push(0, shared).ok().unwrap());
    let mut served = Vec::new();
    for _ in 0..6 {
        served.push(queues.next().await.0);
    }
    assert_eq!(served, ["b1", "c1", "b2", "a and b", "a1", "a2"]);
}

/// However full of their jobs a queue is, it is not full for the others; nobody else loses a place.
#[test]
fn those_who_have_wasted_time_make_room() {
    let places = Places::default();
    let queues = queues(1, 4, 2);
    let mut tickets = Vec::new();
    let mut push =
        |name, client| queues.push(0, job(name, client, &places)).map(|ticket| tickets.push(ticket));
    push("a1", 1).unwrap();
    push("b1", 2).unwrap();
    push("c1", 3).unwrap();
    push("d1", 4).unwrap();
    assert_eq!(push("e1", 5), Err(NoPlace::Full), "all have the same right");
    for client in [1, 3] {
        queues.budgets.check_failed(&identity(client), Duration::from_secs(5));
    }
    assert_eq!(queues.has_place(0, &identity(5)), Ok(()));
    push("e1", 5).unwrap();
    push("f1", 6).unwrap();
    assert_eq!(push("g1", 7), Err(NoPlace::Full));
    assert_eq!(push("a2", 1), Err(NoPlace::Full), "they do not make room for each other");
    let displaced: Vec<_> = places
        .lock()
        .unwrap()
        .iter()
        .filter(|(_, place)| *place == DISPLACED)
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(displaced, ["c1", "a1"], "the last first");
    assert_eq!(queues.len(0), 4);
}

#[test]
fn all_that_wait_can_be_looked_at() {
    let places = Places::default();
    let queues = queues(2, 8, 8);
    let names = [(0, "a1"), (1, "b1"), (0, "a2")];
    let _tickets = names.map(|(queue, name)| queues.push(queue, job(name, 1, &places)).ok().unwrap());
    let mut seen = Vec::new();
    queues.each(|job| seen.push(job.0));
    assert_eq!(seen, ["a1", "a2", "b1"]);
}
