"""``python -m tomobatch.aws.runs.probe SECONDS``: a job that says where it is, and sleeps."""

import json
import sys
import time
from dataclasses import asdict

from snakemake_executor_plugin_aws_batch_array.worker.host import find_host

if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(find_host())) + "\n")
    sys.stdout.flush()
    time.sleep(float(sys.argv[1]))
