import sys

import pytest

from simulator.demo.backend.service_process import Record, ServiceProcess
from simulator.demo.errors import ServiceFailedError


def _service(script: str, records: list[Record]) -> ServiceProcess:
    return ServiceProcess("the test", [sys.executable, "-c", script], records.append)


async def test_it_tells_what_a_service_says_and_its_records() -> None:
    records: list[Record] = []
    script = """if True:
        import sys, time
        print('{"event": "one", "level": "debug"}', flush=True)
        print('{no json', flush=True)
        print("listens on 42", flush=True)
        time.sleep(60)"""
    service = _service(script, records)
    await service.start()
    try:
        assert await service.said(lambda line: line[-2:] if "listens" in line else None) == "42"
        assert await service.said(lambda line: "again" if "listens" in line else None) == "again"
        assert records == [{"event": "one", "level": "debug"}]
        # What is said many times a second drives no warning out.
        assert service.last_words() == "{no json\nlistens on 42"
    finally:
        await service.stop()
    assert service.leftover() is None


async def test_a_service_that_ends_is_told_with_its_last_words() -> None:
    service = _service("import sys; sys.exit('no such bucket')", [])
    await service.start()
    with pytest.raises(ServiceFailedError, match="the test ended with status 1") as caught:
        await service.said(lambda _line: None)
    assert "no such bucket" in caught.value.remedy
    await service.stop()
