from edge_agent.adapters.checks.machine import check_clock, check_cpu, check_memory


def test_this_machine_can_be_asked_for_everything() -> None:
    """Whatever the verdicts are here, each question has an answer."""
    findings = [check_cpu(), check_memory(), check_clock()]
    assert [finding.check for finding in findings] == ["cpu", "memory", "clock"]
    assert all(finding.said for finding in findings)
    assert "MiB available" in findings[1].said
