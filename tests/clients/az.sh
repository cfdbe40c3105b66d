#!/usr/bin/env bash
# Azure's CLI as it is against the emulator: real host names, reached through the emulator as a proxy, and its certificate
# authority. Objects that az made are adopted by akson, objects that akson made are shown by az. Not a test of every command:
# those of the services that akson manages.
#
# tests/clients/az.sh AKSON VENV: the binary to test, and where the CLI is kept (installed from PyPI if it is not there). Ends
# with 0 and a message where it cannot be installed.
set -euo pipefail

version=2.91.0
akson=$(realpath "$1")
venv=$(realpath -m "$2")
scratch=$(mktemp -d)
trap 'code=$?; for job in $(jobs -p); do kill "$job" 2>/dev/null || true; done; wait; rm -rf "$scratch"; exit "$code"' EXIT

for tool in python3 curl; do
  command -v "$tool" >/dev/null || { echo "skipped: there is no $tool here"; exit 0; }
done
if [ "$(cat "$venv/complete" 2>/dev/null)" != "$version" ]; then
  # Nothing is compiled that is not used: most of it is for services that nobody here asks for.
  { python3 -m venv "$venv" && timeout 300 "$venv/bin/python" -m pip install --quiet --no-compile \
    --disable-pip-version-check --retries 1 "azure-cli==$version"; } >"$scratch/pip.log" 2>&1 ||
    { echo "skipped: azure-cli cannot be installed: $(tail -n 1 "$scratch/pip.log")"; exit 0; }
  printf %s "$version" >"$venv/complete"
  echo "azure-cli $version installed"
fi

# says TEXT COMMAND...: the command succeeds and prints the text somewhere.
says() {
  local text=$1 printed
  shift
  printed=$("$@" 2>&1) || { echo "failed: $*"; echo "$printed"; return 1; }
  grep -qF -- "$text" <<<"$printed" || { echo "does not say '$text': $*"; echo "$printed"; return 1; }
}

# tells TEXT COMMAND...: the command succeeds and prints this text and nothing else but messages.
tells() {
  local text=$1 printed said
  shift
  said=$(mktemp -p "$scratch")
  printed=$("$@" --output tsv 2>"$said") || { echo "failed: $*"; cat "$said"; return 1; }
  [ "$printed" = "$text" ] || { echo "tells not '$text': $*"; echo "$printed"; return 1; }
}

# refuses TEXT COMMAND...: the command fails and says why.
refuses() {
  local text=$1 printed
  shift
  if printed=$("$@" 2>&1); then echo "did not fail: $*"; echo "$printed"; return 1; fi
  grep -qF -- "$text" <<<"$printed" || { echo "does not say '$text': $*"; echo "$printed"; return 1; }
}

# More objects than a page of a list has.
mkdir "$scratch/app" "$scratch/seed" "$scratch/home"
python3 - "$scratch/seed" <<'PY'
import json, pathlib, sys

folder = pathlib.Path(sys.argv[1])
group = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/many"
identities = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
lines = [json.dumps({"id": f"{identities}/one-{n}", "location": "westeurope"}) for n in range(1001)]
folder.joinpath("identities.jsonl").write_text("\n".join(lines))
vault = {"id": f"{group}/providers/Microsoft.KeyVault/vaults/many-kv", "location": "westeurope"}
vault["properties"] = {"enableRbacAuthorization": True}
secrets = [{"id": f"https://many-kv.vault.azure.net/secrets/one-{n}", "value": str(n)} for n in range(60)]
folder.joinpath("vault.json").write_text(json.dumps([vault, *secrets]))
folder.joinpath("groups.json").write_text(
    json.dumps({"value": [{"@odata.type": "#microsoft.graph.group", "displayName": f"many-{n}"} for n in range(150)]})
)
PY

"$akson" -C "$scratch/app" emulator start --time-scale 300 --latency none --seed "$scratch/seed" \
  >"$scratch/url" 2>"$scratch/emulator.log" &
for _ in $(seq 100); do
  if grep -qF http:// "$scratch/url"; then break; fi
  sleep 0.1
done
AKSON_EMULATOR_URL=$(head -n 1 "$scratch/url")
[ -n "$AKSON_EMULATOR_URL" ] || { cat "$scratch/emulator.log"; exit 1; }
info=$(curl -fsS --noproxy '*' "$AKSON_EMULATOR_URL/_emulator/info")
field() { printf %s "$info" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
subscription=$(field subscription)
unset HTTPS_PROXY HTTP_PROXY https_proxy http_proxy NO_PROXY no_proxy
export AKSON_EMULATOR_URL AKSON_CLOUD=emulator HOME=$scratch/home PATH="$venv/bin:$PATH"
export AZURE_CONFIG_DIR=$scratch/home/azure AZURE_CORE_COLLECT_TELEMETRY=false AZURE_CORE_NO_COLOR=true
export AZURE_EXTENSION_USE_DYNAMIC_INSTALL=no
export REQUESTS_CA_BUNDLE=$scratch/app/.akson/emulator/world/ca.pem
# For az alone: akson is told of the emulator and needs no proxy.
az() { HTTPS_PROXY=$AKSON_EMULATOR_URL command az "$@"; }

refuses AADSTS7000215 az login --service-principal -u "$(field client_id)" -p wrong --tenant "$(field tenant)"
says "$subscription" az login --service-principal -u "$(field client_id)" -p "$(field client_secret)" --tenant "$(field tenant)"
# The seeded subscription is the other one.
says Emulated az account list
az account set --subscription "$subscription"
tells "$subscription" az account show --query id
tells Bearer az account get-access-token --query tokenType
says westeurope az account list-locations --query '[].name'
tells Registered az provider show --namespace Microsoft.ContainerService --query registrationState
echo "signed in"

export AZURE_DEFAULTS_GROUP=az-rg AZURE_DEFAULTS_LOCATION=westeurope
refuses ResourceGroupNotFound az group show --name nowhere
refuses LocationNotAvailableForResourceGroup az group create --name lost --location nowhere
tells Succeeded az group create --name az-rg --tags made=az --query properties.provisioningState
refuses InvalidResourceGroupLocation az group create --name az-rg --location northeurope
tells true az group exists --name az-rg
tells 1 az group list --tag made=az --query 'length(@)'

aks=(az aks)
pool=(az aks nodepool)

# A cluster takes long, and needs nothing of what follows.
clusters() {
  refuses ResourceNotFound "${aks[@]}" show --name az-aks
  tells Succeeded "${aks[@]}" create --name az-aks --node-count 1 --no-ssh-key --enable-aad --enable-azure-rbac \
    --disable-local-accounts --enable-oidc-issuer --enable-workload-identity --nodepool-name system \
    --node-vm-size Standard_D4s_v5 --query provisioningState
  tells az-aks "${aks[@]}" list --query '[].name'
  tells true "${aks[@]}" show --name az-aks --query oidcIssuerProfile.enabled
  tells az "${aks[@]}" update --name az-aks --tags made=az --query tags.made
  "${aks[@]}" update --name az-aks --auto-upgrade-channel patch --no-wait
  "${aks[@]}" wait --name az-aks --updated --interval 1
  # The platform is at work by itself.
  curl -fsS --noproxy '*' "$AKSON_EMULATOR_URL/_emulator/faults" --json '[{"match": {"method": "GET", "path": "*/managedClusters/az-aks"},
  "effect": {"kind": "background", "state": "Upgrading", "seconds": 1800}, "limit": 1}]'
  refuses OperationNotAllowed "${aks[@]}" update --name az-aks --tags made=again
  "${aks[@]}" wait --name az-aks --updated --interval 1
  tells patch "${aks[@]}" show --name az-aks --query autoUpgradeProfile.upgradeChannel
  tells 2 "${pool[@]}" add --cluster-name az-aks --name user --mode User --node-count 2 --node-vm-size Standard_D4s_v5 --query count
  tells $'system\nuser' "${pool[@]}" list --cluster-name az-aks --query '[].name'
  tells x "${pool[@]}" update --cluster-name az-aks --name user --labels kept=x --query nodeLabels.kept
  tells 3 "${pool[@]}" scale --cluster-name az-aks --name user --node-count 3 --query count
  refuses NotFound "${pool[@]}" show --cluster-name az-aks --name other
  refuses "is not allowed" "${aks[@]}" upgrade --name az-aks --kubernetes-version 1.99.0 --yes
  tells true "${aks[@]}" enable-addons --name az-aks --addons azure-policy --query addonProfiles.azurepolicy.enabled
  says kubelogin "${aks[@]}" get-credentials --name az-aks --format exec --file -
  tells default "${aks[@]}" get-upgrades --name az-aks --query name
  says 1.34 "${aks[@]}" get-versions --query 'values[].version'
  echo "cluster made and changed"
}
clusters >"$scratch/clusters.log" 2>&1 &
clusters=$!

principal=$(az identity create --name app --query principalId --output tsv)
tells "$principal" az identity show --name app --query principalId
tells app az identity list --resource-group az-rg --query '[].name'
refuses ResourceNotFound az identity show --name other
trust=(az identity federated-credential)
tells https://issuer.example/ "${trust[@]}" create --identity-name app --name trust --issuer https://issuer.example/ \
  --subject system:serviceaccount:web:web --audiences api://AzureADTokenExchange --query issuer
refuses "already exists" "${trust[@]}" create --identity-name app --name again --issuer https://issuer.example/ \
  --subject system:serviceaccount:web:web --audiences api://AzureADTokenExchange
tells system:serviceaccount:web:web "${trust[@]}" show --identity-name app --name trust --query subject
tells trust "${trust[@]}" list --identity-name app --query '[].name'
refuses NotFound "${trust[@]}" show --identity-name app --name other
tells 1001 az identity list --subscription 22222222-2222-4222-8222-222222222222 --resource-group many --query 'length(@)'
echo "groups, identities and their credentials made"

scope=$(az group show --name az-rg --query id --output tsv)
assign=(az role assignment)
to=(--assignee-object-id "$principal" --assignee-principal-type ServicePrincipal)
tells ServicePrincipal "${assign[@]}" create "${to[@]}" --role Reader --scope "$scope" --query principalType
nobody=11111111-1111-4111-8111-111111111111
refuses "Cannot find user or service principal" "${assign[@]}" create --assignee "$nobody" --role Reader --scope "$scope"
refuses "doesn't exist" "${assign[@]}" create "${to[@]}" --role Nonsense --scope "$scope"
tells Reader "${assign[@]}" list --scope "$scope" --query '[].roleDefinitionName'
AZURE_DEFAULTS_GROUP='' tells Reader "${assign[@]}" list --all --assignee "$principal" --query '[].roleDefinitionName'
tells 4 "${assign[@]}" list --scope "$scope" --include-inherited --query 'length(@)'
tells CustomRole az role definition create --query roleType --role-definition '{
  "Name": "Looks at groups", "Actions": ["Microsoft.Resources/subscriptions/resourceGroups/read"],
  "AssignableScopes": ["/subscriptions/'"$subscription"'"]}'
tells "Looks at groups" az role definition list --custom-role-only --query '[].roleName'
echo "roles assigned"

group=(az ad group)
admins=$("${group[@]}" create --display-name admins --mail-nickname admins --query id --output tsv)
tells "$admins" "${group[@]}" show --group admins --query id
"${group[@]}" member add --group admins --member-id "$principal"
tells "$principal" "${group[@]}" member list --group admins --query '[].id'
tells true "${group[@]}" member check --group admins --member-id "$principal" --query value
tells 151 "${group[@]}" list --query 'length(@)'
tells admins "${group[@]}" list --filter "displayName eq 'admins'" --query '[].displayName'
refuses nobody "${group[@]}" show --group nobody
tells akson-emulator az ad sp show --id "$(field client_id)" --query displayName
echo "directory searched"

kv=(az keyvault)
tells Succeeded "${kv[@]}" create --name az-kv-1 --retention-days 7 --query properties.provisioningState
refuses "already" "${kv[@]}" create --name az-kv-1
refuses ResourceNotFound "${kv[@]}" show --name nowhere-kv --resource-group az-rg
tells az-kv-1 "${kv[@]}" list --resource-group az-rg --query '[].name'
tells hidden "${kv[@]}" secret set --vault-name az-kv-1 --name password --value hidden --query value
tells hidden "${kv[@]}" secret show --vault-name az-kv-1 --name password --query value
refuses SecretNotFound "${kv[@]}" secret show --vault-name az-kv-1 --name other
tells password "${kv[@]}" secret list --vault-name az-kv-1 --query '[].name'
tells 60 "${kv[@]}" secret list --vault-name many-kv --query 'length(@)'
echo "vault made and filled"

assignment=(az policy assignment)
definition=0a15ec92-a229-4763-bb14-0ea34a568f8d
tells Audit az policy definition show --name "$definition" --query parameters.effect.defaultValue
tells addon "${assignment[@]}" create --name addon --policy "$definition" --params '{"effect": {"value": "Audit"}}' --query name
refuses PolicyDefinitionNotFound "${assignment[@]}" create --name other --policy "$nobody"
refuses PolicyParameterValueNotAllowed "${assignment[@]}" create --name other --policy "$definition" --params '{"effect": {"value": "audit!"}}'
tells addon "${assignment[@]}" list --query '[].name'
tells addon "${assignment[@]}" show --name addon --query name
refuses PolicyAssignmentNotFound "${assignment[@]}" show --name other
tells ex az policy exemption create --name ex --policy-assignment "$scope/providers/Microsoft.Authorization/policyAssignments/addon" \
  --exemption-category Waiver --query name
echo "policies assigned"

wait "$clusters" || { cat "$scratch/clusters.log"; exit 1; }
cat "$scratch/clusters.log"

cat >"$scratch/app/main.aks" <<'AKS'
stack "app" {
  location = "westeurope"
}

resource_group "app" {
  name = "az-rg"
  tags = { made = "az" }
}

identity "app" {
  name           = "app"
  resource_group = resource_group.app
}

federated_credential "web" {
  name     = "trust"
  identity = identity.app
  issuer   = "https://issuer.example/"
  subject  = "system:serviceaccount:web:web"
}

grant "app_reads" {
  to   = identity.app
  role = "Reader"
  on   = resource_group.app
}

group "admins" {
  object_id    = "ADMINS"
  display_name = "admins"
  members      = [identity.app]
}

vault "app" {
  name                       = "az-kv-1"
  resource_group             = resource_group.app
  soft_delete_retention_days = 7
}

policy "addon" {
  name       = "addon"
  definition = "0a15ec92-a229-4763-bb14-0ea34a568f8d"
  on         = resource_group.app
  parameters = { effect = "Audit" }
}

cluster "main" {
  name           = "az-aks"
  resource_group = resource_group.app
  local_accounts = disabled
  tags           = { made = "az" }

  entra {
    authorization = azure_rbac
  }

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(1)
  }

  node_pool "user" {
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
    labels  = { kept = "x" }
  }
}
AKS

sed -i "s/ADMINS/$admins/" "$scratch/app/main.aks"

# actions: what a plan would do, as `address action`; nothing else is printed.
actions() {
  "$akson" -C "$scratch/app" plan --format json | python3 -c '
import json, sys
for change in json.load(sys.stdin)["changes"]:
    print(change["address"], change["action"])
'
}
actions >"$scratch/actions"
if grep -vE ' (adopt|none)$' "$scratch/actions"; then echo "what az made is not adopted as it is"; "$akson" -C "$scratch/app" plan; exit 1; fi
[ "$(grep -c ' adopt$' "$scratch/actions")" -eq 10 ] || { echo "too little is adopted"; cat "$scratch/actions"; exit 1; }
"$akson" -C "$scratch/app" apply --auto-approve >"$scratch/apply.log" 2>&1 || { cat "$scratch/apply.log"; exit 1; }
"$akson" -C "$scratch/app" plan --detailed-exitcode >"$scratch/plan.log" 2>&1 || { cat "$scratch/plan.log"; exit 1; }
echo "what az made is adopted by akson"

cat >>"$scratch/app/main.aks" <<'AKS'

identity "own" {
  name           = "own"
  resource_group = resource_group.app
}

federated_credential "own" {
  name     = "own-trust"
  identity = identity.own
  issuer   = cluster.main.oidc_issuer_url
  subject  = "system:serviceaccount:own:own"
}

grant "own_reads_secrets" {
  to   = identity.own
  role = "Key Vault Secrets User"
  on   = vault.app
}

group "own" {
  display_name = "akson-own"
  members      = [identity.own]
}

secret "own" {
  vault = vault.app
  name  = "own"
  value = generated(32)
}

policy "own" {
  name       = "own"
  initiative = "Kubernetes cluster pod security baseline standards for Linux-based workloads"
  on         = resource_group.app
  parameters = { effect = "audit" }
}
AKS
sed -i 's/scale   = fixed(3)/scale   = fixed(4)/' "$scratch/app/main.aks"
"$akson" -C "$scratch/app" apply --auto-approve >"$scratch/apply.log" 2>&1 || { cat "$scratch/apply.log"; exit 1; }
tells $'app\nown' az identity list --resource-group az-rg --query 'sort([].name)'
issuer=$("${aks[@]}" show --name az-aks --query oidcIssuerProfile.issuerUrl --output tsv)
tells "$issuer" "${trust[@]}" show --identity-name own --name own-trust --query issuer
vault=$("${kv[@]}" show --name az-kv-1 --query id --output tsv)
own=$(az identity show --name own --query principalId --output tsv)
tells "Key Vault Secrets User" "${assign[@]}" list --scope "$vault" --query '[].roleDefinitionName'
tells "$own" "${group[@]}" member list --group akson-own --query '[].id'
tells 32 "${kv[@]}" secret show --vault-name az-kv-1 --name own --query 'length(value)'
tells own "${assignment[@]}" show --name own --query name
tells 4 "${pool[@]}" show --cluster-name az-aks --name user --query count
echo "what akson made is shown by az"

# What az changes behind akson's back is drift.
tells changed az group update --name az-rg --set tags.made=changed --query tags.made
says "resource_group.app update" actions
"$akson" -C "$scratch/app" apply --auto-approve >"$scratch/apply.log" 2>&1 || { cat "$scratch/apply.log"; exit 1; }
tells az az group show --name az-rg --query tags.made
echo "what az changed is changed back"

clusters_go() {
  "${pool[@]}" delete --cluster-name az-aks --name user
  tells system "${pool[@]}" list --cluster-name az-aks --query '[].name'
  "${aks[@]}" delete --name az-aks --yes
  tells 0 "${aks[@]}" list --query 'length(@)'
}
clusters_go >"$scratch/clusters.log" 2>&1 &
clusters=$!
"${kv[@]}" secret delete --vault-name az-kv-1 --name password --output none 2>/dev/null
tells password "${kv[@]}" secret list-deleted --vault-name az-kv-1 --query '[].name'
"${kv[@]}" secret purge --vault-name az-kv-1 --name password
"${kv[@]}" delete --name az-kv-1 2>/dev/null
tells az-kv-1 "${kv[@]}" list-deleted --query '[].name'
tells Succeeded "${kv[@]}" recover --name az-kv-1 --query properties.provisioningState
"${kv[@]}" delete --name az-kv-1 2>/dev/null
"${kv[@]}" purge --name az-kv-1
refuses "" "${kv[@]}" show-deleted --name az-kv-1
"${assignment[@]}" delete --name addon
"${assign[@]}" delete --assignee "$principal" --role Reader --scope "$scope"
tells 0 "${assign[@]}" list --scope "$scope" --query 'length(@)'
"${trust[@]}" delete --identity-name app --name trust --yes
az identity delete --name app
"${group[@]}" delete --group admins
wait "$clusters" || { cat "$scratch/clusters.log"; exit 1; }
az group delete --name az-rg --yes --no-wait
az group wait --name az-rg --deleted --interval 1
tells false az group exists --name az-rg
echo "all deleted"
echo "az $version is content"
