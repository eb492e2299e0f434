//! The demo's named people: their passwords, and the feed of principals with them.
//!
//! Owns drawing and hashing. Must never write a password to disk: only its hash is kept.

use martlet_core::ErrorKind;

use crate::command::exit::Failure;
use crate::command::password::hash;
use crate::command::serve::draw_key;
use crate::command::sql::connect::Credentials;

/// Letters and digits that are not taken for each other when read aloud or from paper.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

const PASSWORD_LENGTH: usize = 16;

/// A password for each of the named people: the given one, or a random one each.
pub(crate) fn passwords(given: Option<&str>) -> Result<Vec<Credentials>, Failure> {
    if given.is_some_and(str::is_empty) {
        return Err(Failure::invalid("an empty password is none").advise("leave --password away"));
    }
    martlet_bank::NAMED_PRINCIPALS
        .iter()
        .map(|user| {
            let password = match given {
                Some(password) => password.to_owned(),
                None => draw_password()?,
            };
            Ok(Credentials { user: (*user).to_owned(), password })
        })
        .collect()
}

/// The feed with the hashes of these passwords in the rows of these people.
pub(crate) fn with_passwords(feed: &str, credentials: &[Credentials]) -> Result<String, Failure> {
    let unreadable = |error: csv::Error| {
        Failure::invalid(error.to_string()).during("reading the demo's feed of principals")
    };
    let mut reader = csv::Reader::from_reader(feed.as_bytes());
    let headers = reader.headers().map_err(unreadable)?.clone();
    let position = |name: &str| {
        headers.iter().position(|header| header == name).ok_or_else(|| {
            Failure::invalid(format!("the demo's feed of principals has no column `{name}`"))
        })
    };
    let (name, password) = (position("name")?, position("password")?);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&headers).map_err(unreadable)?;
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let person = credentials.iter().find(|person| record.get(name) == Some(&person.user));
        let hash = person.map(|person| hash(&person.password)).transpose()?;
        let fields = record.iter().enumerate().map(|(at, field)| match &hash {
            Some(hash) if at == password => hash.as_str(),
            _ => field,
        });
        writer.write_record(fields).map_err(unreadable)?;
    }
    let bytes =
        writer.into_inner().map_err(|error| Failure::new(ErrorKind::Bug, error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Failure::new(ErrorKind::Bug, error.to_string()))
}

/// Eighty random bits: five for each of sixteen letters.
fn draw_password() -> Result<String, Failure> {
    let random = draw_key()?;
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
    Ok(random.iter().take(PASSWORD_LENGTH).map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_passwords_differ() {
        let people = passwords(None).unwrap();
        assert_eq!(people.len(), 5);
        assert!(people.iter().all(|person| person.password.len() == PASSWORD_LENGTH));
        assert_ne!(people[0].password, people[1].password);
    }

    #[test]
    fn only_the_named_people_get_a_password() {
        let feed = "name,roles,node,password\nteller,teller,01,\nb0001,teller,02,\n";
        let people = passwords(Some("hush")).unwrap();
        let text = with_passwords(feed, &people).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("teller,teller,01,\"$argon2id$"), "{}", lines[1]);
        assert_eq!(lines[2], "b0001,teller,02,");
        assert!(!text.contains("hush"));
        let directory = martlet_policy::Directory::parse(&text).unwrap();
        assert!(directory.sign_in("teller", "hush").is_ok());
        assert!(directory.sign_in("b0001", "").is_err());
    }
}
