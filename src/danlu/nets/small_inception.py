"""The course's small Inception net for 28×28 pictures ("PyTorch 深度学习实践", lecture 11)."""

from torch import Tensor, nn

from danlu.nets.blocks import CourseInception
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck

_LEAST = 16


class SmallInception(nn.Module):
    """Twice a 5×5 convolution, pooling and an Inception module: pictures [N, channels, size, size] to logits.

    The course's pictures are 28×28; any size from 16×16 on works, and the last layer has as many inputs as it leaves.
    97,298 parameters at 28×28 with one channel and ten classes. Raises UserError for options that do not fit.

    >>> import torch
    >>> SmallInception()(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    heads = ("fc",)

    def __init__(self, classes: int = 10, channels: int = 1, size: int = 28, init: Init = DEFAULT) -> None:
        super().__init__()
        check = OptionCheck()
        self.classes = check.count("classes", classes)
        self.channels = check.count("channels", channels)
        self.size = check.count("size", size, least=_LEAST, most=2**14)
        self.init = init_option(check, init)
        check.done()
        self.conv1 = nn.Conv2d(self.channels, 10, 5)  # 10×24×24 from 28×28
        self.pool1 = nn.MaxPool2d(2)  # 10×12×12
        self.relu1 = nn.ReLU()
        self.inception1 = CourseInception(10)  # 88×12×12
        self.conv2 = nn.Conv2d(CourseInception.out_channels, 20, 5)  # 20×8×8
        self.pool2 = nn.MaxPool2d(2)  # 20×4×4
        self.relu2 = nn.ReLU()
        self.inception2 = CourseInception(20)  # 88×4×4
        side = ((self.size - 4) // 2 - 4) // 2
        self.fc = nn.Linear(CourseInception.out_channels * side**2, self.classes)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inception1(self.relu1(self.pool1(self.conv1(x))))
        x = self.inception2(self.relu2(self.pool2(self.conv2(x))))
        return self.fc(x.flatten(1))
