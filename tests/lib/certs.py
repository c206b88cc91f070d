# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by openssl on the spot."""
import pathlib
import subprocess


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


class Authority:
    """A CA in `folder`; ca is its certificate."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca, self.key = self.folder / "ca.pem", self.folder / "ca.key"
        self._request("-x509", "-subj", "/CN=Test CA", "-days", 30, "-out", self.ca, key=self.key)

    @staticmethod
    def _request(*words, key):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, *words)
        key.chmod(0o600)

    def issue(self, name, san="IP:127.0.0.1,DNS:localhost", start=None, end=None, usage="serverAuth"):
        """(certificate, key). start and end as 20200101000000Z."""
        cert, key, csr = (self.folder / f"{name}.{x}" for x in ("pem", "key", "csr"))
        self._request("-subj", f"/CN={name}", "-out", csr, key=key)
        (self.folder / "index").write_text("")
        (self.folder / "index.attr").write_text("unique_subject = no\n")
        conf = self.folder / "ca.cnf"
        conf.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index\nnew_certs_dir={self.folder}\n"
                        "rand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
                        f"[x]\nsubjectAltName={san}\nextendedKeyUsage={usage}\n")
        words = ["-startdate", start or "20250101000000Z", "-enddate", end or "20400101000000Z"]
        openssl("ca", "-batch", "-notext", "-config", conf, "-extensions", "x", "-cert", self.ca, "-keyfile", self.key,
                "-in", csr, "-out", cert, *words)
        return cert, key
