//! What somebody knows of one person's values, character by character, and what follows.
//!
//! Owns the reconstructors. None of them sees a value that is not shown: they go from what is
//! known to what follows from it, or is likely to; whether it is right is measured elsewhere.

use super::kind::Kind;
use super::people::{CARRIERS, REGIONS, id_check, luhn_check, sex_of};

/// The characters of a value that are known, in their places. How many there are is taken as
/// known: nobody should rely on the contrary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known(Vec<Option<char>>);

impl Known {
    /// Nothing of a value of so many characters.
    pub(super) fn nothing(length: usize) -> Self {
        Self(vec![None; length])
    }

    /// All of it.
    pub(super) fn all(value: &str) -> Self {
        Self(value.chars().map(Some).collect())
    }

    /// Its beginning and its end.
    pub(super) fn ends(prefix: &str, suffix: &str, length: usize) -> Self {
        let mut known = Self::nothing(length);
        for (at, character) in prefix.chars().enumerate() {
            known.learn(at, character);
        }
        for (from_end, character) in suffix.chars().rev().enumerate() {
            if let Some(at) = length.checked_sub(from_end + 1) {
                known.learn(at, character);
            }
        }
        known
    }

    pub(super) fn get(&self, at: usize) -> Option<char> {
        self.0.get(at).copied().flatten()
    }

    pub(super) fn length(&self) -> usize {
        self.0.len()
    }

    /// What is known already stays: it was seen, and this may be a guess.
    pub(super) fn learn(&mut self, at: usize, character: char) {
        if let Some(place @ None) = self.0.get_mut(at) {
            *place = Some(character);
        }
    }

    pub(super) fn learn_all(&mut self, other: &Self) {
        for (at, character) in other.0.iter().enumerate() {
            if let Some(character) = character {
                self.learn(at, *character);
            }
        }
    }

    fn known(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// The characters from a place to the first that is not known.
    fn run(&self, from: usize) -> String {
        self.0.iter().skip(from).map_while(|character| *character).collect()
    }

    /// The one place that is missing, if it is only one.
    fn only_gap(&self) -> Option<usize> {
        let mut gaps = self.0.iter().enumerate().filter(|(_, known)| known.is_none());
        match (gaps.next(), gaps.next()) {
            (Some((at, _)), None) => Some(at),
            _ => None,
        }
    }

    fn with(&self, at: usize, character: char) -> String {
        let mut filled = self.clone();
        filled.learn(at, character);
        filled.run(0)
    }
}

/// What is known of one person.
#[derive(Debug)]
pub(super) struct Mind(Vec<Known>);

impl Mind {
    /// Nothing but the lengths, in the order of the kinds.
    pub(super) fn blank(lengths: impl IntoIterator<Item = usize>) -> Self {
        Self(lengths.into_iter().map(Known::nothing).collect())
    }

    pub(super) fn of(&self, kind: Kind) -> &Known {
        &self.0[kind as usize]
    }

    pub(super) fn of_mut(&mut self, kind: Kind) -> &mut Known {
        &mut self.0[kind as usize]
    }

    /// Draws every conclusion, until there is none left.
    pub(super) fn conclude(&mut self) {
        let mut known = self.known();
        loop {
            self.exchange(Kind::IdNumber, 6, Kind::BirthDate, 0, 8);
            self.exchange(Kind::Card, 0, Kind::CardIssuer, 0, 6);
            let ending = self.of(Kind::Card).length().saturating_sub(4);
            self.exchange(Kind::Card, ending, Kind::CardEnding, 0, 4);
            self.sex_from_id();
            self.region_from_id();
            self.region_from_address();
            self.mail_and_mobile();
            self.check_characters();
            let now = self.known();
            if now == known {
                return;
            }
            known = now;
        }
    }

    fn known(&self) -> usize {
        self.0.iter().map(Known::known).sum()
    }

    /// Two values have characters in common.
    fn exchange(&mut self, one: Kind, from: usize, other: Kind, other_from: usize, count: usize) {
        for step in 0..count {
            if let Some(character) = self.of(one).get(from + step) {
                self.of_mut(other).learn(other_from + step, character);
            }
            if let Some(character) = self.of(other).get(other_from + step) {
                self.of_mut(one).learn(from + step, character);
            }
        }
    }

    fn sex_from_id(&mut self) {
        let Some(digit) = self.of(Kind::IdNumber).get(16) else { return };
        // Its place is all that counts.
        if let Some(sex) = sex_of(&format!("{}{digit}", "0".repeat(16))) {
            self.of_mut(Kind::Sex).learn(0, sex);
        }
    }

    /// The guess: people live where they were registered.
    fn region_from_id(&mut self) {
        let code: String = self.of(Kind::IdNumber).run(0).chars().take(6).collect();
        let region = REGIONS.iter().find(|region| region.code == code);
        let province = REGIONS.iter().find(|region| code.starts_with(&region.code[..2]));
        let begins = match (region, province) {
            (Some(region), _) => region.name(),
            (None, Some(region)) => region.province.to_owned(),
            (None, None) => return,
        };
        let address = self.of_mut(Kind::Address);
        begins.chars().enumerate().for_each(|(at, character)| address.learn(at, character));
    }

    /// The same guess, the other way.
    fn region_from_address(&mut self) {
        let begins = self.of(Kind::Address).run(0);
        let region = REGIONS.iter().find(|region| begins.starts_with(&region.name()));
        let province = REGIONS.iter().find(|region| begins.starts_with(region.province));
        let code = match (region, province) {
            (Some(region), _) => region.code,
            (None, Some(region)) => &region.code[..2],
            (None, None) => return,
        };
        let number = self.of_mut(Kind::IdNumber);
        code.chars().enumerate().for_each(|(at, character)| number.learn(at, character));
    }

    /// The guess: what stands before a carrier's domain is the mobile number.
    fn mail_and_mobile(&mut self) {
        let mail = self.of(Kind::Email);
        let digits = self.of(Kind::Mobile).length();
        let is_carriers = mail.get(digits) == Some('@')
            && CARRIERS.contains(&mail.run(digits + 1).as_str())
            && mail.length() == digits + 1 + mail.run(digits + 1).len();
        if is_carriers {
            self.exchange(Kind::Email, 0, Kind::Mobile, 0, digits);
        }
    }

    /// One missing character follows from the one that checks all.
    fn check_characters(&mut self) {
        let checks = |kind: Kind, text: &str| match kind {
            Kind::IdNumber => text.get(..17).map(id_check),
            _ => text.get(..text.len().saturating_sub(1)).map(luhn_check),
        };
        for kind in [Kind::IdNumber, Kind::Card] {
            let known = self.of(kind);
            let Some(gap) = known.only_gap() else { continue };
            let fits = |character: &char| {
                let text = known.with(gap, *character);
                checks(kind, &text) == text.chars().last()
            };
            let is_last = gap + 1 == known.length();
            let characters = if is_last { "0123456789X" } else { "0123456789" };
            let mut fitting = characters.chars().filter(fits);
            if let (Some(character), None) = (fitting.next(), fitting.next()) {
                self.of_mut(kind).learn(gap, character);
            }
        }
    }
}
