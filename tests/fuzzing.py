"""How long tests with random input look for trouble: shortly and always the same, or for long.

`python -m benchmarks.fuzz` sets IMPTRACE_FUZZ to how many times as long, and then each run is
another one.
"""

import os

from hypothesis import HealthCheck, Phase, settings


def budget(examples: int) -> settings:
    """Give the settings of a test that tries so many examples."""
    factor = int(os.environ.get("IMPTRACE_FUZZ", "0"))
    return settings(
        max_examples=examples * max(factor, 1),
        derandomize=not factor,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
