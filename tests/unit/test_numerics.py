"""log-sum-exp and log-softmax against float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.numerics import F32, log_softmax, log_sum_exp

rows = arrays(
    np.float32,
    st.integers(1, 30),
    elements=st.floats(-1000, 1000, width=32) | st.just(-np.inf),
)


@given(rows)
def test_log_sum_exp_is_the_slow_sum(row: F32) -> None:
    expected = float(np.logaddexp.reduce(row.astype(np.float64)))
    assert log_sum_exp(row) == pytest.approx(expected, rel=1e-6, abs=1e-5)


@given(rows)
def test_scratch_changes_nothing_but_itself(row: F32) -> None:
    before, scratch = row.copy(), np.full_like(row, np.nan)
    assert log_sum_exp(row, scratch=scratch) == log_sum_exp(row)
    np.testing.assert_array_equal(row, before)


@given(rows.filter(lambda row: bool(np.isfinite(row.max()))))
def test_log_softmax_sums_to_one_and_stays_float32(row: F32) -> None:
    logs = log_softmax(row)
    assert logs.dtype == np.float32
    assert float(np.exp(logs.astype(np.float64)).sum()) == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_array_equal(logs == -np.inf, row == -np.inf)


def test_a_whole_vocabulary_loses_no_precision() -> None:
    row = np.zeros(150_000, np.float32)
    assert log_sum_exp(row) == pytest.approx(float(np.log(150_000)), abs=1e-6)


@pytest.mark.parametrize("value", [-np.inf, np.inf])
def test_an_infinite_top_is_the_sum(value: float) -> None:
    assert log_sum_exp(np.array([0.0 if value > 0 else -np.inf, value], np.float32)) == value


def test_huge_logits_do_not_overflow() -> None:
    assert log_sum_exp(np.array([3e38, 3e38], np.float32)) == pytest.approx(3e38)
