from danlu.nets.blocks.convolution import ConvNormActivation as ConvNormActivation
from danlu.nets.blocks.dense import DenseBlock as DenseBlock
from danlu.nets.blocks.dense import DenseLayer as DenseLayer
from danlu.nets.blocks.dense import Transition as Transition
from danlu.nets.blocks.elementary import (
    ACTIVATIONS as ACTIVATIONS,
)
from danlu.nets.blocks.elementary import (
    FEATURE_NORMS as FEATURE_NORMS,
)
from danlu.nets.blocks.elementary import (
    MAP_NORMS as MAP_NORMS,
)
from danlu.nets.blocks.elementary import (
    POOLINGS as POOLINGS,
)
from danlu.nets.blocks.inception import (
    CourseInception as CourseInception,
)
from danlu.nets.blocks.inception import (
    Inception as Inception,
)
from danlu.nets.blocks.inception import (
    InceptionHead as InceptionHead,
)
from danlu.nets.blocks.residual import BasicBlock as BasicBlock
from danlu.nets.blocks.residual import Bottleneck as Bottleneck
from danlu.nets.blocks.residual import Residual as Residual
from danlu.nets.blocks.shortcut import WINDOW_SHORTCUTS as WINDOW_SHORTCUTS
from danlu.nets.blocks.shortcut import window_shortcut as window_shortcut
