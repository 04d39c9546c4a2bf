from cloud.jobs.back_off import MOST_MS, retry_after_ms


def test_it_grows_to_a_bound_and_scatters() -> None:
    assert [retry_after_ms(attempt, 1.0) for attempt in (1, 2, 3, 4, 99)] == [
        250,
        1000,
        4000,
        MOST_MS,
        MOST_MS,
    ]
    assert retry_after_ms(2, 0.0) == 500
