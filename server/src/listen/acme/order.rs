//! One certificate: the order, the proof for each name, and what comes of it.

use anyhow::{Context, bail};
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::{
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};

use crate::{crypto::provider, listen::certificate::Certificates};

/// A certificate for all of these names, with its key, in PEM.
///
/// # Errors
/// When the authority gives none, with its words.
pub(super) async fn certificate(
    account: &Account,
    domains: &[String],
    certificates: &Certificates,
) -> anyhow::Result<String> {
    let names: Vec<Identifier> = domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await.context("no order is taken")?;
    let given = fulfil(&mut order, certificates).await;
    certificates.end_proofs();
    given
}

async fn fulfil(order: &mut Order, certificates: &Certificates) -> anyhow::Result<String> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge = authorization
            .challenge(ChallengeType::TlsAlpn01)
            .context("the authority does not offer TLS-ALPN-01, the one proof that this server gives")?;
        let name = challenge.identifier().to_string();
        let proof = proof(&name, challenge.key_authorization().digest().as_ref())?;
        certificates.prove(name, proof);
        challenge.set_ready().await?;
    }
    let patience = RetryPolicy::default().timeout(std::time::Duration::from_secs(60));
    let status = order.poll_ready(&patience).await;
    if !matches!(status, Ok(OrderStatus::Ready)) {
        if let Some(why) = refusal(order).await {
            bail!("{why}");
        }
        bail!("the order is {:?}", status?);
    }
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&patience).await?;
    Ok(format!("{key}{chain}"))
}

/// Which name was not proved, and why not, in the authority's words.
async fn refusal(order: &mut Order) -> Option<String> {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        let Ok(state) = authorization.refresh().await else { continue };
        if let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return Some(format!("{name}: {problem}"));
        }
    }
    None
}

/// The certificate that is shown to the authority (RFC 8737 section 3).
fn proof(name: &str, digest: &[u8]) -> anyhow::Result<CertifiedKey> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // Not compared with each other as others are: what reads a certificate for that does not know of a proof's extension.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], provider().key_provider.load_private_key(key)?))
}
