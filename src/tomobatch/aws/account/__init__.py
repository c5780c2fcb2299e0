"""From an empty AWS account to queues that wait for jobs, and back.

``stacks`` names the CloudFormation stacks in their order, ``changes`` makes one stack what its
template says, ``deploy`` does so for all, ``teardown`` removes them again.
"""
