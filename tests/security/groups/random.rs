//! Random tables and questions, held against the plain definition: what is told is right; no
//! combination of it speaks of fewer persons than the least, or for the most part of one; and whatever
//! could be told is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use martlet_query::{AccessPath, Engine};

use super::bank::{answer, engine};
use crate::support::{Bundle, TestMart};

const LEAST: usize = 3;

const LOAD: &str = r#"
name = "random"
[[table]]
name = "t"
mode = "replace"
primary_key = ["id"]
  [[table.column]]
  name = "id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "p"
  type = "int64"
  nullable = true
  class = "open"
  [[table.column]]
  name = "a"
  type = "text"
  class = "open"
  [[table.column]]
  name = "b"
  type = "text"
  class = "open"
  [[table.column]]
  name = "v"
  type = "int64"
  nullable = true
  class = "open"
  [[table.source]]
  files = ["t.csv"]
"#;

fn bundle() -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"r\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n")
        .file(
            "roles.toml",
            "[[role]]\nname = \"s\"\ntables = [\"t\"]\nminimum_group = 3\nminimum_group_by = \"p\"\n\
             [role.classes]\nopen = \"clear\"\n",
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"s\"]\ntables = [\"t\"]\n\
             all = true\n",
        )
        .principal("stan", "s", "root")
}

/// Numbers that follow from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }
}

#[derive(Debug, Clone)]
struct Row {
    id: u64,
    person: Option<u64>,
    a: &'static str,
    b: &'static str,
    value: Option<i64>,
}

fn table(random: &mut Random) -> Vec<Row> {
    let rows = 20 + random.below(60);
    let persons = 6 + random.below(40);
    let row = |id: u64| Row {
        id,
        person: (random.below(20) > 0).then(|| random.below(persons)),
        a: random.of(&["x", "y", "z", "w"]),
        b: random.of(&["k", "l", "m"]),
        value: (random.below(5) > 0).then(|| {
            let size = random.of(&[10, 10, 10, 1_000]);
            random.below(size) as i64 - 3
        }),
    };
    (0..rows).map(row).collect()
}

fn csv(rows: &[Row]) -> String {
    let mut text = "id,p,a,b,v\n".to_owned();
    for Row { id, person, a, b, value } in rows {
        let person = person.map_or_else(String::new, |person| person.to_string());
        let value = value.map_or_else(String::new, |value| value.to_string());
        writeln!(text, "{id},{person},{a},{b},{value}").unwrap();
    }
    text
}

/// Which keys a group has: of the first and the second column.
type Keys = (bool, bool);

/// A grouping as SQL, and its sets.
const GROUPINGS: [(&str, &[Keys]); 7] = [
    ("", &[(false, false)]),
    ("GROUP BY a, b", &[(true, true)]),
    ("GROUP BY GROUPING SETS ((a))", &[(true, false)]),
    ("GROUP BY GROUPING SETS ((a), (b))", &[(true, false), (false, true)]),
    ("GROUP BY GROUPING SETS ((a, b), ())", &[(true, true), (false, false)]),
    ("GROUP BY ROLLUP (a, b)", &[(true, true), (true, false), (false, false)]),
    ("GROUP BY CUBE (a, b)", &[(true, true), (true, false), (false, true), (false, false)]),
];

/// A condition as SQL, and what it says of a row.
type Condition = (String, Box<dyn Fn(&Row) -> bool>);

fn condition(random: &mut Random) -> Condition {
    let (a, b) = (random.of(&["x", "y", "z"]), random.of(&["k", "l"]));
    let (id, value) = (random.below(50), random.below(12) as i64);
    match random.below(7) {
        0 | 1 => ("true".into(), Box::new(|_| true)),
        2 => (format!("a <> '{a}'"), Box::new(move |row| row.a != a)),
        3 => (format!("a = '{a}' OR b = '{b}'"), Box::new(move |row| row.a == a || row.b == b)),
        4 => (format!("id <> {id}"), Box::new(move |row| row.id != id)),
        5 => (format!("v > {value}"), Box::new(move |row| row.value.is_some_and(|v| v > value))),
        _ => (
            format!("NOT (b = '{b}' AND id < {id})"),
            Box::new(move |row| !(row.b == b && row.id < id)),
        ),
    }
}

/// What is told of a group beside the number of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Rows,
    Persons,
    Values,
    Sum,
}

impl Asked {
    const ALL: [Self; 4] = [Self::Rows, Self::Persons, Self::Values, Self::Sum];

    const fn sql(self) -> &'static str {
        match self {
            Self::Rows => "count(1)",
            Self::Persons => "count(DISTINCT p)",
            Self::Values => "count(v)",
            Self::Sum => "sum(v)",
        }
    }

    fn of(self, rows: &[&Row]) -> String {
        let values = || rows.iter().filter_map(|row| row.value);
        match self {
            Self::Rows => rows.len().to_string(),
            Self::Persons => persons(rows).len().to_string(),
            Self::Values => values().count().to_string(),
            Self::Sum if values().count() == 0 => String::new(),
            Self::Sum => values().sum::<i64>().to_string(),
        }
    }

    /// The sets of rows whose number is told.
    fn parts(self, rows: &[&Row]) -> Vec<BTreeSet<u64>> {
        let with = |is: &dyn Fn(&Row) -> bool| {
            rows.iter().filter(|row| is(row)).map(|row| row.id).collect::<BTreeSet<u64>>()
        };
        let parts = match self {
            Self::Rows | Self::Persons => vec![with(&|_| true)],
            Self::Values | Self::Sum => {
                vec![with(&|row| row.value.is_some()), with(&|row| row.value.is_none())]
            }
        };
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }
}

fn persons(rows: &[&Row]) -> BTreeSet<u64> {
    rows.iter().filter_map(|row| row.person).collect()
}

/// A group that could be told: its keys, its line of the answer, and its rows.
struct Candidate<'a> {
    keys: (&'a str, &'a str),
    line: String,
    rows: Vec<&'a Row>,
}

fn candidates<'a>(rows: &[&'a Row], sets: &[Keys], asked: Asked) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for (by_a, by_b) in sets {
        let mut groups: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
        for row in rows {
            let key = |is: &bool, key: &'static str| if *is { key } else { "" };
            groups.entry((key(by_a, row.a), key(by_b, row.b))).or_default().push(row);
        }
        candidates.extend(groups.into_iter().map(|((a, b), rows)| Candidate {
            keys: (a, b),
            line: format!("{a}|{b}|{}|{}", rows.len(), asked.of(&rows)),
            rows,
        }));
    }
    candidates
}

/// The sets that were told, by what was told of them, and the table that they are of.
#[derive(Clone)]
struct History<'a> {
    table: &'a [Row],
    numbers: Vec<BTreeSet<u64>>,
    sums: Vec<BTreeSet<u64>>,
    persons: Vec<BTreeSet<u64>>,
}

impl<'a> History<'a> {
    fn with(&self, asked: Asked, rows: &[&Row]) -> Self {
        let mut with = self.clone();
        with.numbers.extend(asked.parts(rows));
        match asked {
            Asked::Sum => with.sums.push(rows.iter().map(|row| row.id).collect()),
            Asked::Persons => with.persons.push(persons(rows)),
            Asked::Rows | Asked::Values => {}
        }
        with
    }

    /// Whether nothing that is combined of all that was told is about few, or for the most part one's.
    fn is_safe(&self) -> bool {
        let counts = |_: &Row| 1;
        let values = |row: &Row| row.value.unwrap_or(0).abs();
        self.pieces(&self.numbers).iter().all(|piece| is_of_many(piece, counts))
            && self.pieces(&self.sums).iter().all(|piece| is_of_many(piece, values))
            && pieces_of(&self.persons).iter().all(|piece| piece.len() >= LEAST)
    }

    fn pieces(&self, sets: &[BTreeSet<u64>]) -> Vec<Vec<&'a Row>> {
        let row = |id: &u64| self.table.iter().find(|row| row.id == *id).unwrap();
        pieces_of(sets).iter().map(|piece| piece.iter().map(row).collect()).collect()
    }
}

/// The elements by which of the sets have them.
fn pieces_of(sets: &[BTreeSet<u64>]) -> Vec<BTreeSet<u64>> {
    let all: BTreeSet<u64> = sets.iter().flatten().copied().collect();
    let mut pieces: BTreeMap<Vec<bool>, BTreeSet<u64>> = BTreeMap::new();
    for element in all {
        let membership = sets.iter().map(|set| set.contains(&element)).collect();
        pieces.entry(membership).or_default().insert(element);
    }
    pieces.into_values().collect()
}

fn is_of_many(piece: &[&Row], amount: impl Fn(&Row) -> i64) -> bool {
    let mut brought: BTreeMap<u64, i64> = BTreeMap::new();
    for row in piece {
        if let Some(person) = row.person {
            *brought.entry(person).or_default() += amount(row);
        }
    }
    let mut shares: Vec<i64> = brought.into_values().collect();
    shares.sort_by_key(|share| -share);
    let bringing = shares.iter().filter(|share| **share != 0).count();
    shares.len() >= LEAST
        && !(1..LEAST).contains(&bringing)
        && shares.iter().skip(2).sum::<i64>() * 10 >= shares[0]
}

async fn ask_and_check(engine: &Engine, random: &mut Random, history: &mut History<'_>) -> usize {
    let (grouping, sets) = random.of(&GROUPINGS);
    let (condition, holds) = condition(random);
    let asked = random.of(&Asked::ALL);
    // A grouping that has no key of a column shows none.
    let shown = |has: bool, key: &'static str| if has { key } else { "NULL" };
    let (by_a, by_b) = (sets.iter().any(|keys| keys.0), sets.iter().any(|keys| keys.1));
    let sql = format!(
        "SELECT {} AS k1, {} AS k2, count(*), {} FROM t WHERE {condition} {grouping}",
        shown(by_a, "a"),
        shown(by_b, "b"),
        asked.sql()
    );
    let kept: Vec<&Row> = history.table.iter().filter(|row| holds(row)).collect();
    let lines = answer(engine, "stan", &sql).await;
    // The largest first, and of two as large the one whose keys come first.
    let mut candidates = candidates(&kept, sets, asked);
    candidates.sort_by_key(|candidate| {
        let Candidate { keys, rows, .. } = candidate;
        (std::cmp::Reverse((persons(rows).len(), rows.len())), *keys)
    });
    let mut expected = Vec::new();
    for Candidate { line, rows, .. } in candidates {
        let with = history.with(asked, &rows);
        if with.is_safe() {
            *history = with;
            expected.push(line);
        }
    }
    expected.sort();
    assert_eq!(lines, expected, "{sql}");
    lines.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_right_safe_and_as_many_as_possible() {
    let (mut told, mut questions) = (0, 0);
    for seed in 1..=12_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let rows = table(&mut random);
        let mart = TestMart::new();
        mart.write("load.toml", LOAD).write("t.csv", csv(&rows));
        mart.load("load.toml", "2026-11-20").await;
        mart.apply(&bundle()).await;
        for path in [AccessPath::ByCost, AccessPath::Scan] {
            for _ in 0..4 {
                let engine = engine(&mart, path).await;
                let mut history = History {
                    table: &rows,
                    numbers: Vec::new(),
                    sums: Vec::new(),
                    persons: Vec::new(),
                };
                for _ in 0..6 {
                    told += ask_and_check(&engine, &mut random, &mut history).await;
                    questions += 1;
                }
            }
        }
    }
    assert!(told > questions / 2, "{told} groups of {questions} questions: the test tests little");
}
