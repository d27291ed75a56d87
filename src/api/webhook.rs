//! What kube-apiserver says to its webhook and is answered: `TokenReview` of `authentication.k8s.io`,
//! v1 and v1beta1.
//!
//! Reading is lenient where upstream is (unknown members, `null`, a sent `status`) and strict where
//! two readers of the same bytes could see different things: a member that is read here and comes
//! twice is an error. The token is opaque: never trimmed, split or decoded.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::MapAccess;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

use super::UserInfo;

/// The version that was asked, and that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `authentication.k8s.io/v1`, also meant when a body has no `apiVersion`.
    V1,
    /// `authentication.k8s.io/v1beta1`, kube-apiserver's default.
    V1Beta1,
}

impl Version {
    /// As it stands in `apiVersion`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "authentication.k8s.io/v1",
            Self::V1Beta1 => "authentication.k8s.io/v1beta1",
        }
    }
}

/// What was asked, borrowed from the request's body.
pub struct Question<'a> {
    /// The version of the question.
    pub version: Version,
    /// `spec.token`; empty if absent.
    pub token: Cow<'a, str>,
    /// `spec.audiences`; empty if absent.
    pub audiences: Vec<Cow<'a, str>>,
}

impl<'a> Question<'a> {
    /// Reads a JSON body.
    ///
    /// # Errors
    ///
    /// Says, in words for the caller and without any part of the body's values but its kind and
    /// version, what is wrong with it.
    pub fn from_json(body: &'a [u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", expecting = "a TokenReview object")]
        struct Wire<'a> {
            #[serde(borrow, default, deserialize_with = "text")]
            kind: Cow<'a, str>,
            #[serde(borrow, default, deserialize_with = "text")]
            api_version: Cow<'a, str>,
            #[serde(borrow, default)]
            spec: Option<Object<Spec<'a>>>,
        }
        #[derive(Deserialize, Default)]
        #[serde(expecting = "a TokenReviewSpec object")]
        struct Spec<'a> {
            #[serde(borrow, default, deserialize_with = "text")]
            token: Cow<'a, str>,
            #[serde(borrow, default)]
            audiences: Option<Vec<Text<'a>>>,
        }

        let Object(wire): Object<Wire<'a>> =
            serde_json::from_slice(body).map_err(|error| explain(&error))?;
        if !matches!(&*wire.kind, "" | "TokenReview") {
            return Err(format!(
                "kind {:?} is not reviewed here: want TokenReview",
                excerpt(&wire.kind)
            ));
        }
        let version = match &*wire.api_version {
            "" | "authentication.k8s.io/v1" => Version::V1,
            "authentication.k8s.io/v1beta1" => Version::V1Beta1,
            other => {
                return Err(format!(
                    "apiVersion {:?} is not reviewed here: want authentication.k8s.io/v1 or \
                     authentication.k8s.io/v1beta1",
                    excerpt(other)
                ));
            }
        };
        let spec = wire.spec.map(|Object(spec)| spec).unwrap_or_default();
        Ok(Self {
            version,
            token: spec.token,
            audiences: spec.audiences.unwrap_or_default().into_iter().map(|text| text.0).collect(),
        })
    }
}

/// A `T` written as an object: a derived `T` alone would also be read from a list of its members.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<Self::Value, M::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }
        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

/// A string that borrows where it can; `null` is the empty string, as in Go.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed("")))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed("")))
            }
            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
                inner.deserialize_str(self)
            }
        }
        deserializer.deserialize_option(Visitor)
    }
}

fn text<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'a, str>, D::Error> {
    Text::deserialize(deserializer).map(|text| text.0)
}

/// A serde_json error in words that hold no value of the body: a wrongly typed value is quoted by
/// serde, and it could be the token.
fn explain(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => {
            let text = error.to_string();
            match text.find("duplicate field") {
                Some(at) => text.get(at..).unwrap_or_default().to_owned(),
                None => "a member has the wrong type".to_owned(),
            }
        }
        serde_json::error::Category::Eof => "the JSON ends too early".to_owned(),
        _ => "it is not JSON".to_owned(),
    };
    let place = format!("line {} column {}", error.line(), error.column());
    if what.ends_with(&place) {
        format!("the body is not a TokenReview: {what}")
    } else {
        format!("the body is not a TokenReview: {what}, at {place}")
    }
}

/// The beginning of a text that somebody else wrote.
fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The status of the answer, `TokenReviewStatus` of `authentication.k8s.io/v1`.
///
/// Empty members are left out, as upstream does.
#[derive(Debug, Default, Serialize)]
pub struct Status<'a> {
    /// Whether the token is good, for `audiences`. Written also when it is not: a reader of raw
    /// answers should not have to know that absence means no.
    pub authenticated: bool,
    /// Who it belongs to, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a UserInfo>,
    /// What it is good for, of what was asked. Beside an `error` they are what was asked, since
    /// kube-apiserver compares audiences first and would otherwise discard the error.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub audiences: &'a [String],
    /// Why it was refused.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub error: &'a str,
}

impl Status<'_> {
    /// The status as JSON, to be finished by [`answer`].
    pub fn to_json(&self) -> Box<[u8]> {
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// A review to be asked for, in v1, with the members that kube-apiserver sends.
pub fn question(token: &str, audiences: &[String]) -> String {
    let spec = match audiences {
        [] => serde_json::json!({"token": token}),
        _ => serde_json::json!({"token": token, "audiences": audiences}),
    };
    serde_json::json!({
        "kind": "TokenReview",
        "apiVersion": Version::V1.as_str(),
        "metadata": {},
        "spec": spec,
        "status": {"user": {}},
    })
    .to_string()
}

/// A whole TokenReview around a ready `status`. Neither spec nor metadata is echoed.
pub fn answer(version: Version, status: &[u8]) -> Vec<u8> {
    let head = match version {
        Version::V1 => {
            &br#"{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":"#[..]
        }
        Version::V1Beta1 => {
            &br#"{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1beta1","status":"#[..]
        }
    };
    let mut body = Vec::with_capacity(head.len() + status.len() + 2);
    body.extend_from_slice(head);
    body.extend_from_slice(status);
    body.extend_from_slice(b"}\n");
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<(Version, String, Vec<String>), String> {
        Question::from_json(body.as_bytes()).map(|review| {
            let audiences = review.audiences.iter().map(|text| text.to_string()).collect();
            (review.version, review.token.into_owned(), audiences)
        })
    }

    #[test]
    fn reads_what_kube_apiserver_sends() {
        let body = r#"{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1beta1",
            "metadata":{"creationTimestamp":null},"spec":{"token":"a\u003cb","audiences":["x","y"]},
            "status":{"user":{}}}"#;
        let audiences = vec!["x".to_owned(), "y".to_owned()];
        assert_eq!(read(body).unwrap(), (Version::V1Beta1, "a<b".to_owned(), audiences));
    }

    #[test]
    fn absent_and_null_members_are_empty() {
        for body in
            ["{}", r#"{"spec":null}"#, r#"{"kind":null,"spec":{"token":null,"audiences":null}}"#]
        {
            assert_eq!(read(body).unwrap(), (Version::V1, String::new(), vec![]), "{body}");
        }
    }

    #[test]
    fn unknown_members_do_not_disturb() {
        let body = r#"{"future":[{}],"spec":{"token":"t","attestations":{"token":1}},"status":7}"#;
        assert_eq!(read(body).unwrap().1, "t");
    }

    #[test]
    fn refuses_with_the_place_and_never_with_the_token() {
        for (body, says) in [
            (r#"{"spec":{"token":"secret","token":"secret"}}"#, "duplicate field `token`"),
            (r#"{"spec":{"audiences":[],"audiences":[]}}"#, "duplicate field `audiences`"),
            (r#"{"spec":{},"spec":{"token":"secret"}}"#, "duplicate field `spec`"),
            (r#"{"kind":"Pod"}"#, "kind \"Pod\" is not reviewed here"),
            (r#"{"apiVersion":"v1"}"#, "apiVersion \"v1\" is not reviewed here"),
            (r#"{"spec":{"audiences":"secret"}}"#, "wrong type"),
            (r#"{"spec":"secret"}"#, "wrong type"),
            (r#"{"spec":["secret",[]]}"#, "wrong type"),
            (r#"["TokenReview","secret"]"#, "wrong type"),
            (r#"{"spec":{"token":"secret""#, "ends too early"),
            ("secret", "not JSON"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.contains(says), "{body}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn an_answer_wraps_the_status() {
        let status = Status { error: "no", ..Default::default() }.to_json();
        assert_eq!(
            String::from_utf8(answer(Version::V1Beta1, &status)).unwrap(),
            "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1beta1\",\
             \"status\":{\"authenticated\":false,\"error\":\"no\"}}\n"
        );
    }
}
