import pytest

from edge_agent.adapters.cpu import FAST, SLOW, describe_cpu, instruction_set


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        ("model name\t: AMD EPYC\nflags\t\t: fpu sse4_1 avx2 avx512_vnni avx_vnni\n", "AVX-512 VNNI"),
        ("flags\t\t: fpu sse4_1 avx2 avx_vnni\n", "AVX-VNNI"),
        ("flags\t\t: fpu sse4_1 avx2\n", "AVX2"),
        ("flags\t\t: fpu sse4_1\n", "SSE4"),
        ("Features\t: fp asimd asimddp\n", "Arm dot product"),
        ("Features\t: fp asimd\n", "Arm NEON"),
        ("", "none known"),
    ],
)
def test_the_fastest_instructions_are_named(cpuinfo: str, name: str) -> None:
    assert instruction_set(cpuinfo) == name


def test_nothing_is_both_fast_and_slow() -> None:
    assert not FAST & SLOW


def test_this_machine_is_described_in_one_line() -> None:
    assert describe_cpu().endswith(")")
    assert "\n" not in describe_cpu()
