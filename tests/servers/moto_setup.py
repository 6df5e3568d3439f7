"""Fills a running moto with an organization; the truth has the form described in rgw_setup.py, and more:

    {"management": "123456789012", "access_key": ..., "secret_key": ...,        keys of the management account
     "root": "r-...", "accounts": {"ID": {"name": ..., "state": "ACTIVE|SUSPENDED",
         "parents": ["r-...", "ou-...", ...],                                   from the root down to the account
         "buckets": {...}}}}

AssumeRole into any role of an account works; moto checks neither trust nor signatures. The body of
GetBucketVersioning has the wrong root element (`GetBucketVersioningResponse`), so a scanner that looks at what it
reads knows neither versioning nor MFA delete of any bucket.
"""

from s3raw import EXPIRE, lifecycle, must, versioning

KEYS = ("management", "management")
# the name of an account: the organizational units above it, and its buckets (name, Region, rules)
ACCOUNTS = {
    "at-root": ((), [("at-root-plain", "us-east-1", [])]),
    "web": (("production",), [("web-assets", "eu-west-1", [EXPIRE]), ("web-logs", "us-east-1", [])]),
    "payments": (("production", "regulated"), [("payments-records", "us-east-1", [])]),
    "sandbox": (("sandbox",), [("sandbox-scratch", "us-east-1", [EXPIRE])]),
    "empty": (("sandbox",), []),
    "closed": (("sandbox",), []),
}


def client(endpoint, service, keys):
    import boto3

    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **dict(zip(names, keys)))


def make_bucket(endpoint, keys, bucket, region, rules):
    where = f"<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
    must(endpoint, keys, "PUT", f"/{bucket}", body="" if region == "us-east-1" else where, region=region)
    must(endpoint, keys, "PUT", f"/{bucket}", "versioning", versioning("Enabled"))
    if rules:
        must(endpoint, keys, "PUT", f"/{bucket}", "lifecycle", lifecycle(*rules))
    return {
        "region": region,
        "versioning": "unknown",
        "mfa_delete": "unknown",
        "lifecycle": "present" if rules else "none",
        "lifecycle_rules": len(rules),
    }


def populate(endpoint):
    """Makes the organization; returns the truth."""
    organizations = client(endpoint, "organizations", KEYS)
    sts = client(endpoint, "sts", KEYS)
    management = organizations.create_organization(FeatureSet="ALL")["Organization"]["MasterAccountId"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    units = {(): [root]}

    def unit(path):
        """The ids from the root down to the organizational unit with that path, which is made when it is missing."""
        if path not in units:
            above = unit(path[:-1])
            made = organizations.create_organizational_unit(ParentId=above[-1], Name=path[-1])
            units[path] = [*above, made["OrganizationalUnit"]["Id"]]
        return units[path]

    managed = [("management-trail", "us-east-1", [])]
    accounts = {
        management: {
            "name": "master",
            "state": "ACTIVE",
            "parents": [root],
            "buckets": {bucket[0]: make_bucket(endpoint, KEYS, *bucket) for bucket in managed},
        }
    }
    for name, (path, buckets) in ACCOUNTS.items():
        made = organizations.create_account(AccountName=name, Email=f"{name}@example.com")
        account = made["CreateAccountStatus"]["AccountId"]
        parents = unit(path)
        if path:
            organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=parents[-1])
        if name == "closed":
            organizations.close_account(AccountId=account)
        role = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/setup", RoleSessionName="setup")["Credentials"]
        keys = (role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])
        accounts[account] = {
            "name": name,
            "state": "SUSPENDED" if name == "closed" else "ACTIVE",
            "parents": parents,
            "buckets": {bucket[0]: make_bucket(endpoint, keys, *bucket) for bucket in buckets},
        }
    return {"management": management, "access_key": KEYS[0], "secret_key": KEYS[1], "root": root, "accounts": accounts}
