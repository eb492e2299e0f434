//! How to connect to the demo: lines to copy, with passwords quoted for where they are pasted.
//!
//! Owns the quoting for Python, a JDBC URL and a shell. Knows nothing of the server but its
//! address.

use std::net::SocketAddr;

use crate::command::sql::connect::Credentials;
use crate::command::terminal::say;

/// Prints the people, their passwords, and how one of them connects.
pub(crate) fn print(listen: SocketAddr, credentials: &[Credentials]) {
    say!("\nThe people and their passwords");
    for Credentials { user, password } in credentials {
        say!("  {user:<9} {password}");
    }
    if let Some(first) = credentials.first() {
        say!("{}", lines(listen, first));
    }
}

fn lines(listen: SocketAddr, Credentials { user, password }: &Credentials) -> String {
    format!(
        "
Connect, in Python (pip install adbc-driver-flightsql pyarrow)
  import adbc_driver_flightsql.dbapi as flight_sql
  person = {{\"username\": \"{user}\", \"password\": {python}}}
  connection = flight_sql.connect(\"grpc://{listen}\", db_kwargs=person, autocommit=True)
  cursor = connection.cursor()
  cursor.execute(\"SELECT count(*) FROM customer\")
  print(cursor.fetchall())

with JDBC (org.apache.arrow:flight-sql-jdbc-driver)
  jdbc:arrow-flight-sql://{listen}/?useEncryption=false&user={user}&password={url}

or in a shell
  MARTLET_PASSWORD={shell} martlet sql --port {port} --user {user}

Serving on {listen}; Ctrl-C ends it.",
        // A JSON text is a Python text, too.
        python = serde_json::Value::from(password.as_str()),
        url = percent_encoded(password),
        shell = shell_quoted(password),
        port = listen.port(),
    )
}

/// Every byte but unreserved ones (RFC 3986) as `%XX`.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_quoted_for_where_it_is_pasted() {
        let person = Credentials { user: "teller".into(), password: "a'b \"&c".into() };
        let text = lines(SocketAddr::from(([127, 0, 0, 1], 7)), &person);
        assert!(text.contains("\"password\": \"a'b \\\"&c\"}"), "{text}");
        assert!(text.contains("user=teller&password=a%27b%20%22%26c\n"), "{text}");
        assert!(text.contains("MARTLET_PASSWORD='a'\\''b \"&c' martlet sql --port 7"), "{text}");
        assert!(text.contains("grpc://127.0.0.1:7\""), "{text}");
    }
}
