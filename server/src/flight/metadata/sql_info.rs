//! What the server can do, in the codes of Flight SQL.
//!
//! Owns all standard codes and the type of each, which drivers rely on without a check: names
//! are strings, ordinals of case and null ordering are bigints, sets are bit masks. Must never
//! hold a code of our own: unknown codes break drivers that ask for everything. Must never
//! claim what is not true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use arrow::array::AsArray;
use arrow::datatypes::{Schema, SchemaRef, UInt32Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    SqlInfo, SqlNullOrdering, SqlOuterJoinsSupportLevel, SqlSupportedCaseSensitivity,
    SqlSupportedGroupBy, SqlSupportedResultSetConcurrency, SqlSupportedResultSetType,
    SqlSupportedSubqueries, SqlSupportedTransaction, SqlSupportedUnions, SqlSupportsConvert,
    SqlTransactionIsolationLevel, SupportedSqlGrammar,
};
use martlet_core::limits::{NAME_BYTES_MAX, STATEMENT_BYTES_MAX, TABLE_COLUMNS_MAX};

use crate::flight::prepared::PREPARED_IDLE_MAX;

/// The version of the Arrow columnar format.
const ARROW_FORMAT: &str = "1.5";
/// Words that are reserved beyond those of SQL:2003.
const KEYWORDS: &[&str] = &["ANALYZE", "EXPLAIN", "ILIKE", "LIMIT", "OFFSET", "QUALIFY", "SHOW"];
const NUMERIC_FUNCTIONS: &[&str] = &[
    "ABS", "ACOS", "ASIN", "ATAN", "ATAN2", "CEIL", "COS", "COT", "DEGREES", "EXP", "FLOOR", "LN",
    "LOG", "LOG10", "PI", "POWER", "RADIANS", "ROUND", "SIGNUM", "SIN", "SQRT", "TAN", "TRUNC",
];
const STRING_FUNCTIONS: &[&str] = &[
    "ASCII",
    "CHARACTER_LENGTH",
    "CHR",
    "CONCAT",
    "LEFT",
    "LENGTH",
    "LOWER",
    "LPAD",
    "LTRIM",
    "REPEAT",
    "REPLACE",
    "REVERSE",
    "RIGHT",
    "RPAD",
    "RTRIM",
    "SPLIT_PART",
    "STARTS_WITH",
    "STRPOS",
    "SUBSTR",
    "TRANSLATE",
    "TRIM",
    "UPPER",
];
const DATE_FUNCTIONS: &[&str] = &[
    "CURRENT_DATE",
    "DATE_BIN",
    "DATE_PART",
    "DATE_TRUNC",
    "EXTRACT",
    "NOW",
    "TO_DATE",
    "TO_TIMESTAMP",
];

/// Bit `n` of a mask stands for member `n` of the enum.
const fn mask(members: &[i32]) -> i32 {
    let mut mask = 0;
    let mut at = 0;
    while at < members.len() {
        mask |= 1 << members[at];
        at += 1;
    }
    mask
}

/// Built once: what the server can do never changes while it runs.
static INFOS: LazyLock<Option<SqlInfoData>> = LazyLock::new(|| {
    let mut infos = SqlInfoDataBuilder::new();
    server(&mut infos);
    names(&mut infos);
    grammar(&mut infos);
    limits(&mut infos);
    transactions(&mut infos);
    results(&mut infos);
    infos.build().ok()
});

pub(crate) fn schema() -> SchemaRef {
    INFOS.as_ref().map_or_else(|| Arc::new(Schema::empty()), SqlInfoData::schema)
}

/// The codes that were asked for, or all. A code that does not exist has no row.
pub(crate) fn infos(codes: &[u32]) -> Result<RecordBatch, ArrowError> {
    let broken = || ArrowError::SchemaError("the list of infos cannot be built".into());
    let infos = INFOS.as_ref().ok_or_else(broken)?;
    let all = infos.record_batch(std::iter::empty()).map_err(|_| broken())?;
    if codes.is_empty() {
        return Ok(all);
    }
    // Each once, and only those that are: looking for one costs as much as all rows.
    let asked: BTreeSet<u32> = codes.iter().copied().collect();
    let known = all.columns().first().and_then(|codes| codes.as_primitive_opt::<UInt32Type>());
    let known = known.ok_or_else(broken)?.values().iter().copied();
    let known: Vec<u32> = known.filter(|code| asked.contains(code)).collect();
    if known.is_empty() {
        return Ok(RecordBatch::new_empty(infos.schema()));
    }
    infos.record_batch(known).map_err(|_| broken())
}

fn server(infos: &mut SqlInfoDataBuilder) {
    let idle_ms = i32::try_from(PREPARED_IDLE_MAX.as_millis()).unwrap_or(i32::MAX);
    infos.append(SqlInfo::FlightSqlServerName, "Martlet");
    infos.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    infos.append(SqlInfo::FlightSqlServerArrowVersion, ARROW_FORMAT);
    infos.append(SqlInfo::FlightSqlServerReadOnly, true);
    infos.append(SqlInfo::FlightSqlServerSql, true);
    infos.append(SqlInfo::FlightSqlServerSubstrait, false);
    infos.append(SqlInfo::FlightSqlServerSubstraitMinVersion, "");
    infos.append(SqlInfo::FlightSqlServerSubstraitMaxVersion, "");
    infos.append(SqlInfo::FlightSqlServerTransaction, SqlSupportedTransaction::None as i32);
    infos.append(SqlInfo::FlightSqlServerCancel, true);
    infos.append(SqlInfo::FlightSqlServerBulkIngestion, false);
    infos.append(SqlInfo::FlightSqlServerIngestTransactionsSupported, false);
    infos.append(SqlInfo::FlightSqlServerStatementTimeout, idle_ms);
    infos.append(SqlInfo::FlightSqlServerTransactionTimeout, 0_i32);
}

fn names(infos: &mut SqlInfoDataBuilder) {
    let lower = SqlSupportedCaseSensitivity::SqlCaseSensitivityLowercase as i64;
    // "Insensitive" is how drivers read: mixed case is kept as it is written.
    let kept = SqlSupportedCaseSensitivity::SqlCaseSensitivityCaseInsensitive as i64;
    infos.append(SqlInfo::SqlDdlCatalog, false);
    infos.append(SqlInfo::SqlDdlSchema, false);
    infos.append(SqlInfo::SqlDdlTable, false);
    infos.append(SqlInfo::SqlIdentifierCase, lower);
    infos.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    infos.append(SqlInfo::SqlQuotedIdentifierCase, kept);
    infos.append(SqlInfo::SqlAllTablesAreSelectable, true);
    infos.append(SqlInfo::SqlSearchStringEscape, "\\");
    infos.append(SqlInfo::SqlExtraNameCharacters, "");
    infos.append(SqlInfo::SqlSchemaTerm, "schema");
    infos.append(SqlInfo::SqlProcedureTerm, "procedure");
    infos.append(SqlInfo::SqlCatalogTerm, "catalog");
    infos.append(SqlInfo::SqlCatalogAtStart, true);
    infos.append(SqlInfo::SqlSchemasSupportedActions, 0_i32);
    infos.append(SqlInfo::SqlCatalogsSupportedActions, 0_i32);
}

fn grammar(infos: &mut SqlInfoDataBuilder) {
    use {SqlSupportedSubqueries as Subqueries, SqlSupportedUnions as Unions};
    let groups =
        [SqlSupportedGroupBy::SqlGroupByUnrelated, SqlSupportedGroupBy::SqlGroupByBeyondSelect];
    let grammars = [SupportedSqlGrammar::SqlMinimumGrammar, SupportedSqlGrammar::SqlCoreGrammar];
    let joins = [
        SqlOuterJoinsSupportLevel::SqlLimitedOuterJoins,
        SqlOuterJoinsSupportLevel::SqlFullOuterJoins,
    ];
    let subqueries = [
        Subqueries::SqlSubqueriesInComparisons,
        Subqueries::SqlSubqueriesInExists,
        Subqueries::SqlSubqueriesInIns,
    ];
    let unions = [Unions::SqlUnion, Unions::SqlUnionAll];
    infos.append(SqlInfo::SqlNullOrdering, SqlNullOrdering::SqlNullsSortedHigh as i64);
    infos.append(SqlInfo::SqlKeywords, KEYWORDS);
    infos.append(SqlInfo::SqlNumericFunctions, NUMERIC_FUNCTIONS);
    infos.append(SqlInfo::SqlStringFunctions, STRING_FUNCTIONS);
    infos.append(SqlInfo::SqlSystemFunctions, &["COALESCE", "NULLIF"][..]);
    infos.append(SqlInfo::SqlDatetimeFunctions, DATE_FUNCTIONS);
    infos.append(SqlInfo::SqlSupportsColumnAliasing, true);
    infos.append(SqlInfo::SqlNullPlusNullIsNull, true);
    infos.append(SqlInfo::SqlSupportsConvert, conversions());
    infos.append(SqlInfo::SqlSupportsTableCorrelationNames, true);
    infos.append(SqlInfo::SqlSupportsDifferentTableCorrelationNames, false);
    infos.append(SqlInfo::SqlSupportsExpressionsInOrderBy, true);
    infos.append(SqlInfo::SqlSupportsOrderByUnrelated, true);
    infos.append(SqlInfo::SqlSupportedGroupBy, mask(&groups.map(|member| member as i32)));
    infos.append(SqlInfo::SqlSupportsLikeEscapeClause, true);
    infos.append(SqlInfo::SqlSupportsNonNullableColumns, true);
    infos.append(SqlInfo::SqlSupportedGrammar, mask(&grammars.map(|member| member as i32)));
    // Bit 0 is entry level.
    infos.append(SqlInfo::SqlAnsi92SupportedLevel, mask(&[0]));
    infos.append(SqlInfo::SqlSupportsIntegrityEnhancementFacility, false);
    infos.append(SqlInfo::SqlOuterJoinsSupportLevel, mask(&joins.map(|member| member as i32)));
    infos.append(SqlInfo::SqlSupportedSubqueries, mask(&subqueries.map(|member| member as i32)));
    infos.append(SqlInfo::SqlCorrelatedSubqueriesSupported, true);
    infos.append(SqlInfo::SqlSupportedUnions, mask(&unions.map(|member| member as i32)));
}

/// Numbers become numbers, everything becomes text, and text everything.
fn conversions() -> BTreeMap<i32, Vec<i32>> {
    use SqlSupportsConvert as C;
    const NUMBERS: [C; 8] = [
        C::SqlConvertBigint,
        C::SqlConvertDecimal,
        C::SqlConvertFloat,
        C::SqlConvertInteger,
        C::SqlConvertNumeric,
        C::SqlConvertReal,
        C::SqlConvertSmallint,
        C::SqlConvertTinyint,
    ];
    const TEXTS: [C; 2] = [C::SqlConvertChar, C::SqlConvertVarchar];
    const TIMES: [C; 2] = [C::SqlConvertDate, C::SqlConvertTimestamp];
    let codes = |groups: &[&[C]]| -> Vec<i32> {
        groups.iter().flat_map(|group| group.iter().map(|code| *code as i32)).collect()
    };
    let mut from = BTreeMap::new();
    for number in NUMBERS {
        from.insert(number as i32, codes(&[&NUMBERS, &TEXTS]));
    }
    for text in TEXTS {
        from.insert(text as i32, codes(&[&NUMBERS, &TEXTS, &TIMES, &[C::SqlConvertBit]]));
    }
    for time in TIMES {
        from.insert(time as i32, codes(&[&TIMES, &TEXTS]));
    }
    from.insert(C::SqlConvertBit as i32, codes(&[&[C::SqlConvertBit], &TEXTS]));
    from
}

/// Zero means: no limit, or none that is known.
fn limits(infos: &mut SqlInfoDataBuilder) {
    let name = NAME_BYTES_MAX as i64;
    for (info, limit) in [
        (SqlInfo::SqlMaxBinaryLiteralLength, 0),
        (SqlInfo::SqlMaxCharLiteralLength, 0),
        (SqlInfo::SqlMaxColumnNameLength, name),
        (SqlInfo::SqlMaxColumnsInGroupBy, 0),
        (SqlInfo::SqlMaxColumnsInIndex, 1),
        (SqlInfo::SqlMaxColumnsInOrderBy, 0),
        (SqlInfo::SqlMaxColumnsInSelect, 0),
        (SqlInfo::SqlMaxColumnsInTable, TABLE_COLUMNS_MAX as i64),
        (SqlInfo::SqlMaxConnections, 0),
        (SqlInfo::SqlMaxCursorNameLength, 0),
        (SqlInfo::SqlMaxIndexLength, 0),
        (SqlInfo::SqlDbSchemaNameLength, name),
        (SqlInfo::SqlMaxProcedureNameLength, 0),
        (SqlInfo::SqlMaxCatalogNameLength, name),
        (SqlInfo::SqlMaxRowSize, 0),
        (SqlInfo::SqlMaxStatementLength, STATEMENT_BYTES_MAX as i64),
        (SqlInfo::SqlMaxStatements, 0),
        (SqlInfo::SqlMaxTableNameLength, name),
        (SqlInfo::SqlMaxTablesInSelect, 0),
        (SqlInfo::SqlMaxUsernameLength, 0),
    ] {
        infos.append(info, limit);
    }
    infos.append(SqlInfo::SqlMaxRowSizeIncludesBlobs, false);
}

fn transactions(infos: &mut SqlInfoDataBuilder) {
    let none = SqlTransactionIsolationLevel::SqlTransactionNone;
    infos.append(SqlInfo::SqlDefaultTransactionIsolation, none as i64);
    infos.append(SqlInfo::SqlTransactionsSupported, false);
    infos.append(SqlInfo::SqlSupportedTransactionsIsolationLevels, mask(&[none as i32]));
    infos.append(SqlInfo::SqlDataDefinitionCausesTransactionCommit, false);
    infos.append(SqlInfo::SqlDataDefinitionsInTransactionsIgnored, false);
    infos.append(SqlInfo::SqlSavepointsSupported, false);
}

fn results(infos: &mut SqlInfoDataBuilder) {
    let forward = SqlSupportedResultSetType::SqlResultSetTypeForwardOnly as i32;
    let read_only = SqlSupportedResultSetConcurrency::SqlResultSetConcurrencyReadOnly as i32;
    infos.append(SqlInfo::SqlSupportedPositionedCommands, 0_i32);
    infos.append(SqlInfo::SqlSelectForUpdateSupported, false);
    infos.append(SqlInfo::SqlStoredProceduresSupported, false);
    infos.append(SqlInfo::SqlSupportedResultSetTypes, mask(&[forward]));
    infos.append(SqlInfo::SqlSupportedConcurrenciesForResultSetUnspecified, 0_i32);
    infos.append(SqlInfo::SqlSupportedConcurrenciesForResultSetForwardOnly, mask(&[read_only]));
    infos.append(SqlInfo::SqlSupportedConcurrenciesForResultSetScrollSensitive, 0_i32);
    infos.append(SqlInfo::SqlSupportedConcurrenciesForResultSetScrollInsensitive, 0_i32);
    infos.append(SqlInfo::SqlBatchUpdatesSupported, false);
    infos.append(SqlInfo::SqlNamedParametersSupported, false);
    infos.append(SqlInfo::SqlLocatorsUpdateCopy, false);
    infos.append(SqlInfo::SqlStoredFunctionsUsingCallSyntaxSupported, false);
}
