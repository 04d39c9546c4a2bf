from pathlib import Path

from edge_agent.adapters.checks.config import check_config
from edge_agent.checkup import Verdict


def test_a_good_file_gives_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text('tenant = "gelateria-sole"\nstore = "s1"\nregister = "r1"\n')
    config, finding = check_config(str(file))
    assert config is not None
    assert (config.register, finding.verdict) == ("r1", Verdict.OK)


def test_a_bad_file_is_a_finding_with_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text('tenant = "gelateria-sole"\nstore = "s1"\nregister = "r1"\ncolour = 1\n')
    config, finding = check_config(str(file))
    assert config is None
    assert finding.verdict is Verdict.FAILED
    assert "colour" in finding.said
    assert finding.remedy
