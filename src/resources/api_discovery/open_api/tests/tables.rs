//! What the documents have to hold.

/// Every schema: a `!` before what is required, then type or reference, format, kind of list.
pub(super) const SCHEMAS: &[(&str, &str)] = &[
    (
        "io.k8s.api.authentication.v1.TokenReview",
        "apiVersion: string
         kind: string
         metadata: ObjectMeta = {}
         !spec: TokenReviewSpec = {}
         status: TokenReviewStatus = {}",
    ),
    (
        "io.k8s.api.authentication.v1.TokenReviewSpec",
        "audiences: [string] atomic
         !token: string",
    ),
    (
        "io.k8s.api.authentication.v1.TokenReviewStatus",
        "audiences: [string] atomic
         authenticated: boolean
         error: string
         user: UserInfo = {}",
    ),
    (
        "io.k8s.api.authentication.v1.UserInfo",
        "extra: {[string]}
         groups: [string] atomic
         uid: string
         username: string",
    ),
    (
        "io.k8s.api.authentication.v1.TokenRequest",
        "apiVersion: string
         kind: string
         metadata: ObjectMeta = {}
         !spec: TokenRequestSpec = {}
         status: TokenRequestStatus = {}",
    ),
    (
        "io.k8s.api.authentication.v1.TokenRequestSpec",
        "!audiences: [string] atomic
         boundObjectRef: BoundObjectReference
         expirationSeconds: integer int64",
    ),
    (
        "io.k8s.api.authentication.v1.TokenRequestStatus",
        "!expirationTimestamp: Time
         !token: string = \"\"",
    ),
    (
        "io.k8s.api.authentication.v1.BoundObjectReference",
        "apiVersion: string
         kind: string
         name: string
         uid: string",
    ),
    (
        "io.k8s.api.authentication.v1.SelfSubjectReview",
        "apiVersion: string
         kind: string
         metadata: ObjectMeta = {}
         status: SelfSubjectReviewStatus = {}",
    ),
    ("io.k8s.api.authentication.v1.SelfSubjectReviewStatus", "userInfo: UserInfo = {}"),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
        "annotations: {string}
         creationTimestamp: Time
         deletionGracePeriodSeconds: integer int64
         deletionTimestamp: Time
         finalizers: [string] set
         generateName: string
         generation: integer int64
         labels: {string}
         managedFields: [ManagedFieldsEntry] atomic
         name: string
         namespace: string
         ownerReferences: [OwnerReference] map by uid
         resourceVersion: string
         selfLink: string
         uid: string",
    ),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry",
        "apiVersion: string
         fieldsType: string
         fieldsV1: FieldsV1
         manager: string
         operation: string
         subresource: string
         time: Time",
    ),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
        "!apiVersion: string = \"\"
         blockOwnerDeletion: boolean
         controller: boolean
         !kind: string = \"\"
         !name: string = \"\"
         !uid: string = \"\"",
    ),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", ""),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.Time", ""),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
        "apiVersion: string
         code: integer int32
         details: StatusDetails
         kind: string
         message: string
         metadata: ListMeta = {}
         reason: string
         status: string",
    ),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails",
        "causes: [StatusCause] atomic
         group: string
         kind: string
         name: string
         retryAfterSeconds: integer int32
         uid: string",
    ),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause",
        "field: string
         message: string
         reason: string",
    ),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
        "continue: string
         remainingItemCount: integer int64
         resourceVersion: string
         selfLink: string",
    ),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList",
        "apiVersion: string
         !groupVersion: string = \"\"
         kind: string
         !resources: [APIResource] atomic",
    ),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.APIResource",
        "categories: [string] atomic
         group: string
         !kind: string = \"\"
         !name: string = \"\"
         !namespaced: boolean = false
         shortNames: [string] atomic
         !singularName: string = \"\"
         storageVersionHash: string
         !verbs: [string]
         version: string",
    ),
];

/// Every operation: what it takes, answers and is about. `patch` is not served; its description
/// has to say so.
pub(super) const OPERATIONS: &[(&str, &str)] = &[
    ("/api/v1/", "get -> 200 APIResourceList, 401 Status"),
    (
        "/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
        "post TokenRequest ? dryRun fieldManager fieldValidation pretty / name namespace \
         -> 200 TokenRequest, 201 TokenRequest, 202 TokenRequest, 401 Status",
    ),
    ("/apis/authentication.k8s.io/v1/", "get -> 200 APIResourceList, 401 Status"),
    (
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        "patch of SelfSubjectReview ? dryRun fieldManager fieldValidation pretty -> 405 Status
         post SelfSubjectReview ? dryRun fieldManager fieldValidation pretty \
         -> 200 SelfSubjectReview, 201 SelfSubjectReview, 202 SelfSubjectReview, 401 Status",
    ),
    (
        "/apis/authentication.k8s.io/v1/tokenreviews",
        "patch of TokenReview ? dryRun fieldManager fieldValidation pretty -> 405 Status
         post TokenReview ? dryRun fieldManager fieldValidation pretty \
         -> 200 TokenReview, 201 TokenReview, 202 TokenReview, 401 Status",
    ),
];
