//! What a verified token says, and the user it names. Pure: no clock, no I/O.

/// From claims to a user: `claimMappings`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMapping {
    /// `username`.
    pub username: PrefixedClaim,
    /// `groups`; absent: no groups.
    pub groups: Option<PrefixedClaim>,
    /// `uid.claim`; absent: no uid.
    pub uid: Option<String>,
    /// `extra`, in the order written.
    pub extra: Vec<ExtraClaim>,
}

/// A claim and what its value is prefixed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixedClaim {
    /// The claim's name, matched exactly.
    pub claim: String,
    /// May be empty.
    pub prefix: String,
}

/// A claim that becomes `user.extra[key]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraClaim {
    /// `key`: a lowercase, domain-prefixed path.
    pub key: String,
    /// The claim's name, matched exactly.
    pub claim: String,
}

/// A claim that must be there and have one value: an entry of `claimValidationRules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// The claim's name, matched exactly.
    pub claim: String,
    /// The string it must be.
    pub required_value: String,
}
