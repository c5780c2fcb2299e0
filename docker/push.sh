#!/usr/bin/env bash
# Push the image `tomobatch` to REPOSITORY_URI: as its version on a tag v*, else by its commit.
set -euo pipefail
: "${REPOSITORY_URI:?set it to the output RepositoryUri of the stack ecr}"
: "${AWS_REGION:?set it to the Region of the repository}"

commit=$(git rev-parse --short=12 HEAD)
version=$(git tag --points-at HEAD --list 'v*' | head -n 1)
name="$REPOSITORY_URI:${version:+${version#v}}"
[[ -n $version ]] || name="$REPOSITORY_URI:git-$commit"

aws ecr get-login-password --region "$AWS_REGION" |
  docker login --username AWS --password-stdin "${REPOSITORY_URI%%/*}"
if docker manifest inspect "$name" > /dev/null 2>&1; then
  echo "$name is there already, and tags are immutable"
  exit 0
fi
docker tag tomobatch "$name"
docker push "$name"
