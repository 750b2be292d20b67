"""Features by their quantiles: normal where the training part is not, untouched where nothing is to be laid out."""

import numpy
import pytest
import torch
from sklearn.preprocessing import QuantileTransformer

from danlu.nets.blocks.quantiles import Quantiles

LONG_TAILED = torch.randn(5000, 2, generator=torch.Generator().manual_seed(0)).mul(2).exp()


def test_a_long_tail_becomes_normal_as_scikit_learns_transform_makes_it() -> None:
    places = Quantiles(2)
    places.see_training_part(LONG_TAILED)
    theirs = QuantileTransformer(n_quantiles=1000, output_distribution="normal").fit_transform(LONG_TAILED.numpy())
    ours = places(LONG_TAILED).numpy()
    middle = numpy.abs(theirs) < 1.5
    assert numpy.abs(ours - theirs)[middle].max() < 0.1
    assert abs(ours).max() < 2.7


def test_it_rises_and_never_leaves_its_ends() -> None:
    places = Quantiles(1)
    places.see_training_part(LONG_TAILED[:, :1])
    found = places(torch.linspace(-1e6, 1e6, 10_001)[:, None])[:, 0]
    assert (found.diff() >= 0).all()
    assert found[0] == places(LONG_TAILED[:, :1].min()[None, None])[0, 0]


@pytest.mark.parametrize("values", [[0.0, 1.0], [3.0], list(range(10))], ids=["flag", "constant", "count"])
def test_features_of_few_values_stay_as_they_are(values: list[float]) -> None:
    x = torch.tensor(values).repeat(6000)[:, None]
    places = Quantiles(1)
    places.see_training_part(x)
    assert places(x).equal(x)


def test_what_is_mostly_one_value_is_laid_out_all_the_same() -> None:
    x = torch.cat([torch.zeros(9000), torch.linspace(1, 2, 1000)])[:, None]
    places = Quantiles(1)
    places.see_training_part(x)
    low, middle, high = places(torch.tensor([[0.0], [1.5], [2.0]]))[:, 0]
    assert low < middle < high
    assert torch.isfinite(places(x)).all()


@pytest.mark.parametrize(("samples", "laid"), [(4999, False), (5000, True)])
def test_a_small_training_part_lays_nothing_out(samples: int, laid: bool) -> None:
    places = Quantiles(2)
    places.see_training_part(LONG_TAILED[:samples])
    assert places(LONG_TAILED).equal(LONG_TAILED) is not laid


def test_untouched_before_it_has_seen_anything_and_kept_with_the_weights() -> None:
    places, other = Quantiles(2), Quantiles(2)
    assert places(LONG_TAILED).equal(LONG_TAILED)
    places.see_training_part(LONG_TAILED)
    other.load_state_dict(places.state_dict())
    assert other(LONG_TAILED).equal(places(LONG_TAILED))
