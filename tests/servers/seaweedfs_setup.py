"""Fills a running SeaweedFS with buckets of one account; the truth has the form described in rgw_setup.py.

SeaweedFS pages the answer of ListBuckets and knows versioning and lifecycle, but loses every MfaDelete.
"""

import time
from concurrent.futures import ThreadPoolExecutor

from s3raw import EXPIRE, lifecycle, must, request, versioning

ACCOUNT = "111111111111"
KEYS = (f"AK{ACCOUNT}", f"SK{ACCOUNT}")


def identities(owner):
    """The configuration of its users."""
    credentials = [{"accessKey": KEYS[0], "secretKey": KEYS[1]}]
    return {"identities": [{"name": owner, "credentials": credentials, "actions": ["Admin"]}]}


def wait(endpoint, owner, process):
    """Until the server of that owner answers."""
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            if owner.encode() in request(endpoint, KEYS, "GET", "/").body:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"SeaweedFS does not answer at {endpoint}, exit status {process.poll()}")


def make_bucket(endpoint, bucket, status, rules):
    must(endpoint, KEYS, "PUT", f"/{bucket}")
    if status:
        must(endpoint, KEYS, "PUT", f"/{bucket}", "versioning", versioning(status))
    if rules:
        must(endpoint, KEYS, "PUT", f"/{bucket}", "lifecycle", lifecycle(*rules))
    return {
        "region": "us-east-1",
        "versioning": (status or "never").lower(),
        "mfa_delete": "never",
        "lifecycle": "present" if rules else "none",
        "lifecycle_rules": len(rules),
    }


def populate(endpoint, count):
    """Makes buckets of four kinds in turn; returns the truth."""
    kinds = [(None, []), ("Enabled", []), ("Suspended", []), ("Enabled", [EXPIRE])]
    names = [f"bucket-{number:05}" for number in range(count)]
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda i: make_bucket(endpoint, names[i], *kinds[i % len(kinds)]), range(count))
        buckets = dict(zip(names, made))
    return {"accounts": {ACCOUNT: {"access_key": KEYS[0], "secret_key": KEYS[1], "buckets": buckets}}}
