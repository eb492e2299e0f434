//! What stands in a column: of a visible row the part that both worlds share, what its reader is
//! shown of it, and the raw value, which differs where nothing is shown; of a hidden row anything.
//!
//! What is shown is known from how the raw value was made, never by calling a mask: that is what
//! the masks are held against.

use hmac::{Hmac, Mac};
use martlet_core::BatchDate;
use sha2::Sha256;

use super::canaries::Canaries;
use super::cell::Cell;
use crate::random::Random;

/// The master key of all tokens here.
pub const MASTER: [u8; 32] = [9; 32];

/// How a column is filled.
#[derive(Debug, Clone, Copy)]
pub enum Fill {
    /// A number of its own for every row.
    Key,
    /// One of few texts; visible rows have those inside, a rule hides those outside.
    Choice {
        inside: &'static [&'static str],
        outside: &'static [&'static str],
    },
    /// 1 to 3 in visible rows; a rule hides the others.
    Level,
    /// The key of a row of another table, which may be one that nobody sees.
    Reference(i64),
    Number {
        low: i64,
        high: i64,
    },
    /// Never zero where it is visible, always where it is not.
    NonZero,
    Money,
    /// Eighths, so that sums are exact in any order.
    Eighths,
    Day,
    Moment,
    Flag,
    /// A number's text where it is visible, and none where it is not.
    Digits,
    /// Texts of which some are numbers.
    Mixed,
    Words,
    Name,
    IdNumber,
    Mobile,
    MobileNumber,
    Card,
    Account,
    Address,
    Email,
    BirthDate,
    BirthMoment,
    BandOfMoney,
    BandOfFloat,
    BandOfNumber,
    FreeText,
    RedactedText,
    RedactedNumber,
    /// Nothing is left of it, though a part would be if one role alone were asked.
    RedactedMobile,
    /// A token of this purpose, of a text.
    Token(&'static str),
    /// A token of this purpose, of a number.
    NumberToken(&'static str),
    /// Not shown, and equal in both worlds: conditions speak of it.
    Unshown,
    UnshownNumber,
    /// Equal in both worlds under its mask: whoever has the value in hand finds its row.
    SoughtText,
    SoughtNumber,
    /// Never shown to anyone.
    Secret,
    SecretNumber,
}

const GIVEN: [&str; 6] = ["Ann", "John", "Maria", "Ivy", "Oscar", "Rosa"];
const SURNAMES: [&str; 6] = ["王", "李", "张", "刘", "陈", "赵"];
const CHINESE: [&str; 5] = ["小明", "伟", "芳", "建国", "丽华"];
const PLACES: [&str; 4] =
    ["浙江省杭州市西湖区", "广东省深圳市南山区", "北京市海淀区", "四川省成都市武侯区"];
const DOMAINS: [&str; 3] = ["example.com", "mail.example.cn", "bank.example"];
const WORDS: [&str; 14] = [
    "salary",
    "rent",
    "50% off",
    "under_score",
    "工资",
    "房租 三月",
    "O'Brien",
    "",
    " padded ",
    "café",
    "NULL",
    "a,b;c",
    "Salary March",
    "退款",
];
/// The bands and, in units, what lies in them.
const BANDS: [(&str, i64, i64); 6] = [
    ("0", 0, 0),
    ("<10k", 1, 9_999),
    ("10k-50k", 10_000, 49_999),
    ("50k-200k", 50_000, 199_999),
    ("200k-1M", 200_000, 999_999),
    (">1M", 1_000_000, 900_000_000),
];
const FIRST_DAY: i64 = 18_000;
const LAST_DAY: i64 = 20_600;

impl Fill {
    /// What both worlds share of a visible row's value.
    pub(crate) fn base(self, random: &mut Random, shared: &mut Canaries, key: i64) -> Cell {
        let never_null = matches!(
            self,
            Self::Key | Self::Choice { .. } | Self::Level | Self::NonZero | Self::Digits
        );
        if !never_null && random.chance(8) {
            return Cell::Null;
        }
        match self {
            Self::Key => Cell::Number(key),
            Self::Choice { inside, .. } => Cell::text(random.draw(inside)),
            Self::Level => Cell::Number(random.between(1, 3)),
            Self::Reference(last) => Cell::Number(random.between(1, last)),
            Self::Number { low, high } => Cell::Number(random.between(low, high)),
            Self::NonZero => Cell::Number(random.between(1, 9)),
            Self::Money => Cell::Decimal(random.between(-500_000, 2_500_000).into()),
            Self::Eighths => Cell::Float(random.between(-4_000, 16_000) as f64 / 8.0),
            Self::Day => Cell::Day(day(random)),
            Self::Moment => Cell::Moment(moment(random)),
            Self::Flag => Cell::Flag(random.chance(50)),
            Self::Digits => Cell::Text(random.between(0, 60).to_string()),
            Self::Mixed => mixed(random),
            Self::Words => Cell::text(random.draw(&WORDS)),
            Self::BirthDate | Self::BirthMoment => Cell::Number(random.between(1940, 2010)),
            Self::BandOfMoney | Self::BandOfFloat | Self::BandOfNumber => {
                Cell::text(random.pick(&BANDS).0)
            }
            Self::Token(_) | Self::Unshown => Cell::Text(shared.text()),
            Self::NumberToken(_) | Self::UnshownNumber | Self::SoughtNumber => {
                Cell::Number(shared.number())
            }
            Self::SoughtText => Cell::Text(number_text(random, 18)),
            Self::RedactedText | Self::RedactedNumber | Self::RedactedMobile => Cell::text("***"),
            Self::FreeText | Self::Secret | Self::SecretNumber => Cell::Null,
            partial => partial.shown_part(random),
        }
    }

    /// What is left of a text by its mask.
    fn shown_part(self, random: &mut Random) -> Cell {
        if random.chance(10) {
            return Cell::text("***");
        }
        let mut digits = |count: usize| number_text(random, count);
        Cell::Text(match self {
            Self::IdNumber => format!("{}******", digits(12)),
            Self::Mobile | Self::MobileNumber => format!("1{}****{}", digits(2), digits(4)),
            Self::Card => format!("{}******{}", digits(6), digits(4)),
            Self::Account => format!("****{}", digits(4)),
            Self::Address => format!("{}***", random.pick(&PLACES)),
            Self::Email => {
                let first = char::from(b'a' + u8::try_from(random.below(26)).unwrap_or(0));
                format!("{first}***@{}", random.pick(&DOMAINS))
            }
            _ if random.chance(50) => format!("{} **", random.pick(&GIVEN)),
            _ => format!("*{}", random.pick(&CHINESE)),
        })
    }

    /// What the reader is shown.
    pub(crate) fn shown(self, base: &Cell) -> Cell {
        match (self, base) {
            (Self::SoughtText, Cell::Text(raw)) => Cell::Text(format!("{}******", &raw[..12])),
            (Self::SoughtNumber, Cell::Number(_)) => Cell::text("***"),
            (Self::Token(purpose), Cell::Text(raw)) => Cell::Text(token(purpose, raw)),
            (Self::NumberToken(purpose), Cell::Number(raw)) => {
                Cell::Text(token(purpose, &raw.to_string()))
            }
            _ => base.clone(),
        }
    }

    /// The raw value in one world.
    pub(crate) fn raw(self, base: &Cell, random: &mut Random, canaries: &mut Canaries) -> Cell {
        match (self, base) {
            (Self::FreeText | Self::Secret, _) => Cell::Text(canaries.text()),
            (Self::SecretNumber, _) => Cell::Number(canaries.number()),
            (_, Cell::Null) => Cell::Null,
            (Self::RedactedNumber, _) => Cell::Number(random.between(-1_000_000, 1_000_000)),
            (Self::RedactedText, _) => Cell::Text(canaries.text()),
            (Self::SoughtText, Cell::Text(raw)) => Cell::Text(canaries.digits(raw.clone())),
            (Self::RedactedMobile, _) => {
                Cell::Text(canaries.digits(format!("1{}", number_text(random, 10))))
            }
            (Self::BirthDate, Cell::Number(year)) => Cell::Day(day_in(*year, random)),
            (Self::BirthMoment, Cell::Number(year)) => Cell::Moment(
                i64::from(day_in(*year, random)) * 86_400_000_000
                    + random.between(0, 86_399_999_999),
            ),
            (Self::BandOfMoney, Cell::Text(band)) => {
                Cell::Decimal(i128::from(in_band(band, 100, random)))
            }
            (Self::BandOfFloat, Cell::Text(band)) => {
                Cell::Float(in_band(band, 4, random) as f64 / 4.0)
            }
            (Self::BandOfNumber, Cell::Text(band)) => Cell::Number(in_band(band, 1, random)),
            (_, Cell::Text(shown)) => self.whole(shown, random, canaries),
            _ => base.clone(),
        }
    }

    /// A text that has this mask.
    fn whole(self, shown: &str, random: &mut Random, canaries: &mut Canaries) -> Cell {
        let mut hidden = |count: usize| number_text(random, count);
        Cell::Text(match self {
            Self::MobileNumber if shown == "***" => {
                return Cell::Number(random.between(1, 999_999));
            }
            Self::MobileNumber => {
                let raw = canaries.digits(shown.replace("****", &hidden(4)));
                return raw.parse().map_or(Cell::Null, Cell::Number);
            }
            Self::Mobile if shown != "***" => canaries.digits(shown.replace("****", &hidden(4))),
            Self::IdNumber if shown != "***" => {
                canaries.digits(shown.replace("******", &hidden(6)))
            }
            Self::Card if shown != "***" => {
                let middle = 6 + random.below(4);
                canaries.digits(shown.replace("******", &number_text(random, middle)))
            }
            Self::Account if shown != "***" => canaries.text() + &shown[4..],
            Self::Address if shown != "***" => {
                format!("{}文三路{}号", shown.trim_end_matches('*'), canaries.text())
            }
            Self::Email if shown != "***" => shown.replacen("***", &canaries.text(), 1),
            Self::Name if shown.ends_with(" **") => shown.replace("**", &canaries.text()),
            Self::Name if shown != "***" => shown.replace('*', random.draw(&SURNAMES)),
            Self::Name
            | Self::Mobile
            | Self::IdNumber
            | Self::Card
            | Self::Address
            | Self::Email => canaries.text(),
            // Too short for its last four to be shown.
            Self::Account => hidden(3),
            _ => shown.to_owned(),
        })
    }

    /// A value that no rule lets anybody see; `key` is the row's own.
    pub(crate) fn outside(self, random: &mut Random, canaries: &mut Canaries, key: i64) -> Cell {
        match self {
            Self::Key => Cell::Number(key),
            Self::Choice { outside, .. } => match random.below(outside.len() + 2) {
                0 => Cell::Null,
                1 => Cell::Text(canaries.text()),
                at => Cell::text(outside[at - 2]),
            },
            Self::Level => [Cell::Null, Cell::Number(9), Cell::Number(-4)][random.below(3)].clone(),
            Self::NonZero => Cell::Number(0),
            Self::Reference(last) => Cell::Number(random.between(last + 1, 3 * last)),
            Self::Number { .. } => Cell::Number(canaries.number()),
            Self::Money => Cell::Decimal(canaries.number().into()),
            Self::BandOfMoney => Cell::Decimal(canaries.number().into()),
            Self::Eighths | Self::BandOfFloat => Cell::Float(
                [f64::NAN, -1e300, f64::from_bits(canaries.number().unsigned_abs())]
                    [random.below(3)],
            ),
            Self::BandOfNumber
            | Self::MobileNumber
            | Self::NumberToken(_)
            | Self::UnshownNumber
            | Self::SoughtNumber
            | Self::SecretNumber => Cell::Number(canaries.number()),
            Self::SoughtText => Cell::Text(canaries.digits(number_text(random, 18))),
            Self::RedactedNumber => Cell::Number(0),
            Self::Day | Self::BirthDate => {
                Cell::Day(i32::try_from(random.between(-60_000, 90_000)).unwrap_or(0))
            }
            Self::Moment | Self::BirthMoment => {
                Cell::Moment(random.between(-60_000, 90_000) * 86_399_999_999)
            }
            Self::Flag => Cell::Flag(random.chance(90)),
            _ => Cell::Text(canaries.text()),
        }
    }
}

fn mixed(random: &mut Random) -> Cell {
    let texts = ["12", "7", "-3", "x1", "", "1e3", "0", "nine", "2026-01-31"];
    Cell::text(random.draw(&texts))
}

fn day(random: &mut Random) -> i32 {
    i32::try_from(random.between(FIRST_DAY, LAST_DAY)).unwrap_or(0)
}

fn moment(random: &mut Random) -> i64 {
    random.between(FIRST_DAY * 86_400, LAST_DAY * 86_400) * 1_000_000
}

fn number_text(random: &mut Random, digits: usize) -> String {
    (0..digits).map(|_| char::from(b'0' + u8::try_from(random.below(10)).unwrap_or(0))).collect()
}

fn day_in(year: i64, random: &mut Random) -> i32 {
    let first: BatchDate = format!("{year:04}-01-01").parse().expect("a year of four digits");
    let day = random.between(0, 364);
    first.days() + i32::try_from(day).unwrap_or(0)
}

/// An amount in a band, in so many parts of a unit. Below zero it is in the lowest.
fn in_band(band: &str, parts: i64, random: &mut Random) -> i64 {
    let (_, low, high) = *BANDS.iter().find(|(name, ..)| *name == band).unwrap_or(&BANDS[0]);
    let amount = random.between(low * parts, high * parts);
    if band == "<10k" && random.chance(30) { -amount } else { amount }
}

/// As the policy promises: HMAC-SHA-256 under a key made of the master key for each purpose, of
/// which sixteen bytes are shown.
fn token(purpose: &str, raw: &str) -> String {
    let mac = |key: &[u8], message: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
        mac.update(message.as_bytes());
        mac.finalize().into_bytes()
    };
    let key = mac(&MASTER, purpose);
    mac(&key, raw).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
