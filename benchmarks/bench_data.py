"""Augmented batches against the per-sample DataLoader, and a folder of pictures decoded.

    python benchmarks/bench_data.py [--repeats 5] [--data FOLDER]

Ratios are medians over repeats of the ratios inside a repeat. Without FOLDER (or $DANLU_DATA) that holds
fashion-mnist/, only the folder of pictures, which is drawn here, is measured.
"""

import argparse
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy
import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset

import danlu
import danlu.data.folder.decode_all

BATCH = 128
CPU = torch.device("cpu")
PICTURES, SIDE = 10_000, 64


class PerSample(Dataset[tuple[torch.Tensor, int]]):
    """RandomCrop(28, padding=4), RandomHorizontalFlip, ToTensor and Normalize as the tutorials write them, one picture
    at a time; torchvision's operations written out, because it need not be installed.
    """

    def __init__(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        self.images, self.labels = images.squeeze(1), labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = ImageOps.expand(Image.fromarray(self.images[index].numpy()), 4)
        top, left = random.randint(0, 8), random.randint(0, 8)
        picture = picture.crop((left, top, left + 28, top + 28))
        if random.random() < 0.5:
            picture = ImageOps.mirror(picture)
        image = torch.from_numpy(numpy.array(picture, copy=True)).unsqueeze(0).to(torch.float32).div(255)
        return image.sub_(0.286).div_(0.353), int(self.labels[index])


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def augmented(root: str, repeats: int) -> None:
    data = danlu.load("fashion-mnist", root=root, augment=["crop:4", "flip"])
    count = data.sizes["train"]
    rival = DataLoader(PerSample(data.x[:count], data.y[:count]), batch_size=BATCH, shuffle=True)  # type: ignore[attr-defined]

    def ours(epoch: int) -> None:
        for _ in data.batches("train", BATCH, seed=0, epoch=epoch, shuffle=True, augment=True, device=CPU):
            pass

    def theirs() -> None:
        for _ in rival:
            pass

    ours(0)
    pairs = [(seconds(lambda epoch=epoch: ours(epoch)), seconds(theirs)) for epoch in range(1, repeats + 1)]
    print(f"\nFashion-MNIST, {count:,} pictures in batches of {BATCH} with crop and flip, one epoch, {repeats} repeats")
    print(f"  danlu                  {statistics.median(own for own, _ in pairs):7.3f} s")
    print(f"  per-sample DataLoader  {statistics.median(other for _, other in pairs):7.3f} s")
    print(f"  danlu is {statistics.median(other / own for own, other in pairs):.1f} times as fast")


def draw_pictures(folder: Path) -> None:
    generator = numpy.random.default_rng(0)
    for number in range(PICTURES):
        place = folder / f"class-{number % 10}"
        place.mkdir(exist_ok=True)
        coarse = generator.integers(0, 256, (8, 8, 3), dtype=numpy.uint8)
        Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(place / f"{number}.jpg", quality=85)


def busy_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def folder_of_pictures(repeats: int) -> None:
    decoding = danlu.data.folder.decode_all
    cores = decoding.core_count()
    with tempfile.TemporaryDirectory() as place:
        pictures = Path(place) / "pictures"
        pictures.mkdir()
        draw_pictures(pictures)
        os.environ["XDG_CACHE_HOME"] = place
        paths = sorted(pictures.rglob("*.jpg"))
        shape = decoding.Shape(3, SIDE, SIDE)
        decoding.decode(paths, shape)
        times: dict[int, list[float]] = {1: [], cores: []}
        busy: list[float] = []
        for _ in range(repeats):
            for threads, taken in times.items():
                decoding.core_count = lambda threads=threads: threads
                begin = busy_seconds()
                took = seconds(lambda: decoding.decode(paths, shape))
                taken.append(took)
                if threads == cores:
                    busy.append((busy_seconds() - begin) / took)
        first = seconds(lambda: danlu.load(str(pictures)))
        data = danlu.load(str(pictures))
        again = [seconds(lambda: danlu.load(str(pictures))) for _ in range(repeats)]

        def one_epoch(epoch: int) -> None:
            for _ in data.batches("train", BATCH, epoch=epoch, device=CPU):
                pass

        epochs = [seconds(lambda epoch=epoch: one_epoch(epoch)) for epoch in (0, 1)]
    gain = statistics.median(one / many for one, many in zip(times[1], times[cores], strict=True))
    print(f"\nA folder of {PICTURES:,} JPEGs of {SIDE}×{SIDE}, {repeats} repeats")
    print(f"  decoded by one thread       {statistics.median(times[1]):7.3f} s")
    print(f"  decoded by all {cores} cores      {statistics.median(times[cores]):7.3f} s   {gain:.2f} times as fast")
    print(f"  cores busy meanwhile        {statistics.median(busy):7.2f}")
    print(f"  load, the first time        {first:7.3f} s   (finding, heads, decoding, keeping)")
    print(f"  load, another time          {statistics.median(again):7.3f} s   (nothing is decoded)")
    print(f"  batches of the first epoch  {epochs[0]:7.3f} s")
    print(f"  batches of the second       {epochs[1]:7.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--data", default=os.environ.get("DANLU_DATA"), help="folder that holds fashion-mnist/")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, Python {sys.version.split()[0]}")
    if arguments.data:
        augmented(arguments.data, arguments.repeats)
    else:
        print("\nFashion-MNIST: left out; name the folder that holds fashion-mnist/ with --data or $DANLU_DATA")
    folder_of_pictures(arguments.repeats)


if __name__ == "__main__":
    main()
