from enum import StrEnum


class UploadProblem(StrEnum):
    BAD_PICTURE = "bad-picture"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    DIGEST_MISMATCH = "digest-mismatch"
    NO_MODEL = "no-model"
    PICTURE_GONE = "picture-gone"
    REPEATEDLY_FAILED = "repeatedly-failed"
    WRONG_LENGTH = "wrong-length"
    WRONG_TYPE = "wrong-type"

    def __str__(self) -> str:
        return str(self.value)
