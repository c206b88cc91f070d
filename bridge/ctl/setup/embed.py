#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py FILE...: the templates as C, one array of (name, text) by name; on standard output."""
import pathlib
import sys


def literal(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '\\n"'


print('#include "bridge/ctl/setup/setup_templates.h"\n\n#include <stddef.h>\n\nconst struct hf_setup_template hf_setup_templates[] = {')
for path in sorted(map(pathlib.Path, sys.argv[1:])):
    name = path.name.removesuffix(".in").removesuffix(".conf")
    print(f'\t{{ "{name}",')
    for line in [*path.read_text().splitlines(), ""]:
        print("\t  " + literal(line))
    print("\t},")
print("\t{ NULL, NULL },\n};")
