"""Randomness and hardware: named random streams, and the device. The only file that reads either.

Every random thing is a pure function of the seed and names such as (epoch) or (step): nothing about randomness has to
be saved for an exact resume.
"""

import contextlib
import copy
import hashlib
import os
import platform
import random
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import numpy
import torch

try:
    import resource
except ImportError:  # Windows
    resource = None

_SYSTEM = getattr(os, "sysconf_names", {})  # Windows has none
DEVICES = ("auto", "cpu", "cuda", "mps")


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream called `names`: the first 8 bytes of BLAKE2b over the names joined by "/".

    >>> derive(0, "order", 3) == derive(0, "order", 3) != derive(1, "order", 3)
    True
    """
    key = "/".join(str(name) for name in (seed, *names)).encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 1


def stream(seed: int, *names: str | int) -> torch.Generator:
    """A fresh CPU generator for the stream called `names`."""
    return torch.Generator().manual_seed(derive(seed, *names))


def order(count: int, seed: int, epoch: int) -> torch.Tensor:
    """The order of `count` samples in `epoch`: a permutation, int64 [count], computed on demand.

    >>> sorted(order(4, seed=0, epoch=1).tolist())
    [0, 1, 2, 3]
    """
    return torch.randperm(count, generator=stream(seed, "order", epoch))


def balanced_order(labels: torch.Tensor, seed: int, epoch: int) -> torch.Tensor:
    """As many places as `labels` int64 [N] has, drawn for `epoch` so that every class there is comes equally often (to
    one sample), int64 [N]: of a frequent class some of its samples, of a rare one all, again and again in new orders.

    >>> labels = torch.tensor([0] * 9 + [1] * 3)
    >>> labels[balanced_order(labels, 0, 0)].bincount().tolist()
    [6, 6]
    """
    classes = labels.unique().tolist()
    even, more = divmod(len(labels), max(1, len(classes)))
    drawn: list[torch.Tensor] = []
    for turn, place in enumerate(order(len(classes), derive(seed, "classes"), epoch).tolist()):
        own = (labels == classes[place]).nonzero().flatten().cpu()
        wanted = even + (turn < more)
        rounds = range(-(-wanted // len(own)))
        shuffled = [own[order(len(own), derive(seed, "class", classes[place], number), epoch)] for number in rounds]
        drawn += [torch.cat([own[:0], *shuffled])[:wanted]]
    together = torch.cat([*drawn, torch.zeros(0, dtype=torch.int64)])
    return together[order(len(together), seed, epoch)]


def mix(numbers: torch.Tensor) -> torch.Tensor:
    """Each int64 number's bits mixed so that those of neighbours have nothing in common: SplitMix64's finaliser
    (Steele et al. 2014, https://doi.org/10.1145/2714064.2660195), one number for one.
    """
    mixed = (numbers ^ ((numbers >> 30) & 0x3FFFFFFFF)) * _signed(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ ((mixed >> 27) & 0x1FFFFFFFFF)) * _signed(0x94D049BB133111EB)
    return mixed ^ ((mixed >> 31) & 0x1FFFFFFFF)


def draw(samples: torch.Tensor, below: int, seed: int, *names: str | int) -> torch.Tensor:
    """A random whole number from 0 to `below` - 1 for each of `samples` (int64, on any device), drawn from the stream
    called `names`: it depends on the sample's own number, not on which others stand beside it.

    >>> row = torch.tensor([7])
    >>> bool(draw(row, 100, 0, "crop") == draw(torch.arange(9), 100, 0, "crop")[7])
    True
    """
    mixed = mix(samples * _signed(0x9E3779B97F4A7C15) + derive(seed, *names))
    return ((mixed >> 32) & 0xFFFFFFFF) * below >> 32


def spread(count: int, dimensions: int, seed: int, *names: str | int) -> torch.Tensor:
    """Points that fill the unit cube evenly, float64 [count, dimensions] from 0 to below 1: Sobol's numbers, scrambled
    from the stream called `names` (Owen 1998, https://doi.org/10.1006/jcom.1998.0487).

    >>> sorted((spread(4, 1, 0, "points").flatten() * 4).int().tolist())
    [0, 1, 2, 3]
    """
    engine = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=derive(seed, *names))
    return engine.draw(count, dtype=torch.float64)


def _signed(number: int) -> int:
    """The int64 whose bits are those of an unsigned number."""
    return number - (1 << 64)


@contextlib.contextmanager
def global_seed(seed: int, *names: str | int) -> Generator[None]:
    """Run a block with every global generator (torch's on all devices, Python's, NumPy's) on the stream called `names`;
    the user's states come back after."""
    with preserved_randomness():
        seed_globally(derive(seed, *names))
        yield


def seed_globally(key: int) -> None:
    """Seed every global generator, inside of a block that gives them back."""
    _seed_torch(key)
    _seed_others(key)


@contextlib.contextmanager
def preserved_randomness() -> Generator[None]:
    """Give every global generator back to the user as it was, whatever a block did with it."""
    with torch.random.fork_rng(_current_devices()), _preserved_others():
        yield


def generator_state(value: object) -> Callable[[], None] | None:
    """What puts a generator of torch, Python or NumPy back as it is now; None for anything else.

    >>> own = torch.Generator()
    >>> restore = generator_state(own)
    >>> drawn = torch.rand(2, generator=own)
    >>> restore()
    >>> torch.equal(drawn, torch.rand(2, generator=own))
    True
    """
    if isinstance(value, torch.Generator):
        state = value.get_state()
        return lambda: value.set_state(state) and None
    if isinstance(value, random.Random):
        inner = value.getstate()
        return lambda: value.setstate(inner)
    if isinstance(value, numpy.random.Generator):
        kept = copy.deepcopy(value.bit_generator.state)
        return lambda: setattr(value.bit_generator, "state", kept)
    if isinstance(value, numpy.random.RandomState):
        old = value.get_state()
        return lambda: value.set_state(old)
    return None


@contextlib.contextmanager
def attention_of_training() -> Generator[None]:
    """Attention goes the way that it goes in training, though the net is in evaluation mode."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _current_devices() -> list[int]:
    """The GPU in use, if there is one: forking the generators of all of them takes long, and torch warns of it."""
    return [torch.cuda.current_device()] if torch.cuda.is_available() else []


@contextlib.contextmanager
def exact_kernels(device: torch.device) -> Generator[None]:
    """On a GPU, run a block with convolutions that give the same bits every time; elsewhere they do anyway."""
    if device.type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        yield


@contextlib.contextmanager
def sample_seed(seed: int, *names: str | int) -> Generator[None]:
    """Run a block of someone else's code with every global generator of the CPU (torch's, Python's, NumPy's) on the
    stream called `names`; their states come back after. Touches no device, so that a forked worker may use it."""
    key = derive(seed, *names)
    before = torch.get_rng_state()
    with _preserved_others():
        torch.default_generator.manual_seed(key)
        _seed_others(key)
        try:
            yield
        finally:
            torch.set_rng_state(before)


@contextlib.contextmanager
def _preserved_others() -> Generator[None]:
    """Give Python's and NumPy's generators back as they were."""
    before = random.getstate(), numpy.random.get_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        numpy.random.set_state(before[1])


def _seed_torch(key: int) -> None:
    """All of torch's generators. Where there is none but the CPU's, the seeds of devices are not left waiting for them,
    each with the stack of its call, which takes ten times as long."""
    if torch.accelerator.is_available():
        torch.manual_seed(key)
    else:
        torch.default_generator.manual_seed(key)


def _seed_others(key: int) -> None:
    random.seed(key)
    numpy.random.seed(key & 0xFFFFFFFF)


class StepSeeder:
    """Sets torch's global generators to the stream of a step, so that dropout is a pure function of (seed, step).

    With `others` Python's and NumPy's as well, for code that may draw from anywhere.

    Called once a step, therefore cheap: one hash of the seed at the start, then one integer mix a step (SplitMix64,
    Steele et al. 2014, https://doi.org/10.1145/2714064.2660195)."""

    def __init__(self, seed: int, device: torch.device, *, others: bool = False) -> None:
        self._base = derive(seed, "step")
        self._device = device
        self._others = others

    def __call__(self, step: int) -> None:
        mixed = _step_key(self._base, step)
        torch.default_generator.manual_seed(mixed)
        if self._device.type == "cuda":
            torch.cuda.manual_seed(mixed)
        elif self._device.type == "mps":
            torch.mps.manual_seed(mixed)
        if self._others:
            _seed_others(mixed)


def _step_key(base: int, step: int) -> int:
    """SplitMix64's output number `step` from the state `base`, as a 63-bit seed."""
    mixed = (base + step * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (mixed ^ (mixed >> 31)) >> 1


class StepStreams:
    """Generators that stand, at each step, where `StepSeeder` puts the global one for each of several seeds.

    So that members of a stack draw what each would draw alone, side by side and without touching the global one.

    >>> streams = StepStreams([3, 4], torch.device("cpu"))
    >>> StepSeeder(4, torch.device("cpu"))(step=7)
    >>> bool((torch.rand(2) == torch.rand(2, generator=streams.at(7)[1])).all())
    True
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self._bases = [derive(seed, "step") for seed in seeds]
        self._generators = [torch.Generator(device) for _ in seeds]

    def at(self, step: int) -> list[torch.Generator]:
        for base, generator in zip(self._bases, self._generators, strict=True):
            generator.manual_seed(_step_key(base, step))
        return self._generators


def cores() -> int:
    """How many of the machine's cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_threads(count: int) -> int:
    """Let torch's operations called from this thread take `count` threads; how many they took before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    return before


_one_thread: list[int] = []  # of each block under way: the threads that operations took before the first
_one_thread_lock = threading.Lock()


@contextlib.contextmanager
def one_thread() -> Generator[None]:
    """Run a block whose operations take one thread each. Of blocks side by side in several threads the last to end
    gives back what was: some libraries know one number for the whole process."""
    with _one_thread_lock:
        before = use_threads(1)
        _one_thread.append(_one_thread[0] if _one_thread else before)
    try:
        yield
    finally:
        with _one_thread_lock:
            before = _one_thread.pop()
            if not _one_thread:
                use_threads(before)


def instructions() -> str:
    """The processor's instructions that torch computes with, such as "AVX2": the last digits depend on them."""
    return torch.backends.cpu.get_cpu_capability()


def free_memory(device: torch.device) -> int:
    """Bytes that are free on the device; of a CPU's machine, those it has in all where it does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    pages = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in _SYSTEM else "SC_PHYS_PAGES"
    return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE") if pages in _SYSTEM else 2**32


def release_memory(device: torch.device) -> None:
    """Give back to the device what torch keeps of its memory for later: in small pieces it is of no use."""
    if device.type != "cpu":
        torch.accelerator.memory.empty_cache()


def available_memory() -> int:
    """Bytes of the machine's memory that a process can have without another one's being put aside: those that are free,
    and those of files that are only kept because nobody needs them."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        return min(int(line.split()[1]) * 1024, memory_limit())
    return min(free_memory(torch.device("cpu")), memory_limit())


def memory_limit() -> int:
    """Bytes of memory that this process can have at most: those of the machine, of its control group, or those that
    `ulimit -v` leaves it."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")] if "SC_PHYS_PAGES" in _SYSTEM else [2**63]
    if resource is not None:
        own = resource.getrlimit(resource.RLIMIT_AS)[0]
        limits += [own] if own != resource.RLIM_INFINITY else []
    with contextlib.suppress(OSError, ValueError):  # "max" where there is none
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(limits)


def memory_used(device: torch.device) -> tuple[int, int]:
    """Bytes of memory that this process holds, 0 where the system does not tell; and the most that torch held of a
    GPU's so far, 0 on the CPU."""
    pages = Path("/proc/self/statm")
    held = int(pages.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") if pages.exists() else 0
    return held, torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0


def wait_for(device: torch.device) -> None:
    """Return when the device has done all that it was given; the CPU has."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def has_device(name: str) -> bool:
    """Whether this machine has the device `name` ("cpu", "cuda" or "mps")."""
    if name == "cuda":
        return torch.cuda.is_available()
    if name == "mps":
        return torch.backends.mps.is_available()
    return name == "cpu"


def choose_device(name: str) -> torch.device:
    """The device `name`; "auto" takes cuda, then mps, then cpu. The caller has checked `has_device`."""
    if name == "auto":
        name = next(choice for choice in ("cuda", "mps", "cpu") if has_device(choice))
    return torch.device(name)


def hardware(device: torch.device) -> dict[str, str | int]:
    """Facts that decide whether a resume can be bit-identical: machine, device, torch build, thread count."""
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count() or 1,
    }
