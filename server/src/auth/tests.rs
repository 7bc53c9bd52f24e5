//! Tokens that were forged, by kind, and those that are good.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    signing::{NewKey, SigningKey},
    *,
};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// A server with a secret and an Ed25519 key, and what signs for them.
struct Keys {
    auth: Auth,
    secret: SigningKey,
    pair: SigningKey,
    public: String,
    /// A key that is none of the server's.
    other: SigningKey,
    _folder: tempfile::TempDir,
}

async fn keys() -> Keys {
    let folder = tempfile::tempdir().unwrap();
    let (secret_file, public_file) = (folder.path().join("secret"), folder.path().join("key.pub"));
    let (pair, other) = (NewKey::ed25519().unwrap(), NewKey::ed25519().unwrap());
    let public = pair.public.unwrap();
    std::fs::write(&secret_file, SECRET).unwrap();
    std::fs::write(&public_file, &public).unwrap();
    let config = AuthConfig {
        auth_secret_file: Some(secret_file),
        auth_public_key: vec![public_file],
        auth_issuer: Some("me".to_owned()),
        ..AuthConfig::default()
    };
    Keys {
        auth: Auth::open(&config, Revocations::default()).await.unwrap(),
        secret: SigningKey::read(SECRET).unwrap(),
        pair: SigningKey::read(pair.private.as_bytes()).unwrap(),
        public,
        other: SigningKey::read(other.private.as_bytes()).unwrap(),
        _folder: folder,
    }
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

fn claims() -> Value {
    json!({"sub": "ann", "aud": "grtc", "iss": "me", "iat": now(), "exp": now() + 60, "grtc": {"rooms": ["*"]}})
}

fn with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[claim] = value;
    claims
}

fn without(claim: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(claim);
    claims
}

fn encoded(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// Signed with the secret, whatever the header and the claims are.
fn raw(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET);
    format!("{message}.{}", encoded(ring::hmac::sign(&key, message.as_bytes())))
}

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

#[tokio::test]
async fn what_a_key_of_the_server_has_signed_is_good() {
    let keys = keys().await;
    for (what, token) in [
        ("secret", keys.secret.sign(&claims()).unwrap()),
        ("pair", keys.pair.sign(&claims()).unwrap()),
        ("aud in a list", keys.secret.sign(&with("aud", json!(["other", "grtc"]))).unwrap()),
        ("no iat", keys.secret.sign(&without("iat")).unwrap()),
        ("no sub", keys.secret.sign(&without("sub")).unwrap()),
        ("no grtc: nothing is allowed", keys.secret.sign(&without("grtc")).unwrap()),
        ("just over, clocks differ", keys.secret.sign(&with("exp", json!(now() - 2))).unwrap()),
        ("to come, clocks differ", keys.secret.sign(&with("nbf", json!(now() + 3))).unwrap()),
        ("a claim of somebody else's", keys.secret.sign(&with("name", json!("Ann"))).unwrap()),
        ("a key name nobody knows", raw(r#"{"alg":"HS256","kid":"../../etc/passwd"}"#, claims().to_string())),
        (
            "where to find keys is passed over",
            raw(r#"{"alg":"HS256","jku":"https://evil.test"}"#, claims().to_string()),
        ),
    ] {
        let caller = keys.auth.caller(&token).await.unwrap_or_else(|refused| panic!("{what}: {refused}"));
        assert!(caller.grants.publish, "{what}");
    }
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "a list")]
async fn forged_tokens_are_refused() {
    let keys = keys().await;
    let good = keys.secret.sign(&claims()).unwrap();
    let text = claims().to_string();
    let parts: Vec<&str> = good.split('.').collect();
    let none = |alg: &str| format!("{}.{}.", encoded(format!(r#"{{"alg":"{alg}"}}"#)), encoded(&text));
    let public_as_secret = {
        let message = format!("{}.{}", encoded(HS256), encoded(&text));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, keys.public.as_bytes());
        format!("{message}.{}", encoded(ring::hmac::sign(&key, message.as_bytes())))
    };
    let flipped = {
        let mut bytes = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        bytes[0] ^= 1;
        format!("{}.{}.{}", parts[0], parts[1], encoded(bytes))
    };
    let claims_of = |inner: &str| raw(HS256, format!(r#"{{"aud":"grtc","iss":"me",{inner}}}"#));
    let exp = format!(r#""exp":{}"#, now() + 60);
    let forged: Vec<(&str, String)> = vec![
        ("nothing", String::new()),
        ("a word", "token".to_owned()),
        ("dots alone", "..".to_owned()),
        ("none", none("none")),
        ("None", none("None")),
        ("NONE", none("NONE")),
        ("an empty algorithm", none("")),
        ("none with a signature", format!("{}{}", none("none"), parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("no payload", format!("{}..{}", parts[0], parts[2])),
        ("no header", format!(".{}.{}", parts[1], parts[2])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("two signatures", format!("{good}.{}", parts[2])),
        ("truncated", good[..good.len() - 2].to_owned()),
        ("a bit of the signature", flipped),
        ("another payload", format!("{}.{}.{}", parts[0], encoded(with("sub", json!("eve")).to_string()), parts[2])),
        ("padding", format!("{good}=")),
        ("a line feed", format!("{good}\n")),
        ("standard Base64", good.replace('-', "+").replace('_', "/") + "+"),
        ("a megabyte", "a".repeat(1 << 20)),
        ("a megabyte of claims", keys.secret.sign(&with("x", json!("a".repeat(1 << 20)))).unwrap()),
        ("somebody else's key", keys.other.sign(&claims()).unwrap()),
        ("the public key as a secret", public_as_secret),
        ("the secret, said to be the pair", raw(r#"{"alg":"EdDSA"}"#, &text)),
        ("an algorithm without a key", raw(r#"{"alg":"RS256"}"#, &text)),
        ("HS512", raw(r#"{"alg":"HS512"}"#, &text)),
        ("hs256", raw(r#"{"alg":"hs256"}"#, &text)),
        ("an algorithm that is no text", raw(r#"{"alg":["HS256"]}"#, &text)),
        ("two algorithms", raw(r#"{"alg":"HS256","alg":"none"}"#, &text)),
        ("no algorithm", raw("{}", &text)),
        ("a header that is no object", raw("[]", &text)),
        ("a header that goes on", raw(r#"{"alg":"HS256"}{}"#, &text)),
        ("extensions", raw(r#"{"alg":"HS256","crit":["exp"]}"#, &text)),
        ("a key name that is no text", raw(r#"{"alg":"HS256","kid":["x"]}"#, &text)),
        ("a header that is not UTF-8", raw(b"{\"alg\":\"HS256\",\"x\":\"\xff\"}", &text)),
        ("claims that are not UTF-8", raw(HS256, [&text.as_bytes()[..text.len() - 1], b",\"x\":\"\xff\"}"].concat())),
        ("claims that are no object", raw(HS256, "[]")),
        ("claims that are no JSON", raw(HS256, "{")),
        ("no exp", keys.secret.sign(&without("exp")).unwrap()),
        ("exp as a text", keys.secret.sign(&with("exp", json!("9999999999"))).unwrap()),
        ("exp as null", keys.secret.sign(&with("exp", Value::Null)).unwrap()),
        ("exp as a list", keys.secret.sign(&with("exp", json!([now() + 60]))).unwrap()),
        ("exp with a fraction", claims_of(&format!(r#""exp":{}.0"#, now() + 60))),
        ("exp with an exponent", claims_of(r#""exp":1e10"#)),
        ("exp beyond all numbers", claims_of(r#""exp":1e400"#)),
        ("exp beyond the integers", claims_of(r#""exp":99999999999999999999"#)),
        ("exp beyond time", claims_of(r#""exp":9223372036854775807"#)),
        ("exp twice", claims_of(&format!(r#"{exp},"exp":9999999999"#))),
        ("aud twice", claims_of(&format!(r#"{exp},"aud":"grtc""#))),
        ("too long", keys.secret.sign(&with("exp", json!(now() + 86_400 + 60))).unwrap()),
        ("too long, and issued long ago", keys.secret.sign(&with("iat", json!(now() - 86_400))).unwrap()),
        ("nbf to come", keys.secret.sign(&with("nbf", json!(now() + 60))).unwrap()),
        ("nbf as a text", keys.secret.sign(&with("nbf", json!("0"))).unwrap()),
        ("nbf as null", keys.secret.sign(&with("nbf", Value::Null)).unwrap()),
        ("issued in the future", keys.secret.sign(&with("iat", json!(now() + 60))).unwrap()),
        ("issued with a fraction", claims_of(&format!(r#"{exp},"iat":1.5"#))),
        ("no aud", keys.secret.sign(&without("aud")).unwrap()),
        ("another aud", keys.secret.sign(&with("aud", json!("other"))).unwrap()),
        ("aud with more", keys.secret.sign(&with("aud", json!("grtc2"))).unwrap()),
        ("no aud in the list", keys.secret.sign(&with("aud", json!([]))).unwrap()),
        ("aud as a number", keys.secret.sign(&with("aud", json!(1))).unwrap()),
        ("no iss", keys.secret.sign(&without("iss")).unwrap()),
        ("another iss", keys.secret.sign(&with("iss", json!("you"))).unwrap()),
        ("sub as a number", keys.secret.sign(&with("sub", json!(1))).unwrap()),
        ("grtc as null", keys.secret.sign(&with("grtc", Value::Null)).unwrap()),
        ("grtc as a text", keys.secret.sign(&with("grtc", json!("*"))).unwrap()),
        ("rooms as a text", keys.secret.sign(&with("grtc", json!({"rooms": "*"}))).unwrap()),
    ];
    assert!(forged.len() > 40);
    for (what, token) in forged {
        let refused = keys.auth.caller(&token).await.err().unwrap_or_else(|| panic!("{what} was taken"));
        assert_eq!(refused.why, Why::Invalid, "{what}: {refused}");
        assert!(token.is_empty() || token == "token" || !refused.text.contains(&token), "{what}: {refused}");
    }
    // What has been good is told apart: its bearer can do something about it.
    for past in [now() - 6, 0, -1, i64::from(i32::MIN)] {
        let token = keys.secret.sign(&json!({"aud": "grtc", "iss": "me", "exp": past})).unwrap();
        assert_eq!(keys.auth.caller(&token).await.unwrap_err().why, Why::Expired, "{past}");
    }
}

#[tokio::test]
async fn a_name_of_a_key_is_no_way_around_the_key() {
    let public = NewKey::ed25519().unwrap();
    let other = NewKey::ed25519().unwrap();
    let x = |key: &NewKey| {
        let pair = SigningKey::read(key.private.as_bytes()).unwrap();
        match pair {
            SigningKey::Ed25519(pair) => encoded(ring::signature::KeyPair::public_key(&pair)),
            _ => unreachable!(),
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let set = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": x(&public)},
                              {"kty": "OKP", "crv": "Ed25519", "kid": "two", "x": x(&other)}]});
    std::fs::write(&file, set.to_string()).unwrap();
    let config = AuthConfig { auth_jwks: Some(JwksSource::File(file)), ..AuthConfig::default() };
    let auth = Auth::open(&config, Revocations::default()).await.unwrap();
    let sign = |key: &NewKey, header: &str| {
        let message = format!("{}.{}", encoded(header), encoded(claims().to_string()));
        let SigningKey::Ed25519(pair) = SigningKey::read(key.private.as_bytes()).unwrap() else { unreachable!() };
        format!("{message}.{}", encoded(pair.sign(message.as_bytes())))
    };
    for (key, header, good) in [
        (&public, r#"{"alg":"EdDSA","kid":"one"}"#, true),
        (&public, r#"{"alg":"EdDSA"}"#, true),
        (&public, r#"{"alg":"EdDSA","kid":"two"}"#, false),
        (&public, r#"{"alg":"EdDSA","kid":"three"}"#, false),
        (&other, r#"{"alg":"EdDSA","kid":"two"}"#, true),
        (&other, r#"{"alg":"HS256","kid":"two"}"#, false),
    ] {
        assert_eq!(auth.caller(&sign(key, header)).await.is_ok(), good, "{header}");
    }
}

#[tokio::test]
async fn what_was_revoked_is_dead_and_what_comes_later_is_not() {
    let keys = keys().await;
    let auth = &keys.auth;
    let old = keys.secret.sign(&with("jti", json!("1"))).unwrap();
    let caller = Arc::new(auth.caller(&old).await.unwrap());
    let (ticket, _) = auth.ticket(caller.clone()).unwrap();
    let ended = tokio::spawn(auth.clone().ended(caller));
    auth.revoke(Revoked::Sub("ann".into()), Timestamp::now());
    ended.await.unwrap();
    assert_eq!(auth.caller(&old).await.unwrap_err().why, Why::Invalid);
    assert_eq!(auth.by_ticket(&ticket).unwrap_err().why, Why::Invalid);
    assert!(auth.caller(&keys.secret.sign(&without("iat")).unwrap()).await.is_err());
    assert!(auth.caller(&keys.secret.sign(&with("iat", json!(now() + 2))).unwrap()).await.is_ok());
    assert!(auth.caller(&keys.secret.sign(&with("sub", json!("bob"))).unwrap()).await.is_ok());
    auth.revoke(Revoked::Jti("2".into()), Timestamp::now());
    let by_id =
        |jti: &str| json!({"sub": "bob", "aud": "grtc", "iss": "me", "iat": now(), "exp": now() + 9, "jti": jti});
    assert!(auth.caller(&keys.secret.sign(&by_id("2")).unwrap()).await.is_err());
    assert!(auth.caller(&keys.secret.sign(&by_id("3")).unwrap()).await.is_ok());
}

#[test]
fn keys_that_can_not_be_are_refused_with_what_to_do() {
    let pair = NewKey::ed25519().unwrap();
    let public = pair.public.unwrap();
    for (bytes, said) in [
        (b"short\n".to_vec(), "32"),
        (public.clone().into_bytes(), "--auth-public-key"),
        (pair.private.clone().into_bytes(), "no secret"),
    ] {
        assert!(format!("{:#}", Key::secret(&bytes).unwrap_err()).contains(said));
    }
    for (bytes, said) in [
        (b"nothing".to_vec(), "BEGIN PUBLIC KEY"),
        (pair.private.into_bytes(), "private key"),
        (public.replace("MCow", "MDow").into_bytes(), "no public key"),
    ] {
        assert!(format!("{:#}", Key::public(&bytes).unwrap_err()).contains(said));
    }
    // 32 bytes are a secret, and the line feed at their end is none of them.
    assert!(Key::secret(&[b'a'; 32]).is_ok());
    assert!(Key::secret(b"0123456789abcdef0123456789abcde\n").is_err());
}
