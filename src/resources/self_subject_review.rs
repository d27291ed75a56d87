//! `POST /apis/authentication.k8s.io/v1/selfsubjectreviews`: who am I? `kubectl auth whoami` asks it.

use std::time::SystemTime;

use crate::api::meta::ObjectMeta;
use crate::api::self_subject_review::Status as ReviewStatus;
use crate::api::{SelfSubjectReview, Status, UserInfo};

use super::exchange::Exchange;

/// Answers who `caller` is. What was sent is checked and has no meaning.
///
/// # Errors
///
/// Only if the request is at fault.
pub async fn create(
    exchange: &mut Exchange<'_>,
    caller: UserInfo,
) -> Result<SelfSubjectReview, Status> {
    exchange.read::<SelfSubjectReview>().await?;
    let now = Some(SystemTime::now().into());
    Ok(SelfSubjectReview {
        metadata: ObjectMeta { creation_timestamp: now, ..ObjectMeta::default() },
        status: ReviewStatus { user_info: caller },
    })
}
