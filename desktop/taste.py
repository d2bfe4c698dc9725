"""What the owner asked for beside the question: preferences, strength, neutral."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.api import (
    MAX_GAMMA,
    MAX_PREFERENCES,
    NEUTRAL,
    Preference,
    Settings,
    Steering,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """A value; each change gives a new one.

    strength  γ as a fraction of its range, in [0, 1]: what the control shows
    """

    preferences: tuple[Preference, ...] = ()
    gamma: float = 2.0
    neutral: bool = False

    @classmethod
    def remembered(cls, settings: Settings) -> Taste:
        return cls(preferences=settings.preferences, gamma=settings.gamma, neutral=settings.neutral)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(preference.text for preference in self.preferences)

    @property
    def full(self) -> bool:
        return len(self.preferences) >= MAX_PREFERENCES

    @property
    def strength(self) -> float:
        return self.gamma / MAX_GAMMA

    @property
    def steering(self) -> Steering:
        if self.neutral or not self.preferences:
            return NEUTRAL
        return Steering(method="amulet", preferences=self.preferences, gamma=self.gamma)

    @property
    def personal(self) -> bool:
        """What was learned from votes may act."""
        return not self.neutral

    def adding(self, text: str) -> Taste:
        """With one more preference; unchanged if it is empty, known, or there is no room."""
        words = " ".join(text.split())
        known = {word.casefold() for word in self.words}
        if not words or self.full or words.casefold() in known:
            return self
        return replace(self, preferences=(*self.preferences, Preference(text=words)))

    def without(self, index: int) -> Taste:
        kept = tuple(p for i, p in enumerate(self.preferences) if i != index)
        return replace(self, preferences=kept)

    def at_strength(self, fraction: float) -> Taste:
        return replace(self, gamma=round(min(max(fraction, 0.0), 1.0) * MAX_GAMMA, 2))

    def as_neutral(self, neutral: bool) -> Taste:
        return replace(self, neutral=neutral)
