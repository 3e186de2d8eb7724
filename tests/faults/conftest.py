"""How long the machine looks: `--hypothesis-profile=long` for more than the usual minute."""

from hypothesis import HealthCheck, settings

_COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}

settings.register_profile("faults", derandomize=True, max_examples=15, stateful_step_count=20, **_COMMON)
settings.register_profile("long", max_examples=1000, stateful_step_count=50, **_COMMON)
