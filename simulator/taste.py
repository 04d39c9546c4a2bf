"""Taste: the probability of each flavour, given visible attributes and the situation.

    logit = base + sum over attributes of effect[attribute, level] + context effects
            + sum over the active interactions of their effect
    probability = softmax(logit)

All effects come from one fixed seed per chain; `docs/world.md` gives the strengths and the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.attributes import VISIBLE_SHARES, Visible, level_indices
from simulator.customers import SHOP_KINDS, Situation

FloatArray = NDArray[np.float64]

HOT_FROM_C = 26.0
EVENING_FROM_HOUR = 18
SATURDAY = 5

# How far apart the levels of an attribute pull a flavour, before the chain's common strength.
ATTRIBUTE_STRENGTH: Mapping[str, float] = {
    "headwear": 1.1,
    "hair": 0.8,
    "hair_colour": 0.8,
    "clothing": 1.1,
    "clothing_colour": 1.2,
    "accessory": 1.1,
    "company": 1.2,
}

# (name, attribute, level, condition): the effect is added where the level and the condition meet.
INTERACTIONS: Sequence[tuple[str, str, str, str]] = (
    ("families on the weekend", "company", "child", "weekend"),
    ("sunglasses in the heat", "accessory", "sunglasses", "hot"),
    ("suits in the evening", "clothing", "suit", "evening"),
)


@dataclass(frozen=True, slots=True)
class Strengths:
    """How strongly each part of a chain's taste speaks, in logits."""

    base: float
    attributes: float
    context: float
    interactions: float


def conditions(situation: Situation) -> dict[str, bool]:
    """Return which of the interactions' conditions hold."""
    return {
        "weekend": situation.weekday >= SATURDAY,
        "hot": situation.temperature_c >= HOT_FROM_C,
        "evening": situation.hour >= EVENING_FROM_HOUR,
    }


@dataclass(frozen=True, eq=False)
class Taste:
    """One chain's taste: arrays whose last axis is the flavour.

    `attributes[name]` is [levels, F]; `hour` [2, F] weighs cos and sin of the hour's angle, `weekend`
    [F], `temperature` [F] per 8 degrees above 22, `shop` [4, F], `interactions` [3, F].
    """

    base: FloatArray
    attributes: Mapping[str, FloatArray]
    hour: FloatArray
    weekend: FloatArray
    temperature: FloatArray
    shop: FloatArray
    interactions: FloatArray

    def context_logits(self, situation: Situation) -> FloatArray:
        """Return base popularity and context effects [F], without any attribute."""
        angle = 2.0 * np.pi * situation.hour / 24.0
        logits: FloatArray = (
            self.base
            + np.cos(angle) * self.hour[0]
            + np.sin(angle) * self.hour[1]
            + float(situation.weekday >= SATURDAY) * self.weekend
            + (situation.temperature_c - 22.0) / 8.0 * self.temperature
            + self.shop[SHOP_KINDS.index(situation.shop)]
        )
        return logits

    def attribute_logits(self, visible: Visible, situation: Situation) -> FloatArray:
        """Return what the visible attributes add [F], interactions with the situation included."""
        logits = np.zeros_like(self.base)
        for effect, level in zip(self.attributes.values(), level_indices(visible), strict=True):
            logits += effect[level]
        active = conditions(situation)
        for row, (_, attribute, level_name, condition) in enumerate(INTERACTIONS):
            if active[condition] and getattr(visible, attribute) == level_name:
                logits += self.interactions[row]
        return logits

    def probabilities(self, visible: Visible, situation: Situation) -> FloatArray:
        """Return the probability of each flavour [F]; they sum to one."""
        logits = self.context_logits(situation) + self.attribute_logits(visible, situation)
        odds = np.exp(logits - logits.max())
        normalised: FloatArray = odds / odds.sum()
        return normalised


def build_taste(seed: int, flavours: int, strengths: Strengths) -> Taste:
    """Draw a chain's taste from its seed.

    Base popularity falls from the first flavour of the catalogue to the last. Effects of an attribute
    have mean zero over its levels' shares, so that no attribute shifts the overall popularity much.
    """
    rng = np.random.default_rng(seed)
    ranks = np.linspace(1.0, -1.0, flavours)
    base = strengths.base * (ranks + 0.15 * rng.standard_normal(flavours))
    attributes = {}
    for name, shares in VISIBLE_SHARES.items():
        effect = rng.standard_normal((len(shares), flavours))
        effect -= np.array(list(shares.values())) @ effect
        attributes[name] = strengths.attributes * ATTRIBUTE_STRENGTH[name] * effect

    def context_effect(*shape: int) -> FloatArray:
        effect: FloatArray = strengths.context * rng.standard_normal((*shape, flavours))
        return effect

    shop = context_effect(len(SHOP_KINDS))
    return Taste(
        base=base,
        attributes=attributes,
        hour=context_effect(2),
        weekend=context_effect(),
        temperature=context_effect(),
        shop=shop - shop.mean(axis=0),
        interactions=strengths.interactions * rng.standard_normal((len(INTERACTIONS), flavours)),
    )
