"""What is done to held-out data before a net is scored on them."""

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.held_out import HeldOutProbe


def evaluated(*batches: torch.Tensor, targets: torch.Tensor | None = None, overlap: float = 0.0) -> Measured:
    """Each batch is an evaluation of its own."""
    measured = Measured()
    probe = HeldOutProbe(measured)
    for step, batch in enumerate(batches, start=1):
        probe.sees(batch, step)
        if targets is not None:
            probe.lost(LossCall("mse_loss", "numbers", batch, targets, weighted=False, summed=False))
        probe.end(step, overlap)
    return measured


def standardised(x: torch.Tensor) -> torch.Tensor:
    return (x - x.mean(0)) / x.std(0)


def drawn(samples: int = 60, seed: int = 0) -> torch.Tensor:
    return torch.randn(samples, 5, generator=torch.Generator().manual_seed(seed))


def test_samples_that_are_normalised_by_themselves() -> None:
    found = evaluated(standardised(drawn())).unfair["scaled"]
    assert found.score < 1e-6
    assert found.other == pytest.approx(60**-0.5)


@pytest.mark.parametrize(
    ("batch", "overlap"),
    [
        (drawn(), 0.0), (standardised(drawn()), 1.0), (standardised(drawn()), float("nan")),
        (standardised(drawn(20)), 0.0), (standardised(drawn().T).T, 0.0),
    ],
)  # fmt: skip
def test_other_means_and_training_samples_are_fair(batch: torch.Tensor, overlap: float) -> None:
    assert "scaled" not in evaluated(batch, overlap=overlap).unfair


def test_samples_that_come_back_changed() -> None:
    x = drawn()
    assert "anew" in evaluated(*(x + 0.1 * drawn(seed=n) for n in range(1, 4))).unfair
    assert "anew" not in evaluated(x, x, x).unfair
    assert "anew" not in evaluated(*(drawn(seed=n) for n in range(1, 4))).unfair


def test_what_is_to_be_cleaned_of_its_noise_is_drawn_anew_on_purpose() -> None:
    x = drawn()
    assert "anew" not in evaluated(*(x + 0.1 * drawn(seed=n) for n in range(1, 4)), targets=x).unfair


@pytest.mark.parametrize(
    ("drops", "size", "trained"), [(True, 8, False), (False, 8, False), (True, 6, False), (True, 8, True)]
)
def test_samples_that_the_loader_drops(drops: bool, size: int, trained: bool) -> None:
    measured, loader = Measured(), DataLoader(TensorDataset(drawn()), size, drop_last=drops)
    probe = HeldOutProbe(measured)
    if trained:
        probe.loader_begun(loader)
        probe.trains()
    probe.loader_begun(loader)
    probe.sees(drawn(size), 9)
    dropped = measured.unfair.get("drops")
    assert (dropped is not None) == (drops and size == 8 and not trained)
    assert dropped is None or (dropped.score, dropped.other, dropped.step) == (4, 60, 9)


@pytest.mark.parametrize(("noise", "told"), [(1.7, True), (0.0, False), (20.0, False)])
def test_samples_of_one_data_set_are_known_by_their_places(noise: float, told: bool) -> None:
    """So much noise hides whose samples they are; where nothing of them is left others were drawn, not the same ones
    changed."""
    measured, unplaced, loader = Measured(), Measured(), DataLoader(TensorDataset(drawn()), 60)
    probe, unordered = HeldOutProbe(measured), HeldOutProbe(unplaced)
    for step in range(1, 4):
        batch = drawn() + noise * drawn(seed=step)
        for one in (probe, unordered):
            if one is probe:
                one.loader_begun(loader)
            one.sees(batch, step)
            one.end(step, 0.0)
    assert ("anew" in measured.unfair) == told
    assert not unplaced.unfair


def test_a_data_set_that_gave_no_training_batch_is_elsewhere() -> None:
    measured, loader = Measured(), DataLoader(TensorDataset(drawn()), 60)
    probe = HeldOutProbe(measured)
    probe.loader_begun(loader)
    probe.trains()
    for other, elsewhere in ((loader, False), (DataLoader(TensorDataset(drawn()), 60), True)):
        probe.loader_begun(other)
        probe.sees(drawn(), 9)
        assert probe.elsewhere == elsewhere
        probe.end(9, 1.0)
        assert not probe.elsewhere
    assert measured.evaluated_kind == "DataLoader"
    assert measured.lines["evaluated"].file == __file__


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        (torch.arange(60) % 3, True),
        ((torch.arange(60) > 30).long(), False),  # sorted: other samples come so too
        ((torch.arange(60) % 3)[:20], False),
        ((torch.arange(60) % 3).float(), False),
    ],
)
def test_samples_are_known_by_the_order_of_their_classes(targets: torch.Tensor, told: bool) -> None:
    measured = Measured()
    probe, loader = HeldOutProbe(measured), DataLoader(TensorDataset(drawn(len(targets))), len(targets))
    for step in range(1, 4):
        probe.loader_begun(loader)
        probe.sees(drawn(len(targets), seed=step), step)
        probe.labelled(targets)
        probe.end(step, 0.0)
    assert ("anew" in measured.unfair) is told
