// What is recorded: the empty, the full, and each member that protobuf could get wrong by itself.

package main

import (
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// cases are named as their files are.
var cases = map[string]runtime.Object{
	"token-review-empty": &authenticationv1.TokenReview{},
	"token-review": &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token},
	},
	"token-review-audiences": &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{audience, "vault", ""}},
	},
	"token-review-full": &authenticationv1.TokenReview{
		ObjectMeta: fullMeta(""),
		Spec:       authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{audience, "vault"}},
		Status: authenticationv1.TokenReviewStatus{
			Authenticated: true,
			User:          fullUser,
			Audiences:     []string{"vault"},
			Error:         "both members are there, which no server answers",
		},
	},
	"token-review-authenticated": &authenticationv1.TokenReview{
		Status: authenticationv1.TokenReviewStatus{
			Authenticated: true,
			User:          fullUser,
			Audiences:     []string{audience},
		},
	},
	"token-review-refused": &authenticationv1.TokenReview{
		Status: authenticationv1.TokenReviewStatus{Error: "invalid bearer token"},
	},

	"token-request-empty": &authenticationv1.TokenRequest{},
	"token-request": &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{
			Audiences:         []string{audience, "vault"},
			ExpirationSeconds: seconds(600),
		},
	},
	// Present, and not the same as absent.
	"token-request-seconds-zero":     requestFor(0),
	"token-request-seconds-negative": requestFor(-1),
	"token-request-seconds-huge":     requestFor(1<<32 + 1),
	"token-request-bound": &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{BoundObjectRef: &boundPod},
	},
	"token-request-bound-to-nothing": &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{BoundObjectRef: &authenticationv1.BoundObjectReference{}},
	},
	// A member that is newer than some readers.
	"token-request-attestations": &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{
			Audiences:    []string{audience},
			Attestations: map[string]authenticationv1.AttestationValue{"example.org/a": {"b", "c"}},
		},
	},
	"token-request-full": &authenticationv1.TokenRequest{
		ObjectMeta: fullMeta("token"),
		Spec: authenticationv1.TokenRequestSpec{
			Audiences:         []string{audience, "vault"},
			ExpirationSeconds: seconds(3600),
			BoundObjectRef:    &boundPod,
		},
		Status: authenticationv1.TokenRequestStatus{
			Token:               token,
			ExpirationTimestamp: metav1.NewTime(moment.Add(time.Hour)),
		},
	},

	"self-subject-review-empty": &authenticationv1.SelfSubjectReview{},
	"self-subject-review-full": &authenticationv1.SelfSubjectReview{
		ObjectMeta: fullMeta(""),
		Status:     authenticationv1.SelfSubjectReviewStatus{UserInfo: fullUser},
	},

	"status-unauthorized": &metav1.Status{
		Status:  metav1.StatusFailure,
		Message: "Unauthorized",
		Reason:  metav1.StatusReasonUnauthorized,
		Code:    401,
	},
	"status-empty-details": &metav1.Status{
		Status:  metav1.StatusFailure,
		Message: "the server could not find the requested resource",
		Reason:  metav1.StatusReasonNotFound,
		Details: &metav1.StatusDetails{},
		Code:    404,
	},
	"status-not-found": &metav1.Status{
		Status:  metav1.StatusFailure,
		Message: `serviceaccounts "nobody" not found`,
		Reason:  metav1.StatusReasonNotFound,
		Details: &metav1.StatusDetails{Name: "nobody", Kind: "serviceaccounts"},
		Code:    404,
	},
	"status-invalid": &metav1.Status{
		Status:  metav1.StatusFailure,
		Message: `TokenRequest.authentication.k8s.io "" is invalid`,
		Reason:  metav1.StatusReasonInvalid,
		Details: &metav1.StatusDetails{
			Group: "authentication.k8s.io",
			Kind:  "TokenRequest",
			Causes: []metav1.StatusCause{
				{
					Type:    metav1.CauseTypeFieldValueInvalid,
					Message: "Invalid value: 599: may not specify a duration less than 10 minutes",
					Field:   "spec.expirationSeconds",
				},
				{Message: "of no type, and of no field"},
			},
		},
		Code: 422,
	},
	"status-retry-after": &metav1.Status{
		Status:  metav1.StatusFailure,
		Message: "wait",
		Reason:  metav1.StatusReasonTooManyRequests,
		Details: &metav1.StatusDetails{RetryAfterSeconds: 7, UID: uid},
		Code:    429,
	},
	"status-success": &metav1.Status{
		ListMeta: metav1.ListMeta{ResourceVersion: "12", Continue: "more", RemainingItemCount: seconds(3)},
		Status:   metav1.StatusSuccess,
		Code:     200,
	},
}

const (
	// A token needs no proof here, and says so.
	token    = "header.payload.signature"
	audience = "https://kubernetes.default.svc.cluster.local"
	uid      = types.UID("5a3d1f0e-7b1c-4c52-9d0e-3f1b2a6c7d80")
)

// moment is one for all timestamps; what is less than a second is in no format.
var moment = time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)

var boundPod = authenticationv1.BoundObjectReference{
	Kind:       "Pod",
	APIVersion: "v1",
	Name:       "web-0",
	UID:        uid,
}

// fullUser has text that is not ASCII, and under extra every length of list, none included: there it
// is an empty list in both formats.
var fullUser = authenticationv1.UserInfo{
	Username: "system:serviceaccount:ci:bäcker",
	UID:      string(uid),
	Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"},
	Extra: map[string]authenticationv1.ExtraValue{
		"authentication.kubernetes.io/credential-id": {"JTI=" + string(uid)},
		"example.org/empty":                          {""},
		"example.org/many":                           {"one", "two", "three"},
		"example.org/none":                           {},
	},
}

// fullMeta has every member, and of every list more than one element.
func fullMeta(subresource string) metav1.ObjectMeta {
	yes, no := true, false
	now := metav1.NewTime(moment)
	return metav1.ObjectMeta{
		Name:                       "builder",
		GenerateName:               "build-",
		Namespace:                  "ci",
		SelfLink:                   "/api/v1/namespaces/ci/serviceaccounts/builder",
		UID:                        uid,
		ResourceVersion:            "4711",
		Generation:                 2,
		CreationTimestamp:          now,
		DeletionTimestamp:          &now,
		DeletionGracePeriodSeconds: seconds(30),
		Labels:                     map[string]string{"app": "web", "example.org/tier": "front", "empty": ""},
		Annotations:                map[string]string{"example.org/note": "two\nlines, and ünïcode", "a": "<b>&"},
		OwnerReferences: []metav1.OwnerReference{
			{
				APIVersion: "apps/v1", Kind: "StatefulSet", Name: "web", UID: uid,
				Controller: &yes, BlockOwnerDeletion: &no,
			},
			{APIVersion: "v1", Kind: "ConfigMap", Name: "settings", UID: uid},
		},
		Finalizers: []string{"example.org/one", "example.org/two"},
		ManagedFields: []metav1.ManagedFieldsEntry{
			{
				Manager: "kubectl-create", Operation: metav1.ManagedFieldsOperationUpdate,
				APIVersion: "authentication.k8s.io/v1", Time: &now,
				FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{"f:token":{}}}`)},
				Subresource: subresource,
			},
			{Manager: "other", Operation: metav1.ManagedFieldsOperationApply},
		},
	}
}

func requestFor(expirationSeconds int64) *authenticationv1.TokenRequest {
	return &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &expirationSeconds},
	}
}

func seconds(count int64) *int64 { return &count }
