//! One request to the API and its answer: what every create has in common.
//!
//! The order of upstream's checks is the order here (the contract, section 5.1): the caller, the route
//! and the method are looked at before; then what can be answered, what was sent, how it is to be
//! created, and the object itself. Every failure is a `metav1.Status` in the format that the caller
//! takes.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};

use crate::api::Status;
use crate::api::codec::{self, Object};

use super::answer;
use super::negotiation::{self, Output};
use super::pool::Pool;
use super::query::{CreateOptions, FieldValidation, Query};
use super::warnings::Warnings;

/// A request, and what is known of its answer.
pub struct Exchange<'a> {
    /// The request, whole.
    pub request: &'a Request<Bytes>,
    /// Its query.
    pub query: Query<'a>,
    /// What the caller should know beside the answer.
    pub warnings: Warnings,
    output: Output,
    not_acceptable: Option<Status>,
    reading: &'a Pool,
}

/// A longer body than this is read by a [`Pool`]: 3 MiB take tens of milliseconds.
const LARGE: usize = 64 * 1024;

/// What a create was asked to make.
pub struct Created<O> {
    /// The object as it was sent.
    pub object: O,
    /// `dryRun=All`.
    pub dry_run: bool,
    /// `metadata.managedFields[].manager` of the answer.
    pub manager: String,
}

impl<'a> Exchange<'a> {
    /// The exchange that begins with `request`, whose body is read by `reading` if it is large.
    pub fn of(request: &'a Request<Bytes>, reading: &'a Pool) -> Self {
        let query = Query::parse(request.uri().query());
        let (output, not_acceptable) = match Output::negotiate(request.headers(), &query) {
            Ok(output) => (output, None),
            Err((refusal, output)) => (output, Some(refusal)),
        };
        Self { request, query, warnings: Warnings::default(), output, not_acceptable, reading }
    }

    /// Reads the object that is to be created.
    ///
    /// # Errors
    ///
    /// 405, 406, 415, 422 or 400; 503 if too many large bodies are being read.
    pub async fn read<O: Object + Send + 'static>(&mut self) -> Result<Created<O>, Status> {
        if self.request.method() != Method::POST {
            return Err(Status::method_not_allowed());
        }
        if let Some(refusal) = &self.not_acceptable {
            return Err(refusal.clone());
        }
        let headers = self.request.headers();
        let format = negotiation::body_format(headers)?;
        let options = CreateOptions::read(&self.query)?;
        let body = self.request.body();
        let decoded = if body.len() <= LARGE {
            codec::decode::<O>(body, format)
        } else {
            let body = body.clone();
            self.reading.run(move || codec::decode::<O>(&body, format)).await?
        };
        let decoded = decoded.map_err(Status::bad_request)?;
        match options.field_validation {
            FieldValidation::Ignore => {}
            FieldValidation::Warn => {
                decoded.violations.warnings().for_each(|text| self.warnings.add(text));
            }
            FieldValidation::Strict => {
                if let Some(error) = decoded.violations.error() {
                    let kind = O::KIND;
                    return Err(Status::bad_request(format!(
                        "{kind} in version \"v1\" cannot be handled as a {kind}: {error}"
                    )));
                }
            }
        }
        let agent = headers.get(header::USER_AGENT).map(|value| value.as_bytes());
        let agent = String::from_utf8_lossy(agent.unwrap_or_default());
        Ok(Created {
            object: decoded.object,
            dry_run: options.dry_run,
            manager: options.manager(&agent),
        })
    }

    /// The answer: 201 with the object, or the failure.
    pub fn answer<O: Object>(&self, result: Result<O, Status>) -> Response<Bytes> {
        match result {
            Ok(object) => self.respond(StatusCode::CREATED, |output| {
                codec::encode(&object, output.format, output.pretty)
            }),
            Err(status) => self.refuse(&status),
        }
    }

    /// The answer that something failed.
    pub fn refuse(&self, status: &Status) -> Response<Bytes> {
        self.respond(status.code, |output| status.encode(output.format, output.pretty))
    }

    /// Whether the caller wants JSON indented.
    pub fn is_pretty(&self) -> bool {
        self.output.pretty
    }

    fn respond(&self, code: StatusCode, body: impl FnOnce(Output) -> Vec<u8>) -> Response<Bytes> {
        let media_type = self.output.format.media_type();
        let mut response = answer(code, media_type, body(self.output));
        self.warnings.write(response.headers_mut());
        response
    }
}
