from danlu.data.transforms.augment import Augmentation as Augmentation
from danlu.data.transforms.convert import to_image as to_image
from danlu.data.transforms.convert import to_tensor as to_tensor
from danlu.data.transforms.pictures import (
    crop as crop,
)
from danlu.data.transforms.pictures import (
    cutout as cutout,
)
from danlu.data.transforms.pictures import (
    flip as flip,
)
from danlu.data.transforms.pictures import (
    normalise as normalise,
)
from danlu.data.transforms.pictures import (
    resize as resize,
)
from danlu.data.transforms.pictures import (
    rotate as rotate,
)
