//! The tour: the same questions asked by several people over real connections.
//!
//! Receives: signed-in clients. Hands on: answers to `panels` and `check`.
//! Must never ask the engine in process: what is shown is what a client gets.

use std::time::{Duration, Instant};

use arrow::array::{AsArray as _, RecordBatch};
use martlet_core::ErrorKind;

use super::panels::{Panel, layout};
use crate::command::exit::Failure;
use crate::command::grid::Grid;
use crate::command::size::Elapsed;
use crate::command::sql::connect::{Address, Client, Credentials};
use crate::command::sql::print::{add_rows, grid_for};
use crate::command::terminal::say;
use crate::command::terminal::{Reader, WIDTH_DEFAULT};

/// How often a question is asked again after the first time.
const REPEATS: usize = 5;

/// A question that teller, manager and analyst ask in the same words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    /// What it is about, in plain words.
    pub(crate) title: &'static str,
    /// The words.
    pub(crate) sql: &'static str,
}

/// Rows: the cut, the masks and the tokens are all in it.
pub(crate) const CUSTOMERS: Question = Question {
    title: "The first two customers: cut to the slice, masked by the role",
    sql: "SELECT customer_id, name, id_number, mobile, birth_date, deposit_balance \
          FROM customer ORDER BY customer_id LIMIT 2",
};

/// A count that comes from the indexes alone.
pub(crate) const SEGMENTS: Question = Question {
    title: "Customers by segment: each counts only those whom they may see",
    sql: "SELECT segment, count(*) AS customers FROM customer GROUP BY segment ORDER BY segment",
};

/// A sum over the largest table.
pub(crate) const MONTHS: Question = Question {
    title: "Transactions of the last months",
    sql: "SELECT CAST(date_trunc('month', booked_on) AS date) AS month, count(*) AS number, \
          sum(amount) AS amount FROM transaction GROUP BY 1 ORDER BY 1 DESC LIMIT 4",
};

const AUDIT: &str = "SELECT max(at) AS latest, principal, decision, count(*) AS times, \
     max(rows) AS rows, statement FROM system.audit_record \
     GROUP BY principal, decision, statement ORDER BY latest DESC LIMIT 10";

const RULES: &str =
    "SELECT rule, effect, roles, tables, condition FROM system.row_rule ORDER BY rule";

/// The named people of the demo, signed in.
#[derive(Debug)]
pub(crate) struct People {
    /// One outlet, masked.
    pub(crate) teller: Client,
    /// A province: the outlets below it.
    pub(crate) manager: Client,
    /// The whole bank, identifiers as tokens.
    pub(crate) analyst: Client,
    /// Audit records.
    pub(crate) auditor: Client,
    /// Rules.
    pub(crate) security: Client,
}

impl People {
    /// Signs everyone in.
    pub(crate) async fn sign_in(
        address: &Address,
        credentials: &[Credentials],
    ) -> Result<Self, Failure> {
        let client = async |name: &str| {
            let named = credentials.iter().find(|credentials| credentials.user == name);
            let credentials = named.cloned().ok_or_else(|| {
                Failure::new(ErrorKind::Bug, format!("the demo has no password for `{name}`"))
            })?;
            Client::connect(address, credentials).await
        };
        Ok(Self {
            teller: client("teller").await?,
            manager: client("manager").await?,
            analyst: client("analyst").await?,
            auditor: client("auditor").await?,
            security: client("security").await?,
        })
    }
}

/// Where teller and manager stand in the organization.
#[derive(Debug, Clone)]
pub(crate) struct Nodes {
    /// The teller's outlet.
    pub(crate) teller: String,
    /// The manager's province.
    pub(crate) manager: String,
}

/// Shows the whole tour.
pub(crate) async fn show(people: &mut People, nodes: &Nodes) -> Result<(), Failure> {
    for question in [CUSTOMERS, SEGMENTS, MONTHS] {
        show_side_by_side(people, nodes, question).await?;
    }
    show_foreign_outlet(people, nodes).await?;
    show_security(people).await?;
    show_audit(people).await
}

async fn show_side_by_side(
    people: &mut People,
    nodes: &Nodes,
    question: Question,
) -> Result<(), Failure> {
    heading(question.title, question.sql);
    let titles = [
        format!("teller · outlet {}", nodes.teller),
        format!("manager · below {}", nodes.manager),
        "analyst · the whole bank".to_owned(),
    ];
    let clients = [&mut people.teller, &mut people.manager, &mut people.analyst];
    let mut panels = Vec::new();
    for (client, title) in clients.into_iter().zip(titles) {
        let asked = ask(client, question.sql).await?;
        let foot = format!("{}, then {}", Elapsed(asked.first), Elapsed(asked.again));
        panels.push(Panel { title, answer: asked.grid, foot });
    }
    let width = Reader::of_stdout().width().unwrap_or(WIDTH_DEFAULT);
    say!("{}", layout(&panels, width).join("\n"));
    say!("(the first time, then the median of {REPEATS})");
    Ok(())
}

async fn show_foreign_outlet(people: &mut People, nodes: &Nodes) -> Result<(), Failure> {
    let Some(foreign) = foreign_outlet(people, nodes).await? else { return Ok(()) };
    let sql = customers_of_outlet(&foreign);
    heading("The teller asks for another outlet and gets nothing", &sql);
    print_answer(&mut people.teller, &sql).await
}

async fn show_security(people: &mut People) -> Result<(), Failure> {
    heading("The security officer reads the rules", RULES);
    print_answer(&mut people.security, RULES).await?;
    let sql = "SELECT count(*) FROM customer";
    heading("but no customer", sql);
    match rows(&mut people.security, sql).await {
        Err(refused) => say!("{}", refused.text()),
        Ok(_) => return Err(broken("the security officer read customers")),
    }
    Ok(())
}

async fn show_audit(people: &mut People) -> Result<(), Failure> {
    heading("The auditor reads who saw what", AUDIT);
    print_answer(&mut people.auditor, AUDIT).await
}

/// An outlet of the manager's province that is not the teller's; a small bank has none.
pub(crate) async fn foreign_outlet(
    people: &mut People,
    nodes: &Nodes,
) -> Result<Option<String>, Failure> {
    let sql = format!(
        "SELECT outlet FROM customer WHERE outlet <> '{}' ORDER BY outlet LIMIT 1",
        nodes.teller
    );
    let batches = rows(&mut people.manager, &sql).await?;
    let first = batches.iter().find(|batch| batch.num_rows() > 0);
    let outlet = first.and_then(|batch| batch.column(0).as_string_opt::<i32>());
    Ok(outlet.map(|outlets| outlets.value(0).to_owned()))
}

/// Counts the customers of an outlet.
pub(crate) fn customers_of_outlet(outlet: &str) -> String {
    format!("SELECT count(*) AS customers FROM customer WHERE outlet = '{outlet}'")
}

/// All rows of an answer known to be small.
pub(crate) async fn rows(client: &mut Client, sql: &str) -> Result<Vec<RecordBatch>, Failure> {
    client.query(sql).await?.collect().await
}

/// What a broken promise of the demo is reported as.
pub(crate) fn broken(what: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Bug, what)
}

/// An answer with the times that it took.
struct Asked {
    grid: Grid,
    first: Duration,
    again: Duration,
}

async fn ask(client: &mut Client, sql: &str) -> Result<Asked, Failure> {
    let start = Instant::now();
    let answer = client.query(sql).await?;
    let mut grid = grid_for(answer.schema());
    for batch in answer.collect().await? {
        add_rows(&mut grid, &batch, usize::MAX)?;
    }
    let first = start.elapsed();
    let mut times = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let start = Instant::now();
        rows(client, sql).await?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(Asked { grid, first, again: times[REPEATS / 2] })
}

async fn print_answer(client: &mut Client, sql: &str) -> Result<(), Failure> {
    let answer = client.query(sql).await?;
    let mut grid = grid_for(answer.schema());
    for batch in answer.collect().await? {
        add_rows(&mut grid, &batch, usize::MAX)?;
    }
    let reader = match Reader::of_stdout() {
        Reader::Pipe => Reader::Page { width: WIDTH_DEFAULT },
        terminal @ (Reader::Terminal { .. } | Reader::Page { .. }) => terminal,
    };
    say!("{}", grid.render(reader));
    Ok(())
}

fn heading(title: &str, sql: &str) {
    say!("\n{title}\n  {sql}");
}
