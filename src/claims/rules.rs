//! Which claims are taken: `claimValidationRules`.

use super::{ClaimError, Claims};

/// A claim that must be there and have one value: an entry of `claimValidationRules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// The claim's name, matched exactly.
    pub claim: String,
    /// The string it must be.
    pub required_value: String,
}

impl ClaimRule {
    /// Whether the claims satisfy the rule. As upstream, `null` is the empty string, and a claim
    /// that is missing or no string satisfies nothing.
    pub fn check(&self, claims: &Claims) -> Result<(), ClaimError> {
        let value =
            claims.get(&self.claim).ok_or_else(|| ClaimError::Missing(self.claim.clone()))?;
        let value = value.string().ok_or_else(|| ClaimError::invalid(&self.claim, "a string"))?;
        if value == self.required_value {
            Ok(())
        } else {
            Err(ClaimError::Rule(self.claim.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::claims;
    use super::*;

    #[test]
    fn the_claim_must_be_the_required_string() {
        let rule = |value: &str| ClaimRule { claim: "hd".into(), required_value: value.into() };
        for (json, required, result) in [
            (r#"{"hd":"example.com"}"#, "example.com", Ok(())),
            (r#"{"hd":"Example.com"}"#, "example.com", Err(ClaimError::Rule("hd".into()))),
            (r#"{"hd":""}"#, "", Ok(())),
            (r#"{"hd":null}"#, "", Ok(())),
            (r#"{"HD":"example.com"}"#, "example.com", Err(ClaimError::Missing("hd".into()))),
            ("{}", "", Err(ClaimError::Missing("hd".into()))),
            (r#"{"hd":true}"#, "true", Err(ClaimError::invalid("hd", "a string"))),
            (r#"{"hd":["a"]}"#, "a", Err(ClaimError::invalid("hd", "a string"))),
        ] {
            assert_eq!(rule(required).check(&claims(json)), result, "{json}");
        }
    }
}
