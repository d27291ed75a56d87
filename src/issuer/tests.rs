//! What is issued and published, byte for byte.

use rcgen::KeyPair;
use serde_json::Value;

use super::*;
use crate::token::{SigningKey, Verifier};
use crate::transcript::Transcript;

const URL: &str = "https://countersign.example.com";
const NOW: u64 = 1_257_894_000;

fn now() -> SystemTime {
    // A part of a second is nothing that a token can say.
    UNIX_EPOCH + Duration::from_millis(NOW * 1000 + 900)
}

fn key() -> SigningKey {
    SigningKey::from_pem(KeyPair::generate().unwrap().serialize_pem().as_bytes()).unwrap()
}

fn public(key: &SigningKey) -> Value {
    serde_json::to_value(key.jwk()).unwrap()
}

fn issuer(url: &str) -> TokenIssuer {
    let settings = Settings {
        url: url.to_owned(),
        signing_key_files: Vec::new(),
        objects_dir: PathBuf::new(),
        max_expiration: Duration::from_hours(24),
        username_prefix: String::new(),
        groups_prefix: String::new(),
        allow_reserved: false,
    };
    let keys = SigningKeys::new(vec![key(), key()]).unwrap();
    TokenIssuer::new(&settings, Live::new(keys), Live::new(Objects::default()))
}

fn reference(name: &str) -> Reference {
    Reference { name: name.to_owned(), uid: format!("{name}-uid") }
}

fn grant(bound: Option<Bound>, audiences: &[&str]) -> Grant {
    Grant {
        namespace: "ci".to_owned(),
        service_account: reference("builder"),
        bound,
        audiences: audiences.iter().copied().map(str::to_owned).collect(),
        expiration_seconds: 3600,
    }
}

/// The payload as it stands in the token.
fn payload(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    String::from_utf8(base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap()).unwrap()
}

#[test]
fn a_token_says_what_kube_apiservers_says() {
    let issuer = issuer(URL);
    let node = |uid: Option<&str>| NodeReference {
        name: "node-1".to_owned(),
        uid: uid.map(str::to_owned),
    };
    let account = r#""serviceaccount":{"name":"builder","uid":"builder-uid"}"#;
    let pod = r#""pod":{"name":"web","uid":"web-uid"}"#;
    for (bound, private) in [
        (None, String::new()),
        (Some(Bound::Pod { pod: reference("web"), node: None }), format!("{pod},")),
        (
            Some(Bound::Pod { pod: reference("web"), node: Some(node(None)) }),
            format!(r#""node":{{"name":"node-1"}},{pod},"#),
        ),
        (
            Some(Bound::Pod { pod: reference("web"), node: Some(node(Some("u"))) }),
            format!(r#""node":{{"name":"node-1","uid":"u"}},{pod},"#),
        ),
        (Some(Bound::Secret(reference("s"))), r#""secret":{"name":"s","uid":"s-uid"},"#.to_owned()),
        (Some(Bound::Node(reference("n"))), r#""node":{"name":"n","uid":"n-uid"},"#.to_owned()),
    ] {
        let issued = issuer.issue(&grant(bound, &["b", "", "b", "a"]), now()).unwrap();
        let id = &issued.id;
        assert_eq!(
            payload(issued.token.expose()),
            format!(
                r#"{{"aud":["b","","b","a"],"exp":1257897600,"iat":1257894000,"iss":"{URL}","jti":"{id}","kubernetes.io":{{"namespace":"ci",{private}{account}}},"nbf":1257894000,"sub":"system:serviceaccount:ci:builder"}}"#
            )
        );
        assert_eq!(issued.expires_at, NOW + 3600);
        let uuid = uuid::Uuid::parse_str(id).unwrap();
        assert_eq!((uuid.get_version_num(), uuid.to_string()), (4, id.clone()));
    }
    let without = issuer.issue(&grant(None, &[]), now()).unwrap();
    assert!(payload(without.token.expose()).starts_with(r#"{"exp":"#), "aud is left out");
    let again = issuer.issue(&grant(None, &[]), now()).unwrap();
    assert_ne!(without.id, again.id);
    assert_eq!(format!("{:?}", again.token), "…");
}

#[test]
fn what_it_signs_its_keys_verify() {
    let issuer = issuer(URL);
    let issued = issuer.issue(&grant(None, &["a"]), now()).unwrap();
    let verifier = Verifier {
        issuer: URL.to_owned(),
        audiences: Some(vec!["a".to_owned()]),
        algorithms: SigningKey::ALGORITHMS.to_vec(),
        clock_skew: Duration::ZERO,
        max_token_lifetime: Duration::from_secs(3600),
        issued_at_leeway: Some(Duration::ZERO),
    };
    let jwt = crate::token::UnverifiedJwt::parse(issued.token.expose()).unwrap();
    let (mark, keys) = issuer.read_keys();
    let claims = verifier.verify(&jwt, keys.jwks(), now(), &Transcript::off()).unwrap();
    let private: PrivateClaims =
        serde_json::from_str(claims.get(PrivateClaims::NAME).unwrap().json()).unwrap();
    assert_eq!(private, PrivateClaims::of(&grant(None, &[])));
    assert!(mark.holds());
}

#[test]
fn what_it_says_of_itself_is_upstreams_to_the_byte() {
    let issuer = issuer("https://countersign.example.com/");
    let keys = issuer.keys.get();
    let [first, second] = [0, 1].map(|at| public(keys.iter().nth(at).unwrap()));
    let jwks = String::from_utf8(issuer.jwks()).unwrap();
    assert_eq!(jwks, format!(r#"{{"keys":[{first},{second}]}}"#));
    assert_eq!(
        String::from_utf8(issuer.discovery()).unwrap(),
        r#"{"issuer":"https://countersign.example.com/","jwks_uri":"https://countersign.example.com/openid/v1/jwks","response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["ES256"]}"#
    );
}

#[test]
fn a_set_of_keys_has_one_that_signs_and_none_twice() {
    let pair = KeyPair::generate().unwrap();
    let private = || SigningKey::from_pem(pair.serialize_pem().as_bytes()).unwrap();
    let public = || SigningKey::from_pem(pair.public_key_pem().as_bytes()).unwrap();
    let new = |keys| SigningKeys::new(keys).map(|keys| keys.iter().count());
    assert_eq!(new(vec![private()]), Ok(1));
    assert_eq!(new(vec![]), Err(vec![SigningKeysError::None]));
    assert_eq!(new(vec![public()]), Err(vec![SigningKeysError::FirstIsPublic]));
    assert_eq!(
        new(vec![public(), key(), private()]),
        Err(vec![
            SigningKeysError::FirstIsPublic,
            SigningKeysError::Duplicate { index: 2, first: 0 }
        ])
    );
    let other = KeyPair::generate().unwrap();
    let other = || SigningKey::from_pem(other.serialize_pem().as_bytes()).unwrap();
    let set = |keys| SigningKeys::new(keys).unwrap();
    assert_eq!(set(vec![private(), other()]), set(vec![private(), other()]));
    assert_ne!(set(vec![private(), other()]), set(vec![other(), private()]), "another one signs");
    assert_ne!(set(vec![other(), private()]), set(vec![other(), public()]));
    assert_ne!(set(vec![private(), other()]), set(vec![key(), other()]));
}
