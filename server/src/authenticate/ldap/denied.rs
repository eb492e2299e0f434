//! Why the directory does not let somebody in.
//!
//! Owns the words for the audit record and for the log. Neither ever holds a password, nor what a
//! directory says in its own words: that may repeat what it was sent.

/// Why somebody is not let in by the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    /// Nothing was sent: a bind without a password succeeds in many directories, and proves nothing
    /// (RFC 4513, 5.1.2); and one with a NUL byte may arrive as none.
    #[error("empty password")]
    EmptyPassword,
    /// The directory says that the password is wrong.
    #[error("password")]
    Password,
    /// The password is right and has expired, or has to be changed first.
    #[error("password expired")]
    Expired,
    /// The directory refuses the bind for another reason.
    #[error("directory refused")]
    Refused,
    /// It has no entry for the name.
    #[error("not in the directory")]
    NotFound,
    /// It has several.
    #[error("several in the directory")]
    Ambiguous,
    /// It could not be asked.
    #[error("directory unavailable")]
    Unavailable(Unavailable),
}

/// Why the directory could not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error("there is no connection")]
    Connection,
    #[error(
        "it does not prove to be the host that was asked for, by the certificates of --ldap-ca"
    )]
    Certificate,
    #[error("it does not change to TLS")]
    StartTls,
    #[error("it did not answer in time")]
    Slow,
    #[error("it closed the connection")]
    Closed,
    #[error("what it sent is no answer to what was asked")]
    Answer,
    #[error("it refers to another directory, which is not asked")]
    Referral,
    #[error("it refuses the service account (result {0})")]
    Service(u32),
    #[error(
        "it says that the service account's password has expired, or has to be changed: give the \
         account another"
    )]
    ServicePassword,
    #[error("it does not search (result {0})")]
    Search(u32),
    #[error("it is busy or says that it is not available (result {0})")]
    Busy(u32),
    #[error("it gives a part of the groups only")]
    Groups,
    #[error("too many ask it already")]
    Queue,
}

/// For whom a sign-in counts as failed that was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountsFor {
    /// A guess: for the name, and for the peer that it came from.
    NameAndPeer,
    /// A question that nobody answers: for the peer alone.
    Peer,
    /// Nothing was asked.
    Nobody,
}

impl Unavailable {
    /// Whether it may be about one question, while the directory answers others.
    pub(super) const fn is_of_one_question(self) -> bool {
        match self {
            Self::Answer | Self::Referral | Self::Search(_) | Self::Groups | Self::Queue => true,
            Self::Connection
            | Self::Certificate
            | Self::StartTls
            | Self::Slow
            | Self::Closed
            | Self::Service(_)
            | Self::ServicePassword
            | Self::Busy(_) => false,
        }
    }
}

impl Denied {
    /// The words in the record.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::EmptyPassword => "empty password",
            Self::Password => "password",
            Self::Expired => "password expired",
            Self::Refused => "directory refused",
            Self::NotFound => "not in the directory",
            Self::Ambiguous => "several in the directory",
            Self::Unavailable(_) => "directory unavailable",
        }
    }

    /// For whom it counts. A question that is left open is no guess at the name's password, yet it
    /// was asked, and nobody may go on with that without end. Who came while the directory could
    /// not be asked at all, or got no turn, has asked nothing.
    pub(crate) const fn counts_for(self) -> CountsFor {
        match self {
            Self::EmptyPassword
            | Self::Password
            | Self::Expired
            | Self::Refused
            | Self::NotFound
            | Self::Ambiguous => CountsFor::NameAndPeer,
            Self::Unavailable(Unavailable::Queue) => CountsFor::Nobody,
            Self::Unavailable(why) if why.is_of_one_question() => CountsFor::Peer,
            Self::Unavailable(_) => CountsFor::Nobody,
        }
    }
}

impl From<Unavailable> for Denied {
    fn from(why: Unavailable) -> Self {
        Self::Unavailable(why)
    }
}
