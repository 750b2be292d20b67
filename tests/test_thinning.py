"""What is left of a table that is thinned out."""

import pytest

from thinning import kept


@pytest.mark.parametrize("n", range(1, 25))
def test_one_is_kept_of_each_row(n: int) -> None:
    for cases in (1, 2, n, 5 * n, 5 * n + 1):
        places = sorted(place // n for place in kept("a table", cases, n))
        assert places == list(range(-(-cases // n)))
        assert max(kept("a table", cases, n)) < cases


@pytest.mark.parametrize("values", [2, 3, 4])
@pytest.mark.parametrize("n", range(2, 25))
def test_no_value_of_a_parameter_is_left_out(n: int, values: int) -> None:
    """The parameter that changes from case to case has all its values among those kept of a long table."""
    assert {place % values for place in kept("a table", 40 * n, n)} == set(range(values))


def test_tables_of_two_cases_are_not_all_run_in_their_first() -> None:
    assert {place for table in range(20) for place in kept(f"table {table}", 2, 2)} == {0, 1}


def test_it_is_always_the_same() -> None:
    assert kept("a table", 24, 6) == kept("a table", 24, 6) == {3, 10, 16, 18}
