//! A JSON Web Key Set (RFC 7517).
pub struct Jwks;
