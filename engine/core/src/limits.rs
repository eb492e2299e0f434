//! Upper bounds that several crates share, checked against each other at compile time. A bound
//! that one module alone keeps stands in that module.

/// Rows of one segment at most: 2^20, so that a row number is a `u32` and a segment's bitmap
/// has at most sixteen roaring containers.
pub const SEGMENT_ROWS_MAX: u32 = 1 << 20;

/// Rows of one record batch that the scan hands on at most.
pub const BATCH_ROWS_MAX: usize = 8_192;

/// Bytes that one checksum of an object covers, so that a page is read and proven alone.
pub const CHECKSUM_BLOCK_BYTES: u64 = 64 * 1024;

/// Columns of one table at most.
pub const TABLE_COLUMNS_MAX: usize = 1_024;

/// Bytes of one name (table, column, class, role) at most.
pub const NAME_BYTES_MAX: usize = 128;

/// Bytes of one line of a delimited file at most; a longer one is a bad row.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Operators (arithmetic, comparison, AND, OR, set operations, joins) of one SQL statement at
/// most: a chain of them is as deep a tree as it is long, and a tree is walked on the stack.
pub const STATEMENT_OPERATORS_MAX: usize = 1_000;

/// Tables that one SQL statement reads at most, each name of a WITH counted as what it stands for: each
/// join of them holds the names of all columns before it.
pub const STATEMENT_TABLES_MAX: u64 = 100;

/// Columns that the queries of one SQL statement name at most, all together.
pub const STATEMENT_COLUMNS_MAX: u64 = 4_096;

/// Queries within each other in one SQL statement at most, names of a WITH written out: a plan is walked,
/// and dropped, on the stack.
pub const STATEMENT_DEPTH_MAX: u64 = 100;

/// Parts of one expression at most, each column in it written out as what it is computed of.
pub const EXPRESSION_PARTS_MAX: u64 = 50_000;

/// Bytes of texts that stand in the expressions of one operator at most, each column written out as what
/// it is computed of: they may be written out for each row of a batch.
pub const EXPRESSION_TEXT_BYTES_MAX: u64 = 16 * 1024;

/// Bytes that one call of a function may make of one batch at most.
pub const FUNCTION_OUTPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of one SQL statement at most.
pub const STATEMENT_BYTES_MAX: usize = 1024 * 1024;

const _: () = assert!(SEGMENT_ROWS_MAX.is_multiple_of(BATCH_ROWS_MAX as u32));
const _: () = assert!(CHECKSUM_BLOCK_BYTES.is_power_of_two());
