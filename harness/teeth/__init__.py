# SPDX-License-Identifier: Apache-2.0
"""Does the suite bite? A copy of the client with defects built in, one of which is switched on at run time, and the
scenarios run against each: see `ci/teeth --help`.

    insertions.py   where in a file which text is put in
    planted.py      defects written by hand, each against a rule of the catalogue (planted.yaml)
    mutants.py      mechanical mutants of the client's bootstrap
    equivalent.py   mutants that are no faults: of the same code, or listed with a reason (equivalent.yaml)
    tree.py         the copy and its build
    suite.py        the scenarios against one defect
"""
