"""The three linear models: one affine map of the features, told apart by what its outputs mean."""

from torch import Tensor, nn

from danlu.nets.options import OptionCheck


class LinearRegression(nn.Module):
    """Numbers as a weighted sum of the features: samples [N, …] are flattened to [N, inputs], outputs are [N, outputs].

    Trained with the squared error it is least squares. Raises UserError for options that do not fit.

    >>> import torch
    >>> LinearRegression(inputs=8)(torch.zeros(5, 8)).shape
    torch.Size([5, 1])
    """

    def __init__(self, inputs: int, outputs: int = 1) -> None:
        super().__init__()
        check = OptionCheck()
        self.inputs = check.count("inputs", inputs)
        self.outputs = check.count("outputs", outputs)
        check.done()
        self.linear = nn.Linear(self.inputs, self.outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))


class LogisticRegression(nn.Module):
    """Two classes told apart by one logit: samples [N, …] are flattened to [N, inputs], outputs are [N, 1].

    The output is the logit, not the probability: the loss takes the sigmoid and the logarithm together, which stays
    exact where the sigmoid alone rounds to 0 or 1. The probability of class 1 is `output.sigmoid()`.
    Raises UserError for options that do not fit.

    >>> import torch
    >>> LogisticRegression(inputs=8)(torch.zeros(5, 8)).shape
    torch.Size([5, 1])
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        check = OptionCheck()
        self.inputs = check.count("inputs", inputs)
        check.done()
        self.linear = nn.Linear(self.inputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))


class SoftmaxRegression(nn.Module):
    """Classes told apart by one logit each: samples [N, …] are flattened to [N, inputs], outputs are [N, classes].

    The outputs are logits, not probabilities: the cross-entropy takes the softmax and the logarithm together, which
    neither overflows nor rounds to log 0; a softmax here would be taken twice. The probabilities are
    `output.softmax(1)`. Raises UserError for options that do not fit.

    >>> import torch
    >>> SoftmaxRegression(inputs=784, classes=10)(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        check = OptionCheck()
        self.inputs = check.count("inputs", inputs)
        self.classes = check.count("classes", classes)
        check.done()
        self.linear = nn.Linear(self.inputs, self.classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))
