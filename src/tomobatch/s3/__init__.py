"""What lies on S3: addresses, reading by range, and moving files there and back."""
