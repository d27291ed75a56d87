//! What is valid, and perhaps not as meant.

use super::issuer::entry;
use super::*;

fn warnings(more: &str) -> Vec<String> {
    Folder::new().good(&with(more)).1
}

/// An issuer with these fields and this username.
fn issuer(more: &str, username: &str) -> String {
    entry(more, &format!("username: {username}"), "")
}

/// One for each letter, with this username.
fn issuers(usernames: &[&str]) -> String {
    let entry = |(index, username): (usize, &&str)| {
        let letter = char::from(b'a' + u8::try_from(index).unwrap());
        issuer(&format!("url: 'https://{letter}', audiences: [a]"), username)
    };
    format!("jwt:\n{}", usernames.iter().enumerate().map(entry).collect::<String>())
}

const A: &str = "{claim: sub, prefix: 'a:'}";

#[test]
fn fields_without_an_effect() {
    let jwt = |issuer_fields: &str, mappings: &str| {
        let fields = format!("url: 'https://i', audiences: [a], {issuer_fields}");
        format!("jwt:\n{}", entry(&fields, &format!("username: {A}, {mappings}"), ""))
    };
    assert_eq!(
        warnings(&jwt("egressSelectorType: cluster", "")),
        ["jwt[0].issuer.egressSelectorType: has no meaning here: only kube-apiserver has egress \
          selectors; to reach the issuer through a proxy, set HTTPS_PROXY"]
    );
    assert_eq!(
        warnings(&jwt("", "groups: {prefix: x}")),
        ["jwt[0].claimMappings.groups.prefix: has no effect without claim"]
    );
}

#[test]
fn an_issuer_that_may_be_the_api_servers_own() {
    let text = format!(
        "{HEAD}apiAudiences: ['https://i']\njwt:\n{}",
        issuer("url: 'https://i', audiences: [a]", A)
    );
    assert_eq!(
        Folder::new().good(&text).1,
        [
            "jwt[0].issuer.url: \"https://i\" is one of apiAudiences too: if this is the API server's own \
          service account issuer, trusting it here brings back tokens that the API server has refused"
        ]
    );
}

#[test]
fn names_that_nothing_sets_apart() {
    let any = "without a prefix this issuer can give any name that is not reserved, such as one that a \
               client certificate or another source gives too";
    let jwt = entry(
        "url: 'https://i', audiences: [a]",
        "username: {claim: sub, prefix: ''}, groups: {claim: g, prefix: ''}",
        "",
    );
    let text = format!("{HEAD}apiAudiences: [api]\njwt:\n{jwt}");
    assert_eq!(
        Folder::new().good(&text).1,
        [
            format!("jwt[0].claimMappings.username.prefix: {any}"),
            format!("jwt[0].claimMappings.groups.prefix: {any}"),
        ]
    );
    let reserved = "url: 'https://i', audiences: [a], allowReserved: true";
    assert_eq!(
        warnings(&format!("jwt:\n{}", issuer(reserved, A))),
        [
            "jwt[0].issuer.allowReserved: whoever controls this issuer can name any user and group of \
          Kubernetes' own, system:masters among them"
        ]
    );
}

#[test]
fn audiences_that_open_more_than_they_are_for() {
    let several = |more: &str| {
        let fields = format!(
            "url: 'https://i', audiences: [api, a, b], audienceMatchPolicy: MatchAny{more}"
        );
        warnings(&format!("jwt:\n{}", issuer(&fields, A)))
    };
    assert_eq!(
        several(""),
        [
            "jwt[0].issuer.audiences: a token for \"a\" or \"b\" opens the API server, whatever else it is \
          for: audienceScope: Token lets each open only what it is for"
        ]
    );
    assert_eq!(several(", audienceScope: Token"), Vec::<String>::new());
}

/// What is said of equal names, as `later <- earlier`.
fn equal_names(more: &str) -> Vec<String> {
    let text = format!("{HEAD}apiAudiences: [api]\n{more}");
    let said = Folder::new().good(&text).1.into_iter().filter_map(|warning| {
        let (place, text) =
            warning.split_once(": its users may have the same names as those of ")?;
        let (other, _) = text.split_once(": give it a prefix of its own")?;
        Some(format!("{place} <- {other}"))
    });
    said.collect()
}

#[test]
fn sources_whose_users_may_be_one() {
    let username = |index: usize| format!("jwt[{index}].claimMappings.username");
    let (a, b, c) = ("\"https://a\"", "\"https://b\"", "\"https://c\"");
    let others = format!("{b} and of 1 other");
    for (usernames, wanted) in [
        (&["{claim: sub, prefix: 'a:'}", "{claim: sub, prefix: 'b:'}"][..], vec![]),
        // At the later one of equals.
        (&[A, A, A], vec![(1, a), (2, a)]),
        // At the wider one.
        (&["{claim: sub, prefix: 'a:b:'}", A], vec![(1, a)]),
        (&[A, "{claim: sub, prefix: 'a:b:'}"], vec![(0, b)]),
        (&["{claim: sub, prefix: 'a'}", "{claim: sub, prefix: 'b'}", A], vec![(0, c)]),
        (&["{claim: sub, prefix: ''}", A, "{claim: sub, prefix: 'b:'}"], vec![(0, &others)]),
        (&["{expression: claims.sub}", A], vec![(0, b)]),
        (&["{expression: \"'a:' + claims.x\"}", A], vec![(1, a)]),
        (&["{expression: \"'b:' + claims.x\"}", A], vec![]),
        // What an expression makes is not known.
        (&["{expression: 'claims.x + claims.y'}", A], vec![]),
        (
            &["{expression: 'claims.x + claims.y'}", "{expression: 'claims.x + claims.y'}"],
            vec![(1, a)],
        ),
    ] {
        let wanted = wanted.into_iter();
        let wanted = wanted.map(|(index, other)| format!("{} <- {other}", username(index)));
        let wanted: Vec<_> = wanted.collect();
        assert_eq!(equal_names(&issuers(usernames)), wanted, "{usernames:?}");
    }
}

#[test]
fn the_token_file_and_service_accounts_are_sources_too() {
    let service_accounts = |prefix: &str, allow: bool| {
        format!(
            "serviceAccountIssuer: {{url: 'https://s', signingKeyFiles: [active.pem], objectsDir: objects, \
             usernamePrefix: '{prefix}', groupsPrefix: '{prefix}', allowReserved: {allow}}}\n"
        )
    };
    // jane is in the token file.
    let (file, own) = ("tokenFile", "\"https://s\"");
    let both = format!("{own} and of 1 other");
    let none = "{claim: sub, prefix: ''}";
    for (username, more, wanted) in [
        (none, String::new(), Some(file)),
        ("{claim: sub, prefix: 'ja'}", String::new(), Some(file)),
        ("{claim: sub, prefix: 'jane'}", String::new(), Some(file)),
        ("{claim: sub, prefix: 'jane:'}", String::new(), None),
        (none, service_accounts("", false), Some(file)),
        // It may not name what is reserved.
        (none, service_accounts("", true), Some(file)),
        (none, service_accounts("a:", false), Some(&both)),
        (A, service_accounts("a:", false), Some(own)),
        (A, service_accounts("b:", false), None),
    ] {
        let text = format!("tokenFile: {{path: tokens.csv}}\n{}{more}", issuers(&[username]));
        let wanted = wanted.map(|other| format!("jwt[0].claimMappings.username <- {other}"));
        assert_eq!(equal_names(&text), wanted.into_iter().collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn issuers_that_are_discovered_at_one_address() {
    let issuer = |url: &str, prefix: &str| {
        format!(
            "- {{issuer: {{url: '{url}', audiences: [a]}}, claimMappings: {{username: {{claim: sub, \
             prefix: '{prefix}'}}}}}}\n"
        )
    };
    let said = |one: &str, other: &str| {
        let text = format!("jwt:\n{}{}", issuer(one, "a:"), issuer(other, "b:"));
        let warnings = Folder::new().good(&with(&text)).1;
        warnings
            .into_iter()
            .filter(|said| said.contains("discovered at the same address"))
            .collect::<Vec<_>>()
    };
    assert_eq!(said("https://a", "https://a/").len(), 1);
    assert!(said("https://a", "https://a/")[0].starts_with("jwt[1].issuer.url: \"https://a\" is"));
    assert_eq!(said("https://a/x", "https://a/y"), [""; 0]);
}
