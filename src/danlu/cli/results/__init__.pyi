from danlu.cli.results.cure import of_proof as of_proof
from danlu.cli.results.interrupted import of_interrupted as of_interrupted
from danlu.cli.results.run import code_of as code_of
from danlu.cli.results.run import of_run as of_run
from danlu.cli.results.search import of_search as of_search
from danlu.cli.results.study import of_study as of_study
from danlu.cli.results.study import of_study_folder as of_study_folder
