from danlu.run.exporting import exporting as exporting
from danlu.run.going_on import go_on as go_on
from danlu.run.trained_data import load_trained as load_trained
from danlu.view.info.run import run_info_of as run_info_of
from danlu.view.report import run_html as run_html
