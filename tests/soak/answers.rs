//! What may be answered, and whether it was.

use crate::support::Verdict;

/// One answer that is right.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is this user.
    Is(String),
    /// It is nobody's here.
    Nobody,
    /// It is refused, in words that hold these.
    Refused(&'static str),
}

impl Answer {
    /// It is this user.
    pub fn is(name: &str) -> Self {
        Self::Is(name.to_owned())
    }

    fn fits(&self, verdict: &Verdict) -> bool {
        match (self, verdict) {
            (Self::Is(name), Verdict::User(user, _)) => user.username == *name,
            (Self::Nobody, Verdict::Nobody) => true,
            (Self::Refused(why), Verdict::Error(text)) => text.contains(why),
            _ => false,
        }
    }

    /// Who that would be: nobody, or somebody.
    fn who(&self) -> Option<&str> {
        match self {
            Self::Is(name) => Some(name),
            Self::Nobody | Self::Refused(_) => None,
        }
    }
}

/// How an answer was.
pub struct Judgement {
    pub is_right: bool,
    /// Whether nobody else could have been answered: nothing that matters had just changed.
    pub is_certain: bool,
}

/// Judges `verdict`, when these answers are right.
pub fn judge(right: &[Answer], verdict: &Verdict) -> Judgement {
    Judgement {
        is_right: right.iter().any(|answer| answer.fits(verdict)),
        is_certain: right.windows(2).all(|two| two[0].who() == two[1].who()),
    }
}
