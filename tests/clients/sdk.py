#!/usr/bin/env python3
"""Microsoft's SDKs for Python as they are against the emulator: real host names, reached through the emulator as a proxy, and
its certificate authority. Not a test of every client: one of each service that akson manages.

tests/clients/sdk.py AKSON VENV: the binary to test, and where the SDKs are kept (installed from PyPI if they are not there).
Ends with 0 and a message where they cannot be installed.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

SDKS = [
    "azure-identity",
    "azure-keyvault-secrets",
    "azure-mgmt-authorization",
    "azure-mgmt-containerservice",
    "azure-mgmt-keyvault",
    "azure-mgmt-msi",
    "azure-mgmt-resource",
]
POLL = {"polling_interval": 0.1}


def install(venv: pathlib.Path) -> str:
    """The interpreter that has the SDKs; empty if they cannot be had."""
    python = venv / "bin" / "python"
    done = venv / "complete"
    if done.exists() and done.read_text() == " ".join(SDKS):
        return str(python)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", *SDKS]
    for command in ([sys.executable, "-m", "venv", str(venv)], pip):
        try:
            subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        except (subprocess.SubprocessError, OSError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            print("skipped: the SDKs cannot be installed:", said[-1] if said else error)
            return ""
    done.write_text(" ".join(SDKS))
    return str(python)


def refuses(status, code, call):
    """The call fails as the service refuses it."""
    from azure.core.exceptions import HttpResponseError

    try:
        call()
    except HttpResponseError as error:
        found = (error.status_code, getattr(error.error, "code", None))
        assert found == (status, code), f"{found}: {error}"
        return
    raise AssertionError(f"was not refused with {status} {code}")


def check(info):
    """Makes, reads, lists, refuses and deletes."""
    from azure.identity import ClientSecretCredential
    from azure.keyvault.secrets import SecretClient
    from azure.mgmt.authorization import AuthorizationManagementClient
    from azure.mgmt.containerservice import ContainerServiceClient
    from azure.mgmt.keyvault import KeyVaultManagementClient
    from azure.mgmt.msi import ManagedServiceIdentityClient
    from azure.mgmt.resource.resources import ResourceManagementClient

    subscription = info["subscription"]
    who = ClientSecretCredential(info["tenant"], info["client_id"], info["client_secret"])
    groups = ResourceManagementClient(who, subscription)
    clusters = ContainerServiceClient(who, subscription)
    identities = ManagedServiceIdentityClient(who, subscription)
    vaults = KeyVaultManagementClient(who, subscription)
    rights = AuthorizationManagementClient(who, subscription)

    group = groups.resource_groups.create_or_update("sdk", {"location": "westeurope", "tags": {"a": "b"}})
    assert group.properties.provisioning_state == "Succeeded"
    assert [found.name for found in groups.resource_groups.list()] == ["sdk"]
    refuses(404, "ResourceGroupNotFound", lambda: groups.resource_groups.get("nowhere"))

    identity = identities.user_assigned_identities.create_or_update("sdk", "app", {"location": "westeurope"})
    trust = {"issuer": "https://issuer.example", "subject": "system:serviceaccount:a:b", "audiences": ["api://AzureADTokenExchange"]}
    credentials = identities.federated_identity_credentials
    credentials.create_or_update("sdk", "app", "trust", {"properties": trust})
    assert [found.name for found in credentials.list("sdk", "app")] == ["trust"]

    reader = next(iter(rights.role_definitions.list(group.id, filter="roleName eq 'Reader'")))
    assignment = {"properties": {"roleDefinitionId": reader.id, "principalId": identity.principal_id, "principalType": "ServicePrincipal"}}
    name = "5b0b1c3e-0f43-4c35-8f0a-2f2e7a0c1f11"
    made = rights.role_assignments.create(group.id, name, assignment)
    assert made.principal_id == identity.principal_id
    other = "5b0b1c3e-0f43-4c35-8f0a-2f2e7a0c1f12"
    refuses(409, "RoleAssignmentExists", lambda: rights.role_assignments.create(group.id, other, assignment))
    found = rights.role_assignments.list_for_scope(group.id, filter=f"principalId eq '{identity.principal_id}'")
    assert [one.name for one in found] == [name]
    rights.role_assignments.delete(group.id, name)

    vault = vaults.vaults.begin_create_or_update(
        "sdk",
        "sdk-kv",
        {
            "location": "westeurope",
            "properties": {"tenantId": info["tenant"], "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True},
        },
        **POLL,
    ).result()
    secrets = SecretClient(vault.properties.vault_uri or "https://sdk-kv.vault.azure.net", who)
    assert secrets.set_secret("password", "hidden").properties.version
    assert secrets.get_secret("password").value == "hidden"
    assert [found.name for found in secrets.list_properties_of_secrets()] == ["password"]
    secrets.begin_delete_secret("password", _polling_interval=0.1).wait()
    refuses(404, "SecretNotFound", lambda: secrets.get_secret("password"))

    wanted = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "dnsPrefix": "sdk",
            "aadProfile": {"managed": True, "enableAzureRBAC": True},
            "oidcIssuerProfile": {"enabled": True},
            "agentPoolProfiles": [{"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5"}],
        },
    }
    making = clusters.managed_clusters.begin_create_or_update("sdk", "aks", wanted, **POLL)
    refuses(409, "OperationNotAllowed", lambda: clusters.managed_clusters.begin_create_or_update("sdk", "aks", wanted))
    cluster = making.result()
    assert cluster.provisioning_state == "Succeeded" and cluster.oidc_issuer_profile.issuer_url
    pool = {"properties": {"mode": "User", "count": 2, "vmSize": "Standard_D4s_v5"}}
    assert clusters.agent_pools.begin_create_or_update("sdk", "aks", "user", pool, **POLL).result().count == 2
    assert sorted(found.name for found in clusters.agent_pools.list("sdk", "aks")) == ["system", "user"]
    refuses(404, "ResourceNotFound", lambda: clusters.managed_clusters.get("sdk", "other"))
    kubeconfig = clusters.managed_clusters.list_cluster_user_credentials("sdk", "aks").kubeconfigs[0].value
    assert b"kubelogin" in bytes(kubeconfig)
    assert clusters.managed_clusters.get_upgrade_profile("sdk", "aks").control_plane_profile.upgrades
    assert clusters.managed_clusters.list_kubernetes_versions("westeurope").values_property
    clusters.agent_pools.begin_delete("sdk", "aks", "user", **POLL).result()
    clusters.managed_clusters.begin_delete("sdk", "aks", **POLL).result()
    groups.resource_groups.begin_delete("sdk", **POLL).result()
    assert list(groups.resource_groups.list()) == []


def main():
    akson, venv = os.path.realpath(sys.argv[1]), pathlib.Path(sys.argv[2]).absolute()
    if len(sys.argv) < 4:
        python = install(venv)
        sys.exit(subprocess.run([python, __file__, akson, str(venv), "installed"]).returncode if python else 0)
    with tempfile.TemporaryDirectory() as scratch:
        emulator = subprocess.Popen(
            [akson, "-C", scratch, "emulator", "start", "--time-scale", "300"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            url = emulator.stdout.readline().strip()
            plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            info = json.load(plain.open(f"{url}/_emulator/info"))
            authority = pathlib.Path(scratch, "ca.pem")
            authority.write_bytes(plain.open(f"{url}/_emulator/ca.pem").read())
            for name in ("NO_PROXY", "no_proxy", "https_proxy"):
                os.environ.pop(name, None)
            os.environ.update(HTTPS_PROXY=url, REQUESTS_CA_BUNDLE=str(authority))
            check(info)
        finally:
            emulator.terminate()
            emulator.wait()
    print("the SDKs for Python are content")


if __name__ == "__main__":
    main()
