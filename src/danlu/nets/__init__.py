"""Floor 1: nets, built from blocks a learner can read; any other `torch.nn.Module` is a net as well."""

from danlu.base.lazily import lazily

lazily(__name__)
