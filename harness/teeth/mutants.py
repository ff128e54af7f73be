# SPDX-License-Identifier: Apache-2.0
"""Mechanical mutants, found in the syntax tree that libclang gives: negated conditions, loops that are not entered,
changed constants, deleted statements. What only speaks to the log, what only chooses a text for it, and assertions, are
left alone: no scenario could tell."""
import dataclasses

from clang import cindex

from . import insertions

FOLDER = "client/src/bootstrap"
NOT_BUILT = "absent.c"  # in place of the others where the Bootstrap interface is left out
ONLY_TALK = {"bjc_log", "bjc_moved"}
CAUSES = ("cause", "reason")  # variables for the texts of the log
K = cindex.CursorKind


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str
    line: int
    function: str
    kind: str  # negated, not entered, constant, deleted
    text: str  # what stands there
    context: str  # the line on which it begins
    start: int
    end: int

    @property
    def first_line(self):
        return self.text.split("\n")[0]

    @property
    def name(self):
        return f"{self.file.rsplit('/', 1)[-1]}:{self.line}:{self.kind}:{self.start}"

    def insertion(self, number):
        before, behind = {
            "negated": (f"(bj_planted({number}) != !!(", "))"),
            "not entered": (f"(!bj_planted({number}) && (", "))"),
            "constant": (f"((bj_planted({number}) ? 1 : 0) + ", ")"),
            "deleted": (f"if (!bj_planted({number})) {{ ", " }"),
        }[self.kind]
        return insertions.Insertion(self.start, self.end, before, behind)

    def source(self, data):
        """The file as a programmer would have written the mutant, without any switch."""
        instead = {"negated": f"!({self.text})", "not entered": "0", "constant": f"({self.text} + 1)", "deleted": ";"}
        return data[:self.start] + instead[self.kind].encode() + data[self.end:]


class Finder:
    def __init__(self, root, file):
        self.file = file
        self.data = (root / file).read_bytes()
        self.found = []
        arguments = ["-std=c11", f"-I{root}/client/src", f"-I{root}/client/include", "-D_GNU_SOURCE", '-DBJC_VERSION="0"']
        unit = cindex.Index.create().parse(str(root / file), args=arguments)
        worst = [d for d in unit.diagnostics if d.severity >= cindex.Diagnostic.Error]
        if worst:
            raise RuntimeError(f"{file}: {worst[0]}")
        for cursor in unit.cursor.get_children():
            if cursor.kind == K.FUNCTION_DECL and cursor.is_definition() and self.mine(cursor):
                self.function = cursor.spelling
                self.walk(cursor, None)

    def mine(self, cursor):
        return cursor.location.file is not None and cursor.location.file.name.endswith(self.file)

    def text(self, cursor):
        return self.data[cursor.extent.start.offset:cursor.extent.end.offset].decode(errors="replace")

    def add(self, cursor, kind, more=0):
        start, end = cursor.extent.start.offset, cursor.extent.end.offset + more
        if self.mine(cursor) and end > start:
            line = cursor.extent.start.line
            context = self.data.split(b"\n")[line - 1].decode().strip()
            text = self.data[start:end].decode()
            self.found.append(Mutant(self.file, line, self.function, kind, text, context, start, end))

    def negate(self, condition):
        """A condition, and each side of its `&&` and `||`."""
        self.add(condition, "negated")

    def statement(self, cursor):
        kinds = (K.CALL_EXPR, K.BINARY_OPERATOR, K.COMPOUND_ASSIGNMENT_OPERATOR, K.UNARY_OPERATOR)
        end = cursor.extent.end.offset
        if cursor.kind not in kinds or self.data[end:end + 1] != b";":
            return
        if not self.only_talks(cursor):
            self.add(cursor, "deleted", 1)

    def only_talks(self, cursor):
        """It says something to the log, chooses a text for it, or asserts."""
        if self.text(cursor).startswith("assert(") or (cursor.kind == K.CALL_EXPR and cursor.spelling in ONLY_TALK):
            return True
        children = list(cursor.get_children())
        if cursor.kind == K.CALL_EXPR and cursor.spelling == "snprintf":
            return self.text(children[1]) in CAUSES
        assigned = cursor.kind == K.BINARY_OPERATOR and len(children) == 2 and self.text(children[0]).lstrip("*") in CAUSES
        return assigned and children[0].type.spelling == "const char *"

    def branches_only_talk(self, branches):
        """What stands under a condition says something to the log and does nothing else."""
        statements = [child for branch in branches
                      for child in (branch.get_children() if branch.kind == K.COMPOUND_STMT else [branch])]
        return all(self.only_talks(statement) for statement in statements)

    def literal(self, cursor, parent):
        words = self.text(cursor)
        array = parent.kind == K.VAR_DECL
        if words[:1].isdigit() and not array and parent.kind != K.CASE_STMT:
            self.add(cursor, "constant")

    def logical(self, cursor):
        left, right = list(cursor.get_children())
        between = self.data[left.extent.end.offset:right.extent.start.offset]
        if b"&&" in between or b"||" in between:
            self.negate(left)
            self.negate(right)

    def walk(self, cursor, parent):
        children = list(cursor.get_children())
        if cursor.kind == K.VAR_DECL and cursor.storage_class == cindex.StorageClass.STATIC:
            return
        if self.only_talks(cursor):
            return
        if cursor.kind == K.IF_STMT and self.branches_only_talk(children[1:]):
            return
        if cursor.kind in (K.IF_STMT, K.CONDITIONAL_OPERATOR):
            self.negate(children[0])
        elif cursor.kind == K.WHILE_STMT:
            self.add(children[0], "not entered")
        elif cursor.kind == K.BINARY_OPERATOR and len(children) == 2:
            self.logical(cursor)
        elif cursor.kind == K.INTEGER_LITERAL:
            self.literal(cursor, parent)
        for child in children:
            if cursor.kind == K.COMPOUND_STMT:
                self.statement(child)
            if not (cursor.kind == K.CASE_STMT and child == children[0]):
                self.walk(child, cursor)


def find(root):
    """All mutants of the folder, in the order of the sources."""
    found = []
    for path in sorted((root / FOLDER).glob("*.c")):
        if path.name != NOT_BUILT:
            finder = Finder(root, f"{FOLDER}/{path.name}")
            found += sorted(set(finder.found), key=lambda m: (m.start, -m.end, m.kind))
    return found


def insert(mutants, first):
    by_file = {}
    for number, mutant in enumerate(mutants, first):
        by_file.setdefault(mutant.file, []).append(mutant.insertion(number))
    return by_file
