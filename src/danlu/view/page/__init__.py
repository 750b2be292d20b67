"""The page: what report, dashboard and notebook show in a browser, without a network and without a foreign script."""
