"""Third-party C sources: what they are, where they come from, and fetching them into the cache."""

from runec.components.catalogue import Component, component, components
from runec.components.fetching import cached, fetch, is_broken, leftovers

__all__ = [
    "Component",
    "cached",
    "component",
    "components",
    "fetch",
    "is_broken",
    "leftovers",
]
