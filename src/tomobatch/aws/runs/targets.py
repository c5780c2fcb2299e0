"""What a command makes, read from ``rule:scan=demo,k=3``."""

from dataclasses import dataclass

from snakemake_executor_plugin_aws_batch_array.targets import decode_target


@dataclass(frozen=True)
class Target:
    """One job: its rule, its scan, and its chunk if it has one."""

    rule: str
    scan: str
    chunk: int | None

    def __str__(self) -> str:
        where = self.scan if self.chunk is None else f"{self.scan}, chunk {self.chunk}"
        return f"{self.rule} ({where})" if where else self.rule


def parse_target(target: tuple[str, ...]) -> Target:
    """Read the target of a command; of a group, its first job."""
    rule, wildcards = decode_target(target[0])
    chunk = wildcards.get("i", wildcards.get("k", ""))
    return Target(rule, wildcards.get("scan", ""), int(chunk) if chunk.isdigit() else None)
