#!/usr/bin/env bash
# GitHub's command line as the pipelines use it, on lists in files. It takes the options that they give, and no others.
set -euo pipefail
printf '%s\n' "$*" >>"$FAKE/asked"
[ -n "${GH_TOKEN:-}" ] || { echo "gh: no token" >&2; exit 4; }

method=GET jq=. body= file= title= directory= words=()
while [ $# -gt 0 ]; do
  case $1 in
    --method) method=$2; shift 2 ;;
    --jq) jq=$2; shift 2 ;;
    --field) [ "${2%%=*}" = body ] || exit 64; file=${2#body=@}; shift 2 ;;
    --body-file) file=$2; shift 2 ;;
    --comment) body=$2; shift 2 ;;
    --title) title=$2; shift 2 ;;
    --dir) directory=$2; shift 2 ;;
    --json | --state | --author | --search | --workflow | --commit | --status | --limit | --name) shift 2 ;;
    --paginate | --silent) shift ;;
    -*) echo "gh: unknown option $1" >&2; exit 64 ;;
    *) words+=("$1"); shift ;;
  esac
done
[ -z "$file" ] || body=$(cat "$file")

# change LIST FILTER: a list anew.
change() {
  jq --arg body "$body" --arg title "$title" "$2" "$FAKE/$1.json" >"$FAKE/$1.new"
  mv "$FAKE/$1.new" "$FAKE/$1.json"
}

case "$method ${words[*]}" in
  "GET api repos/example/app/issues/7/comments?per_page=100") jq --raw-output "$jq" "$FAKE/comments.json" ;;
  "POST api repos/example/app/issues/7/comments")
    change comments '. + [{id: (length + 41), body: $body, user: {login: "github-actions[bot]"}}]' ;;
  "PATCH api repos/example/app/issues/comments/"*)
    change comments "map(if .id == ${words[1]##*/} then .body = \$body else . end)" ;;
  "GET api repos/example/app/commits/"*"/pulls") jq --raw-output "$jq" "$FAKE/pulls.json" ;;
  "GET run list") jq --raw-output "$jq" "$FAKE/runs.json" ;;
  "GET run download "*) mkdir -p "$directory" && cp "$FAKE/reviewed-artifact/"* "$directory/" ;;
  "GET issue list") jq --raw-output "map(select(.state == \"open\")) | $jq" "$FAKE/issues.json" ;;
  "GET issue create") change issues '. + [{number: (length + 1), state: "open", title: $title, body: $body}]' ;;
  "GET issue edit "*) change issues "map(if .number == ${words[2]} then .body = \$body else . end)" ;;
  "GET issue close "*) change issues "map(if .number == ${words[2]} then .state = \"closed\" | .said = \$body else . end)" ;;
  *) echo "gh: unknown call: $method ${words[*]}" >&2; exit 64 ;;
esac
