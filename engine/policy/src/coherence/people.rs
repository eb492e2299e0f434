//! Made-up people whose values fit together, as those of real ones do.
//!
//! Digits 7 to 14 of an ID number are the day of birth, the 17th tells the sex and the last
//! checks the others; a card ends with its Luhn digit; most people have the mail address that
//! their carrier made of their number. The same people every time: what is measured on them is
//! the same everywhere. No value here is anybody's but by chance.

use std::sync::OnceLock;

use chrono::{Datelike, NaiveDate};

use super::kind::Kind;

/// How many people there are.
const PEOPLE: usize = 240;

/// Of three people two live where they were registered, as in the census of 2020.
const LIVE_WHERE_REGISTERED: (u64, u64) = (2, 3);

/// Of four people three have a mail address that is made of their mobile number.
const MAIL_IS_MOBILE: (u64, u64) = (3, 4);

/// Domains whose addresses are made of mobile numbers.
pub(super) const CARRIERS: [&str; 3] = ["139.com", "189.cn", "wo.cn"];

/// A place where people are registered: its code, its province and the rest of its name.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) code: &'static str,
    pub(super) province: &'static str,
    rest: &'static str,
}

impl Region {
    /// The whole name, as addresses begin.
    pub(super) fn name(&self) -> String {
        format!("{}{}", self.province, self.rest)
    }
}

const fn region(code: &'static str, province: &'static str, rest: &'static str) -> Region {
    Region { code, province, rest }
}

/// Codes and names as the state publishes them.
pub(super) const REGIONS: [Region; 16] = [
    region("110101", "北京市", "东城区"),
    region("110105", "北京市", "朝阳区"),
    region("210102", "辽宁省", "沈阳市和平区"),
    region("310101", "上海市", "黄浦区"),
    region("310115", "上海市", "浦东新区"),
    region("320105", "江苏省", "南京市建邺区"),
    region("330106", "浙江省", "杭州市西湖区"),
    region("350203", "福建省", "厦门市思明区"),
    region("370102", "山东省", "济南市历下区"),
    region("420106", "湖北省", "武汉市武昌区"),
    region("440106", "广东省", "广州市天河区"),
    region("440304", "广东省", "深圳市福田区"),
    region("440305", "广东省", "深圳市南山区"),
    region("500103", "重庆市", "渝中区"),
    region("510107", "四川省", "成都市武侯区"),
    region("610113", "陕西省", "西安市雁塔区"),
];

const SURNAMES: [&str; 8] = ["王", "李", "张", "刘", "陈", "杨", "欧阳", "司马"];
const GIVEN: [&str; 8] = ["伟", "芳", "秀英", "小明", "丽", "建国", "婷婷", "浩"];
const STREETS: [&str; 6] = ["人民路", "解放大道", "中山西路", "文三路", "科技园路", "滨江街"];
const OTHER_MAIL: [&str; 3] = ["qq.com", "163.com", "example.com"];
const PREFIXES: [&str; 6] = ["138", "139", "150", "177", "186", "199"];
const ISSUERS: [&str; 4] = ["622202", "622848", "621700", "436742"];

/// One person: every kind of value as text, a birth date as `YYYYMMDD`.
#[derive(Debug)]
pub(super) struct Person {
    values: Vec<String>,
    pub(super) born: NaiveDate,
}

impl Person {
    pub(super) fn value(&self, kind: Kind) -> &str {
        // Made for every kind, in their order.
        self.values.get(kind as usize).map_or("", String::as_str)
    }
}

/// Everybody.
pub(super) fn people() -> &'static [Person] {
    static ALL: OnceLock<Vec<Person>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut draw = Draw(1);
        (0..PEOPLE).map(|_| person(&mut draw)).collect()
    })
}

/// SplitMix64: the same numbers everywhere.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap_or(0)]
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + (self.next() % 10) as u8)).collect()
    }

    fn happens(&mut self, (times, of): (u64, u64)) -> bool {
        self.below(of) < times
    }
}

fn person(draw: &mut Draw) -> Person {
    let (registered, elsewhere) = (draw.below(16) as usize, draw.below(16) as usize);
    let born = NaiveDate::default() + chrono::Days::new(draw.below(13_000))
        - chrono::Days::new(draw.below(7_000));
    let birth = format!("{:04}{:02}{:02}", born.year(), born.month(), born.day());
    let serial = draw.digits(3);
    let first_17 = format!("{}{birth}{serial}", REGIONS[registered].code);
    let id_number = format!("{first_17}{}", id_check(&first_17));
    let sex = sex_of(&id_number).unwrap_or('M').to_string();
    let lives = if draw.happens(LIVE_WHERE_REGISTERED) { registered } else { elsewhere };
    let (street, number) = (draw.one_of(&STREETS), draw.below(300) + 1);
    let address = format!("{}{street}{number}号{}室", REGIONS[lives].name(), draw.digits(3));
    let mobile = format!("{}{}", draw.one_of(&PREFIXES), draw.digits(8));
    let email = if draw.happens(MAIL_IS_MOBILE) {
        format!("{mobile}@{}", draw.one_of(&CARRIERS))
    } else {
        format!("u{}@{}", draw.digits(8), draw.one_of(&OTHER_MAIL))
    };
    let issuer = draw.one_of(&ISSUERS).to_owned();
    let middle = if draw.happens((1, 2)) { 9 } else { 12 };
    let without_check = format!("{issuer}{}", draw.digits(middle));
    let card = format!("{without_check}{}", luhn_check(&without_check));
    let ending = card[card.len() - 4..].to_owned();
    let name = format!("{}{}", draw.one_of(&SURNAMES), draw.one_of(&GIVEN));
    let account = draw.digits(15);
    let of_kind = |kind: Kind| match kind {
        Kind::Name => &name,
        Kind::IdNumber => &id_number,
        Kind::BirthDate => &birth,
        Kind::Sex => &sex,
        Kind::Address => &address,
        Kind::Mobile => &mobile,
        Kind::Email => &email,
        Kind::Card => &card,
        Kind::CardIssuer => &issuer,
        Kind::CardEnding => &ending,
        Kind::AccountNumber => &account,
    };
    Person { values: Kind::ALL.into_iter().map(|kind| of_kind(kind).clone()).collect(), born }
}

/// The character that checks the first seventeen of an ID number (GB 11643).
pub(super) fn id_check(first_17: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    let digits = first_17.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    CHECKS[(sum % 11) as usize]
}

/// The digit that makes a number pass Luhn's check.
pub(super) fn luhn_check(without: &str) -> char {
    let doubled = |(place, digit): (usize, u32)| match (place % 2, digit * 2) {
        (0, twice) if twice > 9 => twice - 9,
        (0, twice) => twice,
        _ => digit,
    };
    let digits = without.chars().rev().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits.enumerate().map(doubled).sum();
    char::from_digit((10 - sum % 10) % 10, 10).unwrap_or('0')
}

/// What the 17th digit of an ID number tells.
pub(super) fn sex_of(id_number: &str) -> Option<char> {
    let digit = id_number.chars().nth(16)?.to_digit(10)?;
    Some(if digit % 2 == 1 { 'M' } else { 'F' })
}
