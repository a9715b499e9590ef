#!/bin/sh
# Lints workflow files with the linters in a folder: lint_workflows.sh folder file…
set -u
bin=$1
shift
failed=0
for file; do
	# actionlint knows the inputs and the runtime of an action by its tag, so a pin is read as the tag in its comment.
	sed -E 's/@[0-9a-f]{40} # (v[0-9]+).*/@\1/' "$file" |
		"$bin/actionlint" -shellcheck "$bin/shellcheck" -pyflakes '' -stdin-filename "$file" - || failed=1
done
"$bin/zizmor" --offline --no-progress --quiet "$@" || failed=1
exit $failed
