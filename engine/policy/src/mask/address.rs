//! The mask of addresses: province, city and district are left; in the strict profile the
//! province.
//!
//! Speaks of Chinese addresses that begin with a province's full name. The districts of the
//! four municipalities are known by name, as are a few places elsewhere. All other parts are
//! recognised by their last character, within narrow bounds, and recognition stops at the first
//! part that is not plainly one: what is shown is then shorter, never longer. Any other address
//! is hidden wholly.

mod districts;

use super::{HIDDEN, Profile, is_han};
use districts::{LIKE_COMPOUNDS, OF_MUNICIPALITIES};

/// The province-level units by their full names.
const PROVINCES: [&str; 34] = [
    "北京市",
    "天津市",
    "上海市",
    "重庆市",
    "河北省",
    "山西省",
    "辽宁省",
    "吉林省",
    "黑龙江省",
    "江苏省",
    "浙江省",
    "安徽省",
    "福建省",
    "江西省",
    "山东省",
    "河南省",
    "湖北省",
    "湖南省",
    "广东省",
    "海南省",
    "四川省",
    "贵州省",
    "云南省",
    "陕西省",
    "甘肃省",
    "青海省",
    "台湾省",
    "内蒙古自治区",
    "广西壮族自治区",
    "西藏自治区",
    "宁夏回族自治区",
    "新疆维吾尔自治区",
    "香港特别行政区",
    "澳门特别行政区",
];

/// A part of an address: how its name may end, and how many characters it then has at most.
struct Part {
    endings: &'static [(&'static str, usize)],
}

const CITY: Part = Part { endings: &[("市", 12), ("自治州", 12), ("地区", 12), ("盟", 12)] };
const DISTRICT: Part = Part {
    endings: &[("区", 8), ("县", 8), ("旗", 8), ("市", 8), ("自治县", 17), ("自治旗", 17)],
};

/// Characters that name something smaller than a district. They may begin a district's name
/// (路桥区) but do not stand inside one.
const SMALLER: &str = "路街道巷弄号村镇乡楼室栋幢座组院店园苑邸墅";

/// Characters that say through whose hands the mail goes: a person's name stands before them.
const HANDED_ON: &str = "转收寄";

/// What numbers the parts of a housing compound (三区). No district's name ends so, but for
/// those that are known.
const NUMERALS: &str = "〇零一二三四五六七八九十";

/// What tells the parts of a housing compound from each other (东区). The name of a district
/// that ends so is short: 西区, 城东区.
const SIDES: &str = "东西南北中新";
const CHARACTERS_WITH_SIDE_MAX: usize = 3;

/// What ends like a city or a district and is none: parts of one, and markets, before whose
/// name a person's may stand.
const NOT_PLACES: [&str; 21] = [
    "小区", "社区", "园区", "校区", "厂区", "院区", "景区", "库区", "矿区", "住区", "片区", "营区",
    "街区", "超市", "集市", "门市", "夜市", "菜市", "花市", "早市", "股市",
];

pub(super) fn mask(value: &str, profile: Profile) -> String {
    let address = value.trim();
    let Some(province) = PROVINCES.into_iter().find(|name| address.starts_with(name)) else {
        return HIDDEN.to_owned();
    };
    let shown = match profile {
        Profile::Strict => province,
        Profile::Doc => to_district(address, province),
    };
    format!("{shown}{HIDDEN}")
}

/// The leading part of an address down to its district, as far as it is recognised.
fn to_district<'a>(address: &'a str, province: &str) -> &'a str {
    if let Some((_, names)) = OF_MUNICIPALITIES.iter().find(|(name, _)| *name == province) {
        let below = &address[province.len()..];
        let district = names.iter().find(|name| below.starts_with(**name));
        return &address[..province.len() + district.map_or(0, |name| name.len())];
    }
    if let Some(known) = LIKE_COMPOUNDS.into_iter().find(|known| address.starts_with(known)) {
        return &address[..known.len()];
    }
    let below = &address[province.len()..];
    let mut end = province.len() + CITY.length_at_start(below).unwrap_or(0);
    end += DISTRICT.length_at_start(&address[end..]).unwrap_or(0);
    &address[..end]
}

impl Part {
    /// The bytes of this part at the beginning of a text: the shortest that ends like one. Where
    /// that is no place, no longer one is looked for: it would show what is no place.
    fn length_at_start(&self, text: &str) -> Option<usize> {
        let ends = |(before, length): &(usize, usize)| {
            let is_end =
                |(end, most): &(&str, usize)| before < most && text[..*length].ends_with(end);
            self.endings.iter().any(is_end)
        };
        let (_, length) = text
            .char_indices()
            .enumerate()
            .take_while(|(before, (_, c))| is_han(*c) && (*before == 0 || may_stand_inside(*c)))
            .map(|(before, (at, c))| (before, at + c.len_utf8()))
            .skip(1)
            .find(ends)?;
        is_place(&text[..length]).then_some(length)
    }
}

fn may_stand_inside(c: char) -> bool {
    !SMALLER.contains(c) && !HANDED_ON.contains(c)
}

/// Whether what ends like a city or a district can be one.
fn is_place(name: &str) -> bool {
    let is_side = |before: &str| {
        before.ends_with(|c| SIDES.contains(c)) && name.chars().count() > CHARACTERS_WITH_SIDE_MAX
    };
    let is_section = name
        .strip_suffix('区')
        .is_some_and(|before| before.ends_with(|c| NUMERALS.contains(c)) || is_side(before));
    !is_section && !NOT_PLACES.iter().any(|ending| name.ends_with(ending))
}
