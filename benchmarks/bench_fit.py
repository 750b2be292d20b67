"""fit against the loop people write by hand, and against the per-sample DataLoader, skorch and Lightning.

    python benchmarks/bench_fit.py [--repeats 9] [--data FOLDER]

Every repeat runs all contestants once, one after the other; a ratio is the median over repeats of the ratios inside a
repeat, because other work on the machine slows whole repeats. All train the same net on the same samples with the same
batch size, optimiser and number of epochs, shuffled. danlu writes its journal, draws its bar, saves its checkpoint and
watches.
"""

import argparse
import contextlib
import io
import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy
import torch
from PIL import Image
from rich.console import Console
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import danlu
import danlu.run.fit
from danlu.view.reporter import Reporter

SAMPLES = 8192


class Contest:
    """One training task, and everyone's way of doing it."""

    def __init__(self, name: str, sizes: tuple[int, int, int], batch: int, epochs: int, *, own: bool = False) -> None:
        self.name, self.sizes, self.batch, self.epochs, self.own = name, sizes, batch, epochs, own
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(SAMPLES, sizes[0], generator=generator)
        self.y = torch.randint(0, sizes[2], (SAMPLES,), generator=generator)
        self.data = danlu.load((self.x, self.y), validation=0, test=0)
        self.steps = epochs * -(-SAMPLES // batch)

    def net(self) -> nn.Module:
        """The same layers, as torch's Sequential or as danlu's own MLP."""
        if self.own:
            return danlu.nets.MLP(self.sizes[0], self.sizes[2], hidden=self.sizes[1])
        return nn.Sequential(nn.Linear(*self.sizes[:2]), nn.ReLU(), nn.Linear(*self.sizes[1:]))

    def slices(self) -> None:
        """The loop as textbooks write it for tensors in memory."""
        net, loss_function = self.net(), nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
        for _ in range(self.epochs):
            order = torch.randperm(SAMPLES)
            x, y = self.x[order], self.y[order]
            for start in range(0, SAMPLES, self.batch):
                inputs, targets = x[start : start + self.batch], y[start : start + self.batch]
                optimizer.zero_grad()
                loss = loss_function(net(inputs), targets)
                loss.backward()
                optimizer.step()

    def loader(self) -> None:
        """The same with a DataLoader over a TensorDataset."""
        net, loss_function = self.net(), nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
        loader = DataLoader(TensorDataset(self.x, self.y), batch_size=self.batch, shuffle=True)
        for _ in range(self.epochs):
            for inputs, targets in loader:
                optimizer.zero_grad()
                loss = loss_function(net(inputs), targets)
                loss.backward()
                optimizer.step()

    def danlu(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            danlu.fit(
                self.net(),
                self.data,
                epochs=self.epochs,
                batch_size=self.batch,
                lr=0.01,
                momentum=0.9,
                folder=Path(folder) / "run",
            )

    def skorch(self) -> None:
        import skorch

        net = skorch.NeuralNetClassifier(
            self.net(),
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.SGD,
            optimizer__momentum=0.9,
            lr=0.01,
            max_epochs=self.epochs,
            batch_size=self.batch,
            iterator_train__shuffle=True,
            train_split=None,
            verbose=0,
        )
        net.fit(self.x.numpy(), self.y.numpy())

    def lightning(self) -> None:
        import pytorch_lightning

        net, batch = self.net(), self.batch

        class Module(pytorch_lightning.LightningModule):
            def __init__(self) -> None:
                super().__init__()
                self.net = net

            def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
                return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

            def configure_optimizers(self) -> torch.optim.Optimizer:
                return torch.optim.SGD(self.parameters(), lr=0.01, momentum=0.9)

        trainer = pytorch_lightning.Trainer(
            max_epochs=self.epochs,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Module(), DataLoader(TensorDataset(self.x, self.y), batch_size=batch, shuffle=True))


class PerSample(Dataset[tuple[torch.Tensor, int]]):
    """MNIST as the tutorials serve it: every sample becomes a picture, then a float tensor, then is normalised.

    These are the operations of torchvision's MNIST with ToTensor and Normalize((0.1307,), (0.3081,)), written out
    because torchvision need not be installed.
    """

    def __init__(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        self.images, self.labels = images.squeeze(1), labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = Image.fromarray(self.images[index].numpy())
        image = torch.from_numpy(numpy.array(picture, copy=True)).view(picture.size[1], picture.size[0], 1)
        image = image.permute((2, 0, 1)).contiguous().to(torch.float32).div(255)
        mean = torch.as_tensor((0.1307,)).view(-1, 1, 1)
        std = torch.as_tensor((0.3081,)).view(-1, 1, 1)
        return image.clone().sub_(mean).div_(std), int(self.labels[index])


class Mnist:
    """LeNet-5, one epoch over the 54,000 training images in batches of 128, validated and tested."""

    name, epochs, batch = "LeNet-5 on MNIST", 1, 128

    def __init__(self, root: str) -> None:
        self.data = danlu.load("mnist", root=root)
        sizes = [self.data.sizes[part] for part in danlu.data.PARTS]
        parts = zip(self.data.x.split(sizes), self.data.y.split(sizes), strict=True)  # type: ignore[attr-defined]
        self.train, self.validation, self.test = (PerSample(images, labels) for images, labels in parts)
        self.steps = -(-sizes[0] // self.batch)

    def loader(self) -> None:
        """The tutorials' training: an epoch, then the score on the validation and test parts, as `fit` gives it."""
        net, loss_function = danlu.nets.LeNet5(), nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
        for inputs, targets in DataLoader(self.train, batch_size=self.batch, shuffle=True):
            optimizer.zero_grad()
            loss = loss_function(net(inputs), targets)
            loss.backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            for part in (self.validation, self.test):
                for inputs, targets in DataLoader(part, batch_size=256):
                    (net(inputs).argmax(1) == targets).sum().item()

    def danlu(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            danlu.fit(
                danlu.nets.LeNet5(),
                self.data,
                epochs=1,
                batch_size=self.batch,
                lr=0.01,
                momentum=0.9,
                folder=Path(folder) / "run",
            )


def timed(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def compare(contest: Contest | Mnist, rivals: list[str], repeats: int) -> None:
    """Print each rival's median time a step, and danlu's median ratio to it."""
    seconds: dict[str, list[float]] = {name: [] for name in ["danlu", *rivals]}
    for repeat in range(repeats + 1):
        names = list(seconds) if repeat % 2 else list(reversed(seconds))
        for name in names:
            took = timed(getattr(contest, name))
            if repeat:  # the first round warms up
                seconds[name].append(took)
    print(f"\n{contest.name}: batch {contest.batch}, {contest.epochs} epochs, {contest.steps} steps, {repeats} repeats")
    for name, times in seconds.items():
        ratios = [ours / theirs for ours, theirs in zip(seconds["danlu"], times, strict=True)]
        ratio = "" if name == "danlu" else f"   danlu takes {statistics.median(ratios):.3f} of it"
        print(f"  {name:10}{statistics.median(times) / contest.steps * 1e6:9.1f} µs a step{ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--data", default=os.environ.get("DANLU_DATA"), help="folder that holds mnist/")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)  # Lightning greets at every fit
    terminal = Console(file=io.StringIO(), force_terminal=True, width=120)
    danlu.run.fit.Reporter = lambda shown: Reporter(shown, terminal)  # the bar is drawn, though nobody sees it
    rivals = ["slices", "loader"]
    for name, module in (("skorch", "skorch"), ("lightning", "pytorch_lightning")):
        with contextlib.suppress(ImportError):
            __import__(module)
            rivals.append(name)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, Python {sys.version.split()[0]}")
    compare(Contest("MLP 784-128-10", (784, 128, 10), 64, epochs=10), rivals, arguments.repeats)
    compare(Contest("MLP 64-64-10", (64, 64, 10), 32, epochs=10), rivals, arguments.repeats)
    compare(Contest("tiny net 20-32-2", (20, 32, 2), 32, epochs=10), rivals, arguments.repeats)
    own = Contest("tiny net 20-32-2 as danlu's own MLP", (20, 32, 2), 32, epochs=10, own=True)
    compare(own, rivals, arguments.repeats)
    if arguments.data:
        compare(Mnist(arguments.data), ["loader"], max(3, arguments.repeats // 3))
    else:
        print("\nLeNet-5 on MNIST: left out; name the folder that holds mnist/ with --data or $DANLU_DATA")


if __name__ == "__main__":
    main()
