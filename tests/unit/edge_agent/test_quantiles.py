from edge_agent.quantiles import in_words, quantiles


def test_quantiles_of_one_to_hundred() -> None:
    assert quantiles([float(n) for n in range(101)]) == {"p50": 50.0, "p90": 90.0, "p99": 99.0}


def test_nothing_measured_is_none_and_a_dash() -> None:
    assert quantiles([]) is None
    assert in_words(None) == "-"


def test_words_have_the_unit() -> None:
    assert in_words({"p50": 0.2149, "p99": 1.0}) == "p50 0.21 · p99 1.00 ms"
