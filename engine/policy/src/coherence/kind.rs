//! What a column holds, so far as it matters to what gives what away.

use crate::mask::Mask;

/// What the columns of a class hold. It follows from the mask where that is made for it; a class
/// whose mask is not (a token, `redact`) says it by `about`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A person's name.
    Name,
    /// A resident's ID number.
    IdNumber,
    /// A day of birth.
    BirthDate,
    /// The sex of a person.
    Sex,
    /// A postal address.
    Address,
    /// A mobile number.
    Mobile,
    /// An e-mail address.
    Email,
    /// A payment card's number.
    Card,
    /// The first six digits of one.
    CardIssuer,
    /// The last four digits of one.
    CardEnding,
    /// An account number.
    AccountNumber,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Name,
        Self::IdNumber,
        Self::BirthDate,
        Self::Sex,
        Self::Address,
        Self::Mobile,
        Self::Email,
        Self::Card,
        Self::CardIssuer,
        Self::CardEnding,
        Self::AccountNumber,
    ];

    /// The word for it in `classes.toml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::IdNumber => "id_number",
            Self::BirthDate => "birth_date",
            Self::Sex => "sex",
            Self::Address => "address",
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::Card => "card",
            Self::CardIssuer => "card_issuer",
            Self::CardEnding => "card_ending",
            Self::AccountNumber => "account_number",
        }
    }

    /// Reads the word; `None` if it is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What a mask is made for. Amounts are not among it: two of one person are two amounts.
    #[must_use]
    pub const fn of_mask(mask: &Mask) -> Option<Self> {
        Some(match mask {
            Mask::Name(_) => Self::Name,
            Mask::IdNumber(_) => Self::IdNumber,
            Mask::Mobile(_) => Self::Mobile,
            Mask::Card(_) => Self::Card,
            Mask::AccountNumber(_) => Self::AccountNumber,
            Mask::Address(_) => Self::Address,
            Mask::Email(_) => Self::Email,
            Mask::BirthDate(_) => Self::BirthDate,
            Mask::BalanceBand(_) | Mask::FreeText | Mask::Redact | Mask::Token(_) => return None,
        })
    }

    /// Kinds of which one can tell of another.
    pub(super) const fn subject(self) -> Subject {
        match self {
            Self::Name => Subject::Name,
            Self::IdNumber | Self::BirthDate | Self::Sex | Self::Address => Subject::Person,
            Self::Mobile | Self::Email => Subject::Contact,
            Self::Card | Self::CardIssuer | Self::CardEnding => Subject::Card,
            Self::AccountNumber => Subject::Account,
        }
    }
}

/// What kinds that tell of each other speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Name,
    Person,
    Contact,
    Card,
    Account,
}
