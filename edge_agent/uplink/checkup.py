"""What `topscoop edge doctor` thinks of the uplink; pure, so that each judgement is one test."""

from edge_agent.checkup import Finding, Verdict
from edge_agent.uplink.certificate_life import CertificateLife, Life

_ENROL = "Enrol this register with a new code: `topscoop edge enrol --again`."
_FEW_BLANKS = 20
_MIB = 1 << 20


def judge_certificate(life: CertificateLife, now_ms: int) -> Finding:
    """The certificate's end."""
    days = life.days_left(now_ms)
    match life.state(now_ms):
        case Life.EXPIRED:
            return Finding("certificate", Verdict.FAILED, f"expired {-days:.0f} days ago", _ENROL)
        case Life.DUE if life.alarm(now_ms) is not None:
            return Finding(
                "certificate",
                Verdict.WARNING,
                f"ends in {days:.0f} days and was not renewed",
                "The agent renews it when it reaches the enrolment server: check the way there.",
            )
    return Finding("certificate", Verdict.OK, f"good for {days:.0f} days")


def judge_blanks(left: int) -> Finding:
    """The stock of consent blanks."""
    said = f"{left} consent blanks are left"
    if left == 0:
        return Finding(
            "blanks",
            Verdict.WARNING,
            said,
            "No picture can be kept. Blanks come by themselves when the register is connected.",
        )
    if left < _FEW_BLANKS:
        return Finding("blanks", Verdict.WARNING, said, "More come when the register is connected.")
    return Finding("blanks", Verdict.OK, said)


def judge_spool(*, messages: int, used_bytes: int, max_bytes: int, free_bytes: int, aside: int) -> Finding:
    """How full the spool is, and whether the disk has room for the rest of it."""
    said = f"{messages} messages wait, {used_bytes // _MIB} of {max_bytes // _MIB} MiB"
    if aside:
        return Finding(
            "spool",
            Verdict.WARNING,
            f"{said}, {aside} cannot be delivered",
            "`topscoop edge spool status` says why; `retry` offers them again.",
        )
    if free_bytes < max_bytes - used_bytes:
        return Finding(
            "spool",
            Verdict.WARNING,
            f"{said}, only {free_bytes // _MIB} MiB are free",
            "Free some space, or lower `max_mb` in [uplink].",
        )
    if used_bytes > max_bytes * 4 // 5:
        return Finding(
            "spool",
            Verdict.WARNING,
            said,
            "When it is full, pictures thin out evenly: check why the cloud does not take them.",
        )
    return Finding("spool", Verdict.OK, said)


def judge_cloud_time(*, now_ms: int, floor_ms: int, behind: bool) -> Finding:
    """The wall clock against the latest time that the cloud signed."""
    if behind:
        return Finding(
            "cloud time",
            Verdict.FAILED,
            f"this till's clock is {(floor_ms - now_ms) // 1000} s behind what the cloud has signed",
            "Set it: `timedatectl set-ntp true`. Until then the cloud's time is used.",
        )
    return Finding("cloud time", Verdict.OK, "the clock is not behind the cloud's")
