from enum import StrEnum


class ProblemType(StrEnum):
    VALUE_0 = "/docs/problems#malformed"
    VALUE_1 = "/docs/problems#invalid"
    VALUE_10 = "/docs/problems#login-failed"
    VALUE_11 = "/docs/problems#provider-away"
    VALUE_12 = "/docs/problems#too-many-requests"
    VALUE_13 = "/docs/problems#quota-used-up"
    VALUE_14 = "/docs/problems#key-reused"
    VALUE_15 = "/docs/problems#upload-not-there"
    VALUE_16 = "/docs/problems#upload-expired"
    VALUE_17 = "/docs/problems#upload-failed"
    VALUE_18 = "/docs/problems#no-recommendation-yet"
    VALUE_19 = "/docs/problems#erased"
    VALUE_2 = "/docs/problems#not-found"
    VALUE_20 = "/docs/problems#no-model"
    VALUE_21 = "/docs/problems#outcome-conflict"
    VALUE_22 = "/docs/problems#consent-missing"
    VALUE_23 = "/docs/problems#notice-unknown"
    VALUE_24 = "/docs/problems#handover-over"
    VALUE_25 = "/docs/problems#not-ready"
    VALUE_26 = "/docs/problems#internal"
    VALUE_3 = "/docs/problems#method-not-allowed"
    VALUE_4 = "/docs/problems#too-large"
    VALUE_5 = "/docs/problems#unsupported-type"
    VALUE_6 = "/docs/problems#unknown-chain"
    VALUE_7 = "/docs/problems#not-authenticated"
    VALUE_8 = "/docs/problems#bad-token"
    VALUE_9 = "/docs/problems#not-genuine"

    def __str__(self) -> str:
        return str(self.value)
