from danlu.serve.run import Dashboard as Dashboard
from danlu.serve.run import open_dashboard as open_dashboard
from danlu.serve.run import view as view
from danlu.serve.try_out import open_trial as open_trial
from danlu.serve.try_out import try_out as try_out
