"""Claims on data that a user brings: tested as far as these go, and what cannot be tested is said."""

from pathlib import Path

import pytest

from danlu.base.errors import UserError
from danlu.claims.bench import Bench
from danlu.claims.check import check
from danlu.claims.options import ClaimOptions
from danlu.claims.own import read_own
from danlu.claims.result import ClaimResult


def in_miniature(claim: str, data: str, folder: Path) -> ClaimResult:
    return check(claim, data=data, seeds=3, folder=folder, miniature=True)


def test_numbers_are_judged_by_r2(tmp_path: Path) -> None:
    record = in_miniature("momentum-helps", "diabetes", tmp_path).record
    assert record["plan"]["measure"] == "accuracy-or-r2"
    assert {one["measure"] for one in record["comparisons"]} == {"r2"}
    assert all(one["pairs"] == 3 for one in record["comparisons"])


def test_the_place_is_the_users_data(tmp_path: Path) -> None:
    record = in_miniature("standardised-inputs-help", "wine", tmp_path).record
    assert [one["condition"] for one in record["comparisons"]] == ["data=wine"]


def test_places_with_more_samples_than_there_are_are_left_out(tmp_path: Path) -> None:
    result = check("dropout-helps-small-data", data="iris", seeds=3, folder=tmp_path, miniature=True)
    assert result.record["left_out"] == ["300", "1000"]
    assert "300, 1000" in str(result)


REFUSED = [
    ("mean-gradients-scale-free", "diabetes", "a class"),
    ("forget-bias-one", "iris", "without any data of yours"),
    ("clipping-steadies-rnns", "iris", "without any data of yours"),
    ("dropout-placement-in-rnns", "iris", "without any data of yours"),
    ("divide-by-255-once", "iris", "without any data of yours"),
    ("shuffling-helps", "iris", "without any data of yours"),
    ("linear-layers-collapse", "iris", "without any data of yours"),
    ("minibatch-balances", "iris", "without any data of yours"),
    ("convolution-beats-dense", "breast-cancer", "takes images"),
    ("momentum-helps", "iriss", "iris"),
]


@pytest.mark.parametrize(("claim", "data", "told"), REFUSED, ids=[f"{claim}-{data}" for claim, data, _ in REFUSED])
def test_what_cannot_be_tested_is_said(claim: str, data: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=told):
        in_miniature(claim, data, tmp_path / "claim")
    assert not (tmp_path / "claim" / "claim.json").exists()


def test_a_claim_of_ones_own_needs_data_with_its_measure(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'sentence = "Wider is better."\nfactor = "net.width"\nlevels = [4, 8]\nexpect = "more"\ndata = "diabetes"\n'
    )
    claim = read_own(file)
    with pytest.raises(UserError, match="a class"):
        claim.effect.test(ClaimOptions(seeds=3, miniature=True), Bench(tmp_path / "bench"))
