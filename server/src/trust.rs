//! TLS to others, proven against the certificates that the operator names and no others.
//!
//! Owns reading those certificates. Must never fall back to what the machine believes, nor to
//! believing everybody.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Why nobody can be believed by a file of certificates.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoTrust {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {what}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Connects to whoever proves itself by a certificate of these authorities (PEM).
pub(crate) fn connector(file: &Path) -> Result<TlsConnector, NoTrust> {
    let wrong = |what| NoTrust::Wrong { path: file.to_path_buf(), what };
    let text = std::fs::read(file)
        .map_err(|source| NoTrust::Unreadable { path: file.to_path_buf(), source })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|_| wrong("it is no PEM file"))?;
        roots.add(certificate).map_err(|_| wrong("a certificate in it cannot be used"))?;
    }
    if roots.is_empty() {
        return Err(wrong("it holds no certificate"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| wrong("TLS cannot be set up"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
