"""What the units of a site may do on a host."""

from tests.vm.machine import Machine

EXPOSURE = 0.4  # scores of `systemd-analyze security`; lower is better
WITH_LOOPBACK = 1.2  # of the doctor's unit, which connects to nginx
FEWEST_UNITS = 7  # of a site without processes and timers


def assert_little_is_exposed(vm: Machine, name: str) -> dict[str, float]:
    """Assert that no unit of the site has a score above EXPOSURE, and return the scores."""
    scores = vm.exposure(f"{name}*.service")
    assert len(scores) >= FEWEST_UNITS
    limits = {f"{name}-doctor.service": WITH_LOOPBACK}
    assert {unit: score for unit, score in scores.items() if score > limits.get(unit, EXPOSURE)} == {}
    return scores


def running_services(vm: Machine, name: str) -> list[str]:
    """Return the services of the site that run all the time."""
    return vm.run(
        f"systemctl list-units --no-legend --plain --state=running '{name}-*.service' | cut -d' ' -f1"
    ).split()


def shares_network(vm: Machine, unit: str) -> bool:
    """Return whether the unit's process sees the network of the host."""
    own, hosts = vm.run(f"readlink /proc/{vm.pid(unit)}/ns/net /proc/1/ns/net").split()
    return own == hosts


def connect_from_sandbox(vm: Machine, name: str) -> str:
    """Connect, in the sandbox of the site, to the ssh server of the host by its network address. Return the output."""
    code = f'import socket; socket.create_connection(("{vm.variables["ansible_host"]}", 22), 5); print("connected")'
    return vm.run(f"/opt/{name}/current/deploy/manage shell -c '{code}' 2>&1", check=False)


def assert_no_network(vm: Machine, name: str) -> None:
    """Assert that no process of the site, and none that starts in its sandbox, reaches anything by the network."""
    services = running_services(vm, name)
    assert services
    assert [unit for unit in services if shares_network(vm, unit)] == []
    output = connect_from_sandbox(vm, name)
    assert "OSError" in output, output
    assert "connected" not in output
