"""Prints the elements and words of S3's answers that bucketlens reads: fixtures/wire/s3-model.json.

    pip download --no-deps --dest DIR botocore && python3 tests/servers/s3_model.py DIR/botocore-*.whl

The wheel's own model of S3 is the source. A line of the table is an element without elements of its own.
"""

import gzip
import json
import sys
import zipfile

# The root element of each answer, as the API reference has it.
ROOTS = {
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketEncryption": "ServerSideEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketOwnershipControls": "OwnershipControls",
    "GetBucketReplication": "ReplicationConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetObjectLockConfiguration": "ObjectLockConfiguration",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListObjectsV2": "ListBucketResult",
}


def model(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(it for it in archive.namelist() if "data/s3/2006-03-01/service-2.json" in it)
        data = archive.read(name)
    return json.loads(gzip.decompress(data) if name.endswith(".gz") else data)


def leaves(shapes, name, path):
    """The elements below one of this shape, each with what it holds."""
    shape = shapes[name]
    if shape["type"] == "structure" and shape["members"]:
        for member, at in shape["members"].items():
            if "location" in at:
                continue
            inner = shapes[at["shape"]]
            element = at.get("locationName", member)
            if inner["type"] == "list" and (inner.get("flattened") or at.get("flattened")):
                element = inner["member"].get("locationName", element)
                yield from leaves(shapes, inner["member"]["shape"], f"{path}/{element}")
            else:
                yield from leaves(shapes, at["shape"], f"{path}/{element}")
    elif shape["type"] == "list":
        element = shape["member"].get("locationName", "member")
        yield from leaves(shapes, shape["member"]["shape"], f"{path}/{element}")
    else:
        yield path, shape.get("enum") or ("empty" if shape["type"] == "structure" else shape["type"])


def main(wheel):
    s3 = model(wheel)
    shapes = s3["shapes"]
    rows = []
    for operation, root in ROOTS.items():
        output = s3["operations"][operation]["output"]["shape"]
        payload = shapes[output].get("payload")
        if payload:
            output = shapes[output]["members"][payload]["shape"]
        if operation == "GetBucketLocation":
            words = shapes[shapes[output]["members"]["LocationConstraint"]["shape"]]["enum"]
            rows.append((operation, root, words))
            continue
        rows += [(operation, path, holds) for path, holds in leaves(shapes, output, root)]
    lines = [json.dumps({"operation": o, "element": p, "holds": h}) for o, p, h in rows]
    print("[\n  " + ",\n  ".join(lines) + "\n]")


main(sys.argv[1])
