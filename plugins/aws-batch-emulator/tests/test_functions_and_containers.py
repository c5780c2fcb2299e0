"""Children that are not processes: calls of a function, and containers."""

import pytest

import aws_batch_emulator
from aws_batch_emulator.containers import create_command, make_volumes

CHILD_FUNCTION = """
def write(command, environment):
    import boto3
    if command == ["raise"]:
        raise RuntimeError("as told")
    s3 = boto3.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"])
    key = environment["AWS_BATCH_JOB_ARRAY_INDEX"]
    s3.put_object(Bucket="tomobatch-data", Key=key, Body=command[0].encode())
    return int(key)
"""


@pytest.fixture
def functions(shared_account, tmp_path, monkeypatch):
    (tmp_path / "child_functions.py").write_text(CHILD_FUNCTION)
    monkeypatch.chdir(tmp_path)
    for name, value in shared_account.emulator.environment.items():
        if "KEY" in name or "REGION" in name:
            monkeypatch.setenv(name, value)
    with aws_batch_emulator.start(children="child_functions:write", log_lag_s=0) as emulator:
        yield type(shared_account)(emulator)


def test_children_are_calls_of_a_function(functions):
    parent = functions.run("hello", arrayProperties={"size": 2})
    assert [c["status"] for c in functions.children(parent["jobId"], 2)] == ["SUCCEEDED", "FAILED"]
    for key in ("0", "1"):
        stored = functions.client("s3").get_object(Bucket="tomobatch-data", Key=key)
        assert stored["Body"].read() == b"hello"
    failed = functions.run("raise", arrayProperties={"size": 2})
    (child, _) = functions.children(failed["jobId"], 2)
    assert child["container"]["exitCode"] == 1
    assert functions.log(child)[-1] == "RuntimeError: as told"


def test_a_container_gets_what_its_definition_asks_for(tmp_path):
    container = {
        "image": "image:tag",
        "user": "1000:1000",
        "readonlyRootFilesystem": True,
        "volumes": [{"name": "scratch", "host": {"sourcePath": "/var/scratch"}}],
        "mountPoints": [
            {"sourceVolume": "scratch", "containerPath": "/tmp", "readOnly": False},
            {"sourceVolume": "scratch", "containerPath": "/data", "readOnly": True},
        ],
    }
    folders = make_volumes(container, tmp_path)
    words = create_command("name", ["echo", "$HOME; true"], {"SECRET": "value"}, container, folders)
    scratch = tmp_path / "scratch"
    assert words == [
        *["docker", "create", "--name", "name", "--network", "host", "--pull", "never"],
        *["--env", "SECRET"],
        *["--user", "1000:1000"],
        "--read-only",
        *["--volume", f"{scratch}:/tmp"],
        *["--volume", f"{scratch}:/data:ro"],
        "image:tag",
        *["echo", "$HOME; true"],
    ]
    assert scratch.stat().st_mode & 0o777 == 0o777
