//! The organization tree: head office > province > city > outlet, and how large each outlet is.
//! The only table that is kept in memory. Never knows a customer.

use std::collections::HashMap;

use rand::RngCore;

use crate::draw::{Draw, Purpose, Skew};
use crate::places::{PROVINCES, STREETS};
use crate::plan::BankPlan;

/// Code of the tree's root.
pub(crate) const HEAD_OFFICE: &str = "00";
/// Outlets that a city has on average at least, where outlets are few.
const OUTLETS_PER_CITY: usize = 3;
/// The exponent of Zipf's law for the outlets' sizes: the largest of 3,000 has some 5 % of the
/// customers, the middle one a few in 100,000.
const ZIPF_EXPONENT: f64 = 0.8;

/// One node of the tree.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) code: String,
    /// Empty for the root.
    pub(crate) parent: String,
    pub(crate) level: &'static str,
    pub(crate) name: String,
    pub(crate) latin_name: String,
}

#[derive(Debug, Clone)]
pub(crate) struct City {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) latin_name: &'static str,
    /// Index into [`PROVINCES`].
    pub(crate) province: usize,
    /// Position within the province, from 1.
    pub(crate) number: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    pub(crate) code: String,
    /// Index into [`Organization::cities`].
    pub(crate) city: usize,
}

/// The whole tree.
#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) cities: Vec<City>,
    pub(crate) outlets: Vec<Outlet>,
    sizes: Skew,
}

impl Organization {
    pub(crate) fn new(plan: &BankPlan) -> Self {
        let outlets_wanted = plan.outlets as usize;
        let cities = cities(outlets_wanted);
        let outlets = outlets(&cities, outlets_wanted);
        let sizes = sizes(plan.seed, outlets.len());
        Self { cities, outlets, sizes }
    }

    /// Picks an outlet, large ones more often; an index into [`Self::outlets`].
    pub(crate) fn pick_outlet(&self, draw: &mut Draw) -> usize {
        self.sizes.pick(draw)
    }

    pub(crate) fn city_of(&self, outlet: usize) -> &City {
        &self.cities[self.outlets[outlet].city]
    }

    /// The code of the province that an outlet belongs to.
    pub(crate) fn province_of(&self, outlet: usize) -> &'static str {
        PROVINCES[self.city_of(outlet).province].code
    }

    /// The code of the province with the most outlets; the lowest code among equals.
    pub(crate) fn largest_province(&self) -> &'static str {
        let mut counts = [0_usize; PROVINCES.len()];
        for outlet in &self.outlets {
            counts[self.cities[outlet.city].province] += 1;
        }
        let largest = (0..counts.len()).rev().max_by_key(|province| counts[*province]);
        PROVINCES[largest.unwrap_or(0)].code
    }

    /// Every node, parents before children.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let mut nodes = vec![Node {
            code: HEAD_OFFICE.to_owned(),
            parent: String::new(),
            level: "head_office",
            name: "总行".to_owned(),
            latin_name: "Head Office".to_owned(),
        }];
        nodes.extend(self.province_nodes());
        nodes.extend(self.cities.iter().map(city_node));
        nodes.extend((0..self.outlets.len()).map(|outlet| self.outlet_node(outlet)));
        nodes
    }

    fn province_nodes(&self) -> impl Iterator<Item = Node> {
        let used = |province: &usize| self.cities.iter().any(|city| city.province == *province);
        (0..PROVINCES.len()).filter(used).map(|province| Node {
            code: PROVINCES[province].code.to_owned(),
            parent: HEAD_OFFICE.to_owned(),
            level: "province",
            name: format!("{}分行", PROVINCES[province].name),
            latin_name: format!("{} Branch", PROVINCES[province].latin),
        })
    }

    fn outlet_node(&self, outlet: usize) -> Node {
        let city = self.city_of(outlet);
        let (street, latin_street) = STREETS[outlet % STREETS.len()];
        Node {
            code: self.outlets[outlet].code.clone(),
            parent: city.code.clone(),
            level: "outlet",
            name: format!("{}{street}支行", city.name),
            latin_name: format!("{} {latin_street} Outlet", city.latin_name),
        }
    }
}

fn city_node(city: &City) -> Node {
    Node {
        code: city.code.clone(),
        parent: PROVINCES[city.province].code.to_owned(),
        level: "city",
        name: format!("{}分行", city.name),
        latin_name: format!("{} City Branch", city.latin_name),
    }
}

/// The cities that have outlets, in the order of their codes. Where outlets are few, the
/// capitals of the most populous provinces come first.
fn cities(outlets: usize) -> Vec<City> {
    let mut all: Vec<City> = Vec::new();
    for (province, place) in PROVINCES.iter().enumerate() {
        all.extend(place.cities().zip(1..).map(|((name, latin_name), number)| City {
            code: format!("{}{number:02}", place.code),
            name,
            latin_name,
            province,
            number,
        }));
    }
    all.sort_by_key(|city| (city.number, u64::MAX - PROVINCES[city.province].millions));
    all.truncate((outlets / OUTLETS_PER_CITY).max(1));
    all.sort_by(|left, right| left.code.cmp(&right.code));
    all
}

/// One outlet for each city, and the rest by the number of inhabitants.
fn outlets(cities: &[City], wanted: usize) -> Vec<Outlet> {
    let shares = inhabitants(cities);
    let total: u64 = shares.iter().sum();
    let rest = (wanted - cities.len()) as u64;
    let mut cumulated = 0;
    let mut given = 0;
    let mut outlets = Vec::with_capacity(wanted);
    for (city, share) in shares.iter().enumerate() {
        cumulated += share;
        let due = rest * cumulated / total;
        let count = 1 + due - given;
        given = due;
        outlets.extend(
            (1..=count)
                .map(|number| Outlet { code: format!("{}{number:04}", cities[city].code), city }),
        );
    }
    outlets
}

/// Each city's share of its province: falling from the capital on.
fn inhabitants(cities: &[City]) -> Vec<u64> {
    let weight = |city: &City| 1.0 / (city.number as f64).sqrt();
    let mut sums: HashMap<usize, f64> = HashMap::new();
    for city in cities {
        *sums.entry(city.province).or_default() += weight(city);
    }
    let share = |city: &City| {
        let thousands = PROVINCES[city.province].millions as f64 * 1000.0;
        (thousands * weight(city) / sums[&city.province]) as u64
    };
    cities.iter().map(share).collect()
}

/// Zipf's law over the outlets; which outlet has which rank comes from the seed.
fn sizes(seed: u64, outlets: usize) -> Skew {
    let mut by_rank: Vec<usize> = (0..outlets).collect();
    by_rank.sort_by_key(|outlet| Draw::new(seed, Purpose::OutletSize, *outlet as u64).next_u64());
    let mut weights = vec![0; outlets];
    for (rank, outlet) in (1..).zip(by_rank) {
        weights[outlet] = (1e12 / f64::powf(f64::from(rank), ZIPF_EXPONENT)) as u64;
    }
    Skew::new(weights)
}

#[cfg(test)]
#[path = "organization_tests.rs"]
mod tests;
