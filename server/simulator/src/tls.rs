//! Speaking to a server behind a proxy with TLS.
//!
//! One certificate authority is trusted, the one that was named: this program talks to servers under test, whose
//! certificates are made for the purpose, and never to the world.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use anyhow::{Context, Result, ensure};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();

/// Trusts the authority whose certificate is in `file` (PEM), from now on and for the whole process.
///
/// # Errors
/// When the file holds no certificate that can be used, or another authority is trusted already.
pub fn trust(file: &Path) -> Result<()> {
    let certificate =
        CertificateDer::from_pem_file(file).with_context(|| format!("no certificate in {}", file.display()))?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).context("the certificate cannot be trusted")?;
    ensure!(CONFIG.set(trusting(roots)).is_ok(), "another authority is trusted already, or none");
    Ok(())
}

/// How to connect. A call before [`trust`] makes every later connection trust no authority.
pub fn config() -> Arc<ClientConfig> {
    Arc::clone(CONFIG.get_or_init(|| trusting(RootCertStore::empty())))
}

fn trusting(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the usual versions");
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}
