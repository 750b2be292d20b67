from danlu.serve.run import Dashboard as Dashboard
from danlu.serve.run import open_dashboard as open_dashboard
from danlu.serve.run import view as view
