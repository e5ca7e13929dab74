"""What becomes of an option given twice, in all commands: it is said, where else the last value would win in silence.

An option that takes one value is refused, by whichever of its names it is given; `--set` is where it gives one setting
two values. Flags may be repeated, and so may options that collect values (`--src` of train).
"""

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from typer.core import TyperCommand, TyperOption

_ASSIGNS = "KEY=VALUE"  # how the metavar of an option ends that gives settings their values


class StrictCommand(TyperCommand):
    """A command that takes no option twice that has room for one value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse what is given twice, unless help is wanted, then parse as typer does."""
        values = {} if ctx.resilient_parsing else self._all_values(ctx, list(args))
        if not values.get("help") and (sentence := self._contradiction(values)):
            ctx.fail(sentence)
        return super().parse_args(ctx, args)

    def _contradiction(self, values: Mapping[str, Any]) -> str | None:
        for option in self.params:
            if not isinstance(option, TyperOption) or option.is_flag:
                continue
            found = [str(value) for value in values.get(option.name or "", ())]
            if not option.multiple and len(found) > 1:
                return f"{' / '.join(option.opts)} takes one value and was given {_listed(found)}. Give it once."
            if (option.metavar or "").endswith(_ASSIGNS) and (twice := _assigned_twice(found)):
                return f"{option.opts[-1]} gives one setting several values: {_listed(twice)}. Give one."
        return None

    def _all_values(self, ctx: Any, args: list[str]) -> Mapping[str, Any]:
        """All that was given, by the names of the parameters: of an option that takes values, a list in order."""
        collecting = copy.copy(self)
        collecting.params = [_collecting(parameter) for parameter in self.params]
        values, _, _ = collecting.make_parser(ctx).parse_args(args=args)
        return values


def _collecting(parameter: Any) -> Any:
    """The parameter, as one that keeps all values it is given where it would keep the last."""
    if not isinstance(parameter, TyperOption) or parameter.is_flag:
        return parameter
    collecting = copy.copy(parameter)
    collecting.multiple = True
    return collecting


def _assigned_twice(assignments: Iterable[str]) -> list[str] | None:
    """The first assignments that are of one key."""
    by_key: dict[str, list[str]] = defaultdict(list)
    for assignment in assignments:
        by_key[assignment.partition("=")[0].strip()].append(assignment)
    return next((same for same in by_key.values() if len(same) > 1), None)


def _listed(values: Sequence[str]) -> str:
    return f"{', '.join(values[:-1])} and {values[-1]}"
