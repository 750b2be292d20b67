"""GoogLeNet (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842) as torchvision publishes its weights."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

from danlu.nets.blocks import ConvNormActivation, Inception, InceptionHead
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck

AUXILIARY_WEIGHT = 0.3


class GoogLeNetOutputs(NamedTuple):
    """The logits [N, classes] of the net's end and of its two auxiliary heads, the deeper one first."""

    logits: Tensor
    aux_logits2: Tensor
    aux_logits1: Tensor

    def loss(self, loss: Callable[[Tensor, Tensor], Tensor], targets: Tensor) -> Tensor:
        """`loss` at the end plus 0.3 times that of each head, the weight of the paper (section 5)."""
        auxiliary = loss(self.aux_logits1, targets) + loss(self.aux_logits2, targets)
        return loss(self.logits, targets) + AUXILIARY_WEIGHT * auxiliary


class GoogLeNet(nn.Module):
    """22 layers with nine Inception modules: pictures [N, channels, H, W] to logits [N, classes].

    Any size from 32×32 on; the paper's is 224×224. 6,624,904 parameters for 1,000 classes of RGB pictures. Names and
    arithmetic are torchvision's: batch normalisation everywhere, 3×3 where the paper has 5×5 (see `Inception`); its
    published weights want pixels scaled to [-1, 1], not ImageNet's mean and deviation.

    With `aux` the net has the two auxiliary heads (6,379,984 parameters more), which work in training mode only: the
    result is then a `GoogLeNetOutputs`, whose `loss(loss, targets)` adds theirs at weight 0.3; in evaluation mode, and
    always without `aux`, it is the logits alone. Raises UserError for options that do not fit.

    >>> import torch
    >>> GoogLeNet(classes=10)(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 10])
    >>> from torch.nn.functional import cross_entropy
    >>> outputs = GoogLeNet(classes=10, aux=True)(torch.zeros(2, 3, 64, 64))
    >>> outputs.loss(cross_entropy, torch.tensor([3, 7])).shape
    torch.Size([])
    """

    heads = ("fc", "aux1.fc2", "aux2.fc2")

    def __init__(
        self,
        classes: int = 1000,
        channels: int = 3,
        aux: bool = False,
        dropout: float = 0.2,
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.classes = check.count("classes", classes)
        self.channels = check.count("channels", channels)
        self.aux = check.flag("aux", aux)
        self.dropout = check.fraction("dropout", dropout)
        self.init = init_option(check, init)
        check.done()
        self.conv1 = ConvNormActivation(self.channels, 64, 7, stride=2, eps=0.001)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = ConvNormActivation(64, 64, 1, eps=0.001)
        self.conv3 = ConvNormActivation(64, 192, 3, eps=0.001)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)  # 256 channels at an eighth of the sides
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)  # 512 channels at a sixteenth
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)  # 832 channels at a thirty-second
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.aux1 = InceptionHead(512, self.classes) if self.aux else None
        self.aux2 = InceptionHead(528, self.classes) if self.aux else None
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(self.dropout)
        self.fc = nn.Linear(1024, self.classes)
        self._first_weights()

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutputs:
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4a(x)
        early = self.aux1(x) if self.aux1 and self.training else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        late = self.aux2(x) if self.aux2 and self.training else None
        x = self.maxpool4(self.inception4e(x))
        x = self.inception5b(self.inception5a(x))
        logits = self.fc(self.drop(self.avgpool(x).flatten(1)))
        return logits if early is None or late is None else GoogLeNetOutputs(logits, late, early)

    def _first_weights(self) -> None:
        """As torchvision: a normal with deviation 0.01, biases as torch has them; or what `init` says."""
        if self.init != DEFAULT:
            initialise(self, self.init)
            return
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.normal_(layer.weight, std=0.01)
