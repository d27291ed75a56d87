//! Kubernetes' authorizer, of which nobody can have one here: its methods are known, so that an
//! expression is refused for the reason that upstream has, and apply to nothing.

use super::super::EvaluationError;
use super::Function;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new("path", &["kubernetes.authorization.Authorizer.(string) kubernetes.authorization.PathCheck"], |_, _| NO_OVERLOAD),
    Function::new("group", &["kubernetes.authorization.Authorizer.(string) kubernetes.authorization.GroupCheck"], |_, _| NO_OVERLOAD),
    Function::new("serviceAccount", &["kubernetes.authorization.Authorizer.(string, string) kubernetes.authorization.Authorizer"], |_, _| NO_OVERLOAD),
    Function::new("resource", &["kubernetes.authorization.GroupCheck.(string) kubernetes.authorization.ResourceCheck"], |_, _| NO_OVERLOAD),
    Function::new("subresource", &["kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"], |_, _| NO_OVERLOAD),
    Function::new("namespace", &["kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"], |_, _| NO_OVERLOAD),
    Function::new("name", &["kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"], |_, _| NO_OVERLOAD),
    Function::new("check", &["kubernetes.authorization.PathCheck.(string) kubernetes.authorization.Decision", "kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.Decision"], |_, _| NO_OVERLOAD),
    Function::new("errored", &["kubernetes.authorization.Decision.() bool"], |_, _| NO_OVERLOAD),
    Function::new("error", &["kubernetes.authorization.Decision.() string"], |_, _| NO_OVERLOAD),
    Function::new("allowed", &["kubernetes.authorization.Decision.() bool"], |_, _| NO_OVERLOAD),
    Function::new("reason", &["kubernetes.authorization.Decision.() string"], |_, _| NO_OVERLOAD),
    Function::new("fieldSelector", &["kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"], |_, _| NO_OVERLOAD),
    Function::new("labelSelector", &["kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck"], |_, _| NO_OVERLOAD),
];

const NO_OVERLOAD: super::super::evaluator::Outcome<'static> = Err(EvaluationError::NO_OVERLOAD);
