"""What pydantic finds wrong with a configuration, said in one line."""

import difflib
import re
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError


def first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """Say in one line what is wrong first, where, and what would be right."""
    # A fault in a shared section shows up once more under every scan: tell it where it was written.
    problem = min(error.errors(), key=lambda each: each["loc"][:1] == ("scans",))
    # Beside keys, pydantic names the branch of a union that it tried, such as "constrained-int".
    location = [str(part) for part in problem["loc"] if not _is_union_branch(str(part))]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        known = sorted(_keys_at(model, problem["loc"][:-1]))
        close = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
        return f"config: unknown key {key!r}; {hint}"
    if problem["type"] == "missing":
        return f"config: {key} is missing; see config.yaml for an example"
    message = problem["msg"].removeprefix("Value error, ").replace("Input should", "should")
    message = message.replace(
        "Dictionary should have at least 1 item after validation, not 0", "no scan"
    )
    message = re.sub(
        "String should match pattern .*", "may hold letters, digits and . _ -", message
    )
    message = re.sub(r"valid dictionary or instance of \w+", "mapping of keys to values", message)
    return f"config: {key}: {message}, got {problem['input']!r}"


def _is_union_branch(part: str) -> bool:
    return part == "[key]" or part.startswith(("constrained-", "literal["))


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> set[str]:
    """Return the keys that the schema knows at a location; in a mapping, a part is its own key."""
    parts = iter(location)
    for part in parts:
        annotation = model.model_fields[str(part)].annotation
        if get_origin(annotation) is dict:
            next(parts, None)
            annotation = get_args(annotation)[1]
        assert isinstance(annotation, type) and issubclass(annotation, BaseModel)  # noqa: S101
        model = annotation
    return set(model.model_fields)
