"""One training by several processes: who leads, who follows, and how danlu starts them."""
