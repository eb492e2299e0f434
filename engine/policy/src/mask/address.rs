//! The mask of addresses: province, city and district are left; in the strict profile the
//! province.
//!
//! Speaks of Chinese addresses that begin with a province's full name. The parts are
//! recognised by their last character, within narrow bounds, and recognition stops at the
//! first part that is not plainly one: what is shown is then shorter, never longer. Any other
//! address is hidden wholly.

use super::{HIDDEN, Profile, is_han};

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

/// A part of an address: how its name ends and how many characters it has at most.
struct Part {
    endings: &'static [&'static str],
    characters_max: usize,
}

const CITY: Part = Part { endings: &["市", "自治州", "地区", "盟"], characters_max: 12 };
const DISTRICT: Part = Part { endings: &["区", "县", "旗", "市"], characters_max: 8 };
const AUTONOMOUS: Part = Part { endings: &["自治县", "自治旗"], characters_max: 17 };

/// Characters that name something smaller than a district. They may begin a district's name
/// (路桥区) but do not stand inside one.
const SMALLER: &str = "路街道巷弄号村镇乡楼室栋幢座组院店园";

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
    let is_municipality = province.ends_with('市');
    let mut end = province.len();
    if !is_municipality {
        end += CITY.length_at_start(&address[end..]).unwrap_or(0);
    }
    let district = DISTRICT
        .length_at_start(&address[end..])
        .or_else(|| AUTONOMOUS.length_at_start(&address[end..]));
    &address[..end + district.unwrap_or(0)]
}

impl Part {
    /// The bytes of this part at the beginning of a text: the shortest that ends like one.
    fn length_at_start(&self, text: &str) -> Option<usize> {
        let ends = |length: &usize| self.endings.iter().any(|end| text[..*length].ends_with(end));
        let length = text
            .char_indices()
            .take(self.characters_max)
            .take_while(|(at, c)| is_han(*c) && (*at == 0 || !SMALLER.contains(*c)))
            .map(|(at, c)| at + c.len_utf8())
            .skip(1)
            .find(ends)?;
        let is_smaller = NOT_PLACES.iter().any(|ending| text[..length].ends_with(ending));
        (!is_smaller).then_some(length)
    }
}
