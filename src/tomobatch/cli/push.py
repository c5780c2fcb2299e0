"""``tomobatch push``: the image of all jobs, built and brought to where they start from."""

import base64
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tomobatch import __version__
from tomobatch.cli.shared.options import DEFAULT_PREFIX, Prefix, Region
from tomobatch.errors import UserError

PLATFORM = "linux/amd64"
"""Of the machines of the stacks, whatever machine the image is built on."""


def run(
    tag: Annotated[str, typer.Option(help="Tag of the image; a tag is pushed once.")] = __version__,
    prefix: Prefix = DEFAULT_PREFIX,
    region: Region = None,
    engine: Annotated[str, typer.Option(help="docker, or what understands the same.")] = "docker",
    image: Annotated[
        str | None, typer.Option(help="An image that is built already; by default it is built.")
    ] = None,
    repository: Annotated[
        str | None, typer.Option(help="Its address; by default the output RepositoryUri.")
    ] = None,
    if_absent: Annotated[
        bool, typer.Option("--if-absent", help="Do nothing where the tag is there already.")
    ] = False,
) -> None:
    """Build docker/Dockerfile and push it to the repository of the stacks.

    Example: `tomobatch push --tag 0.2.0`
    """
    from tomobatch.aws.account.mistakes import aws_mistakes
    from tomobatch.aws.account.stacks import read_outputs
    from tomobatch.cli.shared.aws import client_maker
    from tomobatch.workflow import workflow_folder

    dockerfile = workflow_folder() / "docker" / "Dockerfile"
    if image is None and not (workflow_folder() / "src").is_dir():
        raise UserError("the image is built from the sources of tomobatch: push from a clone")
    if shutil.which(engine) is None:
        raise UserError(f"{engine} is not installed, or not on the PATH: install Docker")
    make = client_maker(region)
    with aws_mistakes():
        address = repository or read_outputs(make("cloudformation"), prefix)["RepositoryUri"]
        ecr = make("ecr")
        if is_pushed(ecr, address.partition("/")[2], tag):
            _say_it_is_there(f"{address}:{tag}", if_absent)
            return
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    name = f"{address}:{tag}"
    if image is None:
        build_image(engine, dockerfile, name, tag)
    else:
        _call([engine, "tag", image, name])
    _push(engine, name, base64.b64decode(token).decode())
    typer.echo(f"{name}: pushed")
    typer.echo(f"Jobs take it after: tomobatch setup --set ImageTag={tag}")


def is_pushed(ecr: Any, repository: str, tag: str) -> bool:  # noqa: ANN401
    """Tell whether a repository has an image of a tag."""
    from botocore.exceptions import ClientError

    try:
        ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ImageNotFoundException":
            return False
        raise
    return True


def build_image(engine: str, dockerfile: Path, image: str, version: str) -> None:
    """Build the image from the sources beside its Dockerfile's folder."""
    _call(
        [
            *(engine, "build", "--platform", PLATFORM, "--file", str(dockerfile), "--tag", image),
            *("--build-arg", f"VERSION={version}", str(dockerfile.parents[1])),
        ]
    )


def _say_it_is_there(name: str, if_absent: bool) -> None:
    if not if_absent:
        raise UserError(
            f"{name} is there already and can't be replaced: give another --tag, "
            "and then tomobatch setup --set ImageTag=TAG"
        )
    typer.echo(f"{name}: there already, and tags can't be replaced")


def _push(engine: str, name: str, credentials: str) -> None:
    """Push an image; the registry's password is not left behind in the engine's files."""
    registry = name.partition("/")[0]
    user, _, password = credentials.partition(":")
    _call([engine, "login", "--username", user, "--password-stdin", registry], password)
    try:
        _call([engine, "push", name])
    finally:
        _call([engine, "logout", registry])


def _call(command: Sequence[str], secret: str | None = None) -> None:
    """Run a command with its output on the terminal; a secret goes through its standard input."""
    typer.echo(f"$ {' '.join(command)}")
    # Attestations would be images of their own in the repository, beside each that is pushed.
    environment = {**os.environ, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    done = subprocess.run(command, check=False, input=secret, text=True, env=environment)
    if done.returncode:
        raise UserError(f"{command[0]} {command[1]} failed with exit code {done.returncode}")
