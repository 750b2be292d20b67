from danlu.data.dataset import Dataset as Dataset
from danlu.data.listing import catalogue_facts as catalogue_facts
from danlu.data.load import load as load
from danlu.data.parts import PARTS as PARTS
from danlu.data.reconstruction import reconstruction as reconstruction
