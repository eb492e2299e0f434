//! The mask of people's names: the family name is hidden; in the strict profile only the
//! family name of a Chinese name is left, and nothing of any other.
//!
//! The number of stars is fixed, so the length of what is hidden is not told. Where it is not
//! plain which part is the family name, all is hidden.

use super::{HIDDEN, Profile, is_han};

/// Family names of two characters.
const COMPOUND_SURNAMES: [&str; 48] = [
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "司空",
    "夏侯", "宇文", "长孙", "轩辕", "端木", "百里", "呼延", "南宫", "东郭", "西门", "独孤", "澹台",
    "公冶", "宗政", "濮阳", "淳于", "单于", "太叔", "申屠", "仲孙", "钟离", "鲜于", "闾丘", "司寇",
    "亓官", "子车", "颛孙", "巫马", "公西", "漆雕", "乐正", "壤驷", "公良", "拓跋", "夹谷", "赫连",
];

/// Family names of Chinese, Vietnamese and Korean names in Latin letters, where either part
/// may come first.
const LATIN_SURNAMES: &[&str] = &[
    "wang", "li", "zhang", "liu", "chen", "yang", "huang", "zhao", "wu", "zhou", "xu", "sun", "ma",
    "zhu", "hu", "guo", "he", "lin", "gao", "luo", "zheng", "liang", "xie", "song", "tang", "han",
    "feng", "deng", "cao", "peng", "zeng", "xiao", "tian", "dong", "pan", "yuan", "cai", "jiang",
    "yu", "du", "ye", "cheng", "wei", "su", "lu", "ding", "ren", "lee", "wong", "chan", "cheung",
    "lau", "ng", "tan", "lim", "ong", "chua", "goh", "ouyang", "sima", "nguyen", "nguyễn", "tran",
    "trần", "le", "lê", "pham", "phạm", "hoang", "hoàng", "vu", "vũ", "vo", "võ", "dang", "đặng",
    "bui", "bùi", "do", "đỗ", "ngo", "ngô", "kim", "park", "choi", "jung", "kang", "cho", "yoon",
    "jang", "lim", "shin", "kwon",
];

/// The dots that part a given name from a father's or family name.
const DOTS: [char; 5] = ['·', '•', '‧', '・', '･'];

/// Chinese names have so many characters; of a longer text the family name is not plain.
const HAN_CHARACTERS_MAX: usize = 4;

/// Of a Chinese given name at most so many characters are shown.
const GIVEN_CHARACTERS_MAX: usize = 2;

pub(super) fn mask(value: &str, profile: Profile) -> String {
    let name = value.trim();
    let shown = if name.contains(DOTS) {
        dotted(name, profile)
    } else if name.chars().any(is_han) {
        chinese(name, profile)
    } else {
        words(name, profile)
    };
    shown.unwrap_or_else(|| HIDDEN.to_owned())
}

/// 欧阳小明: one or two characters of family name, then the given name.
fn chinese(name: &str, profile: Profile) -> Option<String> {
    let characters: Vec<char> = name.chars().filter(|c| !c.is_whitespace()).collect();
    let is_name = (2..=HAN_CHARACTERS_MAX).contains(&characters.len())
        && characters.iter().all(|c| is_han(*c));
    let first_two: String = characters.iter().take(2).collect();
    let surname_length = if COMPOUND_SURNAMES.contains(&first_two.as_str()) { 2 } else { 1 };
    if !is_name || characters.len() == surname_length {
        return None;
    }
    // Four characters without a known family name may begin with one that is not in the list.
    let given = characters.len() - surname_length;
    let hidden = characters.len() - given.min(GIVEN_CHARACTERS_MAX);
    Some(match profile {
        Profile::Doc => format!("*{}", characters[hidden..].iter().collect::<String>()),
        Profile::Strict => {
            format!("{}**", characters[..surname_length].iter().collect::<String>())
        }
    })
}

/// 迪丽热巴·迪力木拉提: the given name, then the father's or the family's.
fn dotted(name: &str, profile: Profile) -> Option<String> {
    let (given, family) = name.split_once(DOTS)?;
    let given = given.trim();
    let is_name = |part: &str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    let plain = is_name(given) && family.chars().any(char::is_alphabetic);
    (plain && profile == Profile::Doc).then(|| format!("{given}·**"))
}

/// `John Smith`, `Smith, John`, `John SMITH`: one word of the given name is left.
fn words(name: &str, profile: Profile) -> Option<String> {
    if profile == Profile::Strict {
        return None;
    }
    let given = match name.split_once(',') {
        Some((family, given)) if !all_words(family)?.is_empty() => *all_words(given)?.first()?,
        Some(_) => return None,
        None => given_word(&all_words(name)?)?,
    };
    Some(format!("{given} **"))
}

/// The words of a name in Latin letters; `None` if there is anything in it that such a name
/// has not. Other scripts are left out because many peoples write the family name first.
fn all_words(name: &str) -> Option<Vec<&str>> {
    let is_word = |word: &&str| {
        word.chars().any(is_latin) && word.chars().all(|c| is_latin(c) || "-'’.".contains(c))
    };
    let words: Vec<&str> = name.split_whitespace().collect();
    words.iter().all(is_word).then_some(words)
}

const fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic()
        || matches!(c, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}') && c != '×' && c != '÷'
}

/// The first word, if it is plainly not the family name: neither one that families bear in
/// languages that put it first, nor written in capitals before words that are not.
fn given_word<'a>(words: &[&'a str]) -> Option<&'a str> {
    let [first, rest @ ..] = words else { return None };
    let in_capitals = |word: &str| !word.contains('.') && !word.chars().any(char::is_lowercase);
    let stands_out = first.chars().count() > 1
        && in_capitals(first)
        && rest.iter().any(|word| !in_capitals(word));
    let may_be_family = LATIN_SURNAMES.contains(&first.to_lowercase().as_str());
    (!rest.is_empty() && !stands_out && !may_be_family).then_some(*first)
}
