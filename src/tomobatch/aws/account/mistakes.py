"""What a user got wrong about AWS, told in one line instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from snakemake_executor_plugin_aws_batch_array.errors import UserError as PluginUserError
from tomobatch.errors import UserError

SIGN_IN = "sign in with `aws configure` or `aws sso login`, and set AWS_PROFILE if you have several"

REFUSED = {
    "ExpiredToken": f"the credentials have expired: {SIGN_IN}.",
    "ExpiredTokenException": f"the credentials have expired: {SIGN_IN}.",
    "InvalidClientTokenId": f"AWS does not know these credentials: {SIGN_IN}.",
    "SignatureDoesNotMatch": f"the secret key does not fit its key id: {SIGN_IN}.",
    "UnrecognizedClientException": f"AWS does not know these credentials here: {SIGN_IN}.",
    "AuthFailure": f"AWS does not know these credentials here: {SIGN_IN}.",
    "OptInRequired": "this Region is not turned on for your account: give another --region.",
}


@contextmanager
def aws_mistakes() -> Iterator[None]:
    """Turn what boto3 raises inside into a ``UserError`` that says what to do.

    Raises
    ------
    UserError
        For missing, expired or refused credentials, a Region that is not there, a network that is
        down, missing permissions, and any other refusal, with AWS's own words.
    """
    try:
        yield
    except PluginUserError as error:
        raise UserError(str(error)) from error
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
        raise UserError(f"No usable AWS credentials ({error}): {SIGN_IN}.") from error
    except (UnauthorizedSSOTokenError, TokenRetrievalError) as error:
        raise UserError(f"The AWS sign-in has expired ({error}): {SIGN_IN}.") from error
    except (EndpointConnectionError, ConnectionError) as error:
        raise UserError(
            f"AWS can't be reached ({error}): check the network and the name of the Region."
        ) from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        call = error.operation_name
        message = error.response["Error"]["Message"]
        raise UserError(f"{call}: {REFUSED.get(code, f'{message} ({code})')}") from error
    except BotoCoreError as error:
        raise UserError(f"AWS could not be asked: {error}") from error


def reason_of(error: Exception) -> str:
    """Return AWS's own words on a call that it refused."""
    if isinstance(error, ClientError):
        return error.response["Error"].get("Message") or error.response["Error"]["Code"]
    return str(error)
