"""A squared error is the same whichever way round it is written; what is read of it is the same too."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.watch import Watch

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss])
def test_the_target_may_stand_first(loss: Loss) -> None:
    torch.manual_seed(0)
    net = nn.Linear(3, 1)
    x, y = torch.randn(20, 3), torch.randn(20) + 7
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    with Watch(net, optimizer, shown=False) as watch:
        for _ in range(5):
            optimizer.zero_grad()
            loss(y, net(x).squeeze(1)).backward()
            optimizer.step()
    labels = watch.measured.labels
    assert (labels.kind, labels.low, labels.high) == ("numbers", float(y.min()), float(y.max()))
    if loss is not F.l1_loss:  # the graph keeps neither of its sides
        assert {head.target_high for head in watch.measured.heads} == {float(y.max())}
