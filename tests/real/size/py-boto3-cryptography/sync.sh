#!/bin/sh
set -e
aws s3 sync "$SOURCE" "$TARGET"
