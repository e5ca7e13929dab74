"""How many examples a property that needs many is tried on."""

from hypothesis import settings


def examples(representative: int, exhaustive: int) -> settings:
    """So many in `make test`, and so many in `make test-all`, which takes the profile of that name."""
    is_exhaustive = settings.get_current_profile_name() == "exhaustive"
    return settings(max_examples=exhaustive if is_exhaustive else representative)
