//! Files that are good, and files that are not.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::keys::specimen::{key, key_set};

use super::*;

/// A folder that is made by the first who writes, and gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("countersign-{}-cache-dir-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An authority whose certificate nobody has the key of.
const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBRDCB96ADAgECAhQ4KzlbfDkSRmC9Bd4GfKIzgDFlCTAFBgMrZXAwFzEVMBMG
A1UEAwwMYW4uYXV0aG9yaXR5MCAXDTI2MTEyNjAyNDAwOFoYDzIxMjYxMTAyMDI0
MDA4WjAXMRUwEwYDVQQDDAxhbi5hdXRob3JpdHkwKjAFBgMrZXADIQA1xYkBC6YE
AI73+NfQTM1hdVa9ZV95iYDrNMC6jR8TAqNTMFEwHQYDVR0OBBYEFNVUfeorLlMJ
yyIFV4oq5Lcs0VVxMB8GA1UdIwQYMBaAFNVUfeorLlMJyyIFV4oq5Lcs0VVxMA8G
A1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EA8/tpI5GfAL2MCL6J2MmovCkVuOrz/lU+
PMy9zBSFmWmLYLGhMmDOvWadZk8bA2qvFCYM2dvSs55bltwfAvX6BA==
-----END CERTIFICATE-----
";

fn source(issuer: &str) -> Source {
    Source {
        issuer: issuer.to_owned(),
        location: Location::Discovery { url: format!("{issuer}/discovery") },
        certificate_authority: Some(CertificateAuthority::parse(AUTHORITY).unwrap()),
    }
}

fn file() -> CacheFile {
    CacheFile::of(&source("https://issuer.example")).unwrap()
}

fn keys(of: &[Value]) -> Jwks {
    Jwks::parse(key_set(of).as_bytes()).unwrap().0
}

/// A time in whole seconds, as it is written.
fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_072_000)
}

#[test]
fn what_is_written_is_read_and_the_last_one_wins() {
    let folder = Folder::new("round");
    assert!(file().read(&folder.0, noon()).unwrap().is_none(), "nor is there a folder");
    for set in [keys(&[key("a"), key("b")]), keys(&[key("c")])] {
        file().write(&folder.0, &set, noon()).unwrap();
        let (read, fetched) = file().read(&folder.0, noon() + FORGOTTEN).unwrap().unwrap();
        assert_eq!((read, fetched), (parse_here(&key_set_of(&set)).unwrap(), noon()));
        assert_eq!(folder.names(), [file().name], "no draft is left");
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.0), mode(&folder.0.join(file().name))), (0o700, 0o600));
}

fn key_set_of(keys: &Jwks) -> Vec<u8> {
    serde_json::to_vec(&json!({"keys": keys.public()})).unwrap()
}

#[test]
fn a_file_belongs_to_one_issuer_address_and_authority() {
    let mut names = HashSet::new();
    let mut add = |source: Source| assert!(names.insert(CacheFile::of(&source).unwrap().name));
    add(source("https://issuer.example"));
    add(source("https://issuer.example/"));
    add(Source { certificate_authority: None, ..source("https://issuer.example") });
    let location = Location::Jwks { url: "https://issuer.example/keys".to_owned() };
    add(Source { location, ..source("https://issuer.example") });
    let location = Location::File { path: "keys.json".into() };
    assert!(CacheFile::of(&Source { location, ..source("https://issuer.example") }).is_none());
}

#[test]
fn a_file_that_is_not_as_it_was_written_is_not_believed() {
    let folder = Folder::new("bad");
    file().write(&folder.0, &keys(&[key("a")]), noon()).unwrap();
    let path = folder.0.join(file().name);
    let good = fs::read_to_string(&path).unwrap();
    let problem = |content: &str| {
        fs::write(&path, content).unwrap();
        let error = file().read(&folder.0, noon()).unwrap_err().to_string();
        error.strip_prefix(&format!("{}: ", path.display())).unwrap().to_owned()
    };
    let torn = "it is not as countersign wrote it";
    assert_eq!(problem(&good[..good.len() / 2]), torn);
    assert_eq!(problem(""), torn);
    assert_eq!(problem(&key_set(&[key("a")])), torn, "nobody says whose it is");
    assert_eq!(problem(&good.replace("2025-11", "2025-13")), torn);
    let other = "it is of another issuer or address";
    assert_eq!(problem(&good.replace("issuer.example\"", "other.example\"")), other);
    assert_eq!(problem(&good.replace("/discovery", "/keys")), other);
    assert_eq!(
        problem(&good.replace("2025-11-25T12:00", "2025-11-25T12:06")),
        "it was fetched in the future, at 2025-11-25T12:06:00Z: is the clock right?"
    );
    assert!(problem(&good.replace("P-256", "P-999")).starts_with("the key set has no usable key"));
    assert_eq!(
        problem(&format!("{good}{}", " ".repeat(MAX_FILE_BYTES))),
        "it is larger than 1 MiB"
    );

    fs::write(&path, &good).unwrap();
    let ahead = file().read(&folder.0, noon() - MAX_SKEW).unwrap().unwrap();
    assert_eq!(ahead.1, noon() - MAX_SKEW, "another clock may be a little ahead");
    fs::set_permissions(&path, Permissions::from_mode(0o602)).unwrap();
    let error = file().read(&folder.0, noon()).unwrap_err().to_string();
    assert!(error.contains("somebody else can have written it"), "{error}");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = file().read(&folder.0, noon()).unwrap_err().to_string();
    assert!(error.ends_with("it is not a regular file"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let folder = Folder::new("no");
    let within = folder.0.join("not").join("there");
    let error = file().write(&within, &keys(&[key("a")]), noon()).unwrap_err().to_string();
    assert!(error.starts_with(&within.display().to_string()), "{error}");
    assert!(error.contains("No such file or directory"), "{error}");
}

#[test]
fn what_departed_issuers_left_is_removed_after_a_day_and_nothing_else_is() {
    let folder = Folder::new("sweep");
    let departed = CacheFile::of(&source("https://departed.example")).unwrap();
    for file in [&departed, &file()] {
        file.write(&folder.0, &keys(&[key("a")]), noon()).unwrap();
    }
    let draft = format!(".{}.0123456789abcdef", departed.name);
    for name in ["notes.json", ".hidden", "x.jwks.json", &draft] {
        fs::write(folder.0.join(name), "").unwrap();
    }
    let (kept, now) = (HashSet::from([file().name]), SystemTime::now());
    sweep(&folder.0, &kept, now).unwrap();
    assert_eq!(folder.names().len(), 6, "it may be that of another process");
    sweep(&folder.0, &kept, now + 2 * FORGOTTEN).unwrap();
    let mut left = [&*file().name, "notes.json", ".hidden", "x.jwks.json"];
    left.sort_unstable();
    assert_eq!(folder.names(), left);
}
