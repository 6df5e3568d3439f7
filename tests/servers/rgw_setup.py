"""Fills a running RGW with accounts and buckets in every state, and tells what is then the truth.

An account is an RGW tenant whose user `root` has the access key AK<account> and the secret key SK<account>.
The truth is what a scanner with these keys has to report:

    {"accounts": {"111111111111": {"access_key": ..., "secret_key": ..., "mfa": {"serial": ..., "codes": [...]},
        "buckets": {"NAME": {
        "region": ..., "versioning": "never|enabled|suspended|unknown", "mfa_delete": "never|disabled|enabled|unknown",
        "lifecycle": "none|present|unknown", "lifecycle_rules": N, null when unknown}}}}}

The codes of `mfa` are good for some minutes, each once, in their order and not more than four a second.
"""

import json
import subprocess
import time

from s3raw import Refused, TotpDevice, lifecycle, must, versioning

ACCOUNTS = ("111111111111", "222222222222", "333333333333")

EXPIRE_NONCURRENT = (
    "<ID>expire-noncurrent</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"
    "<NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration>"
)
ABORT_UPLOADS = (
    "<ID>abort-uploads</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"
    "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>"
)
EXPIRE_TAGGED = (
    "<ID>expire-tagged</ID><Filter><And><Prefix>tmp/</Prefix><Tag><Key>keep</Key><Value>no</Value></Tag></And></Filter>"
    "<Status>Enabled</Status><Expiration><Days>365</Days></Expiration>"
)
DISABLED = (
    "<ID>disabled</ID><Filter><Prefix>old/</Prefix></Filter><Status>Disabled</Status>"
    "<Expiration><Days>1</Days></Expiration>"
)

# Each state: what is done to the bucket, in this order, and what a scanner then has to see.
# `versioning` lists the PutBucketVersioning requests (Status, MfaDelete). RGW answers MfaDelete=Disabled for every
# bucket whose versioning was ever set, so "never" is seen only where nothing was.
STATES = {
    "never-versioned": {},
    "versioned": {"versioning": [("Enabled", None)]},
    "versioned-mfa": {"versioning": [("Enabled", "Enabled")]},
    "suspended": {"versioning": [("Enabled", None), ("Suspended", None)]},
    "suspended-mfa": {"versioning": [("Suspended", "Enabled")]},
    "mfa-switched-off": {"versioning": [("Enabled", "Enabled"), ("Enabled", "Disabled")]},
    "lifecycle-never-versioned": {"rules": [ABORT_UPLOADS]},
    "lifecycle-versioned": {
        "versioning": [("Enabled", None)],
        "rules": [EXPIRE_NONCURRENT, ABORT_UPLOADS, EXPIRE_TAGGED, DISABLED],
    },
    # RGW lets MFA delete and lifecycle rules exist together; AWS documents that it does not.
    "mfa-lifecycle": {"versioning": [("Enabled", "Enabled")], "rules": [EXPIRE_NONCURRENT]},
    "mfa-lifecycle-abort-only": {"versioning": [("Enabled", "Enabled")], "rules": [ABORT_UPLOADS]},
    "mfa-lifecycle-disabled": {"versioning": [("Enabled", "Enabled")], "rules": [DISABLED]},
    "denied-versioning": {
        "versioning": [("Enabled", "Enabled")],
        "rules": [ABORT_UPLOADS],
        "deny": ["s3:GetBucketVersioning"],
    },
    "denied-lifecycle": {
        "versioning": [("Enabled", "Enabled")],
        "rules": [EXPIRE_NONCURRENT],
        "deny": ["s3:GetLifecycleConfiguration"],
    },
    "denied-both": {"deny": ["s3:GetBucketVersioning", "s3:GetLifecycleConfiguration"]},
}

# account, Region (its place among the gateways), bucket, state
BUCKETS = [
    ("111111111111", 0, "never-versioned", "never-versioned"),
    ("111111111111", 0, "versioned", "versioned"),
    ("111111111111", 0, "versioned-mfa", "versioned-mfa"),
    ("111111111111", 0, "suspended", "suspended"),
    ("111111111111", 0, "suspended-mfa", "suspended-mfa"),
    ("111111111111", 0, "mfa-switched-off", "mfa-switched-off"),
    ("111111111111", 1, "elsewhere", "versioned"),
    ("222222222222", 0, "lifecycle-never-versioned", "lifecycle-never-versioned"),
    ("222222222222", 0, "lifecycle-versioned", "lifecycle-versioned"),
    ("222222222222", 0, "mfa-lifecycle", "mfa-lifecycle"),
    ("222222222222", 0, "mfa-lifecycle-abort-only", "mfa-lifecycle-abort-only"),
    ("222222222222", 0, "mfa-lifecycle-disabled", "mfa-lifecycle-disabled"),
    ("222222222222", 1, "elsewhere-mfa-lifecycle", "mfa-lifecycle"),
    ("333333333333", 0, "denied-versioning", "denied-versioning"),
    ("333333333333", 0, "denied-lifecycle", "denied-lifecycle"),
    ("333333333333", 0, "denied-both", "denied-both"),
    # a name that another account has too, which only AWS would refuse
    ("333333333333", 0, "versioned", "versioned-mfa"),
]


def keys(account):
    return f"AK{account}", f"SK{account}"


def make_accounts(conf, regions):
    """A user and a TOTP device in each account, in every Region: with rgw-start, none learns from another."""

    def admin(*args):
        done = subprocess.run(["radosgw-admin", "-c", conf, *args], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"radosgw-admin {args}: {done.returncode}: {done.stderr}")

    for region in regions:
        zone = () if region == "default" else (f"--rgw-zonegroup={region}", f"--rgw-zone={region}-z")
        # radosgw-admin asks twice before it changes metadata anywhere but in the first Region
        sure = () if region == regions[0] else ("--yes-i-really-mean-it",)
        for account in ACCOUNTS:
            access_key, secret_key = keys(account)
            admin(
                *("user", "create", "--tenant", account, "--uid", "root", "--display-name", account),
                *("--access-key", access_key, "--secret-key", secret_key, *zone, *sure),
            )
            admin(
                *("mfa", "create", "--uid", f"{account}$root", "--totp-serial", f"mfa-{account}"),
                *(*TotpDevice.RADOSGW_ADMIN_OPTIONS, *zone, *sure),
            )


def deny(bucket, actions):
    statement = {"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": f"arn:aws:s3:::{bucket}"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_bucket(endpoint, account, bucket, state, device):
    def put(query="", body="", headers=None):
        must(endpoint, keys(account), "PUT", f"/{bucket}", query, body, headers)

    def put_with_code(query, body):
        # On a busy machine RGW now and then finds that the codes of one second were too many, and refuses a right one.
        # A refused code changes nothing, and the next one is of a later second.
        for patience in (2, 2, 0):
            try:
                return put(query, body, device.header())
            except Refused as refused:
                if refused.status != 403 or not patience:
                    raise
                time.sleep(patience)

    put()
    mfa = False
    for status, mfa_delete in state.get("versioning", []):
        # RGW wants a code for every change to or from MFA delete
        change = put_with_code if mfa or mfa_delete else put
        change("versioning", versioning(status, mfa_delete))
        mfa = mfa_delete == "Enabled"
    if "rules" in state:
        put("lifecycle", lifecycle(*state["rules"]))
    if "deny" in state:
        put("policy", deny(bucket, state["deny"]))


def seen(region, state):
    denied = state.get("deny", [])
    versioning_denied, lifecycle_denied = "s3:GetBucketVersioning" in denied, "s3:GetLifecycleConfiguration" in denied
    status, mfa_delete = state.get("versioning", [("never", "never")])[-1]
    rules = len(state.get("rules", []))
    return {
        "region": region,
        "versioning": "unknown" if versioning_denied else status.lower(),
        "mfa_delete": "unknown" if versioning_denied else (mfa_delete or "disabled").lower(),
        "lifecycle": "unknown" if lifecycle_denied else "present" if rules else "none",
        "lifecycle_rules": None if lifecycle_denied else rules,
    }


def populate(conf, endpoints, with_rules=True):
    """Makes everything; returns the truth.

    conf: the ceph.conf of the cluster; endpoints: Region and URL of each gateway, the Region "default" without Regions;
    with_rules: also the buckets that have lifecycle rules
    """
    make_accounts(conf, [region for region, _ in endpoints])
    devices = {account: TotpDevice(f"mfa-{account}") for account in ACCOUNTS}
    accounts = {
        account: {"access_key": keys(account)[0], "secret_key": keys(account)[1], "buckets": {}} for account in ACCOUNTS
    }
    for account, place, bucket, state in BUCKETS:
        if place < len(endpoints) and (with_rules or "rules" not in STATES[state]):
            region, url = endpoints[place]
            make_bucket(url, account, bucket, STATES[state], devices[account])
            accounts[account]["buckets"][bucket] = seen(region, STATES[state])
    for account, device in devices.items():
        accounts[account]["mfa"] = {"serial": device.serial, "codes": device.coming(30)}
    return {"accounts": accounts}
