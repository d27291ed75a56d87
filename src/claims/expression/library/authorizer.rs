//! Kubernetes' authorizer, of which nobody can have one here: its methods are known, so that an
//! expression is refused for the reason that upstream has, and apply to nothing.

use super::super::EvaluationError;
use super::Function;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "path",
        &["kubernetes.authorization.Authorizer.(string) kubernetes.authorization.PathCheck"],
        |_, _| UNRESOLVED,
    ),
    Function::new(
        "group",
        &["kubernetes.authorization.Authorizer.(string) kubernetes.authorization.GroupCheck"],
        |_, _| UNRESOLVED,
    ),
    Function::new(
        "serviceAccount",
        &[
            "kubernetes.authorization.Authorizer.(string, string) kubernetes.authorization.Authorizer",
        ],
        |_, _| UNRESOLVED,
    ),
    Function::new(
        "resource",
        &["kubernetes.authorization.GroupCheck.(string) kubernetes.authorization.ResourceCheck"],
        |_, _| UNRESOLVED,
    ),
    Function::new(
        "subresource",
        &["kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"],
        |_, _| UNRESOLVED,
    ),
    Function::new(
        "namespace",
        &["kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"],
        |_, _| UNRESOLVED,
    ),
    Function::new(
        "name",
        &["kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"],
        |_, _| UNRESOLVED,
    ),
    Function::new(
        "check",
        &[
            "kubernetes.authorization.PathCheck.(string) kubernetes.authorization.Decision",
            "kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.Decision",
        ],
        |_, _| UNRESOLVED,
    ),
    Function::new("errored", &["kubernetes.authorization.Decision.() bool"], |_, _| UNRESOLVED),
    Function::new("error", &["kubernetes.authorization.Decision.() string"], |_, _| UNRESOLVED),
    Function::new("allowed", &["kubernetes.authorization.Decision.() bool"], |_, _| UNRESOLVED),
    Function::new("reason", &["kubernetes.authorization.Decision.() string"], |_, _| UNRESOLVED),
    Function::new(
        "fieldSelector",
        &["kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"],
        |_, _| UNRESOLVED,
    ),
    Function::new(
        "labelSelector",
        &["kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"],
        |_, _| UNRESOLVED,
    ),
];

const UNRESOLVED: super::super::evaluator::Outcome<'static> = Err(EvaluationError::UNRESOLVED);
