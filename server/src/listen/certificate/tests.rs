//! Files as people have them.

use rcgen::{CertificateParams, CertifiedKey as Made, KeyPair, PKCS_ED25519, generate_simple_self_signed};
use tempfile::TempDir;

use super::*;

fn files(certificate: &str, key: &str) -> (TempDir, Files) {
    let directory = TempDir::new().unwrap();
    let files = Files { certificate: directory.path().join("cert.pem"), key: directory.path().join("key.pem") };
    fs::write(&files.certificate, certificate).unwrap();
    fs::write(&files.key, key).unwrap();
    (directory, files)
}

fn made() -> (String, String) {
    let Made { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

#[test]
fn a_certificate_and_its_key_are_read_with_whatever_stands_around_them() {
    let (certificate, key) = made();
    let (_, other) = made();
    let (_directory, files) =
        files(&format!("words\r\n{certificate}\n{certificate}{other}"), &format!("{certificate}{key}"));
    assert_eq!(files.load().unwrap().cert.len(), 2);
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let (_directory, files) = self::files(&certificate.pem(), &key.serialize_pem());
    files.load().unwrap();
}

#[test]
fn what_can_not_be_used_says_why() {
    let (certificate, key) = made();
    let other = made().1;
    let old_form = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let form = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (certificate, key, said) in [
        ("", key.as_str(), "there is no certificate"),
        ("-----BEGIN CERTIFICATE-----\n%%%", &key, "there is no certificate"),
        (&certificate, "", "there is no private key"),
        (&certificate, &certificate, "there is no private key"),
        (&certificate, form, "openssl pkey"),
        (&certificate, old_form, "openssl pkey"),
        (&certificate, &other, "don't belong together"),
        (broken, &key, "can't be used"),
    ] {
        let (_directory, files) = files(certificate, key);
        let error = files.load().unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("--tls-"), "{said}: {error}");
        assert!(!error.contains("BEGIN"), "{error}");
    }
    let (directory, files) = files(&certificate, &key);
    fs::remove_file(&files.key).unwrap();
    let error = files.load().unwrap_err().to_string();
    assert!(error.contains("--tls-key") && error.contains("key.pem") && error.contains("No such file"), "{error}");
    drop(directory);
}
