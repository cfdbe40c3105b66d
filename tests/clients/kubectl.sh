#!/usr/bin/env bash
# kubectl as it is, with the kubeconfig that akson prints, against the emulator's API server: over TLS, by the cluster's own
# name, signed in by a stand-in for kubelogin that asks the emulator's login endpoint. Not a test of kubelogin.
#
# tests/clients/kubectl.sh AKSON: the binary to test. Ends with 0 and a message where there is no kubectl to be had.
set -euo pipefail

akson=$(realpath "$1")
scratch=$(mktemp -d)
emulator=
trap 'code=$?; [ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true; wait; rm -rf "$scratch"; exit "$code"' EXIT

if ! command -v kubectl >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends kubernetes-client; } \
    >"$scratch/apt.log" 2>&1 || tail -n 3 "$scratch/apt.log"
fi
for tool in kubectl curl; do
  command -v "$tool" >/dev/null || { echo "skipped: there is no $tool here"; exit 0; }
done

# says TEXT COMMAND...: the command succeeds and prints the text somewhere.
says() {
  local text=$1 printed
  shift
  printed=$("$@" 2>&1) || { echo "failed: $*"; echo "$printed"; return 1; }
  grep -qF -- "$text" <<<"$printed" || { echo "does not say '$text': $*"; echo "$printed"; return 1; }
}

# refuses TEXT COMMAND...: the command fails and says why.
refuses() {
  local text=$1 printed
  shift
  if printed=$("$@" 2>&1); then echo "did not fail: $*"; echo "$printed"; return 1; fi
  grep -qF -- "$text" <<<"$printed" || { echo "does not say '$text': $*"; echo "$printed"; return 1; }
}

# until_says TEXT FILE: waits until a file has the text.
until_says() {
  for _ in $(seq 100); do
    if grep -qF -- "$1" "$2"; then return 0; fi
    sleep 0.1
  done
  echo "does not come to say '$1':"
  cat "$2"
  return 1
}

mkdir "$scratch/app" "$scratch/bin"
cat >"$scratch/app/main.aks" <<'AKS'
stack "app" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

cluster "main" {
  name           = "app-aks"
  resource_group = resource_group.app
  local_accounts = disabled

  entra {
    authorization = azure_rbac
  }

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(1)
  }
}
AKS

"$akson" -C "$scratch/app" emulator start --time-scale 300 >"$scratch/url" 2>"$scratch/emulator.log" &
emulator=$!
until_says http:// "$scratch/url"
AKSON_EMULATOR_URL=$(head -n 1 "$scratch/url")
export AKSON_EMULATOR_URL AKSON_CLOUD=emulator
export -n HTTPS_PROXY HTTP_PROXY https_proxy http_proxy NO_PROXY no_proxy 2>/dev/null || true

# A stand-in for kubelogin: the client credentials of the emulator's caller, for the application that is asked for.
cat >"$scratch/bin/kubelogin" <<'SH'
#!/bin/sh
set -eu
[ "$1" = get-token ]
while [ $# -gt 1 ]; do
  [ "$1" != --server-id ] || server=$2
  shift
done
info=$(curl -fsS "$AKSON_EMULATOR_URL/_emulator/info")
field() { printf %s "$info" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
answer=$(curl -fsS "$AKSON_EMULATOR_URL/$(field tenant)/oauth2/v2.0/token" --data-urlencode grant_type=client_credentials \
  --data-urlencode "client_id=$(field client_id)" --data-urlencode "client_secret=$(field client_secret)" \
  --data-urlencode "scope=$server/.default")
token=$(printf %s "$answer" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
printf '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"%s"}}' "$token"
SH
chmod +x "$scratch/bin/kubelogin"
export PATH="$scratch/bin:$PATH" HOME="$scratch"

"$akson" -C "$scratch/app" apply --auto-approve >"$scratch/apply.log" 2>&1 || { cat "$scratch/apply.log"; exit 1; }
echo "cluster made"

for mode in azurecli azd devicecode interactive spn workloadidentity msi; do
  "$akson" -C "$scratch/app" kubeconfig app-aks --live --login "$mode" >"$scratch/$mode.yaml" 2>"$scratch/kubeconfig.log" ||
    { cat "$scratch/kubeconfig.log"; exit 1; }
  says "command: kubelogin" kubectl --kubeconfig "$scratch/$mode.yaml" config view
  says app-aks kubectl --kubeconfig "$scratch/$mode.yaml" config current-context
done
export KUBECONFIG=$scratch/azurecli.yaml
echo "kubeconfigs of all logins read"

says "Server Version: v1." kubectl version
says Active kubectl get namespaces
says kube-system kubectl get ns kube-system -o name
says yes kubectl auth can-i create configmaps
says yes kubectl auth can-i '*' '*' --all-namespaces
says "system:authenticated" kubectl auth whoami
says serviceaccounts kubectl api-resources
says "apps/v1" kubectl api-versions
says ok kubectl get --raw /readyz

says "namespace/web created" kubectl create namespace web
refuses AlreadyExists kubectl create namespace web
refuses NotFound kubectl get namespace nowhere

cat >"$scratch/config.yaml" <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: web
data:
  color: blue
  size: small
YAML
says serverside-applied kubectl apply --server-side -f "$scratch/config.yaml"
says "color: blue" kubectl -n web get configmap settings -o yaml
refuses 'unknown field "dat"' kubectl apply -f - <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: wrong
  namespace: web
dat: {}
YAML
refuses "conflict" kubectl apply --server-side --field-manager other -f - <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: web
data:
  color: red
YAML

# Applied by the client: what it applied before is in an annotation, what it sends is a strategic merge patch.
deployment() {
  cat <<YAML
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: web
  labels:
    app: web
spec:
  replicas: $1
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      serviceAccountName: default
      containers:
      - name: web
        image: nginx:$2
$3
YAML
}
env_two=$'        env:\n        - name: A\n          value: "1"\n        - name: B\n          value: "2"'
env_one=$'        env:\n        - name: B\n          value: "3"'
deployment 1 1.26 "$env_two" >"$scratch/deployment.yaml"
says "deployment.apps/web created" kubectl apply -f "$scratch/deployment.yaml"
says "deployment.apps/web unchanged" kubectl apply -f "$scratch/deployment.yaml"
deployment 2 1.27 "$env_one" >"$scratch/deployment.yaml"
says "deployment.apps/web configured" kubectl apply -f "$scratch/deployment.yaml"
says "2 nginx:1.27 B=3" kubectl -n web get deployment web \
  -o 'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image} {range .spec.template.spec.containers[0].env[*]}{.name}={.value}{end}'
says "0/2" kubectl -n web get deployments -o wide
says last-applied-configuration kubectl -n web get deployment web -o yaml
refuses "+  replicas: 3" kubectl diff -f - < <(deployment 3 1.27 "$env_one")
says labeled kubectl -n web label deployment web tier=front
says "deployment.apps/web" kubectl get deployments -A -l tier=front -o name
says annotated kubectl -n web annotate configmap settings note=kept
says patched kubectl -n web patch configmap settings --type merge -p '{"data":{"size":"large"}}'
says patched kubectl -n web patch configmap settings --type json -p '[{"op":"replace","path":"/data/size","value":"huge"}]'
says huge kubectl -n web get configmap settings -o jsonpath='{.data.size}'
says "secret/password created" kubectl -n web create secret generic password --from-literal=value=hidden
says "rolebinding.rbac.authorization.k8s.io/readers created" kubectl -n web create rolebinding readers --clusterrole view --group someone
says settings kubectl -n web describe configmap settings
says "Status:       Active" kubectl describe namespace web
says "Image:      nginx:1.27" kubectl -n web describe deployment web
says "FIELDS" kubectl explain configmap
says "No resources found" kubectl -n web get pods
echo "objects made, changed and described"

# What a watch tells: what there is, then each change as it happens, until it is told to end.
timeout 30 kubectl -n web get configmaps --watch --output-watch-events >"$scratch/watch.log" 2>&1 &
watching=$!
until_says settings "$scratch/watch.log"
says created kubectl -n web create configmap seen --from-literal=a=b
until_says "ADDED      seen" "$scratch/watch.log"
says patched kubectl -n web patch configmap seen --type merge -p '{"data":{"c":"d"}}'
until_says "MODIFIED   seen" "$scratch/watch.log"
says deleted kubectl -n web delete configmap seen
until_says "DELETED    seen" "$scratch/watch.log"
kill "$watching"
wait "$watching" 2>/dev/null || true
says "condition met" kubectl wait namespace web --for=jsonpath='{.status.phase}'=Active --timeout=10s
says 'configmap "settings" deleted' kubectl -n web delete configmap settings
refuses NotFound kubectl -n web get configmap settings
says 'namespace "web" deleted' timeout 60 kubectl delete namespace web
refuses NotFound kubectl get namespace web
echo "watched, waited and deleted"
echo "kubectl $(kubectl version --client | head -n 1 | grep -o 'v[0-9.]*') is content"
