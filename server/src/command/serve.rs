//! `martlet serve`: a mart over Arrow Flight SQL until Ctrl-C or SIGTERM.
//!
//! Owns the options, the token key's file and the signals; the server itself is the library's.
//! Must never put a key or a journal inside the mart, nor serve plain text to other machines.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use martlet_core::ErrorKind;
use martlet_policy::TokenKeys;
use martlet_query::{Engine, EngineOptions};
use martlet_server::alarm::Rules;
use martlet_server::audit::JournalOptions;
use martlet_server::{
    AlarmOptions, Journal, ServeConfig, ServeError, Serving, SignInRules, Transport,
};
use martlet_store::Store;
use rand::TryRngCore as _;

use super::exit::Failure;
use super::mart::{self, Expected};
use super::sign_in::SignInArguments;
use super::size::{Count, Size};
use crate::command::terminal::{note, say};

/// The port that server and clients take where none is named.
pub(crate) const PORT_DEFAULT: u16 = 31_337;

const EXAMPLES: &str = "\
Examples:
  martlet serve --mart ./mart
  martlet serve --mart ./mart --listen 0.0.0.0:31337 --tls-cert server.pem --tls-key server.key
  martlet serve --mart ./mart --memory 16G --threads 8 --audit /var/log/martlet
  martlet serve --mart ./mart --audit-anchor /worm/mart.anchor
  martlet serve --mart ./mart --oidc-issuer https://id.bank --oidc-audience mart --oidc-jwks keys.json
  martlet serve --mart ./mart --ldap ldaps://dir.bank --ldap-ca ca.pem --ldap-user-dn 'uid={name},ou=people,dc=bank'
  martlet serve --mart ./mart --alarms alarms.toml

The server takes over new snapshots, rules and principals within a second of their publishing.
The token key makes the tokens of masked identifiers: with another key the same customer has
another token. Keep it as you keep a password; it is made on the first start, as is the key
that signs the audit journal (`martlet audit public-key` prints its public half).";

/// The options of `martlet serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The mart: a folder or a URL
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from(([127, 0, 0, 1], PORT_DEFAULT)))]
    listen: SocketAddr,
    /// The server's certificate and its chain (PEM); needed beyond loopback
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Serve plain text to other machines: a proxy in front of this server ends TLS
    #[arg(long, conflicts_with = "tls_cert")]
    plain_behind_proxy: bool,
    /// The folder of the audit journal; default: beside the mart, with `-audit` at the end
    #[arg(long, value_name = "DIR")]
    audit: Option<PathBuf>,
    /// The key that signs the journal; default: beside the mart, with `-audit.key` at the end
    #[arg(long, value_name = "FILE")]
    audit_key: Option<PathBuf>,
    /// A second place for the journal's checkpoints, out of reach of its administrator
    #[arg(long, value_name = "FILE")]
    audit_anchor: Option<PathBuf>,
    /// The anchor is new to a journal that has records already: make it; give this once
    #[arg(long, requires = "audit_anchor")]
    new_anchor: bool,
    /// The rules of the alarms; default: those of `martlet alarms example`
    #[arg(long, value_name = "FILE")]
    alarms: Option<PathBuf>,
    /// The folder of alarms and of whom they hold; default: beside the mart, with `-alarms` at
    /// the end
    #[arg(long, value_name = "DIR")]
    alarms_dir: Option<PathBuf>,
    /// 32 bytes in hexadecimal; default: beside the mart, with `-token.key` at the end
    #[arg(long, value_name = "FILE")]
    token_key: Option<PathBuf>,
    /// Memory of all running queries together, such as 4G
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,
    /// Threads of one query; default: one per processor
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    #[command(flatten)]
    sign_in: SignInArguments,
}

/// Serves until a signal ends it.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let audit = journal_options(&arguments);
    let key_file =
        arguments.token_key.clone().unwrap_or_else(|| mart::beside(&arguments.mart, "token.key"));
    let transport = transport(&arguments);
    refuse_plain(&transport, arguments.listen)?;
    mart::refuse_inside(&arguments.mart, &audit.folder, "the audit journal")?;
    mart::refuse_inside(&arguments.mart, &audit.key, "the key of the audit journal")?;
    mart::refuse_inside(&arguments.mart, &key_file, "the token key")?;
    let alarms = alarm_options(&arguments)?;
    mart::refuse_inside(&arguments.mart, &alarms.folder, "the alarms' folder")?;
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let key = token_key(&key_file)?;
    if let TokenKey::Made(_) = key {
        note!("A new token key is in `{}`; keep a copy in a safe place.", key_file.display());
    }
    if !audit.key.exists() {
        note!("A new key signs the audit journal: `{}`.", audit.key.display());
    }
    let (options, sign_in) = (options(&arguments), arguments.sign_in.rules());
    let service = Service {
        options,
        listen: arguments.listen,
        transport,
        sign_in,
        audit,
        alarms: Some(alarms),
    };
    let signal = stop_signal()?;
    let stop = async move {
        signal.await;
        note!("Ending: running statements have ten seconds.");
    };
    let (engine, serving) = service.start(store, TokenKeys::from_master(key.bytes()), stop).await?;
    say_what_is_served(&engine);
    say!("Serving `{}` on {}; Ctrl-C ends it.", arguments.mart, serving.local_addr());
    Ok(serving.finished().await?)
}

/// Everything that a server needs beside the store and the keys.
#[derive(Debug)]
pub(crate) struct Service {
    /// How large the engine may become.
    pub(crate) options: EngineOptions,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// TLS or not.
    pub(crate) transport: Transport,
    /// How principals sign in.
    pub(crate) sign_in: SignInRules,
    /// The audit journal.
    pub(crate) audit: JournalOptions,
    /// The alarms over it.
    pub(crate) alarms: Option<AlarmOptions>,
}

impl Service {
    /// Opens engine and journal and starts to serve.
    pub(crate) async fn start(
        self,
        store: Store,
        keys: TokenKeys,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(Engine, Serving), Failure> {
        let journal = Arc::new(Journal::open_with(&self.audit)?);
        let engine = Engine::open(store, self.options, Arc::clone(&journal) as _, keys).await?;
        let config = ServeConfig {
            transport: self.transport,
            sign_in: self.sign_in,
            alarms: self.alarms,
            ..ServeConfig::new(self.listen, journal)
        };
        let serving = martlet_server::serve(engine.clone(), config, stop).await?;
        Ok((engine, serving))
    }
}

/// Without rules or principals nobody sees anything; silence about it would be a riddle.
fn say_what_is_served(engine: &Engine) {
    let mart = engine.mart();
    note!(
        "Snapshot {}, policy {}, {} principals.",
        mart.snapshot().number(),
        mart.policy_version(),
        Count(mart.directory().len() as u64)
    );
    if mart.bundle().is_none() || mart.directory().is_empty() {
        note!("Nobody sees anything before `martlet policy apply` gives rules and principals.");
    }
}

/// Ready at Ctrl-C or SIGTERM, whichever comes first.
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let unusable = |error: std::io::Error| {
        Failure::new(ErrorKind::Retry, error.to_string()).during("listening for signals")
    };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unusable)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(unusable)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Journal and key lie beside the mart where nothing else is said.
fn journal_options(arguments: &Arguments) -> JournalOptions {
    let beside = |what| mart::beside(&arguments.mart, what);
    JournalOptions {
        folder: arguments.audit.clone().unwrap_or_else(|| beside("audit")),
        key: arguments.audit_key.clone().unwrap_or_else(|| beside("audit.key")),
        anchor: arguments.audit_anchor.clone(),
        new_anchor: arguments.new_anchor,
    }
}

/// The rules of the file or the built-in ones, and where alarms are kept.
fn alarm_options(arguments: &Arguments) -> Result<AlarmOptions, Failure> {
    let rules = match &arguments.alarms {
        Some(file) => Rules::read(file)?,
        None => Rules::builtin()?,
    };
    let folder = arguments.alarms_dir.clone();
    let folder = folder.unwrap_or_else(|| mart::beside(&arguments.mart, "alarms"));
    Ok(AlarmOptions { rules, folder })
}

fn options(arguments: &Arguments) -> EngineOptions {
    let mut options = EngineOptions::default();
    if let Some(threads) = arguments.threads {
        options.threads = threads.max(1);
    }
    if let Some(memory) = arguments.memory {
        // A size beyond the address space is a limit that is never reached.
        options.memory_bytes = usize::try_from(memory.bytes()).unwrap_or(usize::MAX);
    }
    options
}

fn transport(arguments: &Arguments) -> Transport {
    match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            let clients = arguments.sign_in.certificates();
            Transport::Tls { certificate: certificate.clone(), key: key.clone(), clients }
        }
        _ if arguments.plain_behind_proxy => Transport::PlainBehindProxy,
        _ => Transport::PlainOnLoopback,
    }
}

/// The master of the token keys, and whether it is new. `Debug` does not show it.
pub(crate) enum TokenKey {
    /// It was in its file.
    Found([u8; 32]),
    /// There was no file; now there is.
    Made([u8; 32]),
}

impl TokenKey {
    /// The key itself.
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        match self {
            Self::Found(bytes) | Self::Made(bytes) => bytes,
        }
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenKey(..)")
    }
}

/// Refused here, too, before a key or a journal is made for nothing.
fn refuse_plain(transport: &Transport, listen: SocketAddr) -> Result<(), Failure> {
    if *transport == Transport::PlainOnLoopback && !listen.ip().is_loopback() {
        return Err(Failure::from(ServeError::PlainBeyondLoopback { listen }).advise(
            "give --tls-cert and --tls-key; or --plain-behind-proxy where a proxy ends TLS",
        ));
    }
    Ok(())
}

/// Reads the token key, or draws it and keeps it where only this user can read it.
pub(crate) fn token_key(file: &Path) -> Result<TokenKey, Failure> {
    match std::fs::read_to_string(file) {
        Ok(_) if others_may_read(file) => Err(Failure::new(
            ErrorKind::Denied,
            format!("others than its owner may read the token key in `{}`", file.display()),
        )
        .advise("chmod 600 it; whoever has read it can undo tokens of what is easily guessed")),
        Ok(text) => parse_key(text.trim()).map(TokenKey::Found).ok_or_else(|| {
            Failure::invalid(format!(
                "the token key in `{}` is not 64 hexadecimal digits",
                file.display()
            ))
            .advise("restore the file from a copy: with another key every token changes")
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = draw_key()?;
            write_key(file, &key)
                .map_err(|error| Failure::file("keeping the token key in", file, &error))?;
            Ok(TokenKey::Made(key))
        }
        Err(error) => Err(Failure::file("reading the token key", file, &error)),
    }
}

fn others_may_read(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(file).is_ok_and(|metadata| metadata.mode() & 0o077 != 0)
}

/// Thirty-two random bytes of the operating system.
pub(crate) fn draw_key() -> Result<[u8; 32], Failure> {
    let mut key = [0_u8; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut key).map_err(|error| {
        Failure::new(ErrorKind::Retry, error.to_string()).during("drawing random bytes")
    })?;
    Ok(key)
}

fn parse_key(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0_u8; 32];
    for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(key)
}

/// Made new with the owner's permissions only: never written over, never readable in between.
fn write_key(file: &Path, key: &[u8; 32]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut out =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    writeln!(out, "{hex}")?;
    out.sync_all()
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
