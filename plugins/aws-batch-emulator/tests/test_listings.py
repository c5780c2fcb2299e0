"""A bucket is listed as it was at one moment."""

import moto.s3.utils

from aws_batch_emulator.moto_listings import mend_listings


def test_what_is_deleted_while_a_bucket_is_listed_is_no_error():
    mend_listings()
    bucket = moto.s3.utils._VersionedKeyStore()
    bucket["a"], bucket["b"] = "first", "second"
    listing = bucket.items()
    assert next(listing) == ("a", "first")
    dict.pop(bucket, "b")
    assert list(listing) == [("b", "second")]
    assert list(bucket.values()) == ["first"]
