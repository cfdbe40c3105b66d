#!/usr/bin/env bash
# curl as the pipelines use it, in front of Azure DevOps' threads of a pull request, a list in a file.
set -euo pipefail
method=GET user= url= body=
while [ $# -gt 0 ]; do
  case $1 in
    --request) method=$2; shift 2 ;;
    --user) user=$2; shift 2 ;;
    --header) [ "$2" = "Content-Type: application/json" ] || exit 64; shift 2 ;;
    --data-binary) [ "$2" = @- ] || exit 64; body=$(cat); shift 2 ;;
    --silent | --show-error | --fail) shift ;;
    -*) echo "curl: unknown option $1" >&2; exit 2 ;;
    *) url=$1; shift ;;
  esac
done
printf '%s %s\n' "$method" "$url" >>"$FAKE/asked"
[ "$user" = ":devops-token" ] || { echo "curl: (22) 401" >&2; exit 22; }

threads=https://dev.azure.com/example/app/_apis/git/repositories/4711/pullRequests/7/threads
change() {
  jq --argjson body "$body" "$1" "$FAKE/threads.json" >"$FAKE/threads.new"
  mv "$FAKE/threads.new" "$FAKE/threads.json"
}
case "$method $url" in
  "GET $threads?api-version=7.1") jq '{value: .}' "$FAKE/threads.json" ;;
  "POST $threads?api-version=7.1")
    change '. + [{id: (length + 100), status: $body.status, comments: [$body.comments[] | .id = 1]}]'
    ;;
  "PATCH $threads/"*"?api-version=7.1")
    rest=${url#"$threads/"}
    change "map(if .id == ${rest%%/*} then .comments[0].content = \$body.content else . end)"
    ;;
  *) echo "curl: (22) 404 $method $url" >&2; exit 22 ;;
esac
