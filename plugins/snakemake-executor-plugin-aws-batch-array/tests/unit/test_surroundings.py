"""What the worker finds out about the machine and the software around it."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from snakemake_executor_plugin_aws_batch_array.versions import installed_versions, mismatches
from snakemake_executor_plugin_aws_batch_array.worker.host import Host, find_host
from snakemake_executor_plugin_aws_batch_array.worker.memory import count_memory_kills

IDENTITY = {
    "instanceType": "g6.xlarge",
    "availabilityZone": "eu-central-1b",
    "instanceId": "i-1",
    "pendingTime": "2026-11-26T06:30:00Z",
    "imageId": "ami-1",
}
METADATA = {
    "meta-data/instance-life-cycle": "spot",
    "dynamic/instance-identity/document": json.dumps(IDENTITY),
}
TASK = {
    "TaskARN": "arn:aws:ecs:eu-central-1:123456789012:task/cluster/abc",
    "AvailabilityZone": "eu-central-1c",
    "LaunchType": "FARGATE",
    "Limits": {"CPU": 4, "Memory": 8192},
    "PullStartedAt": "2026-11-26T06:30:00.123456789Z",
}
FOUND = Host("g6.xlarge", "eu-central-1b", "spot", "i-1", "2026-11-26T06:30:00Z")


@pytest.fixture
def metadata_service():
    """A metadata service that answers only those who fetched a token (IMDSv2)."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            self.reply("token" if self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else None)

        def do_GET(self):
            if self.path == "/v4/abc/task":
                self.reply(json.dumps(TASK))
                return
            known = self.headers["X-aws-ec2-metadata-token"] == "token"
            item = self.path.removeprefix("/latest/")
            self.reply(METADATA.get(item) if known else None)

        def reply(self, text):
            self.send_response(401 if text is None else 200)
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_host_is_found(metadata_service):
    host = find_host({"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{metadata_service}/"})

    assert host == FOUND
    assert host.launched_ms == 1_795_674_600_000


def test_a_task_on_fargate_is_found_by_its_own_metadata(metadata_service):
    """They do not tell how it is bought, which its job definition does."""
    environment = {
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "ECS_CONTAINER_METADATA_URI_V4": f"{metadata_service}/v4/abc",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata_service,
    }
    host = find_host(environment | {"SNAKEMAKE_FARGATE_MARKET": "spot"})

    size = "fargate.4vcpu-8gb"
    assert host == Host(size, "eu-central-1c", "spot", "abc", TASK["PullStartedAt"])
    assert abs(host.launched_ms - FOUND.launched_ms) < 1000
    assert find_host(environment).market == ""
    gone = environment | {"ECS_CONTAINER_METADATA_URI_V4": f"{metadata_service}/v4/none"}
    assert find_host(gone) == find_host({"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"}) == Host()


def test_the_file_of_the_machine_comes_before_its_metadata_service(metadata_service, tmp_path):
    file = tmp_path / "host.json"
    file.write_text(
        '{"instance_type": "c6i.xlarge", "zone": "eu-central-1a", "market": "on-demand", '
        '"instance_id": "i-2", "launched": "2026-11-26T06:30:01Z"}\n'
    )
    environment = {
        "SNAKEMAKE_HOST_FILE": str(file),
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{metadata_service}/",
    }
    host = find_host(environment)
    assert host.launched_ms == FOUND.launched_ms + 1000
    assert replace(host, launched="") == Host("c6i.xlarge", "eu-central-1a", "on-demand", "i-2")


@pytest.mark.parametrize("text", [None, "", "no JSON", "[1]"])
def test_a_file_that_says_nothing_is_passed_over(metadata_service, tmp_path, text):
    file = tmp_path / "host.json"
    if text is not None:
        file.write_text(text)
    environment = {
        "SNAKEMAKE_HOST_FILE": str(file),
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{metadata_service}/",
    }
    assert find_host(environment) == FOUND


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_EC2_METADATA_DISABLED": "true"},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"},
    ],
)
def test_an_unknown_host_is_no_error(environment):
    assert find_host(environment) == Host()
    assert find_host(environment).launched_ms == 0


@pytest.mark.parametrize(
    ("text", "kills"),
    [
        ("low 0\nhigh 0\noom 4\noom_kill 3\n", 3),
        ("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", 2),
        ("oom 4\n", 0),
    ],
)
def test_kills_are_counted(tmp_path, text, kills):
    counter = tmp_path / "memory.events"
    counter.write_text(text)

    assert count_memory_kills([tmp_path / "missing", counter]) == kills


def test_without_a_counter_there_are_no_kills(tmp_path):
    assert count_memory_kills([tmp_path / "missing"]) == 0


def test_only_installed_software_has_a_version():
    assert installed_versions(["snakemake", "no-such-distribution"]).keys() == {"snakemake"}


@pytest.mark.parametrize(
    ("here", "message"),
    [
        ({"snakemake": "9.27.1"}, []),
        ({"snakemake": "9.27.3"}, []),
        ({"snakemake": "9.2.1"}, ["snakemake is 9.2.1 in the image and 9.27.1 here"]),
        ({"snakemake": "8.27.1"}, ["snakemake is 8.27.1 in the image and 9.27.1 here"]),
        ({}, ["snakemake is missing in the image and 9.27.1 here"]),
    ],
)  # fmt: skip
def test_major_and_minor_version_must_agree(here, message):
    at_controller = [text.replace("here", "at the controller") for text in message]

    assert mismatches({"snakemake": "9.27.1"}, here) == at_controller
