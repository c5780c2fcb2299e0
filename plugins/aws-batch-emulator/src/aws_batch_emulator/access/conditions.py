"""The conditions of a policy's statement, tested as IAM tests them.

Operators and what an absent key means: IAM user guide, "IAM JSON policy elements: Condition
operators" and "... with multiple context keys or values".
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Context = Mapping[str, Any]
"""Keys of a request, in lower case, to one value or a list of values."""

_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnLike",
    "ArnNotLike": "ArnLike",
}
# What wildcards out of a variable are written as: characters that no policy holds.
_DISGUISED = str.maketrans("*?", "\ue000\ue001")
_PLAIN = str.maketrans("\ue000\ue001", "*?")
_SETS = ("ForAllValues", "ForAnyValue")


def conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether every key of every operator holds.

    Raises
    ------
    ValueError
        For an operator that IAM does not know.
    """
    return all(
        _holds(operator, as_list(wanted), context.get(key.lower()), context)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, wanted: list[Any], value: Any, context: Context) -> bool:  # noqa: ANN401
    quantifier, _, name = operator.rpartition(":")
    if quantifier and quantifier not in _SETS:
        raise ValueError(f"unknown condition operator {operator}")
    if name == "Null":
        return any(_text(item) == str(value is None).lower() for item in wanted)
    base = name.removesuffix("IfExists")
    negated = base in _NEGATED
    test = _TESTS.get(_NEGATED.get(base, base))
    if test is None:
        raise ValueError(f"unknown condition operator {operator}")
    if value is None:
        # A negated operator holds where there is nothing that could be equal.
        return base != name or quantifier == "ForAllValues" or (negated and not quantifier)

    patterns = [fill(_text(item), context) for item in wanted]
    if not base.endswith(("Like", "ArnEquals")):
        patterns = [pattern.translate(_PLAIN) for pattern in patterns]

    def fits(given: Any) -> bool:  # noqa: ANN401
        found = any(test(_text(given), filled) for filled in patterns)
        return found is not negated

    values = as_list(value)
    return all(map(fits, values)) if quantifier == "ForAllValues" else any(map(fits, values))


def fill(pattern: str, context: Context) -> str:
    """Put values of the request in the place of policy variables, ``${aws:username}``.

    A variable without a value matches nothing, unless it has a default: ``${aws:username, 'x'}``.
    A ``*`` or ``?`` that comes out of a variable is no wildcard, and so stands there in disguise.
    """

    def value(found: re.Match[str]) -> str:
        name, _, default = (part.strip() for part in found[1].partition(","))
        if name in ("*", "?", "$"):
            return name.translate(_DISGUISED)
        filled = context.get(name.lower())
        text = default.strip("'") or found[0] if filled is None else _text(filled)
        return text.translate(_DISGUISED)

    return re.sub(r"\$\{([^}]+)\}", value, pattern) if "${" in pattern else pattern


def glob(pattern: str, text: str, *, fold: bool = False) -> bool:
    """Match as IAM does: ``*`` is any text and ``?`` any one character, nothing else is special."""
    return _compiled(pattern, fold).fullmatch(text) is not None


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str, fold: bool) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    body = "".join(parts.get(letter) or re.escape(letter.translate(_PLAIN)) for letter in pattern)
    return re.compile(body, re.DOTALL | (re.IGNORECASE if fold else 0))


def arn_glob(pattern: str, arn: str) -> bool:
    """Match two ARNs part by part: a ``*`` reaches over no colon, and parts left out are any."""
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    if patterns[0] != "arn" or len(parts) < 6:
        return glob(pattern, arn)
    patterns += ["*"] * (6 - len(patterns))
    return all(glob(p, part) for p, part in zip(patterns, parts, strict=True))


def as_list(value: Any) -> list[Any]:  # noqa: ANN401
    """Return one value or several as a list."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _text(value: Any) -> str:  # noqa: ANN401
    return str(value).lower() if isinstance(value, bool) else str(value)


def _date(text: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _in_network(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda given, wanted: given == wanted,
    "StringEqualsIgnoreCase": lambda given, wanted: given.lower() == wanted.lower(),
    "StringLike": lambda given, wanted: glob(wanted, given),
    "NumericEquals": lambda given, wanted: float(given) == float(wanted),
    "NumericLessThan": lambda given, wanted: float(given) < float(wanted),
    "NumericLessThanEquals": lambda given, wanted: float(given) <= float(wanted),
    "NumericGreaterThan": lambda given, wanted: float(given) > float(wanted),
    "NumericGreaterThanEquals": lambda given, wanted: float(given) >= float(wanted),
    "DateEquals": lambda given, wanted: _date(given) == _date(wanted),
    "DateLessThan": lambda given, wanted: _date(given) < _date(wanted),
    "DateLessThanEquals": lambda given, wanted: _date(given) <= _date(wanted),
    "DateGreaterThan": lambda given, wanted: _date(given) > _date(wanted),
    "DateGreaterThanEquals": lambda given, wanted: _date(given) >= _date(wanted),
    "Bool": lambda given, wanted: given.lower() == wanted.lower(),
    "BinaryEquals": lambda given, wanted: given == wanted,
    "IpAddress": _in_network,
    "ArnEquals": lambda given, wanted: arn_glob(wanted, given),
    "ArnLike": lambda given, wanted: arn_glob(wanted, given),
}
