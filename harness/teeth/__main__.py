# SPDX-License-Identifier: Apache-2.0
"""Does the suite bite? Builds the client with defects in it, one of which is switched on at a time, and expects of each
that a scenario turns red."""
import argparse
import random
import statistics
import sys

from . import equivalent, mutants, planted, suite, tree

FLOOR = 85  # per cent of the mutants that must be killed, of those that are faults


def parse(arguments):
    parser = argparse.ArgumentParser(prog="ci/teeth", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="these planted defects only; all if none is named")
    parser.add_argument("--mutants", type=int, metavar="N", default=0,
                        help="also N mechanical mutants of client/src/bootstrap, drawn by the seed; -1: all of them")
    parser.add_argument("--only-mutants", action="store_true", help="no planted defects")
    parser.add_argument("--seed", type=int, default=1, help="which mutants are drawn, 1 if not given")
    parser.add_argument("--rules", action="store_true", help="one planted defect of each rule")
    parser.add_argument("--build", action="store_true",
                        help=f"only build, and print where the program is; {tree.SWITCH}=NAME switches a defect on")
    parser.add_argument("--list", action="store_true", help="print the planted defects: name, rule, what goes wrong")
    return parser.parse_args(arguments)


def chosen_defects(options, defects):
    unknown = set(options.names) - {defect.name for defect in defects}
    if unknown:
        raise planted.Mistake(f"no planted defect is called {', '.join(sorted(unknown))}; --list prints them all")
    if options.only_mutants:
        return []
    if options.rules:
        return list({defect.rule: defect for defect in reversed(defects)}.values())[::-1]
    return [defect for defect in defects if not options.names or defect.name in options.names]


def build(defects):
    """One program with every planted defect and every mutant; the mutants."""
    everything = mutants.find(tree.ROOT)
    by_file = planted.plant(tree.ROOT, defects, 1)
    for file, more in mutants.insert(everything, len(defects) + 1).items():
        by_file.setdefault(file, []).extend(more)
    tree.build(by_file, [defect.name for defect in defects] + [mutant.name for mutant in everything])
    return everything


def judge_defects(defects, files, named):
    survivors, times = [], []
    for defect in defects:
        outcome = suite.kill(defect.name, suite.order(files, named, defect.rule))
        if outcome.killer:
            times.append(outcome.seconds)
            print(f"killed    {defect.name} ({defect.rule}) in {outcome.seconds:.2f} s by {outcome.killer}", flush=True)
        else:
            survivors.append(defect)
            print(f"SURVIVED  {defect.name} ({defect.rule}): {defect.text}", flush=True)
    if defects:
        median = f"; time to kill {statistics.median(times):.2f} s in the median, {max(times):.2f} s at most" if times else ""
        print(f"planted defects: {len(defects) - len(survivors)} killed, {len(survivors)} survived{median}")
    return survivors


def say(word, mutant, more=""):
    print(f"{word} {mutant.file}:{mutant.line}: {mutant.kind}: {mutant.first_line} in: {mutant.context}{more}", flush=True)


def judge_mutant(mutant, files, reasons):
    """killed, equivalent or survived; equivalents that the suite can tell are a mistake of their table."""
    outcome = suite.kill(mutant.name, files)
    if outcome.killer and mutant.name in reasons:
        raise equivalent.Mistake(f"{mutant.file}:{mutant.line} is listed as equivalent, and {outcome.killer} can tell it")
    if outcome.killer:
        return "killed"
    if mutant.name in reasons:
        say("equivalent", mutant, f": {reasons[mutant.name]}")
    elif equivalent.same_code(tree.ROOT, mutant):
        say("equivalent", mutant, ": the compiler makes the same code of it")
    else:
        say("SURVIVED  ", mutant)
        return "survived"
    return "equivalent"


def per_cent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def judge_mutants(options, everything, files):
    """True: enough of them are killed."""
    reasons = equivalent.listed(equivalent.read(), everything)
    count = len(everything) if options.mutants < 0 else min(options.mutants, len(everything))
    drawn = random.Random(options.seed).sample(everything, count)
    fates = [judge_mutant(mutant, files, reasons) for mutant in sorted(drawn, key=lambda m: (m.file, m.start))]
    killed, same, survived = (fates.count(fate) for fate in ("killed", "equivalent", "survived"))
    if not drawn:
        return True
    print(f"mutants of {mutants.FOLDER}: {count} of {len(everything)} drawn (seed {options.seed}): {killed} killed, "
          f"{survived} survived, {same} equivalent; score {per_cent(killed, killed + survived):.1f} % "
          f"({per_cent(killed, count):.1f} % where equivalents count as survivors)")
    return per_cent(killed, killed + survived) >= FLOOR


def judge_rules(options, defects):
    """True: no rule lacks a planted defect."""
    if options.names or options.only_mutants:
        return True
    lacking = planted.rules_without(defects)
    for rule in lacking:
        print(f"NO DEFECT  breaks {rule}", flush=True)
    print(f"rules: {planted.rule_count()} in the catalogue, {len(lacking)} without a planted defect")
    return not lacking


def main(arguments):
    options = parse(arguments)
    defects = planted.read()
    if options.list:
        for defect in defects:
            print(f"{defect.name}\t{defect.rule}\t{defect.text}")
        return 0
    chosen = chosen_defects(options, defects)
    everything = build(defects)
    if options.build:
        print(tree.PROGRAM)
        return 0
    files = suite.scenario_files()
    sound, _ = suite.try_one("", files, fail_fast=False)
    for result in suite.reds(sound):
        raise tree.Failed(f"the sound client is red already: {result['scenario']}: {result.get('reason')}")
    complete = judge_rules(options, defects)
    survivors = judge_defects(chosen, files, suite.rules_of(sound))
    enough = judge_mutants(options, everything, files)
    failed = len(survivors) + (not enough) + (not complete)
    print(f"{len(chosen) - len(survivors)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (planted.Mistake, equivalent.Mistake, tree.Failed) as problem:
        sys.exit(f"ci/teeth: {problem}")
