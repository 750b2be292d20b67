"""Around the loops of other libraries, unchanged: `make test-frameworks` installs them into an environment of its own.

Each trains a healthy net and one with a softmax in front of the cross-entropy, and each is trained once more without
danlu: the weights are the same bits.
"""

import copy
import importlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import danlu
from loops import batches, loud, net

LASTS = [(), (nn.Softmax(dim=1),)]


def library(name: str) -> Any:
    """The module of that name; skipped where it is not installed, but not in the environment that is made for it."""
    if Path(sys.prefix).name == ".frameworks-venv":
        return importlib.import_module(name)
    return pytest.importorskip(name, reason="make test-frameworks installs it")


def data() -> TensorDataset:
    inputs, labels = zip(*batches(30), strict=True)
    return TensorDataset(torch.cat(inputs), torch.cat(labels))


def others() -> TensorDataset:
    """Samples that are not trained on."""
    inputs, labels = zip(*batches(40), strict=True)
    return TensorDataset(torch.cat(inputs[30:]), torch.cat(labels[30:]))


def watched(train: Callable[[nn.Module], None], last: tuple[nn.Module, ...]) -> danlu.Watch:
    """The watch around `train` of a net, which must end with the weights that it has without."""
    first = net(*last)
    alone, model = copy.deepcopy(first), first
    torch.manual_seed(1)
    train(alone)
    torch.manual_seed(1)
    with danlu.watch(model, shown=False) as watch:
        train(model)
    for name, weight in alone.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name
    assert loud(watch)[:1] == (["softmax-twice"] if last else [])
    return watch


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("last", LASTS)
def test_lightning(last: tuple[nn.Module, ...]) -> None:
    lightning: Any = library("pytorch_lightning")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)

    class Module(lightning.LightningModule):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model

        def training_step(self, batch: list[torch.Tensor], place: int) -> torch.Tensor:
            return F.cross_entropy(self.model(batch[0]), batch[1])

        def validation_step(self, batch: list[torch.Tensor], place: int) -> None:
            F.cross_entropy(self.model(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=1e-2)

    def train(model: nn.Module) -> None:
        quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
        trainer = lightning.Trainer(max_epochs=3, accelerator="cpu", **quiet)
        trainer.fit(Module(model), DataLoader(data(), batch_size=32, shuffle=True), DataLoader(others(), batch_size=96))

    watch = watched(train, last)
    assert watch.measured.step == watch.measured.loss.count == 90


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("last", LASTS)
def test_skorch(last: tuple[nn.Module, ...]) -> None:
    skorch: Any = library("skorch")
    settings = {"criterion": nn.CrossEntropyLoss, "lr": 0.1, "max_epochs": 5, "batch_size": 32, "verbose": 0}
    classifier = skorch.NeuralNetClassifier(net(*last), iterator_train__shuffle=True, **settings).initialize()
    inputs, labels = data().tensors
    with danlu.watch(classifier.module_, shown=False) as watch:
        classifier.partial_fit(inputs, labels)
    assert loud(watch)[:1] == (["softmax-twice"] if last else [])
    assert len(watch.measured.evaluations) == 5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("last", LASTS)
def test_ignite(last: tuple[nn.Module, ...]) -> None:
    engine: Any = library("ignite.engine")
    metrics: Any = library("ignite.metrics")

    def train(model: nn.Module) -> None:
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        trainer = engine.create_supervised_trainer(model, optimizer, nn.CrossEntropyLoss())
        scored = {"accuracy": metrics.Accuracy(), "loss": metrics.Loss(nn.CrossEntropyLoss())}
        evaluator = engine.create_supervised_evaluator(model, metrics=scored)

        @trainer.on(engine.Events.EPOCH_COMPLETED)
        def _(_: Any) -> None:
            evaluator.run(DataLoader(others(), batch_size=96))

        trainer.run(DataLoader(data(), batch_size=32, shuffle=True), max_epochs=3)

    watch = watched(train, last)
    assert watch.measured.step == watch.measured.loss.count == 90
    assert len(watch.measured.evaluations) == 3


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("last", LASTS)
def test_accelerate(last: tuple[nn.Module, ...], accumulate: int) -> None:
    accelerate: Any = library("accelerate")

    def train(model: nn.Module) -> None:
        accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=accumulate)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=90 // accumulate)
        loader = DataLoader(data(), batch_size=32, shuffle=True)
        prepared, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
        for _ in range(3):
            for inputs, labels in loader:
                with accelerator.accumulate(prepared):
                    accelerator.backward(F.cross_entropy(prepared(inputs), labels))
                    optimizer.step()
                    scheduler.step()
                    optimizer.zero_grad()

    watch = watched(train, last)
    assert watch.measured.step == 90 // accumulate


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("last", LASTS)
def test_the_trainer_of_transformers(last: tuple[nn.Module, ...], tmp_path: Path) -> None:
    transformers: Any = library("transformers")

    class Answering(nn.Module):
        """A model as the Trainer wants it: it gives its loss, and takes words."""

        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, inputs: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
            logits = self.model(inputs)
            return {"loss": F.cross_entropy(logits, labels), "logits": logits}

    def collate(samples: list[tuple[torch.Tensor, torch.Tensor]]) -> dict[str, torch.Tensor]:
        return dict(zip(("inputs", "labels"), map(torch.stack, zip(*samples, strict=True)), strict=True))

    def train(model: nn.Module) -> None:
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path), num_train_epochs=3, per_device_train_batch_size=32, learning_rate=1e-2,
            eval_strategy="epoch", save_strategy="no", report_to="none", disable_tqdm=True, use_cpu=True,
            logging_strategy="no", remove_unused_columns=False, label_names=["labels"],
        )  # fmt: skip
        parts = {"train_dataset": data(), "eval_dataset": others(), "data_collator": collate}
        transformers.Trainer(model=Answering(model), args=arguments, **parts).train()

    watch = watched(train, last)
    assert watch.measured.step == 90
