"""Around the loops of other libraries, where they are installed."""

import logging
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import danlu
from loops import batches, loud, net

LASTS = [(), (nn.Softmax(dim=1),)]


def data() -> TensorDataset:
    inputs, labels = zip(*batches(30), strict=True)
    return TensorDataset(torch.cat(inputs), torch.cat(labels))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("last", LASTS)
def test_lightning(last: tuple[nn.Module, ...]) -> None:
    lightning: Any = pytest.importorskip("pytorch_lightning")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = net(*last)

        def training_step(self, batch: list[torch.Tensor], place: int) -> torch.Tensor:
            return F.cross_entropy(self.net(batch[0]), batch[1])

        def validation_step(self, batch: list[torch.Tensor], place: int) -> None:
            F.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=1e-2)

    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer, module = lightning.Trainer(max_epochs=3, accelerator="cpu", **quiet), Module()
    with danlu.watch(module, shown=False) as watch:
        trainer.fit(module, DataLoader(data(), batch_size=32, shuffle=True), DataLoader(data(), batch_size=96))
    assert loud(watch)[:1] == (["softmax-twice"] if last else [])
    assert watch.measured.step == watch.measured.loss.count == 90


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("last", LASTS)
def test_skorch(last: tuple[nn.Module, ...]) -> None:
    skorch: Any = pytest.importorskip("skorch")
    settings = {"criterion": nn.CrossEntropyLoss, "lr": 0.1, "max_epochs": 5, "batch_size": 32, "verbose": 0}
    classifier = skorch.NeuralNetClassifier(net(*last), iterator_train__shuffle=True, **settings).initialize()
    inputs, labels = data().tensors
    with danlu.watch(classifier.module_, shown=False) as watch:
        classifier.partial_fit(inputs, labels)
    assert loud(watch)[:1] == (["softmax-twice"] if last else [])
    assert len(watch.measured.evaluations) == 5
