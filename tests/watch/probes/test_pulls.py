"""How hard a sample of each class pulls."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from danlu.watch.probes.head import criteria, read_head
from danlu.watch.probes.pulls import Pulls, listen

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def focal(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    loss = F.binary_cross_entropy_with_logits(logits, y.float(), reduction="none")
    return (torch.where(y == 1, 0.1, 0.9) * (1 - torch.exp(-loss)) ** 2 * loss).mean()


def by_hand(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (F.cross_entropy(logits, y, reduction="none") * torch.where(y == 1, 0.1, 0.9)).sum()


def plain(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 4096.0 * F.cross_entropy(logits, y)


def ratio_of(loss_of: Loss, outputs: int) -> float:
    torch.manual_seed(0)
    x, y = torch.randn(64, 5), (torch.arange(64) % 4 == 0).long()
    net = torch.nn.Linear(5, outputs)
    torch.nn.init.normal_(net.weight, std=0.01)
    torch.nn.init.zeros_(net.bias)
    out = net(x)
    loss = loss_of(out.squeeze(1) if outputs == 1 else out, y)
    (criterion,) = criteria(loss.grad_fn)
    _, logits, targets = read_head(criterion, 1, [out], float("nan"), scaled=False)
    heard: list[Pulls] = []
    assert logits is not None and targets is not None
    listen(criterion, logits, targets, heard.append)
    loss.backward(retain_graph=True)
    loss.backward()
    assert len(heard) == 1  # and never again
    weights = {label: both / size for label, (both, size, _) in heard[0].items()}
    return weights[0] / weights[1]


@pytest.mark.parametrize(("loss_of", "outputs", "ratio"), [(focal, 1, 9.0), (by_hand, 3, 9.0), (plain, 3, 1.0)])
def test_weights_show_in_the_gradient_whatever_the_loss_is_made_of(loss_of: Loss, outputs: int, ratio: float) -> None:
    assert ratio_of(loss_of, outputs) == pytest.approx(ratio, rel=0.15)


def test_listening_changes_no_gradient() -> None:
    def gradient(listening: bool) -> torch.Tensor:
        torch.manual_seed(1)
        net, y = torch.nn.Linear(4, 3), torch.tensor([0, 1, 2, 0])
        out = net(torch.randn(4, 4))
        loss = F.cross_entropy(out, y)
        if listening:
            (criterion,) = criteria(loss.grad_fn)
            listen(criterion, out.detach().log_softmax(1), y, lambda found: None)
        loss.backward()
        assert net.weight.grad is not None
        return net.weight.grad

    assert torch.equal(gradient(True), gradient(False))
