#!/usr/bin/env bash
# Installs what the tests marked `demo` and `system` need: Chromium, PostgreSQL, a LaTeX with booktabs and siunitx,
# LuaLaTeX for other scripts, vector fonts (lmodern), pdftotext, pdftoppm and pdffonts (poppler-utils), and a clock
# that jumps, for benchmarks/faults.py (libfaketime).
set -euo pipefail
packages=(chromium postgresql texlive-latex-recommended texlive-science texlive-luatex lmodern poppler-utils libfaketime)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
command -v apt-get >/dev/null || { echo "install these by hand: ${missing[*]}" >&2; exit 1; }
run=()
[ "$(id -u)" -eq 0 ] || run=(sudo)
"${run[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
