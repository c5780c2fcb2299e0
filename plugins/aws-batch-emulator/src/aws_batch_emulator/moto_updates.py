# ruff: noqa: ANN401
"""Which resources moto changes when a stack does.

Seen in moto 5.2.5: a resource that moto can't update is forgotten; what a condition keeps away is
updated even so; what depends on a parameter is updated when that is first given, though it is its
default, and is not where it is named in a text or by a condition.
"""

import re
from functools import wraps
from typing import Any

import moto.cloudformation.parsing

# Typed as Any, because what is mended here is not for a type checker to follow.
parsing: Any = moto.cloudformation.parsing


def mend_updates() -> None:
    """Mend how stacks change, in this process."""
    update = parsing.parse_and_update_resource

    @wraps(update)
    def update_or_keep(
        logical_id: str, resource_json: dict[str, Any], resources_map: Any, **where: str
    ) -> Any:
        condition = resource_json.get("Condition")
        if condition is not None and not resources_map.lazy_condition_map[condition]:
            return None
        changed = update(logical_id, resource_json, resources_map, **where)
        return resources_map[logical_id] if changed is None else changed

    parsing.parse_and_update_resource = update_or_keep
    differ = parsing.ResourceMap.build_resource_diff

    @wraps(differ)
    def differ_by_parameters(
        self: Any, other_template: dict[str, Any], parameters: dict[str, Any] | None = None
    ) -> Any:
        found = differ(self, other_template)
        declared = self._template.get("Parameters", {})
        before = {name: each.get("Default") for name, each in declared.items()}
        before |= self.input_parameters
        changed = {k for k, v in (parameters or {}).items() if str(before.get(k)) != str(v)}
        conditions = other_template.get("Conditions", {})
        for name, resource in other_template["Resources"].items():
            same = self._resource_json_map.get(name) == resource
            if same and changed & _mentioned(resource, conditions):
                found["Modify"].append(name)
        return found

    parsing.ResourceMap.build_resource_diff = differ_by_parameters


def _mentioned(node: Any, conditions: dict[str, Any]) -> set[str]:
    """Return the names that a part of a template refers to, by way of its conditions as well."""
    if isinstance(node, str):
        return set(re.findall(r"\$\{([^}!]+)\}", node))
    if isinstance(node, list):
        return set().union(*(_mentioned(item, conditions) for item in node))
    if not isinstance(node, dict):
        return set()
    names: set[str] = set()
    for key, value in node.items():
        names |= {value} if key == "Ref" else _mentioned(value, conditions)
        condition = value[0] if key == "Fn::If" else value if key == "Condition" else None
        if isinstance(condition, str) and condition in conditions:
            names |= _mentioned(conditions[condition], conditions)
    return names
