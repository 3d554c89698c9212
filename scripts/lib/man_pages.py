"""Writes the man pages of a program and its subcommands from what it says of itself.

man_pages.py PROGRAM FOLDER"""
import json
import os
import re
import subprocess
import sys

#: First words that a program takes beside its own arguments, without listing them as subcommands.
VERBS = {"pitr-restore": ["plan", "apply", "advance", "info", "verify", "retention"]}
#: Programs whose 'explain' lists findings.
EXPLAINS = {"sst-verify", "wal-inspect", "cdc-tail", "pitr-restore", "falconctl"}


def escaped(text):
    """Text as roff shows it."""
    lines = (text or "").replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in lines)


def names(argument):
    marks = {"long": "--", "short": "-", "longWithSingleDash": "-"}
    found = [marks[name["kind"]] + name["name"] for name in argument.get("names", [])]
    value = argument.get("valueName") or "value"
    if argument["kind"] == "positional":
        return f"<{value}>" + ("..." if argument.get("isRepeating") else "")
    text = ", ".join(sorted(found, key=len))
    return text + (f" <{value}>" if argument["kind"] == "option" else "")


def entry(argument):
    lines = [".TP", f"\\fB{escaped(names(argument))}\\fR"]
    text = " ".join(filter(None, [argument.get("abstract"), argument.get("discussion")]))
    if argument.get("allValues") and argument["kind"] != "flag":
        text += " One of " + ", ".join(argument["allValues"]) + "."
    if argument.get("defaultValue") and argument["kind"] != "flag":
        text += f" Default: {argument['defaultValue']}."
    return lines + [escaped(text.strip()) or "\\&"]


def page(command, path, version):
    """The page of one command; its subcommands have their own."""
    title = "-".join(path)
    lines = [f'.TH "{title.upper()}" 1 "" "FalconDB {version}" "FalconDB"', ".SH NAME",
             f"{escaped(title)} \\- {escaped((command.get('abstract') or title).rstrip('.'))}", ".SH SYNOPSIS"]
    arguments = [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)]
    positional = " ".join(names(a) for a in arguments if a["kind"] == "positional")
    children = [c for c in command.get("subcommands", []) if c["commandName"] != "help"]
    lines.append(f"\\fB{escaped(' '.join(path))}\\fR " + escaped(" ".join(filter(None, [
        "[<options>]" if len(arguments) > positional.count("<") else "", positional,
        "<subcommand>" if children and not positional else ""]))))
    if command.get("discussion"):
        lines.append(".SH DESCRIPTION")
        for paragraph in command["discussion"].split("\n\n"):
            lines += [".PP", escaped(paragraph)]
    if arguments:
        lines.append(".SH OPTIONS")
        for argument in arguments:
            lines += entry(argument)
    if children:
        lines.append(".SH SUBCOMMANDS")
        for child in children:
            lines += [".TP", f"\\fB{escaped('-'.join([*path, child['commandName']]))}\\fR(1)",
                      escaped(child.get("abstract") or "\\&")]
    if len(path) > 1:
        lines += [".SH SEE ALSO", f"\\fB{escaped('-'.join(path[:-1]))}\\fR(1)"]
    return title, "\n".join(lines) + "\n", children


def write(command, path, version, folder, findings=""):
    title, text, children = page(command, path, version)
    if findings:
        text += ".SH FINDINGS\n.nf\n" + escaped(findings) + ".fi\n"
    with open(os.path.join(folder, title + ".1"), "w") as file:
        file.write(text)
    for child in children:
        write(child, [*path, child["commandName"]], version, folder)


def asked(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, folder = sys.argv[1:]
    command = json.loads(asked(program, "--experimental-dump-help"))["command"]
    version = re.search(r"\d+\.\d+\.\d+", asked(program, "--version"))[0]
    name = os.path.basename(program)
    known = {child["commandName"] for child in command.get("subcommands", [])}
    for verb in VERBS.get(name, []):
        if verb not in known:
            child = json.loads(asked(program, verb, "--experimental-dump-help"))["command"]
            command.setdefault("subcommands", []).append({**child, "commandName": verb})
    write(command, [name], version, folder, asked(program, "explain") if name in EXPLAINS else "")


if __name__ == "__main__":
    main()
