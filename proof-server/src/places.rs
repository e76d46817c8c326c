//! The places of a server: how many clients are connected at once, and whose place is free for somebody else.
//!
//! Strangers never take all of them for good: some are kept for those who show who they are. Whoever comes has to get as far
//! as to say so, and one that has said nothing yet makes room for a newcomer: the oldest of the network that has most.
//! Among strangers no network takes all either. So silent connections, however many, keep nobody out who speaks, and
//! speaking strangers nobody who is known.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::access::{Identity, network, prefix};

/// How many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlaceLimits {
    /// In all.
    pub(crate) total: usize,
    /// Of these, for clients that have shown who they are.
    pub(crate) reserved: usize,
    /// For one client, and for the strangers of one network: an IPv4 address or an IPv6 /64. A /56, which many homes
    /// have, gets half as many more, and a /48, which a site has, twice as many. Wider networks of IPv4 are not
    /// counted: a /24 is many customers who have nothing to do with each other.
    pub(crate) each: usize,
}

/// The connections that are open.
#[derive(Debug)]
pub(crate) struct Places {
    limits: PlaceLimits,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    last_number: u64,
    /// By number, so the oldest come first.
    strangers: BTreeMap<u64, Stranger>,
    known: HashMap<Identity, usize>,
}

#[derive(Debug)]
struct Stranger {
    address: IpAddr,
    /// Has not introduced itself yet.
    silent: bool,
    shed: CancellationToken,
}

/// A connection's place, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    holder: Holder,
    shed: CancellationToken,
}

#[derive(Debug)]
enum Holder {
    Stranger(u64),
    Known(Identity),
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    Total,
    Network,
    Client,
}

impl NoPlace {
    /// Its name in metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Total => "connections",
            Self::Network => "connections_of_address",
            Self::Client => "connections_of_client",
        }
    }

    /// What the client hears.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Total => "too many clients are connected",
            Self::Network => "too many connections from your address",
            Self::Client => "too many connections of yours",
        }
    }
}

impl Places {
    pub(crate) fn new(limits: PlaceLimits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// A place for a newcomer from `address`, for which another one may be shed that has said nothing.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, NoPlace> {
        let mut taken = self.taken();
        for (length, most) in self.networks() {
            let here = |stranger: &Stranger| same_network(stranger.address, address, length);
            if taken.strangers.values().filter(|stranger| here(stranger)).count() >= most {
                taken.shed(here).ok_or(NoPlace::Network)?;
            }
        }
        if taken.count() >= self.limits.total {
            let crowded = taken.most_crowded();
            taken.shed(|stranger| crowded == Some(site(stranger.address))).ok_or(NoPlace::Total)?;
        }
        taken.last_number += 1;
        let (number, shed) = (taken.last_number, CancellationToken::new());
        taken.strangers.insert(number, Stranger { address, silent: true, shed: shed.clone() });
        Ok(Place { places: self.clone(), holder: Holder::Stranger(number), shed })
    }

    /// Places that are taken.
    pub(crate) fn count(&self) -> usize {
        self.taken().count()
    }

    fn networks(&self) -> [(u32, usize); 3] {
        let each = self.limits.each;
        [(64, each), (56, each.saturating_add(each / 2)), (48, each.saturating_mul(2))]
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it holds the lock.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn count(&self) -> usize {
        self.strangers.len() + self.known.values().sum::<usize>()
    }

    /// The site with the most strangers that have said nothing.
    fn most_crowded(&self) -> Option<IpAddr> {
        let mut silent: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for stranger in self.strangers.values().filter(|stranger| stranger.silent) {
            *silent.entry(site(stranger.address)).or_default() += 1;
        }
        let most = silent.values().max().copied()?;
        // Among equals that of the oldest, lest one be shed time and again for its address.
        let mut sites = self.strangers.values().filter(|stranger| stranger.silent).map(|s| site(s.address));
        sites.find(|site| silent.get(site) == Some(&most))
    }

    /// Ends the oldest stranger of those that has said nothing.
    fn shed(&mut self, these: impl Fn(&Stranger) -> bool) -> Option<()> {
        let (number, _) = self.strangers.iter().find(|(_, stranger)| stranger.silent && these(stranger))?;
        let number = *number;
        self.strangers.remove(&number)?.shed.cancel();
        Some(())
    }
}

impl Place {
    /// The client has said who it is: `Some` if it has shown it too.
    pub(crate) fn introduced(&mut self, known: Option<&Identity>) -> Result<(), NoPlace> {
        let Holder::Stranger(number) = self.holder else { return Ok(()) };
        let limits = self.places.limits;
        let mut taken = self.places.taken();
        let speaking = taken.strangers.values().filter(|stranger| !stranger.silent).count();
        let Some(stranger) = taken.strangers.get_mut(&number) else {
            // Shed a moment ago.
            return Err(NoPlace::Total);
        };
        let Some(identity) = known else {
            if speaking >= limits.total.saturating_sub(limits.reserved) {
                return Err(NoPlace::Total);
            }
            stranger.silent = false;
            return Ok(());
        };
        stranger.silent = false;
        let of_client = taken.known.entry(identity.clone()).or_default();
        if *of_client >= limits.each {
            return Err(NoPlace::Client);
        }
        *of_client += 1;
        taken.strangers.remove(&number);
        drop(taken);
        self.holder = Holder::Known(identity.clone());
        Ok(())
    }

    /// Cancelled when the place is given to somebody else; not once its client has introduced itself.
    pub(crate) fn shed(&self) -> CancellationToken {
        self.shed.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        match &self.holder {
            Holder::Stranger(number) => drop(taken.strangers.remove(number)),
            Holder::Known(identity) => {
                if let Some(count) = taken.known.get_mut(identity) {
                    *count -= 1;
                    if *count == 0 {
                        taken.known.remove(identity);
                    }
                }
            }
        }
    }
}

/// Whether two addresses share the first `length` bits; of IPv4, all of them.
fn same_network(one: IpAddr, other: IpAddr, length: u32) -> bool {
    match (one.to_canonical(), other.to_canonical()) {
        (IpAddr::V6(one), IpAddr::V6(other)) => prefix(one, length) == prefix(other, length),
        (one, other) => one == other,
    }
}

/// Where silent strangers are counted together.
fn site(address: IpAddr) -> IpAddr {
    match network(address) {
        IpAddr::V6(network) => prefix(network, 48).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn known(place: &mut Place, name: &str) -> Result<(), NoPlace> {
        place.introduced(Some(&Identity::address(ip(name))))
    }

    fn introduced(places: &Arc<Places>, address: &str) -> Result<Place, NoPlace> {
        let mut place = places.take(ip(address))?;
        place.introduced(None)?;
        Ok(place)
    }

    #[test]
    fn places_are_counted_in_all_and_by_network() {
        let places = Places::new(PlaceLimits { total: 3, reserved: 0, each: 2 });
        let first = introduced(&places, "192.0.2.1").unwrap();
        let second = introduced(&places, "192.0.2.1").unwrap();
        assert_eq!(introduced(&places, "192.0.2.1").unwrap_err(), NoPlace::Network);
        let third = introduced(&places, "2001:db8::1").unwrap();
        assert_eq!(introduced(&places, "192.0.2.3").unwrap_err(), NoPlace::Total);
        drop((first, third));
        assert_eq!(places.count(), 1);
        let _one_network =
            ["2001:db8::1", "2001:db8::2"].map(|address| introduced(&places, address).unwrap());
        drop(second);
        assert_eq!(introduced(&places, "2001:db8::3").unwrap_err(), NoPlace::Network);
    }

    /// Whoever owns a /56 or a /48 has many /64 networks, and is one client all the same.
    #[test]
    fn wider_networks_have_their_limits_too() {
        let places = Places::new(PlaceLimits { total: 1000, reserved: 0, each: 10 });
        let fill = |address: &dyn Fn(u32) -> String| {
            let taken = (0..100).map_while(|n| introduced(&places, &address(n)).ok());
            taken.collect::<Vec<_>>()
        };
        let home = fill(&|n| format!("2001:db8:0:{n:x}::1"));
        assert_eq!(home.len(), 15, "the /64 networks of one /56");
        let site = fill(&|n| format!("2001:db8:0:{:x}::1", (n + 1) << 8));
        assert_eq!(home.len() + site.len(), 20, "the /56 networks of one /48");
        assert!(introduced(&places, "2001:db8:1::1").is_ok(), "another site");
        assert_eq!(fill(&|n| format!("192.0.2.{n}")).len(), 100, "IPv4 addresses are not related");
    }

    #[test]
    fn strangers_leave_places_for_those_who_are_known() {
        let places = Places::new(PlaceLimits { total: 4, reserved: 1, each: 2 });
        let _strangers = [1, 2, 3].map(|n| introduced(&places, &format!("192.0.2.{n}")).unwrap());
        assert_eq!(introduced(&places, "192.0.2.4").unwrap_err(), NoPlace::Total);
        drop(_strangers);
        let mut own: Vec<Place> = Vec::new();
        let _strangers = [1, 2].map(|n| introduced(&places, &format!("192.0.2.{n}")).unwrap());
        for _ in 0..2 {
            own.push(places.take(ip("192.0.2.9")).unwrap());
            known(own.last_mut().unwrap(), "10.0.0.1").unwrap();
        }
        assert_eq!((places.count(), introduced(&places, "192.0.2.4").unwrap_err()), (4, NoPlace::Total));
        own.clear();
        assert_eq!(places.count(), 2);
    }

    /// Nobody is known before having said a word, for which the kept places are there too.
    #[test]
    fn speaking_strangers_keep_nobody_out_who_is_known() {
        let places = Places::new(PlaceLimits { total: 8, reserved: 2, each: 8 });
        let strangers: Vec<_> =
            (1..100).map_while(|n| introduced(&places, &format!("192.0.2.{n}")).ok()).collect();
        assert_eq!(strangers.len(), 6);
        let mut own = Vec::new();
        for _ in 0..2 {
            // Others come as well, and are sent away when they say who they are, or make room.
            let _silent: Vec<_> = (1..9).map(|_| places.take(ip("192.0.2.200"))).collect();
            let mut place = places.take(ip("198.51.100.1")).unwrap();
            known(&mut place, "10.0.0.1").unwrap();
            own.push(place);
        }
        assert_eq!(places.count(), 8);
        assert_eq!(places.take(ip("198.51.100.2")).unwrap_err(), NoPlace::Total, "now it is full");
    }

    #[test]
    fn one_client_does_not_take_all_places() {
        let places = Places::new(PlaceLimits { total: 9, reserved: 2, each: 2 });
        let mut held = [1, 2, 3].map(|n| places.take(ip(&format!("192.0.2.{n}"))).unwrap());
        let [first, second, third] = &mut held;
        known(first, "10.0.0.1").unwrap();
        known(second, "10.0.0.1").unwrap();
        assert_eq!(known(third, "10.0.0.1"), Err(NoPlace::Client));
    }

    /// However many connections say nothing: a newcomer gets in, and stays until it has spoken.
    #[test]
    fn the_silent_make_room_and_the_lonely_are_spared() {
        let places = Places::new(PlaceLimits { total: 8, reserved: 2, each: 4 });
        let silent = |n: u32| places.take(ip(&format!("192.0.2.{}", n % 2))).unwrap();
        let mut crowd: Vec<Place> = (0..8).map(silent).collect();
        assert!(crowd.iter().all(|place| !place.shed().is_cancelled()));
        let mut lonely = places.take(ip("198.51.100.1")).unwrap();
        assert!(crowd[0].shed().is_cancelled(), "the oldest");
        crowd.extend((8..100).map(silent));
        assert!(!lonely.shed().is_cancelled(), "others have more");
        assert_eq!(places.count(), 8);
        known(&mut lonely, "10.0.0.1").unwrap();
        // One that was shed has no place any more, whatever it says then.
        assert_eq!(crowd[0].introduced(None), Err(NoPlace::Total));
        drop(crowd);
        assert_eq!(places.count(), 1);
    }
}
