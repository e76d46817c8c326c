#!/usr/bin/env bash
# Prints where the tools for the Python client are: format, types, wheels. Installs them once, from PyPI.
exec "$(dirname "$0")/from-pypi.sh" python-client-1 mypy mypy==1.18.2 ruff==0.14.4 build==1.3.0 hatchling==1.27.0
