//! `martlet-decisions`: what a decision costs under a policy of a whole bank.
//!
//! Makes the rules and the people of a bank of 3,000 outlets, 200 roles and 12,000 principals,
//! and times what happens when they change and when somebody asks: reading and checking the rules,
//! reading the feed, deciding about one table. Owns no rule of its own: the text goes the way of
//! every bundle.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use martlet_core::{
    BatchDate, ClassName, ColumnName, ColumnSchema, ColumnType, TableName, TableSchema,
};
use martlet_policy::{
    BundleText, CheckedBundle, Decision, Directory, PasswordCost, Principal, check, decide,
    hash_password,
};

/// The allocator of the binary `martlet`, so that both are measured alike.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PASSWORD: &str = "benchmark: everybody alike";
const CLASSES: usize = 12;
const TABLES: usize = 8;
const COLUMNS: usize = 24;
const BASE_ROLES: usize = 20;
const DAY: &str = "2026-11-22";

/// Time decisions under a policy of a whole bank
#[derive(Debug, Parser)]
#[command(name = "martlet-decisions", version)]
struct Arguments {
    /// Outlets; there is a city for ten of them and a province for a hundred
    #[arg(long, default_value_t = 3_000)]
    outlets: usize,
    /// Roles, all but twenty of which inherit from one of those
    #[arg(long, default_value_t = 200)]
    roles: usize,
    /// Principals
    #[arg(long, default_value_t = 12_000)]
    principals: usize,
    /// How often each decision is timed
    #[arg(long, default_value_t = 20)]
    runs: usize,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(70)
        }
    }
}

fn measure(arguments: &Arguments) -> Result<(), String> {
    let tables = (0..TABLES).map(table).collect::<Result<Vec<_>, _>>()?;
    let text = bundle(arguments);
    let feed = feed(arguments);
    let (bundle, checked_in) = timed(|| check(&text, &tables));
    let bundle = bundle.map_err(|findings| format!("the policy does not fit: {}", findings[0]))?;
    let (directory, read_in) = timed(|| Directory::parse(&feed));
    let directory = directory.map_err(|findings| format!("the feed is wrong: {}", findings[0]))?;
    let day: BatchDate = DAY.parse().map_err(|error| format!("{error}"))?;
    let levels = LEVELS
        .iter()
        .map(|level| Ok((level, decisions(level, &directory, &tables, &bundle, day, arguments)?)))
        .collect::<Result<Vec<_>, String>>()?;
    report(arguments, checked_in, read_in, &levels).map_err(|error| error.to_string())
}

/// Where somebody sits, and a name of whom this is true.
struct Level {
    what: &'static str,
    name: &'static str,
}

const LEVELS: [Level; 4] = [
    Level { what: "an outlet", name: "user5" },
    Level { what: "a city", name: "user1" },
    Level { what: "a province", name: "user2" },
    Level { what: "head office", name: "user0" },
];

/// The times of deciding about each table, sorted.
fn decisions(
    level: &Level,
    directory: &Directory,
    tables: &[TableSchema],
    bundle: &CheckedBundle,
    day: BatchDate,
    arguments: &Arguments,
) -> Result<Vec<Duration>, String> {
    let principal = signed_in(directory, level.name)?;
    let mut times = Vec::new();
    for _ in 0..arguments.runs.max(1) {
        for table in tables {
            let (decision, time) = timed(|| decide(&principal, table, bundle, day));
            if matches!(decision, Decision::Granted(_)) {
                times.push(time);
            }
        }
    }
    if times.is_empty() {
        return Err(format!("`{}` is granted nothing", level.name));
    }
    times.sort_unstable();
    Ok(times)
}

fn signed_in(directory: &Directory, name: &str) -> Result<Principal, String> {
    let refused = |_| format!("`{name}` is not signed in");
    let signed_in = directory.sign_in(name, PASSWORD).map_err(refused)?;
    directory.principal(&signed_in).ok_or_else(|| format!("there is no `{name}`"))
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}

fn report(
    arguments: &Arguments,
    checked_in: Duration,
    read_in: Duration,
    levels: &[(&Level, Vec<Duration>)],
) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let at = |times: &[Duration], percent: usize| micros(times[(times.len() - 1) * percent / 100]);
    if arguments.json {
        let of = |(level, times): &(&Level, Vec<Duration>)| {
            serde_json::json!({
                "level": level.what, "decisions": times.len(), "median_us": at(times, 50), "p95_us": at(times, 95),
            })
        };
        let levels: Vec<serde_json::Value> = levels.iter().map(of).collect();
        let json = serde_json::json!({
            "outlets": arguments.outlets, "roles": arguments.roles, "principals": arguments.principals,
            "check_ms": checked_in.as_secs_f64() * 1e3, "feed_ms": read_in.as_secs_f64() * 1e3,
            "decisions": levels,
        });
        return writeln!(out, "{json}");
    }
    writeln!(
        out,
        "{} outlets, {} roles, {} principals",
        arguments.outlets, arguments.roles, arguments.principals
    )?;
    writeln!(out, "reading and checking the rules {:9.1} ms", micros(checked_in) / 1e3)?;
    writeln!(out, "reading the feed of people     {:9.1} ms", micros(read_in) / 1e3)?;
    writeln!(out, "deciding about one table, microseconds:    median       p95")?;
    for (level, times) in levels {
        let (median, p95) = (at(times, 50), at(times, 95));
        writeln!(out, "  somebody of {:<27} {median:9.1} {p95:9.1}", level.what)?;
    }
    Ok(())
}

fn table(number: usize) -> Result<TableSchema, String> {
    let column = |at: usize| {
        let name = if at == 0 { "outlet".to_owned() } else { format!("column{at}") };
        let class = if at == 0 { "class0".to_owned() } else { format!("class{}", at % CLASSES) };
        Ok(ColumnSchema {
            name: ColumnName::new(&name).map_err(|error| error.to_string())?,
            column_type: ColumnType::Text,
            nullable: true,
            class: Some(ClassName::new(&class).map_err(|error| error.to_string())?),
        })
    };
    let columns = (0..COLUMNS).map(column).collect::<Result<Vec<_>, String>>()?;
    let name = TableName::new(&format!("table{number}")).map_err(|error| error.to_string())?;
    TableSchema::new(name, columns, &[], &[]).map_err(|error| error.to_string())
}

/// A text is being written into a string, which cannot fail.
macro_rules! line {
    ($text:expr, $($what:tt)*) => { let _ = writeln!($text, $($what)*); };
}

fn bundle(arguments: &Arguments) -> BundleText {
    let mut organization = "node,parent,level,name\nhead,,head_office,Head Office\n".to_owned();
    for outlet in 0..arguments.outlets {
        let (province, city) = (outlet / 100, outlet / 10);
        if outlet % 100 == 0 {
            line!(organization, "p{province},head,province,Province {province}");
        }
        if outlet % 10 == 0 {
            line!(organization, "c{city},p{province},city,City {city}");
        }
        line!(organization, "o{outlet},c{city},outlet,Outlet {outlet}");
    }
    let mut classes = String::new();
    for class in 0..CLASSES {
        line!(classes, "[[class]]\nname = \"class{class}\"\nmask = \"redact\"");
    }
    let files = [
        ("bundle.toml", "name = \"bank\"\nversion = \"1\"\nprofile = \"doc\"\n".to_owned()),
        ("organization.csv", organization),
        ("classes.toml", classes),
        ("roles.toml", roles(arguments)),
        ("rules.toml", rules()),
    ];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text));
    BundleText { files: files.collect::<BTreeMap<_, _>>() }
}

fn roles(arguments: &Arguments) -> String {
    let mut text = String::new();
    for role in 0..arguments.roles.max(BASE_ROLES) {
        line!(text, "[[role]]\nname = \"role{role}\"");
        if role >= BASE_ROLES {
            line!(text, "inherits = [\"role{}\"]", role % BASE_ROLES);
            continue;
        }
        let tables: Vec<String> = (0..TABLES).map(|table| format!("table{table}")).collect();
        line!(text, "tables = {tables:?}\n[role.classes]");
        for class in 0..CLASSES {
            let word = if (role + class) % 3 == 0 { "mask" } else { "clear" };
            line!(text, "class{class} = {:?}", if class == 0 { "clear" } else { word });
        }
    }
    text
}

/// Everybody sees what lies below their node, and nobody certain outlets' rows of a table.
fn rules() -> String {
    let mut text = String::new();
    for role in 0..BASE_ROLES {
        for table in 0..TABLES {
            line!(text, "[[row_rule]]\nname = \"below-{role}-{table}\"\neffect = \"permit\"");
            line!(text, "roles = [\"role{role}\"]\ntables = [\"table{table}\"]");
            line!(text, "column = \"outlet\"\nwithin = \"node\"");
        }
    }
    text
}

/// One in a thousand sits at head office, and few in provinces and cities.
fn feed(arguments: &Arguments) -> String {
    let hash = hash_password(PASSWORD, [7; 16], PasswordCost::Test);
    let mut text = "name,roles,node,password\n".to_owned();
    for user in 0..arguments.principals.max(10) {
        let outlet = user * 7 % arguments.outlets.max(1);
        let node = match user {
            _ if user % 1_000 == 0 => "head".to_owned(),
            _ if user % 100 == 2 => format!("p{}", outlet / 100),
            _ if user % 25 == 1 => format!("c{}", outlet / 10),
            _ => format!("o{outlet}"),
        };
        let role = user % arguments.roles.max(BASE_ROLES);
        line!(text, "user{user},role{role},{node},\"{hash}\"");
    }
    text
}
