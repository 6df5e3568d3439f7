"""Raw signed S3 requests, and TOTP devices for the MFA delete of an RGW.

Raw, because what the servers really say matters here and botocore's own clients paper over parts of it.

Usage:  s3raw.py ENDPOINT ACCESS_KEY SECRET_KEY     sends what it reads from standard input, a request a line

A request is the JSON of the arguments of request() after the keys, and its answer a line {"status": ..., "body": ...}.
"""

import base64
import hashlib
import hmac
import http.client
import json
import struct
import sys
import time
import urllib.parse

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
# Servers refuse these bodies without a checksum.
NEEDS_MD5 = {"lifecycle"}
# A lifecycle rule, see lifecycle().
EXPIRE = (
    "<ID>expire</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration>"
)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


def request(endpoint, keys, method, path, query="", body="", headers=None, region="us-east-1"):
    """Sends one request and returns the Answer, whatever its status.

    keys: (access key, secret key), or None for an anonymous request; query: as it is sent.
    """
    data = body.encode()
    headers = dict(headers or {})
    if data and query.split("=")[0] in NEEDS_MD5:
        headers["Content-MD5"] = base64.b64encode(hashlib.md5(data).digest()).decode()
    url = endpoint + path + ("?" + query if query else "")
    unsigned = AWSRequest(method=method, url=url, data=data, headers=headers)
    if keys:
        unsigned.headers["X-Amz-Content-SHA256"] = hashlib.sha256(data).hexdigest()
        S3SigV4Auth(Credentials(*keys), "s3", region).add_auth(unsigned)
    signed = unsigned.prepare()
    url = urllib.parse.urlsplit(signed.url)
    # http.client follows no redirect, unlike most clients.
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    connection.request(method, url.path + ("?" + url.query if url.query else ""), data, dict(signed.headers))
    got = connection.getresponse()
    answer = Answer(got.status, dict(got.getheaders()), got.read())
    connection.close()
    return answer


class Refused(RuntimeError):
    def __init__(self, args, answer):
        super().__init__(f"{args}: {answer.status} {answer.body}")
        self.status = answer.status


def must(*args, **kwargs):
    """request() whose answer has to be 2xx."""
    answer = request(*args, **kwargs)
    if answer.status // 100 != 2:
        raise Refused(args, answer)
    return answer


def versioning(status, mfa_delete=None):
    """The body of PutBucketVersioning."""
    mfa_delete = f"<MfaDelete>{mfa_delete}</MfaDelete>" if mfa_delete else ""
    return f"<VersioningConfiguration {NS}><Status>{status}</Status>{mfa_delete}</VersioningConfiguration>"


def lifecycle(*rules):
    """The body of PutBucketLifecycleConfiguration."""
    rules = "".join(f"<Rule>{rule}</Rule>" for rule in rules)
    return f"<LifecycleConfiguration {NS}>{rules}</LifecycleConfiguration>"


class TotpDevice:
    """A TOTP device with steps of one second and a wide window, so that nobody waits for the next code.

    RGW takes the code of a step once and only forwards, so codes are handed out for increasing steps; and it
    refuses more than 5 checks of a device in a step, so code() waits when it must.
    """

    SEED = b"12345678901234567890"
    RADOSGW_ADMIN_OPTIONS = (
        *("--totp-seed", SEED.hex(), "--totp-seed-type", "hex"),
        *("--totp-seconds", "1", "--totp-window", "1000"),
    )

    def __init__(self, serial):
        self.serial, self.step, self.used = serial, 0, []

    def code(self):
        while len(self.used) >= 4 and time.time() - self.used[-4] < 1.1:
            time.sleep(0.05)
        self.used.append(time.time())
        self.step = max(self.step + 1, int(time.time()))
        return self._code(self.step)

    def coming(self, count):
        """Codes to be used in this order by whoever cannot compute them, not faster than code() would give them."""
        first = max(self.step + 1, int(time.time())) + 60
        self.step = first + count
        return [self._code(step) for step in range(first, first + count)]

    def _code(self, step):
        # RFC 6238
        digest = hmac.new(self.SEED, struct.pack(">Q", step), hashlib.sha1).digest()
        offset = digest[-1] & 15
        return f"{(struct.unpack_from('>I', digest, offset)[0] & 0x7FFFFFFF) % 10**6:06}"

    def header(self):
        return {"x-amz-mfa": f"{self.serial} {self.code()}"}


def main(endpoint, *keys):
    for line in sys.stdin:
        answer = request(endpoint, keys, **json.loads(line))
        print(json.dumps({"status": answer.status, "body": answer.body.decode()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
