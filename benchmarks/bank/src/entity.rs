//! The entities: their tables, columns, types, classes and keys, and which source system
//! delivers them in which dialect. The feed's headers and the load file are both written from
//! here, so that they cannot disagree. Holds no row.

/// A source system, which fixes the dialect of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    CoreBanking,
    Cards,
    Crm,
}

/// How a system writes text files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quoting: Quoting,
    pub(crate) line_end: &'static [u8],
    pub(crate) encoding: Encoding,
    /// Written for null, never quoted.
    pub(crate) null: &'static str,
    pub(crate) decimal_point: u8,
    pub(crate) date_separator: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// No quotes at all: text never holds the delimiter.
    Bare,
    /// Text, dates and timestamps stand in double quotes.
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Gb18030,
}

impl System {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CoreBanking => "core_banking",
            Self::Cards => "cards",
            Self::Crm => "crm",
        }
    }

    pub(crate) const fn dialect(self) -> Dialect {
        match self {
            Self::CoreBanking => Dialect {
                delimiter: b'|',
                quoting: Quoting::Bare,
                line_end: b"\n",
                encoding: Encoding::Utf8,
                null: "",
                decimal_point: b'.',
                date_separator: Some(b'-'),
            },
            Self::Cards => Dialect {
                delimiter: b';',
                quoting: Quoting::Text,
                line_end: b"\r\n",
                encoding: Encoding::Utf8,
                null: "",
                decimal_point: b',',
                date_separator: None,
            },
            Self::Crm => Dialect {
                delimiter: b',',
                quoting: Quoting::Text,
                line_end: b"\r\n",
                encoding: Encoding::Gb18030,
                null: "NULL",
                decimal_point: b'.',
                date_separator: Some(b'/'),
            },
        }
    }
}

/// What a night's rows do to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The whole content comes anew each night.
    Replace,
    /// The night's rows are added.
    Append,
}

/// One column of a table, and where its value comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// As load files write it.
    pub(crate) column_type: &'static str,
    pub(crate) class: &'static str,
    pub(crate) presence: Presence,
    pub(crate) origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The field with this header.
    Field(&'static str),
    /// Not in the file: the load fills in the night's business date.
    BatchDate,
}

/// One table and its files.
#[derive(Debug)]
pub(crate) struct Entity {
    pub(crate) table: &'static str,
    pub(crate) system: System,
    pub(crate) mode: Mode,
    pub(crate) primary_key: &'static [&'static str],
    pub(crate) cluster_key: &'static [&'static str],
    /// A file is closed and the next part begun after this many rows.
    pub(crate) rows_per_file: u64,
    pub(crate) columns: &'static [Column],
}

impl Entity {
    /// The headers of its files, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().filter_map(|column| match column.origin {
            Origin::Field(field) => Some(field),
            Origin::BatchDate => None,
        })
    }
}

const MONEY: &str = "decimal(18,2)";

const fn required(name: &'static str, column_type: &'static str, class: &'static str) -> Column {
    let presence = Presence::Required;
    Column { name, column_type, class, presence, origin: Origin::Field(name) }
}

const fn optional(name: &'static str, column_type: &'static str, class: &'static str) -> Column {
    let presence = Presence::Optional;
    Column { name, column_type, class, presence, origin: Origin::Field(name) }
}

impl Column {
    const fn from(self, field: &'static str) -> Self {
        Self { origin: Origin::Field(field), ..self }
    }

    const fn batch_date(self) -> Self {
        Self { origin: Origin::BatchDate, ..self }
    }
}

pub(crate) static ORGANIZATION: Entity = Entity {
    table: "organization",
    system: System::CoreBanking,
    mode: Mode::Replace,
    primary_key: &["code"],
    cluster_key: &["code"],
    rows_per_file: 1_000_000,
    columns: &[
        required("code", "text", "open"),
        optional("parent", "text", "open"),
        required("level", "text", "open"),
        required("name", "text", "open"),
        required("latin_name", "text", "open"),
    ],
};

pub(crate) static PRODUCT: Entity = Entity {
    table: "product",
    system: System::CoreBanking,
    mode: Mode::Replace,
    primary_key: &["product"],
    cluster_key: &["product"],
    rows_per_file: 1_000_000,
    columns: &[
        required("product", "text", "open"),
        required("name", "text", "open"),
        required("latin_name", "text", "open"),
        required("category", "text", "open"),
        required("currency", "text", "open"),
        optional("annual_rate", "float64", "open"),
    ],
};

pub(crate) static CHANNEL: Entity = Entity {
    table: "channel",
    system: System::CoreBanking,
    mode: Mode::Replace,
    primary_key: &["channel"],
    cluster_key: &["channel"],
    rows_per_file: 1_000_000,
    columns: &[
        required("channel", "text", "open"),
        required("name", "text", "open"),
        required("latin_name", "text", "open"),
        required("staffed", "boolean", "open"),
    ],
};

pub(crate) static CUSTOMER: Entity = Entity {
    table: "customer",
    system: System::CoreBanking,
    mode: Mode::Replace,
    primary_key: &["customer_id"],
    cluster_key: &["outlet", "customer_id"],
    rows_per_file: 50_000,
    columns: &[
        required("customer_id", "text", "customer_number").from("CUST_NO"),
        required("outlet", "text", "open").from("ORG_NO"),
        required("name", "text", "name").from("CUST_NAME"),
        optional("id_number", "text", "id_number").from("CERT_NO"),
        optional("mobile", "text", "mobile").from("MOBILE"),
        optional("email", "text", "email").from("EMAIL"),
        optional("address", "text", "address").from("ADDRESS"),
        required("birth_date", "date", "birth_date").from("BIRTH_DATE"),
        optional("gender", "text", "demographic").from("GENDER"),
        optional("education", "text", "demographic").from("EDUCATION"),
        optional("occupation", "text", "demographic").from("OCCUPATION"),
        optional("marital_status", "text", "demographic").from("MARITAL_STATUS"),
        optional("segment", "text", "profile").from("SEGMENT"),
        optional("risk_level", "text", "profile").from("RISK_LEVEL"),
        required("vip", "boolean", "profile").from("VIP_FLAG"),
        required("opened_on", "date", "relationship").from("OPEN_DATE"),
        required("accounts", "int32", "relationship").from("ACCT_COUNT"),
        required("deposit_balance", MONEY, "balance").from("DEPOSIT_BAL"),
        required("assets_total", MONEY, "balance").from("ASSETS_TOTAL"),
        optional("memo", "text", "free_text").from("MEMO"),
        required("as_of", "date", "open").batch_date(),
    ],
};

pub(crate) static ACCOUNT: Entity = Entity {
    table: "account",
    system: System::CoreBanking,
    mode: Mode::Replace,
    primary_key: &["account_id"],
    cluster_key: &["outlet", "customer_id", "account_id"],
    rows_per_file: 100_000,
    columns: &[
        required("account_id", "text", "account_number"),
        required("customer_id", "text", "customer_number"),
        required("outlet", "text", "open"),
        required("product", "text", "relationship"),
        required("currency", "text", "relationship"),
        required("opened_on", "date", "relationship"),
        optional("closed_on", "date", "relationship"),
        required("status", "text", "relationship"),
        required("balance", MONEY, "balance"),
    ],
};

pub(crate) static TRANSACTION: Entity = Entity {
    table: "transaction",
    system: System::CoreBanking,
    mode: Mode::Append,
    primary_key: &["transaction_id"],
    cluster_key: &["outlet", "customer_id", "booked_on"],
    rows_per_file: 1_000_000,
    columns: &[
        required("transaction_id", "int64", "activity"),
        required("account_id", "text", "account_number"),
        required("customer_id", "text", "customer_number"),
        required("outlet", "text", "open"),
        required("channel", "text", "activity"),
        required("type", "text", "activity"),
        required("direction", "text", "activity"),
        required("amount", MONEY, "amount"),
        required("balance_after", MONEY, "balance"),
        required("currency", "text", "activity"),
        required("booked_on", "date", "activity"),
        required("booked_at", "timestamp", "activity"),
        optional("counterparty_account", "text", "account_number"),
        optional("memo", "text", "free_text"),
    ],
};

pub(crate) static LOAN: Entity = Entity {
    table: "loan",
    system: System::CoreBanking,
    mode: Mode::Replace,
    primary_key: &["loan_id"],
    cluster_key: &["outlet", "customer_id", "granted_on"],
    rows_per_file: 1_000_000,
    columns: &[
        required("loan_id", "text", "account_number"),
        required("customer_id", "text", "customer_number"),
        required("outlet", "text", "open"),
        required("product", "text", "relationship"),
        required("principal", MONEY, "amount"),
        required("outstanding", MONEY, "balance"),
        required("annual_rate", "float64", "relationship"),
        required("granted_on", "date", "relationship"),
        required("due_on", "date", "relationship"),
        required("status", "text", "relationship"),
        required("overdue_days", "int32", "relationship"),
        optional("collateral", "text", "relationship"),
    ],
};

pub(crate) static CARD: Entity = Entity {
    table: "card",
    system: System::Cards,
    mode: Mode::Replace,
    primary_key: &["card_no"],
    cluster_key: &["outlet", "customer_id", "issued_on"],
    rows_per_file: 1_000_000,
    columns: &[
        required("card_no", "text", "card"),
        required("customer_id", "text", "customer_number").from("cust_no"),
        required("outlet", "text", "open").from("branch"),
        optional("account_id", "text", "account_number").from("settlement_account"),
        required("type", "text", "relationship").from("card_type"),
        required("status", "text", "relationship"),
        optional("credit_limit", MONEY, "balance"),
        required("issued_on", "date", "relationship"),
        required("expires_on", "date", "relationship").from("expiry"),
    ],
};

pub(crate) static SERVICE_CONTACT: Entity = Entity {
    table: "service_contact",
    system: System::Crm,
    mode: Mode::Append,
    primary_key: &["contact_id"],
    cluster_key: &["outlet", "customer_id", "contacted_at"],
    rows_per_file: 1_000_000,
    columns: &[
        required("contact_id", "int64", "activity").from("CONTACT_ID"),
        required("customer_id", "text", "customer_number").from("CUST_NO"),
        required("outlet", "text", "open").from("ORG_NO"),
        required("channel", "text", "activity").from("CHANNEL"),
        required("reason", "text", "activity").from("REASON"),
        required("contacted_at", "timestamp", "activity").from("CONTACT_TIME"),
        required("duration_seconds", "int32", "activity").from("DURATION"),
        optional("satisfaction", "int32", "activity").from("SATISFACTION"),
        optional("note", "text", "free_text").from("NOTE"),
    ],
};

pub(crate) static CAMPAIGN_RESPONSE: Entity = Entity {
    table: "campaign_response",
    system: System::Crm,
    mode: Mode::Replace,
    primary_key: &["campaign", "customer_id"],
    cluster_key: &["outlet", "customer_id", "offered_on"],
    rows_per_file: 1_000_000,
    columns: &[
        required("campaign", "text", "activity").from("CAMPAIGN"),
        required("customer_id", "text", "customer_number").from("CUST_NO"),
        required("outlet", "text", "open").from("ORG_NO"),
        required("channel", "text", "activity").from("CHANNEL"),
        required("product", "text", "activity").from("PRODUCT"),
        required("offered_on", "date", "activity").from("OFFER_DATE"),
        optional("responded_on", "date", "activity").from("RESPONSE_DATE"),
        required("response", "text", "activity").from("RESPONSE"),
        optional("amount", MONEY, "amount").from("AMOUNT"),
    ],
};

/// Every entity, in the order of the load file.
pub(crate) static ENTITIES: [&Entity; 10] = [
    &ORGANIZATION,
    &PRODUCT,
    &CHANNEL,
    &CUSTOMER,
    &ACCOUNT,
    &TRANSACTION,
    &LOAN,
    &CARD,
    &SERVICE_CONTACT,
    &CAMPAIGN_RESPONSE,
];
