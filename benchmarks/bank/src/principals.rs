//! Writes the principals feed: the five named users, then the branch users, spread over the
//! outlets as customers are.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::census::Bank;
use crate::draw::{Draw, Purpose};
use crate::error::BankError;
use crate::organization::HEAD_OFFICE;
use crate::places::PROVINCES;
use crate::plan::NAMED_PRINCIPALS;

/// Managers among the branch users: of cities, and of provinces.
const CITY_MANAGERS_PER_MILLE: u64 = 40;
const PROVINCE_MANAGERS_PER_MILLE: u64 = 5;

/// Writes `principals.csv` and says how many principals it holds.
pub(crate) fn write(
    bank: &Bank,
    dir: &Path,
    teller_outlet: &str,
    manager_node: &str,
) -> Result<(PathBuf, u64), BankError> {
    let path = dir.join("principals.csv");
    let file = File::create(&path).map_err(BankError::at(&path))?;
    let mut out = BufWriter::new(file);
    write_all(bank, &mut out, teller_outlet, manager_node).map_err(BankError::at(&path))?;
    Ok((path, NAMED_PRINCIPALS.len() as u64 + u64::from(bank.plan.branch_users)))
}

fn write_all(
    bank: &Bank,
    out: &mut impl Write,
    teller_outlet: &str,
    manager_node: &str,
) -> io::Result<()> {
    writeln!(out, "name,roles,node,password")?;
    for name in NAMED_PRINCIPALS {
        let node = match name {
            "teller" => teller_outlet,
            "manager" => manager_node,
            _ => HEAD_OFFICE,
        };
        // A PHC string has commas, and never a quote.
        let password = bank.plan.named_passwords.get(name).map_or("", String::as_str);
        writeln!(out, "{name},{name},{node},\"{password}\"")?;
    }
    let digits = bank.plan.branch_users.to_string().len().max(5);
    for number in 1..=bank.plan.branch_users {
        let (role, node) = post(bank, number);
        writeln!(out, "u{number:0digits$},{role},{node},")?;
    }
    out.flush()
}

/// A branch user's role and node.
fn post<'a>(bank: &'a Bank, number: u32) -> (&'static str, &'a str) {
    let draw = &mut Draw::new(bank.plan.seed, Purpose::Principals, u64::from(number));
    let outlet = bank.organization.pick_outlet(draw);
    let city = bank.organization.city_of(outlet);
    match draw.below(1000) {
        0..PROVINCE_MANAGERS_PER_MILLE => ("manager", PROVINCES[city.province].code),
        PROVINCE_MANAGERS_PER_MILLE..CITY_MANAGERS_PER_MILLE => ("manager", &city.code),
        _ => ("teller", &bank.organization.outlets[outlet].code),
    }
}
