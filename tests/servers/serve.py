"""Starts a server on loopback for one test, fills it, and stops it when standard input closes.

Usage:  serve.py rgw [REGION ...]       RGW, the accounts and buckets of rgw_setup.py, and sts_shim.py beside it
        serve.py rgw --lifecycle-day SECONDS        the same without Regions, where lifecycle rules act soon
        serve.py seaweedfs BUCKETS      SeaweedFS with that many buckets (seaweedfs_setup.py), and sts_shim.py beside it
        serve.py moto                   moto: Organizations, STS and S3 with the accounts of moto_setup.py

Once everything stands, it prints one line of JSON: the endpoints and what is there. However the process that holds
the other end of standard input dies, the end of it is seen here, so nothing stays behind. By hand:

    target/servers/python tests/servers/serve.py rgw        until Ctrl-D
"""

import contextlib
import http.server
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import moto_setup
import rgw_setup
import seaweedfs_setup
import sts_shim

HERE = os.path.dirname(os.path.abspath(__file__))
# Between choosing a free port and taking it, another process may take it.
TRIES = 3


def free_ports(count):
    """Ports that were free a moment ago, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def tried(start):
    """start(), again when it fails: see TRIES."""
    for left in reversed(range(TRIES)):
        try:
            return start()
        except (RuntimeError, subprocess.SubprocessError) as error:
            if not left:
                raise
            print(f"serve.py: {error}; trying again", file=sys.stderr)


@contextlib.contextmanager
def sts():
    """sts_shim.py; gives its URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), sts_shim.Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"


@contextlib.contextmanager
def rgw(*arguments):
    day = arguments if arguments[:1] == ("--lifecycle-day",) else ()
    regions = arguments[len(day) :]

    def stop():
        subprocess.run([f"{HERE}/rgw-stop", folder], check=True)

    def start():
        monitor, *ports = free_ports(1 + max(len(regions), 1))
        gateways = [f"{region}={port}" for region, port in zip(regions, ports)] or [str(ports[0])]
        try:
            subprocess.run([f"{HERE}/rgw-start", *day, folder, str(monitor), *gateways], check=True)
        except BaseException:
            stop()
            raise
        return ports

    with tempfile.TemporaryDirectory(prefix="bucketlens-rgw-") as parent, sts() as sts_endpoint:
        folder = f"{parent}/ceph"
        ports = tried(start)
        try:
            endpoints = [(region, f"http://127.0.0.1:{port}") for region, port in zip(regions or ["default"], ports)]
            conf = f"{folder}/ceph.conf"
            truth = rgw_setup.populate(conf, endpoints, with_rules=not day)
            yield {"endpoints": endpoints, "sts_endpoint": sts_endpoint, "conf": conf, "truth": truth}
        finally:
            stop()


@contextlib.contextmanager
def seaweedfs(buckets):
    def arguments(folder, ports):
        master, master_grpc, filer, filer_grpc, s3, s3_grpc = ports
        return [
            *("weed", f"-logdir={folder}", "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"),
            f"-s3.config={folder}/identities.json",
            # on by default
            "-master.telemetry=false",
            # no object is ever written
            "-volume=false",
            *(f"-master.port={master}", f"-master.port.grpc={master_grpc}"),
            *(f"-filer.port={filer}", f"-filer.port.grpc={filer_grpc}", f"-filer.localSocket={folder}/filer.sock"),
            *(f"-s3.port={s3}", f"-s3.port.grpc={s3_grpc}", f"-s3.localSocket={folder}/s3.sock"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0"),
        ]

    def stop(process, ports):
        # SIGTERM makes it wait for a volume server
        process.kill()
        process.wait()
        for service, port in zip(("master", "filer", "s3"), ports[1::2]):
            with contextlib.suppress(FileNotFoundError):
                os.remove(f"/tmp/seaweedfs-{service}-grpc-{port}.sock")

    def start():
        ports = free_ports(6)
        endpoint = f"http://127.0.0.1:{ports[4]}"
        with open(f"{folder}/log", "wb") as log:
            process = subprocess.Popen(arguments(folder, ports), stdout=log, stderr=log)
        try:
            seaweedfs_setup.wait(endpoint, owner, process)
        except BaseException:
            stop(process, ports)
            raise
        return endpoint, process, ports

    # tells our server from another one that took the port
    owner = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="bucketlens-seaweedfs-") as folder, sts() as sts_endpoint:
        with open(f"{folder}/identities.json", "w", encoding="ascii") as file:
            json.dump(seaweedfs_setup.identities(owner), file)
        endpoint, process, ports = tried(start)
        try:
            truth = seaweedfs_setup.populate(endpoint, int(buckets))
            yield {"endpoint": endpoint, "sts_endpoint": sts_endpoint, "truth": truth}
        finally:
            stop(process, ports)


@contextlib.contextmanager
def moto():
    # imported here because it takes as long as to start a whole RGW
    from moto.server import ThreadedMotoServer

    # it reports every request
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        yield {"endpoint": endpoint, "truth": moto_setup.populate(endpoint)}
    finally:
        server.stop()


SERVERS = {"rgw": rgw, "seaweedfs": seaweedfs, "moto": moto}


def main(arguments):
    if not arguments or arguments[0] not in SERVERS:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with SERVERS[arguments[0]](*arguments[1:]) as description:
        print(json.dumps(description), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
