"""Where everything is: 38 provinces to 83,762 villages, both code systems, boundaries."""
