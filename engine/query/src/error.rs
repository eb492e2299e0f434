//! Errors of a query, in words that are safe to show to the principal.
//!
//! Never repeats a cell's value: an error raised while rows are read says what kind of thing
//! went wrong, not on what. Names are only ever those that the principal wrote or may see.

use std::sync::Arc;

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use martlet_core::{ErrorKind, Kinded, SnapshotNumber};
use martlet_store::StoreError;

/// What can go wrong between a statement's text and its last row.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueryError {
    /// The text is not one statement of the accepted kind.
    #[error("the statement cannot be understood: {reason}")]
    Syntax {
        /// What is wrong, and where in the text.
        reason: String,
    },
    /// The statement would do something else than read.
    #[error(
        "{verb} is not accepted here: the mart is read-only for queries; use select, explain, show or describe"
    )]
    NotAQuery {
        /// The statement's first word.
        verb: String,
    },
    /// The statement would change rules.
    #[error(
        "rules are not changed over a connection: `martlet policy sql` takes grant, revoke, create role \
         and create policy into the bundle, which is then checked and applied"
    )]
    RulesElsewhere,
    /// A statement that only some roles may give.
    #[error(
        "explain is not granted: for every table of the statement it needs a role that may explain and \
         sees all rows; explain analyze and the plan of a look-up need columns that are shown as they are"
    )]
    ExplainNotGranted,
    /// Rules are told to some roles only, whomever they are about.
    #[error("explain policy is not granted: it needs a role that may explain_policy")]
    ExplainPolicyNotGranted,
    /// Nobody of that name is in the feed; only told to who may ask of everybody.
    #[error("there is no principal `{principal}` in the feed")]
    UnknownPrincipal {
        /// The name as it was asked for.
        principal: String,
    },
    /// A look-up that is not granted, or that stands where none can be answered.
    #[error(
        "lookup(column, value) needs a role that may look the column up, and has to be a condition of \
         its own with a constant, in a SELECT from that table alone: WHERE lookup(column, 'value') AND …"
    )]
    LookupNotGranted,
    /// A column of which only conditions may speak would be shown.
    #[error(
        "a column that may be used in conditions only would be shown, or be compared with one that is \
         shown: name the columns that you want, and compare it with constants or its like"
    )]
    NotShown,
    /// A table with a minimum group size would be asked for something else than groups.
    #[error(
        "a table of the statement is told in groups of enough persons only, and this could tell of \
         single ones; it is answered where {accepted}"
    )]
    TooFine {
        /// What would be answered.
        accepted: &'static str,
    },
    /// A table does not exist, or the principal may not know of it.
    #[error("table `{table}` does not exist or is not granted")]
    UnknownTable {
        /// The name as the principal wrote it.
        table: String,
    },
    /// A column does not exist, or the principal may not know of it.
    #[error("column `{column}` does not exist or is not granted")]
    UnknownColumn {
        /// The name as the principal wrote it.
        column: String,
    },
    /// The statement does not fit the tables that the principal sees.
    #[error("{reason}")]
    Plan {
        /// What does not fit.
        reason: String,
    },
    /// Wrong number or type of parameters.
    #[error("{reason}")]
    Parameters {
        /// What is wrong.
        reason: String,
    },
    /// Something went wrong on a row while the statement ran.
    #[error("the statement failed while running: {reason}")]
    Running {
        /// What, without the value it happened on.
        reason: &'static str,
    },
    /// A limit of the statement was reached.
    #[error(
        "the statement needs more {resource} than it may use: ask for fewer rows, columns or groups"
    )]
    Exhausted {
        /// Which resource.
        resource: &'static str,
    },
    /// The result has a column that cannot be sent.
    #[error(
        "column {position} of the result has a type that cannot be sent: cast it to a plain type"
    )]
    Unsendable {
        /// The column's position, from 1.
        position: usize,
    },
    /// No such snapshot.
    #[error("snapshot {number} does not exist")]
    NoSnapshot {
        /// Its number.
        number: SnapshotNumber,
    },
    /// The server's own records cannot be read at the moment.
    #[error("the audit records cannot be read at the moment")]
    RecordsUnreadable,
    /// The stored rules or principals are not usable.
    #[error("the mart's {what} cannot be used: {reason}")]
    Rules {
        /// `policy` or `principals`.
        what: &'static str,
        /// The first finding.
        reason: String,
    },
    /// The store failed.
    #[error("stored data cannot be read")]
    Store(#[source] Arc<StoreError>),
    /// Something that should be impossible.
    #[error("an internal promise was broken ({promise})")]
    Bug {
        /// Which one; names no data.
        promise: &'static str,
    },
}

impl Kinded for QueryError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Syntax { .. }
            | Self::Plan { .. }
            | Self::Parameters { .. }
            | Self::Running { .. }
            | Self::Unsendable { .. } => ErrorKind::Invalid,
            Self::NotAQuery { .. }
            | Self::RulesElsewhere
            | Self::ExplainNotGranted
            | Self::ExplainPolicyNotGranted
            | Self::LookupNotGranted
            | Self::NotShown
            | Self::TooFine { .. } => ErrorKind::Denied,
            Self::UnknownTable { .. }
            | Self::UnknownColumn { .. }
            | Self::UnknownPrincipal { .. }
            | Self::NoSnapshot { .. } => ErrorKind::NotFound,
            Self::Exhausted { .. } => ErrorKind::Exhausted,
            Self::RecordsUnreadable => ErrorKind::Retry,
            Self::Rules { .. } => ErrorKind::Invalid,
            Self::Store(error) => error.kind(),
            Self::Bug { .. } => ErrorKind::Bug,
        }
    }
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

const NO_WAY: &str = "no way to run the statement was found: write it in another way";

impl QueryError {
    /// An error met while planning: nothing of a row has been read, so DataFusion's words
    /// speak only of the statement and of names that the session's catalog holds.
    pub(crate) fn from_planning(error: DataFusionError) -> Self {
        match error {
            DataFusionError::SchemaError(schema, _) => Self::from_schema(*schema),
            DataFusionError::SQL(parser, _) => Self::Syntax { reason: parser.to_string() },
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
                Self::from_planning(*inner)
            }
            DataFusionError::Collection(errors) => errors
                .into_iter()
                .next()
                .map_or(Self::Bug { promise: "an error has a cause" }, Self::from_planning),
            DataFusionError::Plan(reason) => match unknown_table(&reason) {
                Some(table) => Self::UnknownTable { table },
                None => Self::Plan { reason: first_line(&reason) },
            },
            DataFusionError::NotImplemented(reason) => {
                Self::Plan { reason: format!("not supported: {}", first_line(&reason)) }
            }
            other => Self::from_running(other),
        }
    }

    /// An error met while a way to run a plan was looked for. DataFusion's words then describe plans, and
    /// these are made by what all rows are like, hidden ones too: only its sort is told.
    pub(crate) fn from_physical_planning(error: DataFusionError) -> Self {
        match error {
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
                Self::from_physical_planning(*inner)
            }
            DataFusionError::Plan(_) => Self::Plan { reason: NO_WAY.into() },
            other => Self::from_running(other),
        }
    }

    fn from_schema(error: SchemaError) -> Self {
        match error {
            SchemaError::FieldNotFound { field, .. } => Self::UnknownColumn { column: field.name },
            SchemaError::AmbiguousReference { field } => Self::Plan {
                reason: format!(
                    "column `{}` is in more than one table: write `table.column`",
                    field.name
                ),
            },
            other => Self::Plan { reason: first_line(&other.to_string()) },
        }
    }

    /// An error met while rows were read or computed on: only its sort is told.
    pub(crate) fn from_running(error: DataFusionError) -> Self {
        Self::met_while_running(&error)
    }

    /// Where several wait for one thing, all of them are handed the one error that it failed with.
    fn met_while_running(error: &DataFusionError) -> Self {
        match error {
            DataFusionError::External(source) => source
                .downcast_ref::<Self>()
                .cloned()
                .unwrap_or(Self::Bug { promise: "only martlet raises external errors" }),
            DataFusionError::ArrowError(arrow, _) => Self::from_arrow(arrow),
            DataFusionError::ResourcesExhausted(_) => Self::Exhausted { resource: "memory" },
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
                Self::met_while_running(inner)
            }
            DataFusionError::Shared(shared) => Self::met_while_running(shared),
            DataFusionError::Collection(errors) => errors
                .first()
                .map_or(Self::Bug { promise: "an error has a cause" }, Self::met_while_running),
            DataFusionError::Execution(_) => {
                Self::Running { reason: "a function was given a value it cannot take" }
            }
            DataFusionError::NotImplemented(_) => {
                Self::Running { reason: "it uses something that is not supported" }
            }
            DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => {
                Self::Running { reason: "its types do not fit together" }
            }
            _ => Self::Bug { promise: "the query engine runs what it planned" },
        }
    }

    fn from_arrow(error: &ArrowError) -> Self {
        Self::Running {
            reason: match error {
                ArrowError::CastError(_) | ArrowError::ParseError(_) => {
                    "a value could not be converted to the type that was asked for"
                }
                ArrowError::DivideByZero => "division by zero",
                ArrowError::ArithmeticOverflow(_) | ArrowError::OffsetOverflowError(_) => {
                    "a number became too large for its type"
                }
                _ => "a value could not be computed",
            },
        }
    }
}

/// Hands an error of ours through DataFusion, which carries it as an external one.
impl From<QueryError> for DataFusionError {
    fn from(error: QueryError) -> Self {
        Self::External(Box::new(error))
    }
}

/// DataFusion says `table 'martlet.mart.x' not found`, or that it cannot resolve the schema; the
/// principal wrote `x`.
fn unknown_table(reason: &str) -> Option<String> {
    if let Some(schema) = reason.strip_prefix("failed to resolve schema: ") {
        return Some(format!("{schema}.*"));
    }
    let name = reason.strip_prefix("table '")?.split_once("' not found")?.0;
    let name = name.strip_prefix("martlet.").unwrap_or(name);
    Some(name.strip_prefix("mart.").unwrap_or(name).into())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_string()
}
