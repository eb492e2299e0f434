//! The bank's own lists: products, channels, campaigns, and the organization as a table.

use crate::census::Bank;
use crate::entity;
use crate::error::BankError;
use crate::generate::{Feed, Progress};
use crate::generated::TableFiles;

pub(crate) const HOME_CURRENCY: &str = "CNY";
/// The product of every customer's first account.
pub(crate) const CURRENT_ACCOUNT: &str = "D001";

/// One product.
pub(crate) struct Product {
    pub(crate) code: &'static str,
    pub(crate) currency: &'static str,
    name: &'static str,
    latin_name: &'static str,
    /// In ten-thousandths.
    annual_rate: Option<u32>,
}

const fn product(
    code: &'static str,
    currency: &'static str,
    name: &'static str,
    latin_name: &'static str,
    annual_rate: Option<u32>,
) -> Product {
    Product { code, currency, name, latin_name, annual_rate }
}

/// What further accounts are.
pub(crate) static DEPOSIT_PRODUCTS: [Product; 8] = [
    product("D002", "CNY", "定期存款一年", "Time deposit, one year", Some(110)),
    product("D003", "CNY", "定期存款三年", "Time deposit, three years", Some(150)),
    product("D004", "CNY", "通知存款", "Notice deposit", Some(45)),
    product("D005", "CNY", "大额存单", "Certificate of deposit", Some(190)),
    product("D006", "CNY", "零钱账户", "Pocket account", Some(5)),
    product("D101", "USD", "美元账户", "Dollar account", Some(280)),
    product("D102", "EUR", "欧元账户", "Euro account", Some(120)),
    product("D103", "HKD", "港币账户", "Hong Kong dollar account", Some(210)),
];

static OTHER_PRODUCTS: [Product; 9] = [
    product(CURRENT_ACCOUNT, "CNY", "活期存款", "Current account", Some(10)),
    product("C001", "CNY", "借记卡", "Debit card", None),
    product("C002", "CNY", "信用卡", "Credit card", None),
    product("F001", "CNY", "货币基金", "Money market fund", Some(180)),
    product("F002", "CNY", "债券基金", "Bond fund", None),
    product("F003", "CNY", "股票基金", "Equity fund", None),
    product("W001", "CNY", "稳健理财", "Wealth plan, steady", Some(260)),
    product("I001", "CNY", "人寿保险", "Life insurance", None),
    product("I002", "CNY", "医疗保险", "Health insurance", None),
];

/// One kind of loan.
pub(crate) struct LoanProduct {
    pub(crate) code: &'static str,
    pub(crate) months: u32,
    pub(crate) median_cents: f64,
    pub(crate) collateral: Option<&'static str>,
    name: &'static str,
    latin_name: &'static str,
}

/// What loans are.
pub(crate) static LOAN_PRODUCTS: [LoanProduct; 5] = [
    LoanProduct {
        code: "L001",
        months: 360,
        median_cents: 80_000_000.0,
        collateral: Some("real_estate"),
        name: "住房贷款",
        latin_name: "Mortgage",
    },
    LoanProduct {
        code: "L002",
        months: 60,
        median_cents: 12_000_000.0,
        collateral: Some("vehicle"),
        name: "汽车贷款",
        latin_name: "Car loan",
    },
    LoanProduct {
        code: "L003",
        months: 36,
        median_cents: 5_000_000.0,
        collateral: None,
        name: "消费贷款",
        latin_name: "Consumer loan",
    },
    LoanProduct {
        code: "L004",
        months: 24,
        median_cents: 30_000_000.0,
        collateral: Some("guarantee"),
        name: "经营贷款",
        latin_name: "Business loan",
    },
    LoanProduct {
        code: "L005",
        months: 120,
        median_cents: 3_000_000.0,
        collateral: None,
        name: "助学贷款",
        latin_name: "Student loan",
    },
];

/// Code, name, Latin name, and whether a person of the bank takes part.
const CHANNELS: [(&str, &str, &str, bool); 8] = [
    ("counter", "柜面", "Counter", true),
    ("atm", "自助设备", "Cash machine", false),
    ("mobile", "手机银行", "Mobile bank", false),
    ("internet", "网上银行", "Internet bank", false),
    ("phone", "客服中心", "Service centre", true),
    ("pos", "商户终端", "Point of sale", false),
    ("wallet", "第三方支付", "Wallet", false),
    ("batch", "批量代理", "Batch", false),
];

/// One campaign: its code, what it offers, and to how many of a thousand.
pub(crate) struct Campaign {
    pub(crate) code: &'static str,
    pub(crate) product: &'static str,
    pub(crate) reach_per_mille: u64,
}

pub(crate) static CAMPAIGNS: [Campaign; 6] = [
    Campaign { code: "spring_saver", product: "D005", reach_per_mille: 220 },
    Campaign { code: "first_fund", product: "F001", reach_per_mille: 150 },
    Campaign { code: "credit_card_welcome", product: "C002", reach_per_mille: 120 },
    Campaign { code: "home_loan_refresh", product: "L001", reach_per_mille: 40 },
    Campaign { code: "family_insurance", product: "I001", reach_per_mille: 80 },
    Campaign { code: "private_evening", product: "W001", reach_per_mille: 10 },
];

/// Writes the tables organization, product and channel.
pub(crate) fn write(
    bank: &Bank,
    feed: &Feed,
    progress: &Progress,
) -> Result<Vec<TableFiles>, BankError> {
    let tables =
        vec![write_organization(bank, feed)?, write_products(feed)?, write_channels(feed)?];
    for table in &tables {
        progress(table.table, table.rows(), table.rows());
    }
    Ok(tables)
}

fn write_organization(bank: &Bank, feed: &Feed) -> Result<TableFiles, BankError> {
    let mut table = feed.table(&entity::ORGANIZATION)?;
    for node in bank.organization.nodes() {
        let parent = (!node.parent.is_empty()).then_some(node.parent.as_str());
        table.text(&node.code).optional_text(parent).text(node.level);
        table.text(&node.name).text(&node.latin_name).end_row()?;
    }
    table.finish()
}

fn write_products(feed: &Feed) -> Result<TableFiles, BankError> {
    let mut table = feed.table(&entity::PRODUCT)?;
    for product in OTHER_PRODUCTS.iter().chain(&DEPOSIT_PRODUCTS) {
        table.text(product.code).text(product.name).text(product.latin_name);
        table.text(category(product.code)).text(product.currency);
        match product.annual_rate {
            Some(rate) => table.rate(rate),
            None => table.null(),
        };
        table.end_row()?;
    }
    for loan in &LOAN_PRODUCTS {
        table.text(loan.code).text(loan.name).text(loan.latin_name);
        table.text(category(loan.code)).text(HOME_CURRENCY).null().end_row()?;
    }
    table.finish()
}

fn category(code: &str) -> &'static str {
    match code.as_bytes().first() {
        Some(b'D') => "deposit",
        Some(b'C') => "card",
        Some(b'L') => "loan",
        Some(b'I') => "insurance",
        _ => "investment",
    }
}

fn write_channels(feed: &Feed) -> Result<TableFiles, BankError> {
    let mut table = feed.table(&entity::CHANNEL)?;
    for (code, name, latin_name, staffed) in CHANNELS {
        table.text(code).text(name).text(latin_name).boolean(staffed).end_row()?;
    }
    table.finish()
}
