"""The probes of a watched block for calls, losses and steps, each told of the others that it asks."""

from collections.abc import Mapping

from torch import nn

from danlu.watch.guard import Guard
from danlu.watch.measured import Measured
from danlu.watch.probes.activations import ActivationProbe
from danlu.watch.probes.calls import CallProbes
from danlu.watch.probes.evaluations import EvaluationProbe
from danlu.watch.probes.graph import Names
from danlu.watch.probes.handwork import Handwork
from danlu.watch.probes.held_out import HeldOutProbe
from danlu.watch.probes.inputs import InputProbe, SampleProbe
from danlu.watch.probes.labels import LabelProbe
from danlu.watch.probes.layers import LayerProbe, layers_of
from danlu.watch.probes.losses import LossProbe
from danlu.watch.probes.optimisers import OptimiserProbe
from danlu.watch.probes.schedulers import SchedulerProbe
from danlu.watch.probes.structure import read_net
from danlu.watch.sites import Sites


class ProbeSet:
    """Made of the models as they are when the block is entered: their layers and parameters are written down at once.

    >>> measured = Measured()
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> probes = ProbeSet(measured, {"": net}, Guard(print), HeldOutProbe(measured))
    >>> list(probes.modules), len(probes.owners), measured.net.layers
    (['0', '2'], 4, 2)
    """

    def __init__(
        self, measured: Measured, roots: Mapping[str, nn.Module], guard: Guard, held_out: HeldOutProbe
    ) -> None:
        modules, measured.layers, self.owners = layers_of(dict(roots))  # the owners by id of the parameter
        measured.net = read_net(dict(roots))
        measured.net.layers = len(measured.layers)
        names, nets = Names(self.owners), list(roots.values())
        recurrent = {name for name, module in modules.items() if isinstance(module, nn.RNNBase | nn.RNNCellBase)}
        self.modules = {} if measured.net.compiled else modules  # the layers whose calls can be heard, by name
        self.sites = Sites(measured, guard)
        self.layers = LayerProbe(measured, self.modules)
        self.inputs = InputProbe(measured)
        self.samples = SampleProbe(measured)
        self.labels = LabelProbe(measured)
        self.evaluations = EvaluationProbe(measured, self.samples, held_out)
        activations = ActivationProbe(measured, names, recurrent)
        self.loss = LossProbe(measured, names, nets, activations, self.labels, self.sites, guard.within)
        self.optimisers = OptimiserProbe(measured, self.owners, self.loss.strangers, self.sites)
        self.schedulers = SchedulerProbe(measured, self.optimisers)
        self.heard = CallProbes(measured, roots, held_out)
        self.heard.follow(self.loss)
        self.by_hand = Handwork(nets)
