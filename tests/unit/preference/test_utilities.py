from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.preference.ballots import Evidence
from engine.preference.learner import ACTIVE, CARRIED, LISTENED, Serving, poles, scaled
from engine.preference.traits import BUILT_IN
from engine.preference.utilities import STEP, UtilityLearner
from engine.types.learning import OUTCOMES, LearnedTrait, Outcome, Trait
from engine.types.steering import MAX_THETA

OWN = Trait(id="own-x", more="a", less="not a", sentence="Write like a.", visible=0.7, own=True)
TURNED: dict[Outcome, Outcome] = {"first": "second", "second": "first"}


def voted(
    outcome: Outcome, *, trait: str = "short", first: float = 12.0, second: float = 9.0, n: int = 0
) -> Evidence:
    """A duel of both poles, the first answer leaning to `more`."""
    return Evidence(
        duel=f"d{n}",
        asked=trait,
        outcome=outcome,
        first={f"{trait}+": first},
        second={f"{trait}-": second},
    )


def learned(*votes: Evidence, traits: tuple[Trait, ...] = BUILT_IN) -> dict[str, LearnedTrait]:
    return {t.trait.id: t for t in UtilityLearner(traits, votes).traits()}


def some_votes(draw: st.DrawFn) -> list[Evidence]:
    ids = st.sampled_from([trait.id for trait in BUILT_IN])
    count = draw(st.integers(0, 12))
    nats = st.floats(-40, 40)
    return [
        voted(
            draw(st.sampled_from(OUTCOMES)),
            trait=draw(ids),
            first=draw(nats),
            second=draw(nats),
            n=n,
        )
        for n in range(count)
    ]


histories = st.composite(some_votes)()


def test_without_votes_nothing_steers_and_nothing_is_known() -> None:
    learner = UtilityLearner(BUILT_IN, ())
    assert learner.serving() == Serving()
    for trait in learner.traits():
        assert (trait.theta, trait.votes) == (0.0, ())
        assert trait.sure == pytest.approx(0.5, abs=0.03)
        assert trait.low < 0 < trait.high
        assert trait.to_settle > 0


def test_one_vote_already_steers_towards_what_was_liked() -> None:
    pull = UtilityLearner(BUILT_IN, [voted("first")]).serving().pulls[0]
    assert (pull.trait, pull.pole, pull.pull.sentence) == ("short", 1, BUILT_IN[0].sentence)
    assert pull.pull.theta >= 0.5
    pull = UtilityLearner(BUILT_IN, [voted("second")]).serving().pulls[0]
    assert (pull.trait, pull.pole, pull.pull.sentence) == ("short", -1, BUILT_IN[0].opposite)


def test_votes_of_one_mind_make_sure_and_settle() -> None:
    few, many = (learned(*(voted("first", n=n) for n in range(k)))["short"] for k in (2, 12))
    assert 0.8 < few.sure < many.sure
    assert many.weight > few.weight > 0
    assert many.high - many.low < few.high - few.low
    assert many.to_settle < few.to_settle
    assert many.votes == tuple(f"d{n}" for n in range(12))


def test_neither_is_no_tie() -> None:
    both = {"short+": 12.0, "warm+": 10.0}
    liked = Evidence(duel="a", asked="warm", outcome="first", first=both, second={})
    neither = replace(liked, duel="b", outcome="neither", second=both)
    equal = replace(neither, outcome="equal")
    assert learned(liked, neither)["warm"].weight < learned(liked, equal)["warm"].weight


def test_a_trait_with_one_sentence_is_left_by_going_against_it() -> None:
    more, less = poles(OWN)
    assert (more.pull.theta, less.pull.theta, less.stream) == (1.0, -1.0, "own-x+")
    disliked = Evidence(
        duel="d", asked=OWN.id, outcome="second", first={"own-x+": 10.0}, second={"own-x+": -10.0}
    )
    pull = UtilityLearner((OWN,), [disliked, replace(disliked, duel="e")]).serving().pulls[0]
    assert pull.pull.theta < 0


def test_nats_of_another_model_are_measured_by_its_own_scale() -> None:
    loud = [replace(voted("first", first=80.0, second=80.0, n=n), model="loud") for n in range(4)]
    soft = [replace(voted("first", first=4.0, second=4.0, n=n), model="soft") for n in range(4)]
    weights = [
        UtilityLearner(BUILT_IN, votes, model="new").traits()[0].weight for votes in (loud, soft)
    ]
    assert weights[0] == pytest.approx(weights[1], abs=0.2)


def test_old_votes_fade() -> None:
    changed = [voted("first", n=n) for n in range(6)] + [voted("second", n=n) for n in range(6, 9)]
    steady, fading = (UtilityLearner(BUILT_IN, changed, fade=f).traits()[0] for f in (None, 2.0))
    assert steady.trait.id == fading.trait.id == "short"
    assert fading.sure < steady.sure


def test_a_duel_differs_by_one_trait_and_carries_the_strongest_other() -> None:
    votes = [voted("first", n=n) for n in range(3)]
    contrast = UtilityLearner(BUILT_IN, votes).contrast()
    more, less = (arm.pulls for arm in contrast.arms)
    assert {more[0].trait, less[0].trait} == {contrast.asked}
    assert more[1:] == less[1:]
    steering = [pull for pull in more if pull.pull.theta]
    assert len(steering) <= 1 + CARRIED
    assert contrast.why


def test_the_most_visible_traits_listen_to_every_duel() -> None:
    votes: list[Evidence] = []
    for n in range(6):
        contrast = UtilityLearner(BUILT_IN, votes).contrast()
        for arm in contrast.arms:
            assert {t.id for t in BUILT_IN[:LISTENED]} <= {pull.trait for pull in arm.pulls}
            assert len(arm.pulls) <= 1 + CARRIED + LISTENED
        votes.append(voted("equal", trait=contrast.asked, n=n))


def test_a_vote_informs_the_traits_that_listened() -> None:
    about_lists = Evidence(
        duel="d",
        asked="lists",
        outcome="first",
        first={"lists+": 12.0, "short+": 9.0},
        second={"lists-": 4.0, "short+": -14.0},
    )
    found = learned(about_lists)
    assert found["short"].weight > 0.2
    assert found["short"].votes == ()
    seen = replace(about_lists, scores=({"short": -3.0}, {"short": -4.0}))
    assert learned(seen) == found


@pytest.mark.parametrize("counted", [(-4.0, -3.0), (-4.0, -4.0)], ids=["longer", "as long"])
def test_what_listened_and_does_not_show_teaches_nothing(counted: tuple[float, float]) -> None:
    first, second = counted
    heard = Evidence(
        duel="d",
        asked="lists",
        outcome="first",
        first={"lists+": 12.0, "short+": 9.0},
        second={"lists-": 4.0, "short+": -14.0},
        scores=({"short": first}, {"short": second}),
    )
    unheard = replace(heard, first={"lists+": 12.0}, second={"lists-": 4.0})
    assert learned(heard) == learned(unheard)


def test_a_duel_counts_for_what_it_was_about_whatever_shows() -> None:
    vote = voted("first")
    assert learned(replace(vote, scores=({"short": -4.0}, {"short": -3.0}))) == learned(vote)


def test_every_trait_is_asked_about_sooner_or_later() -> None:
    votes: list[Evidence] = []
    for n in range(40):
        contrast = UtilityLearner(BUILT_IN, votes).contrast()
        votes.append(voted("first" if n % 2 else "equal", trait=contrast.asked, n=n))
    assert {vote.asked for vote in votes} == {trait.id for trait in BUILT_IN}


def test_a_reward_follows_the_votes() -> None:
    learner = UtilityLearner(BUILT_IN, [voted("first", n=n) for n in range(4)])
    assert learner.reward({"short+": 12.0}) > learner.reward({}) > learner.reward({"short-": 12.0})


# Laws ---------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(votes=histories)
def test_what_acts_is_bounded_and_few(votes: list[Evidence]) -> None:
    pulls = UtilityLearner(BUILT_IN, votes).serving().pulls
    assert len(pulls) <= ACTIVE
    assert len({pull.trait for pull in pulls}) == len(pulls)
    for pull in pulls:
        assert 0 < pull.pull.theta <= MAX_THETA
        assert pull.pull.theta % STEP == pytest.approx(0)


@settings(max_examples=25, deadline=None)
@given(votes=histories)
def test_what_is_shown_is_consistent(votes: list[Evidence]) -> None:
    for trait in UtilityLearner(BUILT_IN, votes).traits():
        assert -1 <= trait.low <= trait.weight + 1e-9
        assert trait.weight - 1e-9 <= trait.high <= 1
        assert 0 <= trait.sure <= 1
        assert abs(trait.theta) <= MAX_THETA


@settings(max_examples=10, deadline=None)
@given(votes=histories)
def test_the_sides_do_not_matter(votes: list[Evidence]) -> None:
    turned = [
        replace(v, first=v.second, second=v.first, outcome=TURNED.get(v.outcome, v.outcome))
        for v in votes
    ]
    here, there = (learned(*v) for v in (votes, turned))
    for name, trait in here.items():
        assert trait.weight == pytest.approx(there[name].weight, abs=0.12)


@settings(max_examples=10, deadline=None)
@given(votes=histories)
def test_the_same_votes_give_the_same_learner(votes: list[Evidence]) -> None:
    one, two = UtilityLearner(BUILT_IN, votes), UtilityLearner(BUILT_IN, list(votes))
    assert one.traits() == two.traits()
    assert one.contrast() == two.contrast()
    assert one.serving() == two.serving()


@given(theta=st.floats(0, MAX_THETA))
def test_scaling_a_pull_scales_its_weight(theta: float) -> None:
    for pole in poles(OWN):
        assert abs(scaled(pole, theta).pull.theta) == pytest.approx(theta)
