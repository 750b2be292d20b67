"""Small generated files for the examples of the documentation, which name files and data that a reader has."""

import gzip
import struct
from pathlib import Path

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file

import danlu

_CLASSES = ("daisy", "rose", "tulip")
_SENTENCE = (
    "The Time Traveller (for so it will be convenient to speak of him) was expounding a recondite matter to us.\n"
)
_RECIPE = """[data]
name = "wine"

[net]
name = "mlp"
hidden = [16]

[train]
epochs = 5
"""


def write_working_folder(folder: Path) -> None:
    """What the examples expect in the folder where they are run."""
    _write_table(folder / "titanic.csv", 300)
    (folder / "elsewhere").mkdir()
    _write_table(folder / "elsewhere" / "titanic.csv", 300)
    _write_sales(folder / "sales.csv", 96)
    for label, name in enumerate(_CLASSES):
        _write_images(folder / "flowers" / name, label)
    (folder / "recipe.toml").write_text(_RECIPE, encoding="utf-8")
    (folder / "book.txt").write_text(_SENTENCE * 60, encoding="utf-8")
    net = danlu.nets.LeNet5()
    save_file(net.state_dict(), folder / "lenet5.safetensors")
    torch.save(net.state_dict(), folder / "lenet5.pth")


def write_data_root(folder: Path) -> None:
    """Data sets of the catalogue, in little."""
    mnist = folder / "mnist"
    mnist.mkdir(parents=True)
    for part, count in (("train", 600), ("t10k", 100)):
        labels = numpy.arange(count) % 10
        _write_idx(mnist / f"{part}-images-idx3-ubyte.gz", _digits(labels))
        _write_idx(mnist / f"{part}-labels-idx1-ubyte.gz", labels)
    (folder / "timemachine.txt").write_text(_SENTENCE * 60, encoding="utf-8")


def _write_table(path: Path, rows: int) -> None:
    """A table like that of the Titanic's passengers: women and children survive, most of them."""
    random = numpy.random.default_rng(0)
    lines = ["PassengerId,Survived,Pclass,Sex,Age,Fare"]
    for row in range(rows):
        woman, age = random.random() < 0.4, random.uniform(1, 70)
        survived = int(random.random() < (0.9 if woman or age < 12 else 0.1))
        shown = "" if random.random() < 0.1 else f"{age:.0f}"
        sex = "female" if woman else "male"
        lines.append(f"{row + 1},{survived},{random.integers(1, 4)},{sex},{shown},{random.uniform(5, 90):.2f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_sales(path: Path, months: int) -> None:
    """What two shops sell each month: a trend, the time of the year, and whether there was an offer."""
    random = numpy.random.default_rng(0)
    lines = ["month,shop,sales,offer"]
    for month in range(months):
        for shop, usual in (("north", 200), ("south", 260)):
            offer = int(random.random() < 0.2)
            sold = usual + month + 40 * numpy.sin(month * numpy.pi / 6) + 15 * offer + random.normal(0, 4)
            lines.append(f"{2015 + month // 12}-{month % 12 + 1:02},{shop},{sold:.1f},{offer}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_images(folder: Path, label: int) -> None:
    folder.mkdir(parents=True)
    random = numpy.random.default_rng(label)
    for number in range(20):
        pixels = random.integers(0, 120, (32, 32, 3), dtype=numpy.uint8)
        pixels[:, :, label] += 120
        Image.fromarray(pixels).save(folder / f"{number}.png")


def _digits(labels: numpy.ndarray) -> numpy.ndarray:
    """28 × 28 pixels a label: a bright square, whose place is the label."""
    images = numpy.random.default_rng(0).integers(0, 60, (len(labels), 28, 28))
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 4)
        image[row * 9 : row * 9 + 7, column * 7 : column * 7 + 6] += 180
    return images


def _write_idx(path: Path, array: numpy.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(header + array.astype(numpy.uint8).tobytes()))
