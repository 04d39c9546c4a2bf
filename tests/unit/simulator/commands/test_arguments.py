import argparse

import pytest

from simulator.commands.arguments import add_shop_arguments, chosen_shop
from wire_protocol.errors import OperatorError


def _chosen(*line: str) -> tuple[str, str]:
    parser = argparse.ArgumentParser()
    add_shop_arguments(parser)
    chain, shop = chosen_shop(parser.parse_args(line))
    return chain.tenant, shop.id


def test_without_a_word_it_is_the_first_chains_first_shop() -> None:
    assert _chosen() == ("gelateria-sole", "lido")


def test_a_shop_is_found_in_its_chain() -> None:
    assert _chosen("--chain", "polar-scoop", "--shop", "arcade") == ("polar-scoop", "arcade")


def test_an_unknown_chain_is_told_with_those_there_are() -> None:
    with pytest.raises(OperatorError, match="no chain 'sole'") as caught:
        _chosen("--chain", "sole")
    assert caught.value.remedy == "Choose one of gelateria-sole, polar-scoop."


def test_a_shop_of_another_chain_is_told_with_those_there_are() -> None:
    with pytest.raises(OperatorError, match="Gelateria Sole has no shop 'arcade'") as caught:
        _chosen("--shop", "arcade")
    assert "lido" in caught.value.remedy
