#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
schema.py SCHEMA DEFINITION: validates JSON on stdin, one document a line, by #/$defs/DEFINITION of the schema;
DEFINITION[] is an array of such. Prints each fault with its place and ends with status 1; no document is a fault, too.
"""
import json
import sys

from jsonschema import Draft202012Validator


def faults(schema, name):
    definition = name.removesuffix("[]")
    if definition not in schema["$defs"]:
        yield "the schema does not have it"
        return
    wanted = {"$ref": f"#/$defs/{definition}"}
    if definition != name:
        wanted = {"type": "array", "items": wanted}
    validator = Draft202012Validator({"$defs": schema["$defs"], **wanted})
    count = 0
    for line in sys.stdin:
        count += 1
        for fault in validator.iter_errors(json.loads(line)):
            yield f"at {fault.json_path}: {fault.message}"
    if not count:
        yield "nothing was printed"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    status = 0
    for fault in faults(schema, sys.argv[2]):
        print(f"{sys.argv[2]}: {fault}")
        status = 1
    return status


sys.exit(main())
