"""Nets of several inputs and outputs, trained on arrays, datasets and loaders; what is said of those that misfit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, default_collate

import danlu
from danlu.base.words import speaking
from interruption import assert_same_end, interrupt_at

COUNT = 96
FEW: dict[str, Any] = {"epochs": 2, "batch_size": 16, "progress": False}


def inputs() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    image = (torch.rand(COUNT, 1, 4, 4, generator=generator) * 255).to(torch.uint8)
    tokens = torch.randint(0, 9, (COUNT, 3), generator=generator)
    return {"image": image, "age": torch.rand(COUNT, generator=generator) * 80, "tokens": tokens}


def labels() -> Tensor:
    return (inputs()["age"] > 40).long()


@dataclass
class Output:
    logits: Tensor
    loss: None = None


class Named(NamedTuple):
    hidden: Tensor
    logits: Tensor


class Net(nn.Module):
    """Says in `types` what its forward was given, and returns what `form` makes of the outputs."""

    def __init__(self, form: Any = lambda hidden, logits: logits) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.pixels, self.drop = nn.Embedding(9, 4), nn.Linear(16, 4), nn.Dropout(0.1)
        self.head = nn.Linear(9, 2)
        self.form = form
        self.types: list[torch.dtype] = []

    def forward(self, image: Tensor, age: Tensor, tokens: Tensor) -> Any:
        self.types = [image.dtype, age.dtype, tokens.dtype]
        parts = [self.embedding(tokens).mean(1), self.pixels(image.flatten(1)), age[:, None]]
        hidden = self.drop(torch.cat(parts, 1))
        return self.form(hidden, self.head(hidden))


class Samples(Dataset[Any]):
    def __init__(self, form: Any = lambda inputs, label: {**inputs, "label": label}) -> None:
        self.inputs, self.labels, self.form = inputs(), labels(), form

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, index: int) -> Any:
        return self.form({name: one[index] for name, one in self.inputs.items()}, self.labels[index].item())


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        samples = Samples()
        return (samples[index] for index in range(COUNT))


def by_place(inputs: dict[str, Tensor], label: Any) -> Any:
    return tuple(inputs.values()), label


def collated(samples: list[Any]) -> Any:
    return default_collate(samples)


SOURCES: dict[str, Any] = {
    "dict of arrays": lambda: (inputs(), labels()),
    "tuple of arrays": lambda: (tuple(inputs().values()), labels()),
    "arrays in numpy": lambda: ({name: one.numpy() for name, one in inputs().items()}, labels().numpy()),
    "dataset of dicts": Samples,
    "dataset of tuples": lambda: Samples(by_place),
    "dataset of pairs": lambda: Samples(lambda inputs, label: (inputs, label)),
    "loader of dicts": lambda: DataLoader(Samples(), batch_size=16, shuffle=True),
    "loader of tuples": lambda: DataLoader(Samples(by_place), batch_size=16),
    "loader with its own collate": lambda: DataLoader(Samples(), batch_size=16, collate_fn=collated),
    "loader of a stream": lambda: {"train": DataLoader(Stream(), batch_size=16), "test": Stream()},
    "one by part": lambda: {"train": (inputs(), labels()), "test": (inputs(), labels())},
}


@pytest.mark.every(12)
@pytest.mark.parametrize("source", SOURCES)
def test_it_trains_on_all_forms_and_ends_the_same_after_an_interruption(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = Net()
    whole = danlu.fit(net, SOURCES[source](), folder=tmp_path / "whole", **FEW)
    assert net.types == [torch.float32, torch.float32, torch.int64]
    assert {"train", "test"} <= whole.score.keys()
    few = {name: one[:3] for name, one in inputs().items()}
    given: Any = tuple(few.values()) if "tuple" in source else few
    answers = danlu.Run(whole.folder, net=Net()).predict(given)
    assert answers.tolist() == whole.predict(given).tolist()
    assert whole.evaluate((given, labels()[:3]))["accuracy"] == (answers == labels()[:3].numpy()).mean()
    with monkeypatch.context() as patch:
        interrupt_at(patch, 4)
        with pytest.raises(danlu.Interrupted, match="cut"):
            danlu.fit(Net(), SOURCES[source](), folder=tmp_path / "cut", **FEW)
    assert_same_end(danlu.resume(tmp_path / "cut", net=Net(), data=SOURCES[source](), progress=False), whole)


def test_a_stream_has_batches_of_its_own(tmp_path: Path) -> None:
    run = danlu.fit(Net(), Stream(), epochs=1, folder=tmp_path / "run", progress=False)
    assert (run.steps, run.recipe.train.batch_size) == (2, 64)
    assert run.evaluate(danlu.load({"train": Stream(), "test": Stream()}))["accuracy"] >= 0


FORMS: dict[str, tuple[Any, str | None]] = {
    "dict": (lambda hidden, logits: {"hidden": hidden, "logits": logits}, "logits"),
    "tuple": (lambda hidden, logits: (hidden, logits), "1"),
    "named tuple": (Named, "logits"),
    "dict of one": (lambda hidden, logits: {"logits": logits, "loss": None}, None),
    "dataclass": (lambda hidden, logits: Output(logits), None),
    "tuple that begins with it": (lambda hidden, logits: (logits, hidden), None),
}


@pytest.mark.every(3)
@pytest.mark.parametrize("form", FORMS)
def test_of_several_outputs_one_is_scored(form: str, tmp_path: Path) -> None:
    make, name = FORMS[form]
    settings = FEW if name is None else {**FEW, "outputs": name}
    net = Net(make)
    run = danlu.fit(net, (inputs(), labels()), folder=tmp_path / "run", **settings)
    plain = danlu.fit(Net(), (inputs(), labels()), folder=tmp_path / "plain", **FEW)
    assert run.score == plain.score
    assert run.recipe.net.output == (name or (None if "begins" in form else "logits"))
    few = {name: one[:3] for name, one in inputs().items()}
    assert danlu.Run(run.folder, net=Net(make)).predict_proba(few).tolist() == plain.predict_proba(few).tolist()
    assert not isinstance(net(**{**few, "image": few["image"] / 255}), Tensor)  # it is called as it was written


@pytest.mark.slow
def test_a_net_in_a_file_takes_them_and_studies_compare_it(tmp_path: Path) -> None:
    file = tmp_path / "my_nets.py"
    source = Path(__file__).read_text(encoding="utf-8").split("class Net(")[1].split("class Samples")[0]
    head = "from typing import Any\nimport torch\nfrom torch import Tensor, nn\n\n\n"
    maker = "def named(input_shapes, classes):\n    assert input_shapes['tokens'] == (3,)\n"
    maker += "    return Net(lambda h, x: dict(h=h, x=x))\n"
    file.write_text(f"{head}class Net({source}{maker}", encoding="utf-8")
    run = danlu.fit(f"{file}:named", (inputs(), labels()), outputs="x", folder=tmp_path / "run", **FEW)
    few = {name: one[:3] for name, one in inputs().items()}
    assert danlu.Run(run.folder).predict(few).tolist() == run.predict(few).tolist()
    data = danlu.load((inputs(), labels()))
    study = danlu.compare(
        f"{file}:named", data, vary={"lr": [0.01, 0.1]}, seeds=3, outputs="x", folder=tmp_path / "study", **FEW
    )
    assert len(study.members) == 6
    assert danlu.check(f"{file}:named", data, outputs="x").net == "my_nets.py:named"


def test_what_the_data_hold_is_told_and_kept(tmp_path: Path) -> None:
    data = danlu.load((inputs(), labels()))
    assert data.facts()["inputs"] == {"image": [1, 4, 4], "age": [], "tokens": [3]}
    assert [note.id for note in data.notes] == ["data.standardised"]
    x, _ = next(data.batches("train", 8, device=torch.device("cpu")))
    assert x.shape == (8, 20)
    assert float(x[:, :16].max()) <= 1  # bytes of images
    dicts = danlu.load(Samples())
    assert [note.id for note in dicts.notes][:1] == ["data.target-by-name"]
    other = danlu.load(({**inputs(), "image": inputs()["image"].flatten(1)}, labels()))
    assert other.fingerprint() != data.fingerprint()
    alone = danlu.load(Samples(lambda inputs, label: {"image": inputs["image"], "label": label}))
    assert alone.sample_shape == (1, 4, 4)
    assert [note.id for note in alone.notes][:2] == ["data.target-by-name", "data.one-input"]
    named = danlu.load(Samples(lambda inputs, label: {"image": inputs["image"], "kind": label}), target="kind")
    assert named.outputs == 2
    assert len(list(data.folds(3))) == 3


class Other(nn.Module):
    def __init__(self, names: str) -> None:
        super().__init__()
        self.names = names

    def forward(self, image: Tensor, ages: Tensor) -> Tensor:
        return image


def without(name: str) -> Any:
    return {key: one for key, one in inputs().items() if key != name}


MISTAKES: dict[str, tuple[Any, str, str]] = {
    "a forward of other names": (
        lambda: danlu.fit(Other(""), (inputs(), labels())),
        "inputs image, age, tokens, and the forward of Other takes image, ages: it does not take age. Did you mean",
        "样本的输入有 image, age, tokens",
    ),
    "a forward that lacks one": (
        lambda: danlu.fit(Net(), (without("age"), labels())),
        "takes image, age, tokens, but the samples have only image, tokens: age is missing",
        "缺少 age",
    ),
    "a forward of fewer": (
        lambda: danlu.fit(Other(""), (tuple(inputs().values()), labels())),
        "A sample has 3 inputs, and the forward of Other takes image, ages",
        "每个样本有 3 个输入",
    ),
    "several tensors, none named": (
        lambda: danlu.fit(Net(FORMS["dict"][0]), (inputs(), labels())),
        'several tensors: hidden, logits. Name the one to score: outputs="hidden"',
        "返回多个张量：hidden, logits",
    ),
    "a name there is not": (
        lambda: danlu.fit(Net(FORMS["dict"][0]), (inputs(), labels()), outputs="logit"),
        'returns no logit; it returns hidden, logits. Did you mean "logits"?',
        "没有返回 logit",
    ),
    "a name of no tensor": (
        lambda: danlu.fit(Net(FORMS["dict of one"][0]), (inputs(), labels()), outputs="loss"),
        "The output loss is a NoneType",
        "输出 loss 是 NoneType",
    ),
    "a net of danlu's": (
        lambda: danlu.fit("mlp", (inputs(), labels())),
        "The net mlp takes one input, and these data have several: image, age, tokens",
        "网络 mlp 只有一个输入",
    ),
    "lengths that differ": (
        lambda: danlu.load(({**inputs(), "age": torch.rand(9)}, labels())),
        "the same number of samples: image: 96, age: 9, tokens: 96",
        "各输入的样本数不同",
    ),
    "a text": (
        lambda: danlu.load(Samples(lambda inputs, label: {**inputs, "text": "words", "label": label})),
        "The input text is of the type str",
        "输入 text 是 str 类型",
    ),
    "too large a number": (
        lambda: danlu.load(({**inputs(), "tokens": inputs()["tokens"] + 2**30}, labels())),
        "The input tokens holds whole numbers beyond 16,777,216",
        "输入 tokens 中有超过 16,777,216 的整数",
    ),
    "no number": (
        lambda: danlu.load(({**inputs(), "age": inputs()["age"] / 0}, labels())),
        "The input age holds NaN or infinite values",
        "输入 age 中有 NaN 或无穷大",
    ),
    "no target": (
        lambda: danlu.load(Samples(lambda inputs, label: inputs)),
        "Which of image, age, tokens is to be predicted?",
        "要预测 image, age, tokens 中的哪一个",
    ),
    "a target there is not": (
        lambda: danlu.load(Samples(), target="labell"),
        "The samples have no labell; they have image, age, tokens, label",
        "样本中没有 labell",
    ),
    "nothing but a target": (
        lambda: danlu.load(Samples(lambda inputs, label: {"label": label})),
        "The samples have label and nothing else",
        "样本中只有 label",
    ),
    "parts of two forms": (
        lambda: danlu.load({"train": (inputs(), labels()), "test": (inputs()["tokens"], labels())}),
        "Some parts have several inputs and others one",
        "有的部分有多个输入",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    act, english, chinese = MISTAKES[mistake]
    with pytest.raises(danlu.UserError, match=re.escape(english)) as caught:
        act()
    with speaking("zh"):
        assert chinese in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_is_given_to_be_answered_is_looked_at(tmp_path: Path) -> None:
    run = danlu.fit(Net(), (inputs(), labels()), folder=tmp_path / "run", **FEW)
    few = {name: one[:3] for name, one in inputs().items()}
    refused: list[tuple[Any, str]] = [
        ({"image": few["image"]}, "have the inputs image; they must be image, age, tokens"),
        (few["image"], "give a dict of arrays by these names"),
        ({**few, "tokens": few["tokens"] + 0.5}, "The input tokens has whole numbers"),
        ({**few, "age": few["age"][:, None]}, r"input age has the shape \[1\]; it must be \[\]"),
        (tmp_path / "file.csv", "takes several inputs"),
    ]
    for given, said in refused:
        with pytest.raises(danlu.UserError, match=said):
            run.predict(given)
    other = danlu.load(({name: one[:60] for name, one in inputs().items()}, labels()[:60]))
    assert 0 <= run.evaluate(other)["accuracy"] <= 1


def test_data_frames_are_inputs_by_name_or_by_place() -> None:
    generator = torch.Generator().manual_seed(1)
    left = polars.DataFrame(torch.randn(COUNT, 3, generator=generator).numpy(), schema=["a", "b", "c"])
    right = polars.DataFrame({"wide": torch.randn(COUNT, generator=generator).tolist(), "count": [*range(COUNT)]})
    named, placed = danlu.load(({"left": left, "right": right}, labels())), danlu.load(((left, right), labels()))
    assert named.sample_shape == placed.sample_shape == (5,)
    ours, theirs = (next(iter(data.batches("test", COUNT, device=torch.device("cpu")))) for data in (named, placed))
    assert torch.equal(ours[0], theirs[0])
    assert torch.equal(named.encode({"right": right, "left": left}), placed.encode((left, right)))
