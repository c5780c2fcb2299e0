"""The CloudFormation templates as data, with their functions worked out."""

import functools
import json
import re
from pathlib import Path

from cfnlint.decode import cfn_yaml

FOLDER = Path(__file__).parents[2] / "cloudformation"
NAMES = ("iam", "storage", "ecr", "network", "gpu-ami", "batch")
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Region": "eu-central-1",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()


@functools.cache
def _parse(text):
    return json.loads(json.dumps(cfn_yaml.loads(text)))


class Template:
    """One template, resolved for given parameters.

    ``Ref`` and ``Fn::GetAtt`` of a resource give ``<Name>`` and ``<Name.Attribute>``, an import
    gives ``<export name>``, or two of them where what is exported is a list.
    """

    def __init__(self, name, **parameters):
        self.text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        self.data = _parse(self.text)
        defaults = {
            key: str(declared.get("Default", ""))
            for key, declared in self.data["Parameters"].items()
        }
        unknown = set(parameters) - set(defaults)
        assert not unknown, f"{name} has no parameter {unknown}"
        self.parameters = PSEUDO | defaults | parameters

    def resources(self, kind):
        """Resolved properties of the resources of a type that exist, by name."""
        return {
            name: self.resolve(resource.get("Properties", {}))
            for name, resource in self.data["Resources"].items()
            if resource["Type"] == kind and self.exists(resource)
        }

    def only(self, kind):
        """Resolved properties of the one resource of a type."""
        (properties,) = self.resources(kind).values()
        return properties

    def outputs(self):
        """Resolved outputs that exist, by name."""
        return {
            name: self.resolve(output)
            for name, output in self.data["Outputs"].items()
            if self.exists(output)
        }

    def exists(self, item):
        return "Condition" not in item or self.holds({"Condition": item["Condition"]})

    def holds(self, condition):
        """Whether a condition is true."""
        ((function, argument),) = condition.items()
        if function == "Condition":
            return self.holds(self.data["Conditions"][argument])
        if function == "Fn::Equals":
            left, right = (str(self.resolve(side)) for side in argument)
            return left == right
        if function == "Fn::Not":
            return not self.holds(argument[0])
        combine = {"Fn::And": all, "Fn::Or": any}[function]
        return combine([self.holds(part) for part in argument])

    def resolve(self, node):
        """Work out every function in a part of the template."""
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            worker = getattr(self, "_" + function.replace("Fn::", "").lower(), None)
            if (function == "Ref" or function.startswith("Fn::")) and worker is not None:
                return worker(argument)
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NO_VALUE}

    def _ref(self, name):
        if name == "AWS::NoValue":
            return NO_VALUE
        if self.data["Parameters"].get(name, {}).get("Type") == "CommaDelimitedList":
            return self.parameters[name].split(",")
        return self.parameters.get(name, f"<{name}>")

    def _getatt(self, argument):
        return f"<{argument if isinstance(argument, str) else '.'.join(argument)}>"

    def _sub(self, argument):
        text, values = (argument, {}) if isinstance(argument, str) else argument
        values = {key: self.resolve(value) for key, value in values.items()}
        return re.sub(
            r"\$\{([^}]+)\}",
            lambda found: str(values.get(found[1]) or self._ref(found[1])),
            text,
        )

    def _importvalue(self, argument):
        name = self.resolve(argument)
        return f"<{name}.0>,<{name}.1>" if name.endswith("-Subnets") else f"<{name}>"

    def _if(self, argument):
        condition, yes, no = argument
        return self.resolve(yes if self.holds({"Condition": condition}) else no)

    def _join(self, argument):
        separator, parts = argument
        return separator.join(self.resolve(parts))

    def _split(self, argument):
        separator, text = argument
        return self.resolve(text).split(separator)

    def _select(self, argument):
        index, values = argument
        return self.resolve(values)[int(index)]

    def _getazs(self, argument):
        region = self.resolve(argument) or PSEUDO["AWS::Region"]
        return [f"{region}{letter}" for letter in "abc"]

    def _findinmap(self, argument):
        table, row, column = (self.resolve(part) for part in argument)
        return self.data["Mappings"][table][row][column]

    def _base64(self, argument):
        return self.resolve(argument)
