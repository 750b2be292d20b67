"""A net for each data set of the catalogue, and more for some: what their runs' exports are proved on, and measured."""

from pathlib import Path
from typing import Any, NamedTuple

import danlu


class Trained(NamedTuple):
    """A net on a data set, trained for an epoch; `few` samples, where all take long."""

    data: str
    net: str
    options: dict[str, Any] = {}  # noqa: RUF012  (nobody writes into it)
    few: int | None = None

    def read(self, root: Path) -> danlu.Dataset:
        """The data set, with the files under `root`."""
        return danlu.load(self.data, root=str(root), samples=self.few)

    def run(self, data: danlu.Dataset, place: Path) -> "danlu.Run":
        """Train it in `place`."""
        options = {f"net.{key}": value for key, value in self.options.items()}
        return danlu.fit(self.net, data, epochs=1, folder=place / "run", progress=False, watch=False, **options)


SETS = (
    Trained("iris", "mlp"),
    Trained("wine", "mlp"),
    Trained("diabetes", "mlp"),
    Trained("diabetes", "tabm"),
    Trained("breast-cancer", "logistic-regression"),
    Trained("titanic", "mlp"),
    Trained("titanic", "tabm"),
    Trained("pima-diabetes", "mlp"),
    Trained("california-housing", "mlp", few=500),
    Trained("house-prices", "mlp"),
    *(Trained(shape, "mlp") for shape in ("moons", "circles", "spiral", "xor", "gaussians")),
    Trained("digits", "lenet5"),
    Trained("mnist", "lenet5", few=500),
    Trained("fashion-mnist", "lenet5", few=500),
    Trained("cifar10", "small-resnet", {"depth": 8}, few=500),
    Trained("digit-masks", "unet", {"width": 4, "depth": 2}, few=500),
    Trained("names", "sequence-classifier", few=500),
    Trained("names", "transformer-classifier", few=500),
    Trained("time-machine", "language-model", {"hidden": 16, "embedding": 8}),
    Trained("time-machine", "transformer-language-model", {"embedding": 16, "heads": 2, "layers": 1}),
    Trained("time-machine-capitals", "sequence-tagger", {"hidden": 8, "embedding": 8}),
    Trained("wikitext-2", "language-model", {"hidden": 16, "embedding": 8}),
)
REFUSED = (Trained("dates", "encoder-decoder", {"hidden": 8, "embedding": 8}, few=500),)
"""Nothing is exported that writes a text for a text."""
FORMS = ("model.onnx", "model.pt2", "model")
