//! What was written, and where. Holds names and counts only, never a row.

use std::path::PathBuf;

use chrono::NaiveDate;

/// The bank as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The folder that holds everything.
    pub dir: PathBuf,
    /// The night's business date: give it to the load.
    pub date: NaiveDate,
    /// The load file, `night.toml`.
    pub load_file: PathBuf,
    /// The policy bundle's folder.
    pub policy_dir: PathBuf,
    /// The principals feed.
    pub principals_file: PathBuf,
    /// Principals in it, the named ones included.
    pub principals: u64,
    /// The feed's tables, in the order of the load file.
    pub tables: Vec<TableFiles>,
    /// The root of the organization tree: the node of `analyst`, `auditor` and `security`.
    pub head_office: String,
    /// The node of `manager`: the province with the most outlets.
    pub manager_node: String,
    /// The node of `teller`: an outlet of middle size in the manager's province.
    pub teller_outlet: String,
    /// Customers of the teller's outlet, as the generator planned them.
    pub teller_customers: u64,
}

/// The feed files of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFiles {
    /// The table's name in the mart.
    pub table: &'static str,
    /// The source system that delivers it.
    pub system: &'static str,
    /// Its files, in the order written; all parts of one content.
    pub files: Vec<FeedFile>,
}

/// One feed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Rows, the header not counted.
    pub rows: u64,
    /// Bytes, the header counted.
    pub bytes: u64,
}

impl TableFiles {
    /// Rows of all files.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

impl Generated {
    /// The files of one table.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TableFiles> {
        self.tables.iter().find(|table| table.table == name)
    }

    /// Rows of the whole feed.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(TableFiles::rows).sum()
    }

    /// Bytes of the whole feed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(TableFiles::bytes).sum()
    }
}
