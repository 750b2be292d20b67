from danlu.nets.autoencoder import Autoencoder as Autoencoder
from danlu.nets.catalogue import (
    build as build,
)
from danlu.nets.catalogue import (
    example as example,
)
from danlu.nets.catalogue import (
    option_kind as option_kind,
)
from danlu.nets.catalogue import (
    option_names as option_names,
)
from danlu.nets.catalogue import (
    recipe_of as recipe_of,
)
from danlu.nets.catalogue import (
    usual_options as usual_options,
)
from danlu.nets.catalogue import (
    usual_shape as usual_shape,
)
from danlu.nets.cells import GRU as GRU
from danlu.nets.cells import LSTM as LSTM
from danlu.nets.cells import RNN as RNN
from danlu.nets.densenet import DenseNet121 as DenseNet121
from danlu.nets.densenet import DenseNet169 as DenseNet169
from danlu.nets.densenet import SmallDenseNet as SmallDenseNet
from danlu.nets.describe import Description as Description
from danlu.nets.describe import LayerRow as LayerRow
from danlu.nets.describe import describe as describe
from danlu.nets.encoder_decoder import RecurrentEncoderDecoder as RecurrentEncoderDecoder
from danlu.nets.googlenet import GoogLeNet as GoogLeNet
from danlu.nets.googlenet import GoogLeNetOutputs as GoogLeNetOutputs
from danlu.nets.initialisers import initialise as initialise
from danlu.nets.known_size import size as size
from danlu.nets.language import LanguageModel as LanguageModel
from danlu.nets.language import detached as detached
from danlu.nets.lenet import LeNet5 as LeNet5
from danlu.nets.linear import (
    LinearRegression as LinearRegression,
)
from danlu.nets.linear import (
    LogisticRegression as LogisticRegression,
)
from danlu.nets.linear import (
    SoftmaxRegression as SoftmaxRegression,
)
from danlu.nets.mixture import MixtureDensityNet as MixtureDensityNet
from danlu.nets.mixture import MixtureHead as MixtureHead
from danlu.nets.mixture import mixture as mixture
from danlu.nets.mlp import MLP as MLP
from danlu.nets.published import published_normalisation as published_normalisation
from danlu.nets.registry import BY_THE_DATA as BY_THE_DATA
from danlu.nets.registry import UsualTraining as UsualTraining
from danlu.nets.registry import names as names
from danlu.nets.registry import registered as registered
from danlu.nets.registry import task_of as task_of
from danlu.nets.registry import usual_data as usual_data
from danlu.nets.registry import usual_training as usual_training
from danlu.nets.rehearsal import rehearse as rehearse
from danlu.nets.resnet import (
    ResNet18 as ResNet18,
)
from danlu.nets.resnet import (
    ResNet34 as ResNet34,
)
from danlu.nets.resnet import (
    ResNet50 as ResNet50,
)
from danlu.nets.resnet import (
    ResNet101 as ResNet101,
)
from danlu.nets.resnet import (
    SmallResNet as SmallResNet,
)
from danlu.nets.room import built_where_it_fits as built_where_it_fits
from danlu.nets.sequence import SequenceClassifier as SequenceClassifier
from danlu.nets.small_inception import SmallInception as SmallInception
from danlu.nets.tabm import MemberOutputs as MemberOutputs
from danlu.nets.tabm import TabM as TabM
from danlu.nets.tagger import SequenceTagger as SequenceTagger
from danlu.nets.tagger import TransformerTagger as TransformerTagger
from danlu.nets.tcn import TCN as TCN
from danlu.nets.transformer import TransformerClassifier as TransformerClassifier
from danlu.nets.transformer import TransformerLanguageModel as TransformerLanguageModel
from danlu.nets.transformer_pairs import TransformerEncoderDecoder as TransformerEncoderDecoder
from danlu.nets.unet import UNet as UNet
from danlu.nets.usual import AUTO as AUTO
from danlu.nets.usual import options_of_usual_nets as options_of_usual_nets
from danlu.nets.usual import usual_net as usual_net
from danlu.nets.weights import check_weights as check_weights
from danlu.nets.weights import put_weights as put_weights
from danlu.nets.windows import WindowGRU as WindowGRU
from danlu.nets.windows import WindowLSTM as WindowLSTM
from danlu.nets.windows import WindowRNN as WindowRNN
