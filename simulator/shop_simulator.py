"""One register's day without its machines: who comes, when, what is in stock, and what is bought.

Pure and seeded: the same seed gives the same customers with the same tastes at the same intervals. The
caller owns the clock and asks for one visit after the other.

    arrives ── looks at the counter ── orders ── sees three flavours, chooses ── pays ── leaves
               (the camera sees the customer from `arrives_s` to `leaves_s`)

What a customer buys is drawn from the chain's taste among what is in stock. A recommendation nudges
nobody, so every policy can be judged on the same sales; `uplift` changes that for experiments: with this
probability a customer chooses among the offered flavours only, by the same taste.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.chains import Chain, Shop
from simulator.customers import Customer, Situation, draw_context, draw_customer
from simulator.taste import FloatArray

Span = tuple[float, float]

SOLD_OUT_AT_MOST = 0.4
"""Share of the catalogue that may be sold out at once: a shop that has nothing left is closed."""
MENU_CHANGE_SHARE = 0.1
"""How often something sells out, or comes back, between two customers."""
TWO_SCOOPS_SHARE = 0.25
CONSENT_SHARE = 0.5
"""Customers who say yes when the display asks whether their picture may be kept."""
WITHDRAWAL_SHARE = 0.03
"""Of those, who change their mind before they leave the shop."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long each part of a visit takes, in seconds, drawn evenly from (shortest, longest)."""

    empty_s: Span = (0.2, 0.6)
    look_s: Span = (0.55, 0.85)
    choose_s: Span = (0.5, 0.9)
    leave_s: Span = (0.2, 0.4)


BUSY_AFTERNOON = Pace()
"""About two seconds per customer: a queue, so that there is something to see."""
IN_A_HURRY = Pace(empty_s=(0.1, 0.2), look_s=(0.4, 0.5), choose_s=(0.2, 0.3), leave_s=(0.1, 0.2))
"""One second per customer, where nobody looks: rollouts wait for customers."""


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """One customer at one register; times are seconds on the caller's clock."""

    number: int
    seed: int
    """For whatever else is random about this visit, such as its pictures."""
    customer: Customer
    situation: Situation
    in_stock: tuple[bool, ...]
    menu_changed: bool
    """Whether `in_stock` differs from the visit before."""
    truth: FloatArray
    """True probability of purchase by flavour [F]; zero for what is sold out."""
    quantity: int
    arrives_s: float
    orders_s: float
    pays_s: float
    leaves_s: float
    luck: float
    """Where in the distribution this customer's choice falls, 0 <= luck < 1; independent of any slate."""
    follows: bool
    """Whether this customer chooses among the offered flavours only (see `uplift`)."""
    consents: bool
    """What this customer answers when asked whether the picture may be kept."""
    withdraws: bool
    """Whether a customer who said yes takes it back when paying."""

    def purchase(self, slate: Sequence[int]) -> int:
        """The index of the flavour that is bought after seeing this slate of indices."""
        odds = self.truth
        if self.follows and any(self.truth[index] > 0 for index in slate):
            offered = np.zeros_like(self.truth)
            offered[list(slate)] = self.truth[list(slate)]
            odds = offered / offered.sum()
        # Clipped, because rounding may leave the last sum a little below one.
        return min(
            int(np.searchsorted(np.cumsum(odds), self.luck, side="right")), int(np.flatnonzero(odds)[-1])
        )

    def is_present(self, now_s: float) -> bool:
        """Whether the customer stands before the register."""
        return self.arrives_s <= now_s < self.leaves_s


class ShopSimulator:
    """Draws the visits of one register, one after the other.

    Args:
        chain: Whose catalogue and taste.
        shop: Where the register stands.
        seed: Same seed, same visits.
        draw: Who comes; a bank's `draw` lets only customers come whose pictures are rendered already.
        pace: How long things take.
        uplift: Share of customers who choose among what they were offered; 0 in the demo.
        consent: Share of customers who let their picture be kept.

    Raises:
        ValueError: `uplift` or `consent` is no probability.
    """

    def __init__(
        self,
        chain: Chain,
        shop: Shop,
        seed: int,
        *,
        draw: Callable[[np.random.Generator], Customer] = draw_customer,
        pace: Pace = BUSY_AFTERNOON,
        uplift: float = 0.0,
        consent: float = CONSENT_SHARE,
    ) -> None:
        for name, share in (("uplift", uplift), ("consent", consent)):
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{name} is a probability, not {share}")
        self._chain = chain
        self._shop = shop
        self._rng = np.random.default_rng([seed, shop.background_seed])
        # Apart, so that whether somebody consents changes nobody's taste.
        self._minds = np.random.default_rng([seed, shop.background_seed, 1])
        self._draw = draw
        self._pace = pace
        self._uplift = uplift
        self._consent = consent
        self._visits = 0
        self._in_stock = np.ones(len(chain.flavours), np.bool_)

    def next_visit(self, now_s: float) -> Visit:
        """The next customer, who arrives after `now_s`."""
        changed = self._visits > 0 and self._rng.random() < MENU_CHANGE_SHARE and self._change_menu()
        customer = self._draw(self._rng)
        situation = draw_context(self._rng, self._shop.kind)
        arrives_s = now_s + self._span(self._pace.empty_s)
        orders_s = arrives_s + self._span(self._pace.look_s)
        pays_s = orders_s + self._span(self._pace.choose_s)
        self._visits += 1
        return Visit(
            number=self._visits,
            seed=int(self._rng.integers(2**31)),
            customer=customer,
            situation=situation,
            in_stock=tuple(bool(held) for held in self._in_stock),
            menu_changed=changed,
            truth=self._truth(customer, situation),
            quantity=2 if self._rng.random() < TWO_SCOOPS_SHARE else 1,
            arrives_s=arrives_s,
            orders_s=orders_s,
            pays_s=pays_s,
            leaves_s=pays_s + self._span(self._pace.leave_s),
            luck=float(self._rng.random()),
            follows=bool(self._rng.random() < self._uplift),
            consents=bool(self._minds.random() < self._consent),
            withdraws=bool(self._minds.random() < WITHDRAWAL_SHARE),
        )

    def _truth(self, customer: Customer, situation: Situation) -> FloatArray:
        odds = self._chain.taste.probabilities(customer.visible, situation) * self._in_stock
        truth: FloatArray = odds / odds.sum()
        return truth

    def _change_menu(self) -> bool:
        """Sell one flavour out or bring one back."""
        sold_out = np.flatnonzero(~self._in_stock)
        full = len(sold_out) >= int(SOLD_OUT_AT_MOST * len(self._in_stock))
        if len(sold_out) and (full or self._rng.random() < 0.5):
            self._in_stock[self._rng.choice(sold_out)] = True
        else:
            self._in_stock[self._rng.choice(np.flatnonzero(self._in_stock))] = False
        return True

    def _span(self, span: Span) -> float:
        return float(self._rng.uniform(*span))
