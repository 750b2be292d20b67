"""Samples of a user's own Dataset or DataLoader that are no pair of x and y: dicts, and several inputs side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from torch.utils.data import Dataset

from danlu.base.errors import Fault, fail
from danlu.base.input_layout import InputLayout
from danlu.data.samples import kind_of
from danlu.data.several_encoder import inputs_by_name, packed
from danlu.data.several_inputs import input_tensor, piece_of

_TARGETS = ("label", "labels", "target", "targets", "y")


@dataclass(frozen=True)
class SampleForm:
    """How a sample becomes a pair: the `key` of the target in a dict (None: the sample is (inputs, target)), and the
    layout of its inputs, None where there is only one, called `only` in a dict.
    """

    key: str | None
    layout: InputLayout | None
    only: str | None = None
    told: tuple[Fault, ...] = ()

    def sample(self, sample: Any) -> tuple[Any, Any]:
        """One sample as (x, y); several inputs as one row of numbers. UserError where it is of another form."""
        inputs, target = self._parted(sample)
        if self.layout is None:
            return inputs, target
        tensors = {name: input_tensor(name, value).unsqueeze(0) for name, value in inputs_by_name(inputs).items()}
        return packed(tensors, self.layout)[0], target

    def batch(self, batch: Any) -> tuple[Any, Any]:
        """A batch that the user's own loader made, as (x [B, …], y)."""
        inputs, target = self._parted(batch)
        if self.layout is None:
            return inputs, target
        tensors = {name: input_tensor(name, value) for name, value in inputs_by_name(inputs).items()}
        return packed(tensors, self.layout), target

    def _parted(self, sample: Any) -> tuple[Any, Any]:
        if self.key is None:
            return _pair(sample)
        if not isinstance(sample, Mapping) or self.key not in sample:
            fail("data.sample-without-target", key=self.key, found=kind_of(sample))
        given = cast(Mapping[Any, Any], sample)
        if self.only is not None:
            if self.only not in given:
                fail("data.sample-without-target", key=self.only, found=kind_of(sample))
            return given[self.only], given[self.key]
        return {name: value for name, value in given.items() if name != self.key}, given[self.key]


def form_of(sample: Any, target: str | None, *, batched: bool) -> SampleForm | None:
    """The form of the samples by the first of them, or by the first batch of a loader; None for the plain pair (x, y).
    `target` names what is predicted, in a dict. UserError where that cannot be told.
    """
    if isinstance(sample, Mapping):
        given = cast(Mapping[Any, Any], sample)
        key = _target_key([str(name) for name in given], target)
        inputs = {str(name): value for name, value in given.items() if name != key}
        told = () if target else (Fault("data.target-by-name", {"key": key}),)
        if not inputs:
            fail("data.sample-without-inputs", key=key)
        if len(inputs) == 1:
            (only,) = inputs
            return SampleForm(key, None, only, (*told, Fault("data.one-input", {"name": only})))
        layout = _layout(inputs, named=True, batched=batched)
        return SampleForm(key, layout, told=told)
    if target is not None:
        fail("data.target-without-table", target=target, name="torch")
    if not (isinstance(sample, tuple | list) and len(cast(Any, sample)) == 2):
        return None
    inputs = cast(Any, sample)[0]
    if not _are_several(inputs, batched=batched):
        return None
    return SampleForm(None, _layout(inputs_by_name(inputs), named=isinstance(inputs, Mapping), batched=batched))


class Formed(Dataset[Any]):
    """A user's map-style dataset whose samples are brought to pairs."""

    def __init__(self, dataset: Any, form: SampleForm) -> None:
        self.dataset, self.form = dataset, form

    def __getitem__(self, index: int) -> Any:
        return self.form.sample(self.dataset[index])

    def __len__(self) -> int:
        return len(self.dataset)


@dataclass(frozen=True)
class FormedCollate:
    """A user's own collate function whose batches are brought to pairs."""

    collate: Any
    form: SampleForm

    def __call__(self, samples: list[Any]) -> Any:
        return self.form.batch(self.collate(samples))


class FormedLoader:
    """The batches of a user's own loader, brought to pairs."""

    def __init__(self, loader: Any, form: SampleForm) -> None:
        self.loader, self.form = loader, form
        self.num_workers = getattr(loader, "num_workers", 0)

    def __iter__(self) -> Any:
        return map(self.form.batch, self.loader)


def _target_key(names: list[str], target: str | None) -> str:
    if target is not None:
        if target not in names:
            fail("data.no-target-key", key=target, found=", ".join(names))
        return target
    found = [name for name in names if name.lower() in _TARGETS]
    if len(found) != 1:
        fail("data.which-target", found=", ".join(names))
    return found[0]


def _layout(inputs: Mapping[str, Any], *, named: bool, batched: bool) -> InputLayout:
    tensors = {name: input_tensor(name, value) for name, value in inputs.items()}
    if batched and (short := [name for name, one in tensors.items() if one.dim() == 0]):
        fail("data.input-no-array", name=short[0])
    firsts = {name: one[0] if batched else one for name, one in tensors.items()}
    return InputLayout(tuple(piece_of(name, one) for name, one in firsts.items()), named)


def _are_several(inputs: Any, *, batched: bool) -> bool:
    """Whether (inputs, target) has several inputs: what lies in them are arrays, not the numbers of one. A loader's
    batches have lists where its samples had tuples.
    """
    if isinstance(inputs, Mapping):
        return True
    if not isinstance(inputs, tuple | list if batched else tuple):
        return False
    several = list(cast(tuple[Any, ...], inputs))
    return len(several) > 1 and any(hasattr(one, "getbands") or getattr(one, "ndim", 0) > 0 for one in several)


def _pair(sample: Any) -> tuple[Any, Any]:
    if not (isinstance(sample, tuple | list) and len(cast(Any, sample)) == 2):
        fail("data.not-a-pair", found=kind_of(sample))
    return sample[0], sample[1]
