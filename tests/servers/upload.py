"""Puts the files of a folder into a new bucket.

Usage:  upload.py ENDPOINT ACCESS_KEY SECRET_KEY BUCKET FOLDER
"""

import os
import sys

import boto3

endpoint, access_key, secret_key, bucket, folder = sys.argv[1:]
s3 = boto3.client(
    "s3",
    endpoint_url=endpoint,
    aws_access_key_id=access_key,
    aws_secret_access_key=secret_key,
    region_name="us-east-1",
    config=boto3.session.Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
)
s3.create_bucket(Bucket=bucket)
for above, _, names in os.walk(folder):
    for name in names:
        path = os.path.join(above, name)
        s3.upload_file(path, bucket, os.path.relpath(path, folder))
