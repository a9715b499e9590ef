"""How repeated attempts are told of: not at all by the library, whose log goes to standard output.

What is repeated and given up is said by whoever repeats it (`storage.retries`, `publishing.writer`,
`rest.client`), in words for people.
"""

from __future__ import annotations

import stamina


def silence_retries() -> None:
    """Keep the library from logging every repetition; for the processes that people look at."""
    stamina.instrumentation.set_on_retry_hooks([])
