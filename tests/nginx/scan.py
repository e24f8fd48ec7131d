"""A TLS scan by testssl.sh. It has its own TLS client, which offers what current OpenSSL no longer offers."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Protocols, ciphers by strength and one by one, forward secrecy, HSTS, known holes. Not the certificate: Chromium
# judges that (tests/acceptance).
CHECKS = ("--protocols", "--std", "--each-cipher", "--fs", "--headers", "--vulnerable")
FINE = {"OK", "INFO", "WARN"}  # WARN: testssl could not find out, for want of an old OpenSSL of its own
NOT_OF_TLS = {"security_headers"}  # the application's, and tests/acceptance asks for more of them


# Mozilla's intermediate set; which kind of certificate there is decides which half is offered.
INTERMEDIATE = {
    *("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"),
    *(
        f"ECDHE-{kind}-{cipher}"
        for kind in ("ECDSA", "RSA")
        for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    ),
}
TWO_YEARS = 63_072_000  # seconds, as Mozilla advises
HOLES = ("heartbleed", "CCS", "ROBOT", "CRIME_TLS", "POODLE_SSL", "SWEET32", "FREAK", "BEAST", "LUCKY13", "RC4")


@dataclass(frozen=True)
class Scan:
    findings: dict[str, str]
    """All findings, by testssl's own names."""
    problems: dict[str, str]
    """The findings that testssl does not rate as fine."""

    @property
    def protocols(self) -> set[str]:
        names = ("SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3")
        return {name for name in names if not self.findings[name].startswith("not offered")}

    @property
    def ciphers(self) -> set[str]:
        return {found.split()[1] for name, found in self.findings.items() if name.startswith("cipher_x")}

    @property
    def hsts_seconds(self) -> int:
        return int(self.findings["HSTS_time"].partition("(=")[2].split()[0])

    @property
    def below_intermediate(self) -> list[str]:
        """What is weaker than Mozilla's intermediate profile, or could not be determined."""
        below = [f"{name}: {finding}" for name, finding in self.problems.items()]
        below += [f"{name}: {self.findings[name]}" for name in self.protocols ^ {"TLS1_2", "TLS1_3"}]
        below += [f"{cipher} is offered" for cipher in self.ciphers - INTERMEDIATE]
        below += [] if self.ciphers else ["no cipher was found"]
        below += [] if self.hsts_seconds >= TWO_YEARS else [f"HSTS: {self.hsts_seconds} s"]
        below += [f"{hole}: {self.findings[hole]}" for hole in HOLES if "not vulnerable" not in self.findings[hole]]
        return below


def scan(name: str, port: int, address: str, folder: Path) -> Scan:
    """Scan a server; this takes half a minute. Raises AssertionError when the scan did not finish."""
    program = shutil.which("testssl")
    assert program, "testssl is missing: sh deploy/bootstrap.sh test"
    report = folder / "testssl.json"
    quiet = ("--warnings", "off", "--color", "0", "--quiet", "--nodns", "none")
    command = [program, *quiet, "--ip", address, *CHECKS, "--jsonfile", str(report), f"{name}:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    lines = json.loads(report.read_text())
    findings = {line["id"]: line["finding"] for line in lines}
    assert "scanTime" in findings, done.stdout
    assert findings["scanTime"].isdigit(), done.stdout
    problems = {
        line["id"]: f"{line['severity']}: {line['finding']}"
        for line in lines
        if line["severity"] not in FINE and line["id"] not in NOT_OF_TLS
    }
    return Scan(findings, problems)
