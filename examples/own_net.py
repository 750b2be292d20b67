"""A net of one's own with two inputs, an image and its number of dark pixels, beside one that sees the number alone."""

import sys

import numpy
import torch
from sklearn.datasets import load_digits
from torch import nn

import danlu

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 30


class TwoInputs(nn.Module):
    """What the image says and what the number says, joined."""

    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU())
        self.dark = nn.Linear(1, 8)
        self.head = nn.Linear(72, 10)

    def forward(self, image, dark):
        return self.head(torch.cat([self.image(image), self.dark(dark)], dim=1))


digits = load_digits()
images = (digits.images / 16).astype("float32")
dark = (images < 0.5).mean((1, 2), keepdims=False)[:, None].astype("float32")

run = danlu.fit(TwoInputs(), ({"image": images, "dark": dark}, digits.target), epochs=epochs, progress=False)
alone = danlu.fit("mlp", (dark, digits.target), epochs=epochs, progress=False)

print("net", run.score["test"]["accuracy"])
print("baseline", alone.score["test"]["accuracy"])
new = {"image": images[:3] + numpy.float32(0.01), "dark": dark[:3]}
print("said", numpy.asarray(run.predict(new)).tolist(), "right", digits.target[:3].tolist())
