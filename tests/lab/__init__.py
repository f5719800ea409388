"""A small world in network namespaces: an internet, homes behind NAPT, an office, guests that run real stacks."""
