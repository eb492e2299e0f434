//! `demo --check`: what every person was answered, compared with the files the bank came from.
//!
//! Receives: answers over real connections, and counts that `martlet-bank` takes from the
//! generated files without any code of the engine. Must never compare the server with itself
//! where the files can say what is right, and never print a customer's value.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use martlet_bank::{Generated, Recount, customers_of, recount};
use martlet_core::ErrorKind;

use super::bank::{Bank, failure};
use super::tour::{self, Nodes, People, broken, foreign_outlet};
use crate::command::exit::Failure;
use crate::command::size::{Count, Elapsed};
use crate::command::sql::connect::Client;
use crate::command::sql::print::texts;

/// Rows of tokens that are looked at one by one.
const TOKENS_LOOKED_AT: usize = 1_000;

type Rows = Vec<Vec<Option<String>>>;

/// Verifies every promise of the tour and says so in one line.
pub(crate) async fn verify(
    people: &mut People,
    nodes: &Nodes,
    bank: &Bank,
) -> Result<String, Failure> {
    let start = Instant::now();
    let files = bank.files()?;
    let (count, raw) = tokio::task::spawn_blocking(move || read(&files))
        .await
        .map_err(|error| broken(error.to_string()))??;
    let mut facts = Facts::default();
    check_slices(people, nodes, &count, &mut facts).await?;
    check_masks(&mut people.teller, &raw, &mut facts).await?;
    check_tokens(&mut people.analyst, &mut facts).await?;
    check_foreign_outlet(people, nodes, &mut facts).await?;
    check_officers(people, &mut facts).await?;
    Ok(format!(
        "demo check passed: {} facts verified in {} (customers seen by teller {}, manager {}, analyst {})",
        facts.verified,
        Elapsed(start.elapsed()),
        Count(count.customers_below(&nodes.teller)),
        Count(count.customers_below(&nodes.manager)),
        Count(count.customers_by_outlet.values().sum()),
    ))
}

type RawRows = Vec<BTreeMap<String, String>>;

fn read(files: &Generated) -> Result<(Recount, RawRows), Failure> {
    let count = recount(files).map_err(failure)?;
    let raw = customers_of(files, &files.teller_outlet).map_err(failure)?;
    Ok((count, raw))
}

/// Counts what held, and stops at what does not.
#[derive(Debug, Default)]
struct Facts {
    verified: usize,
}

impl Facts {
    fn hold(&mut self, holds: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
        if !holds {
            return Err(broken(what()).during("the demo's answers are not what its files say"));
        }
        self.verified += 1;
        Ok(())
    }

    fn equal<T: PartialEq + std::fmt::Debug>(
        &mut self,
        who: &str,
        what: &str,
        answered: &T,
        right: &T,
    ) -> Result<(), Failure> {
        self.hold(answered == right, || {
            format!("{who}: {what}: answered {answered:?}, the files say {right:?}")
        })
    }
}

/// Counts, sums and groups of everyone who sees customers, and that no outlet is beyond them.
async fn check_slices(
    people: &mut People,
    nodes: &Nodes,
    count: &Recount,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let root = root(count)?;
    let views: [(&str, &mut Client, &str); 3] = [
        ("teller", &mut people.teller, &nodes.teller),
        ("manager", &mut people.manager, &nodes.manager),
        ("analyst", &mut people.analyst, &root),
    ];
    for (who, client, node) in views {
        let customers = number(client, "SELECT count(*) FROM customer").await?;
        facts.equal(who, "customers", &customers, &i128::from(count.customers_below(node)))?;
        check_segments(who, client, node, count, facts).await?;
        check_transactions(who, client, node, count, facts).await?;
        check_outlets(who, client, node, count, facts).await?;
        if who != "teller" {
            let sql = "SELECT sum(deposit_balance) FROM customer";
            let deposits = number(client, sql).await?;
            facts.equal(who, "deposits in cents", &deposits, &count.deposits_below(node))?;
        }
    }
    Ok(())
}

fn root(count: &Recount) -> Result<String, Failure> {
    let root = count.nodes.iter().find(|(_, (parent, _))| parent.is_empty());
    root.map(|(code, _)| code.clone()).ok_or_else(|| broken("the organization has no root"))
}

async fn check_segments(
    who: &str,
    client: &mut Client,
    node: &str,
    count: &Recount,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let mut answered = BTreeMap::new();
    for row in ask(client, tour::SEGMENTS.sql).await? {
        let [segment, customers] = two(row)?;
        answered.insert(segment, customers.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0));
    }
    facts.equal(who, "customers by segment", &answered, &count.segments_below(node))
}

async fn check_transactions(
    who: &str,
    client: &mut Client,
    node: &str,
    count: &Recount,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let right = count.transactions_below(node);
    let number_of = number(client, "SELECT count(*) FROM transaction").await?;
    facts.equal(who, "transactions", &number_of, &i128::from(right.count))?;
    let cents = number(client, "SELECT sum(amount) FROM transaction").await?;
    facts.equal(who, "amounts in cents", &cents, &right.cents)
}

async fn check_outlets(
    who: &str,
    client: &mut Client,
    node: &str,
    count: &Recount,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let below: BTreeSet<String> = count.outlets_below(node).into_iter().collect();
    for table in ["customer", "account", "transaction", "card", "loan"] {
        let rows = ask(client, &format!("SELECT DISTINCT outlet FROM {table}")).await?;
        let outside = rows.iter().flatten().flatten().filter(|outlet| !below.contains(*outlet));
        let outside = outside.count();
        facts.hold(outside == 0, || {
            format!("{who}: {table} shows {outside} outlets that are not below `{node}`")
        })?;
    }
    Ok(())
}

/// Every customer of the teller, masked cell beside raw cell.
async fn check_masks(teller: &mut Client, raw: &RawRows, facts: &mut Facts) -> Result<(), Failure> {
    let sql =
        "SELECT customer_id, name, id_number, mobile, birth_date, deposit_balance FROM customer";
    let rows = ask(teller, sql).await?;
    facts.equal("teller", "masked rows", &rows.len(), &raw.len())?;
    let by_number: BTreeMap<&str, &BTreeMap<String, String>> =
        raw.iter().map(|row| (field(row, "CUST_NO"), row)).collect();
    for row in &rows {
        let [number, name, id_number, mobile, birth_date, balance] = row.as_slice() else {
            return Err(broken("the teller's rows do not have the columns asked for"));
        };
        let customer = number.as_deref().and_then(|number| by_number.get(number));
        let Some(customer) = customer else {
            return Err(broken("the teller sees a customer whom the outlet does not have"));
        };
        let masked = |cell: &Option<String>, raw: &str, hidden: &str| match cell {
            None => raw.is_empty(),
            Some(text) => text.contains('*') && text != raw && !text.contains(hidden),
        };
        let (id_raw, mobile_raw) = (field(customer, "CERT_NO"), field(customer, "MOBILE"));
        let name_raw = field(customer, "CUST_NAME");
        facts.hold(masked(name, name_raw, name_raw), || said("a name"))?;
        facts.hold(masked(id_number, id_raw, last(id_raw, 6)), || said("an ID number"))?;
        facts.hold(masked(mobile, mobile_raw, last(mobile_raw, 8)), || said("a mobile number"))?;
        let year = field(customer, "BIRTH_DATE").get(..4);
        facts.hold(birth_date.as_deref() == year, || said("a birth date"))?;
        let is_band = balance.as_deref().is_some_and(|band| !band.contains('.'));
        facts.hold(is_band, || said("a balance"))?;
    }
    Ok(())
}

fn said(what: &str) -> String {
    format!("teller: {what} is not masked as promised")
}

/// The last characters of a text, all of it where it is shorter.
fn last(text: &str, characters: usize) -> &str {
    let from = text.char_indices().rev().nth(characters.saturating_sub(1)).map_or(0, |(at, _)| at);
    &text[from..]
}

fn field<'a>(row: &'a BTreeMap<String, String>, name: &str) -> &'a str {
    row.get(name).map_or("", String::as_str)
}

/// Identifiers are tokens, one for each customer, and tables still join on them.
async fn check_tokens(analyst: &mut Client, facts: &mut Facts) -> Result<(), Failure> {
    let sql = format!("SELECT customer_id, id_number FROM customer LIMIT {TOKENS_LOOKED_AT}");
    for row in ask(analyst, &sql).await? {
        let [customer, id_number] = two(row)?;
        let tokens =
            customer.as_deref().is_some_and(is_token) && id_number.as_deref().is_none_or(is_token);
        facts.hold(tokens, || "analyst: an identifier is not a token".to_owned())?;
    }
    let customers = number(analyst, "SELECT count(*) FROM customer").await?;
    let distinct = number(analyst, "SELECT count(DISTINCT customer_id) FROM customer").await?;
    facts.equal("analyst", "different tokens", &distinct, &customers)?;
    let accounts = number(analyst, "SELECT count(*) FROM account").await?;
    let joined = "SELECT count(*) FROM account a JOIN customer c ON a.customer_id = c.customer_id";
    let joined = number(analyst, joined).await?;
    facts.equal("analyst", "accounts joined by token", &joined, &accounts)
}

fn is_token(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

async fn check_foreign_outlet(
    people: &mut People,
    nodes: &Nodes,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let Some(foreign) = foreign_outlet(people, nodes).await? else { return Ok(()) };
    let sql = tour::customers_of_outlet(&foreign);
    let seen = number(&mut people.teller, &sql).await?;
    facts.equal("teller", "customers of another outlet", &seen, &0)
}

/// Auditor and security officer see their own tables and no customer.
async fn check_officers(people: &mut People, facts: &mut Facts) -> Result<(), Failure> {
    let sql = "SELECT count(*) FROM system.audit_record WHERE principal = 'teller' AND decision = 'allowed'";
    let records = number(&mut people.auditor, sql).await?;
    facts.hold(records > 0, || "auditor: nothing that the teller asked is on record".to_owned())?;
    let rules = number(&mut people.security, "SELECT count(*) FROM system.row_rule").await?;
    facts.hold(rules > 0, || "security: no rule is to be seen".to_owned())?;
    for (who, client) in [("auditor", &mut people.auditor), ("security", &mut people.security)] {
        let refused = ask(client, "SELECT count(*) FROM customer").await.err();
        let kind = refused.map(|failure| failure.kind());
        facts.hold(
            matches!(kind, Some(ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Invalid)),
            || format!("{who}: the customer table is not refused"),
        )?;
    }
    Ok(())
}

async fn ask(client: &mut Client, sql: &str) -> Result<Rows, Failure> {
    let asked = async {
        let mut rows = Vec::new();
        for batch in tour::rows(client, sql).await? {
            rows.extend(texts(&batch)?);
        }
        Ok(rows)
    };
    let outcome: Result<Rows, Failure> = asked.await;
    outcome.map_err(|failure| failure.during(format!("asking `{sql}`")))
}

/// The one number of an answer; of a decimal its digits, so money counts in cents.
async fn number(client: &mut Client, sql: &str) -> Result<i128, Failure> {
    let rows = ask(client, sql).await?;
    let text = match rows.as_slice() {
        [row] => row.first().cloned().flatten().unwrap_or_else(|| "0".to_owned()),
        _ => return Err(broken(format!("`{sql}` did not give one row"))),
    };
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    digits.parse().map_err(|_| broken(format!("`{sql}` did not give a number")))
}

fn two(row: Vec<Option<String>>) -> Result<[Option<String>; 2], Failure> {
    row.try_into().map_err(|_| broken("an answer does not have two columns"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_32_small_hexadecimal_digits() {
        assert!(is_token("0123456789abcdef0123456789abcdef"));
        assert!(!is_token("0123456789ABCDEF0123456789abcdef"));
        assert!(!is_token("0123456789abcdef"));
        assert!(!is_token("110101199003071234aaaaaaaaaaaaaz"));
    }

    #[test]
    fn the_last_characters_are_counted_as_characters() {
        assert_eq!(last("110101199003071234", 6), "071234");
        assert_eq!(last("王小明", 2), "小明");
        assert_eq!(last("ab", 6), "ab");
        assert_eq!(last("", 6), "");
    }

    #[test]
    fn a_fact_that_does_not_hold_ends_the_check() {
        let mut facts = Facts::default();
        assert!(facts.equal("teller", "customers", &1, &1).is_ok());
        let failure = facts.equal("teller", "customers", &2, &1).unwrap_err();
        assert_eq!(failure.kind().exit_code(), 70);
        assert!(failure.text().contains("answered 2, the files say 1"), "{}", failure.text());
        assert_eq!(facts.verified, 1);
    }
}
