//! `martlet sql`: ask a server, once or in a shell.
//!
//! Owns the options and the choice of where statements come from. It is a plain Flight SQL
//! client: it must never read a mart's folder, and sees what its user may see.

pub(crate) mod connect;
pub(crate) mod print;
mod repl;
mod shell;
mod statements;

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use clap::Args;
use console::Term;

use super::exit::Failure;
use connect::{Address, Client, Credentials};
use print::Format;
use shell::Shell;

const EXAMPLES: &str = "\
Examples:
  martlet sql --user analyst                                   an interactive shell; \\? helps
  martlet sql --user teller -c 'SELECT count(*) FROM customer'
  martlet sql --user analyst --format csv -c 'SELECT * FROM campaign_response' > responses.csv
  martlet sql --user manager --host mart.bank --tls-ca ca.pem --file month.sql

The password comes from --password, else from MARTLET_PASSWORD, else it is asked for.";

/// The options of `martlet sql`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The server's name or address
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The server's port
    #[arg(long, default_value_t = super::serve::PORT_DEFAULT)]
    port: u16,
    /// Who asks (else MARTLET_USER)
    #[arg(long)]
    user: Option<String>,
    /// The password; other users of this machine can see it here, so prefer MARTLET_PASSWORD
    #[arg(long)]
    password: Option<String>,
    /// The authority (PEM) that signed the server's certificate; turns TLS on
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Run this SQL and end; several statements are parted by `;`
    #[arg(short, long, value_name = "SQL", conflicts_with = "file")]
    command: Option<String>,
    /// Run the SQL of this file and end; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How answers are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Rows of a table shown at most; csv and json have all rows
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    max_rows: usize,
}

/// Asks what is to be asked.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let script = script(&arguments)?;
    let credentials = credentials(&arguments)?;
    let address = Address { host: arguments.host, port: arguments.port, tls_ca: arguments.tls_ca };
    let client = Client::connect(&address, credentials).await?;
    let mut shell = Shell::new(client, arguments.format, arguments.max_rows);
    match script {
        Some(text) => shell.run_all(&text).await,
        None => repl::run(&mut shell).await,
    }
}

/// The statements given with the command, if any were.
fn script(arguments: &Arguments) -> Result<Option<String>, Failure> {
    if let Some(command) = &arguments.command {
        return Ok(Some(command.clone()));
    }
    let from_input = match &arguments.file {
        Some(file) if file.as_os_str() != "-" => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::file("reading", file, &error))?;
            return Ok(Some(text));
        }
        Some(_) => true,
        None => !std::io::stdin().is_terminal(),
    };
    if !from_input {
        return Ok(None);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| {
        Failure::invalid(error.to_string()).during("reading statements from standard input")
    })?;
    Ok(Some(text))
}

fn credentials(arguments: &Arguments) -> Result<Credentials, Failure> {
    let user = arguments.user.clone().or_else(|| std::env::var("MARTLET_USER").ok());
    let user = user.ok_or_else(|| {
        Failure::invalid("no user is named").advise("give --user NAME or set MARTLET_USER")
    })?;
    let given = arguments.password.clone().or_else(|| std::env::var("MARTLET_PASSWORD").ok());
    let password = match given {
        Some(password) => password,
        None => ask_password(&user)?,
    };
    Ok(Credentials { user, password })
}

/// Asks on the terminal, without echo.
pub(crate) fn ask_password(user: &str) -> Result<String, Failure> {
    let terminal = Term::stderr();
    let absent = || {
        Failure::invalid("no password is given and there is no terminal to ask on")
            .advise("set MARTLET_PASSWORD")
    };
    if !terminal.is_term() || !std::io::stdin().is_terminal() {
        return Err(absent());
    }
    terminal
        .write_str(&format!("Password of {user}: "))
        .and_then(|()| terminal.read_secure_line())
        .map_err(|_| absent())
}
