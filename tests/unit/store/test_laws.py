"""After any changes in any order the record says what a list folded naively says."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.store.record import Record, Standing
from engine.types.learning import OUTCOMES, Outcome, Trait
from tests.unit.store.conftest import duel

Step = tuple[str, str]

DUELS = ("d0", "d1", "d2")
TRAITS = ("concise", "cheery")

VOTES = st.tuples(st.sampled_from([f"vote {o}" for o in OUTCOMES]), st.sampled_from(DUELS))
ABOUT_DUELS = st.tuples(st.just("withdraw"), st.sampled_from(DUELS))
ABOUT_TRAITS = st.tuples(
    st.sampled_from(["forget", "add_trait", "remove_trait", "override"]), st.sampled_from(TRAITS)
)
ABOUT_ALL = st.tuples(
    st.sampled_from(["undo", "undo", "reset", "drop_texts", "close"]), st.just("")
)
STEPS = st.lists(
    st.tuples(st.integers(0, 1), st.one_of(VOTES, VOTES, ABOUT_DUELS, ABOUT_TRAITS, ABOUT_ALL)),
    max_size=25,
)


def trait(id: str) -> Trait:
    return Trait(id=id, more="more", less="less", sentence="Be so.", own=id == "cheery")


@dataclass
class Reference:
    """Every change in a list, read from the beginning each time something is asked."""

    changes: list[Step] = field(default_factory=list)
    dropped: bool = False

    def counting(self) -> dict[str, Outcome]:
        votes: dict[str, Outcome] = {}
        for kind, about in self.changes:
            if kind == "reset":
                votes = {}
            elif kind == "withdraw":
                del votes[about]
            elif kind.startswith("vote"):
                votes[about] = cast(Outcome, kind.split()[1])
        return votes

    def removed(self) -> set[str]:
        last = {a: kind for kind, a in self.changes if kind in ("add_trait", "remove_trait")}
        return {id for id, kind in last.items() if kind == "remove_trait"}

    def own(self) -> list[str]:
        own: list[str] = []
        for kind, about in self.changes:
            if kind == "add_trait" and about == "cheery" and about not in own:
                own.append(about)
            elif kind == "remove_trait" and about in own:
                own.remove(about)
        return own

    def forgotten(self) -> dict[str, int]:
        """How many votes that count stand before the forgetting of each trait."""
        resets = [i for i, (kind, _) in enumerate(self.changes) if kind == "reset"]
        since = resets[-1] if resets else -1
        found = {}
        for index, (kind, about) in enumerate(self.changes):
            if kind == "forget" and index > since:
                voted = [
                    max(i for i, (k, d) in enumerate(self.changes) if d == id and k[:4] == "vote")
                    for id in self.counting()
                ]
                found[about] = sum(i < index for i in voted)
        return found

    def overrides(self) -> list[str]:
        resets = [i for i, (kind, _) in enumerate(self.changes) if kind == "reset"]
        since = self.changes[resets[-1] :] if resets else self.changes
        return [about for kind, about in since if kind == "override"]

    def do(self, step: Step) -> bool:
        """Whether it is allowed, and then it is done."""
        kind, about = step
        if kind.startswith("vote"):
            allowed = about not in self.counting()
        elif kind == "withdraw":
            allowed = about in self.counting()
        elif kind == "remove_trait":
            allowed = about not in self.removed()
        elif kind == "undo":
            allowed = bool(self.changes)
        else:
            allowed = True
        if allowed and kind == "undo":
            self.changes.pop()
        elif kind == "drop_texts":
            self.dropped = True
        elif allowed and kind != "close":
            self.changes.append(step)
        return allowed


def do(record: Record, step: Step) -> bool:
    kind, about = step
    try:
        if kind.startswith("vote"):
            record.vote(about, cast(Outcome, kind.split()[1]))
        elif kind == "add_trait":
            record.add_trait(trait(about))
        elif kind == "override":
            record.override(about, instead="other", gain={"quality": -0.25})
        elif about:
            getattr(record, kind)(about)
        else:
            getattr(record, kind)()
    except InputError:
        return False
    return True


def compare(standing: Standing, reference: Reference) -> None:
    votes = [(b.duel.id, b.outcome) for b in standing.ballots]
    assert sorted(votes) == sorted(reference.counting().items())
    numbers = [b.change for b in standing.ballots]
    assert numbers == sorted(numbers)
    for ballot in standing.ballots:
        assert (ballot.duel.question == "") == reference.dropped
    assert [t.id for t in standing.traits] == reference.own()
    assert standing.removed == reference.removed()
    before = {t: sum(n < change for n in numbers) for t, change in standing.forgotten.items()}
    assert before == reference.forgotten()
    assert [override.taken for _, override in standing.overrides] == reference.overrides()
    assert bool(standing.undoable) == bool(reference.changes)
    kind, about = reference.changes[-1] if reference.changes else ("", "")
    assert standing.newest_vote == (about if kind.startswith("vote") else "")
    assert standing.unreadable == 0


@given(steps=STEPS)
@example(steps=[(0, ("vote first", "d0")), (1, ("reset", "")), (0, ("vote equal", "d0"))])
@example(steps=[(0, ("vote first", "d0")), (1, ("forget", "concise")), (0, ("reset", ""))])
def test_two_records_on_one_file_always_say_what_a_naive_fold_says(
    steps: list[tuple[int, Step]],
) -> None:
    reference = Reference()
    with tempfile.TemporaryDirectory() as folder:
        records = [Record(Path(folder) / "record.db", clock=lambda: 0.0) for _ in range(2)]
        try:
            for id in DUELS:
                records[0].open_duel(duel(id))
            for which, step in steps:
                before = records[1 - which].stamp(), len(reference.changes)
                assert do(records[which], step) == reference.do(step)
                for record in records:
                    compare(record.standing(), reference)
                if before[1] != len(reference.changes):
                    assert records[1 - which].stamp() != before[0]
        finally:
            for record in records:
                record.close()
