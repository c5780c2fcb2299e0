"""``tomobatch push``: the image of all jobs, built and brought to where they start from."""

import base64
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tomobatch import __version__
from tomobatch.cli.shared.options import DEFAULT_PREFIX, Prefix, Region
from tomobatch.errors import UserError


def run(
    tag: Annotated[str, typer.Option(help="Tag of the image; a tag is pushed once.")] = __version__,
    prefix: Prefix = DEFAULT_PREFIX,
    region: Region = None,
    engine: Annotated[str, typer.Option(help="docker, or what understands the same.")] = "docker",
) -> None:
    """Build docker/Dockerfile and push it to the repository of the stacks.

    Example: `tomobatch push --tag 0.1.0`
    """
    from tomobatch.aws.account.mistakes import aws_mistakes
    from tomobatch.aws.account.stacks import REPOSITORY, read_outputs
    from tomobatch.cli.shared.aws import client_maker

    dockerfile = REPOSITORY / "docker" / "Dockerfile"
    if not dockerfile.is_file():
        raise UserError(f"{dockerfile} does not exist: push from a checkout of the repository")
    if shutil.which(engine) is None:
        raise UserError(f"{engine} is not installed, or not on the PATH: install Docker")
    make = client_maker(region)
    with aws_mistakes():
        repository = read_outputs(make("cloudformation"), prefix)["RepositoryUri"]
        registry, _, name = repository.partition("/")
        ecr = make("ecr")
        if tag in pushed_tags(ecr, name):
            raise UserError(
                f"{repository}:{tag} is there already and can't be replaced: give another --tag, "
                "and then tomobatch setup --set ImageTag=TAG"
            )
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    image = f"{repository}:{tag}"
    build_image(engine, dockerfile, image, tag)
    user, _, password = base64.b64decode(token).decode().partition(":")
    _call([engine, "login", "--username", user, "--password-stdin", registry], password)
    _call([engine, "push", image])
    typer.echo(f"{image}: pushed")
    typer.echo(f"Jobs take it after: tomobatch setup --set ImageTag={tag}")


def pushed_tags(ecr: object, repository: str) -> set[str]:
    """Return all tags of a repository."""
    pages = ecr.get_paginator("list_images").paginate(  # type: ignore[attr-defined]
        repositoryName=repository, filter={"tagStatus": "TAGGED"}
    )
    return {image["imageTag"] for page in pages for image in page["imageIds"]}


def build_image(engine: str, dockerfile: Path, image: str, version: str) -> None:
    """Build the image from the sources beside its Dockerfile's folder."""
    _call(
        [
            *(engine, "build", "--file", str(dockerfile), "--tag", image),
            *("--build-arg", f"VERSION={version}", str(dockerfile.parents[1])),
        ]
    )


def _call(command: Sequence[str], secret: str | None = None) -> None:
    """Run a command with its output on the terminal; a secret goes through its standard input."""
    typer.echo(f"$ {' '.join(command)}")
    done = subprocess.run(command, check=False, input=secret, text=True)
    if done.returncode:
        raise UserError(f"{command[0]} {command[1]} failed with exit code {done.returncode}")
