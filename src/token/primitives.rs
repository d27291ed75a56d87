//! Cryptographic primitives for the floors above, which name no cryptographic library.

use aws_lc_rs::{constant_time, digest, rand};

/// `N` bytes that nobody can guess.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(
        clippy::expect_used,
        reason = "AWS-LC ends the process itself if the system gives it no entropy"
    )]
    rand::fill(&mut bytes).expect("the system's random number generator");
    bytes
}

/// The SHA-256 digest of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// Whether two secrets are equal, in a time that depends on their lengths only.
pub fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_sha256() {
        // FIPS 180-4, "abc".
        let digest: String = sha256(b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(random::<32>(), random::<32>());
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(equal_in_constant_time(b"secret", b"secret"));
        for other in [&b"secreT"[..], b"secre", b"secrets", b""] {
            assert!(!equal_in_constant_time(b"secret", other));
        }
    }
}
