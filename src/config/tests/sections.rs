//! `listen`, `admin`, `cache` and `limits`.

use super::*;

#[test]
fn each_mistake_is_named() {
    let folder = Folder::new();
    let missing = |name: &str| {
        let path = folder.0.join(name);
        format!("cannot read {}: No such file or directory (os error 2)", path.display())
    };
    let open = |address: &str| {
        format!(
            "listen.address: Invalid value: \"{address}\": anybody who reaches this address could try \
             tokens: set listen.clientCAFile, so that only kube-apiserver may ask, or \
             listen.allowUnauthenticatedWebhook: true, if something else guards it"
        )
    };
    let later = |path: &str| format!("{path}: not known to this version of countersign");
    let s = str::to_owned;
    for (more, wanted) in [
        // listen
        ("listen: {address: '0.0.0.0:8443'}", vec![open("0.0.0.0:8443")]),
        ("listen: {address: '[::]:8443'}", vec![open("[::]:8443")]),
        ("listen: {address: '10.0.0.1:8443'}", vec![open("10.0.0.1:8443")]),
        ("listen: {address: '[::ffff:10.0.0.1]:1'}", vec![open("[::ffff:10.0.0.1]:1")]),
        ("listen: {address: '10.0.0.1:8443', allowUnauthenticatedWebhook: true}", vec![]),
        ("listen: {address: '10.0.0.1:8443', clientCAFile: ca.crt}", vec![]),
        ("listen: {address: '127.9.9.9:8443'}", vec![]),
        ("listen: {address: '[::1]:8443'}", vec![]),
        (
            "listen: {address: localhost}",
            vec![s(
                "listen.address: Invalid value: \"localhost\": must be an IP address and a port, such as \
             127.0.0.1:8443, 0.0.0.0:8443 or \"[::]:8443\"",
            )],
        ),
        (
            "listen: {certificateFile: gone}",
            vec![format!("listen.certificateFile: {}", missing("gone"))],
        ),
        (
            "listen: {privateKeyFile: gone}",
            vec![format!("listen.privateKeyFile: {}", missing("gone"))],
        ),
        ("listen: {clientCAFile: gone}", vec![format!("listen.clientCAFile: {}", missing("gone"))]),
        (
            "listen: {clientCAFile: ''}",
            vec![s("listen.clientCAFile: Required value: the path of a file")],
        ),
        (
            "listen:\n  privateKeyFile: |\n    -----BEGIN PRIVATE KEY-----\n    MIIE\n",
            vec![s(
                "listen.privateKeyFile: wanted the path of a file, found text of several lines",
            )],
        ),
        (
            "listen: {clientNames: [a]}",
            vec![s(
                "listen.clientNames: needs listen.clientCAFile: without it nobody is asked for a name",
            )],
        ),
        (
            "listen: {clientCAFile: ca.crt, clientNames: []}",
            vec![s("listen.clientNames: Required value: at least one name, else nobody may ask")],
        ),
        (
            "listen: {clientCAFile: ca.crt, clientNames: [a, a, '']}",
            vec![
                s("listen.clientNames[1]: Duplicate value: \"a\""),
                s("listen.clientNames[2]: Required value"),
            ],
        ),
        // admin
        ("admin: {address: '0.0.0.0:9443'}", vec![]),
        (
            "admin: {address: '127.0.0.1:8443'}",
            vec![s(
                "admin.address: Invalid value: \"127.0.0.1:8443\": listen.address (127.0.0.1:8443) has \
             that port",
            )],
        ),
        (
            "admin: {address: '[::]:8443'}",
            vec![s(
                "admin.address: Invalid value: \"[::]:8443\": listen.address (127.0.0.1:8443) has that \
             port",
            )],
        ),
        ("admin: {address: '127.0.0.2:8443'}", vec![]),
        ("listen: {address: '127.0.0.1:0'}\nadmin: {address: '127.0.0.1:0'}", vec![]),
        ("admin: {socket: /run/x}", vec![]),
        ("admin: {socket: ''}", vec![s("admin.socket: Required value: the path of a file")]),
        (
            &format!("admin: {{socket: /{}}}", "x".repeat(107)),
            vec![format!(
                "admin.socket: /{} cannot be a socket: path must be shorter than SUN_LEN",
                "x".repeat(107)
            )],
        ),
        // cache
        ("cache: {rejectedTTL: 0, authenticatedTTL: 0s}", vec![]),
        (
            "cache: {rejectedTTL: 30}",
            vec![s("cache.rejectedTTL: Invalid value: 30: a unit is missing, as in 30s")],
        ),
        (
            "cache: {authenticatedTTL: 2 minutes}",
            vec![s(
                "cache.authenticatedTTL: Invalid value: \"2 minutes\": not a duration, such as 500ms, 30s, \
             2m or 1h30m",
            )],
        ),
        (
            "cache: {authenticatedTTL: 25h}",
            vec![s("cache.authenticatedTTL: Invalid value: 25h: must be from 0s to 24h")],
        ),
        (
            "cache: {maxBytes: 0}",
            vec![s("cache.maxBytes: Invalid value: 0: must be from 1 to 1099511627776")],
        ),
        (
            "cache: {maxBytes: 64MB, rejectedMaxBytes: -1}",
            vec![
                s(
                    "cache.maxBytes: Invalid value: \"64MB\": not a size, such as 65536, 64Ki, 3Mi or 1Gi",
                ),
                s(
                    "cache.rejectedMaxBytes: Invalid value: \"-1\": not a size, such as 65536, 64Ki, 3Mi or 1Gi",
                ),
            ],
        ),
        // limits
        (
            "limits: {maxConnections: 0}",
            vec![s("limits.maxConnections: Invalid value: 0: must be from 1 to 1048576")],
        ),
        (
            "limits: {maxConnections: '5'}",
            vec![s("limits.maxConnections: wanted a whole number, found the string \"5\"")],
        ),
        (
            "limits: {maxRequestsInFlight: 1.5}",
            vec![s(
                "limits.maxRequestsInFlight: Invalid value: 1.5: must be a whole number and not negative",
            )],
        ),
        (
            "limits: {requestTimeout: 0s}",
            vec![s("limits.requestTimeout: Invalid value: 0s: must be from 1ms to 10m")],
        ),
        (
            "limits: {handshakeTimeout: 11m, shutdownTimeout: 0s, maxConnectionAge: 1ms}",
            vec![
                s("limits.handshakeTimeout: Invalid value: 11m: must be from 1ms to 10m"),
                s("limits.shutdownTimeout: Invalid value: 0s: must be from 1ms to 10m"),
                s("limits.maxConnectionAge: Invalid value: 1ms: must be from 1s to 24h"),
            ],
        ),
        (
            "limits: {maxBodyBytes: 2Gi, maxTokenBytes: 0}",
            vec![
                s("limits.maxBodyBytes: Invalid value: 2147483648: must be from 1 to 1073741824"),
                s("limits.maxTokenBytes: Invalid value: 0: must be from 1 to 1073741824"),
            ],
        ),
        // keys
        ("keys: {maxStale: 5m, cacheDir: keys}", vec![]),
        ("keys: {maxStale: 0, cacheDir: null}", vec![]),
        (
            "keys: {maxStale: 299s, cacheDir: ''}",
            vec![
                s(
                    "keys.maxStale: Invalid value: 299s: must be 0s, which is for ever, or from 5m to 8760h",
                ),
                s("keys.cacheDir: Required value: the path of a folder"),
            ],
        ),
        (
            "keys: {maxStale: 24, cacheDirectory: keys}",
            vec![
                s("keys.maxStale: Invalid value: 24: a unit is missing, as in 24s"),
                s("keys.cacheDirectory: unknown field; known here: maxStale, cacheDir"),
            ],
        ),
        // what a later version knows
        (
            "readiness: {requireIssuers: any}",
            vec![s("readiness.requireIssuers: Unsupported value: \"any\": supported values: \
                    \"Tried\", \"Any\", \"All\"")],
        ),
        ("denyList: {}\nclusters: []", vec![later("denyList"), later("clusters")]),
        ("caches: {}", vec![s("caches: unknown field; did you mean cache?")]),
        (
            "listen: {adress: x, clientCaFile: ca.crt}",
            vec![
                s("listen.adress: unknown field; did you mean address?"),
                s("listen.clientCaFile: unknown field; did you mean clientCAFile?"),
            ],
        ),
        ("listen: [8443]", vec![s("listen: wanted an object, found a list")]),
    ] {
        assert_eq!(folder.problems(&with(more)), wanted, "{more}");
    }
}

#[test]
fn odd_but_valid_is_a_warning() {
    let folder = Folder::new();
    let (_, warnings) =
        folder.good(&with("listen: {clientCAFile: ca.crt, allowUnauthenticatedWebhook: true}"));
    assert_eq!(
        warnings,
        ["listen.allowUnauthenticatedWebhook: has no effect beside listen.clientCAFile",]
    );
}

/// Without it there are no keys on disk, which is no reason not to serve.
#[test]
fn a_folder_for_keys_may_be_missing_but_not_the_one_above() {
    let folder = Folder::new();
    let warnings = |written: &str| folder.good(&with(&format!("keys: {{cacheDir: {written}}}"))).1;
    assert_eq!(warnings("new"), [""; 0]);
    assert_eq!(warnings("objects"), [""; 0]);
    let path = |name: &str| folder.0.join(name).display().to_string();
    let text = format!("keys.cacheDir: {} is not a folder: no keys will be kept", path("tls.crt"));
    assert_eq!(warnings("tls.crt"), [text]);
    let text = format!(
        "keys.cacheDir: {}: No such file or directory (os error 2): no keys will be kept before the \
         folder above it is there (a volume that is not mounted?)",
        path("gone/keys")
    );
    assert_eq!(warnings("gone/keys"), [text]);
}

#[test]
fn a_client_ca_asks_for_kube_apiserver() {
    let (config, _) = Folder::new().good(&with("listen: {clientCAFile: ca.crt}"));
    assert_eq!(config.client_names, Some(vec!["kube-apiserver".to_owned()]));
}
