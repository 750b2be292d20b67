"""Floor 2: wires data, net, loop, watch and store into runs and studies."""

from danlu.base.lazily import lazily

lazily(__name__)
