from danlu.lab.exporting import exporting as exporting
from danlu.lab.going_on import go_on as go_on
from danlu.lab.study.study import Study as Study
