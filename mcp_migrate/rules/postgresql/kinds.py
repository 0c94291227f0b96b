"""What do changes of sequences, types, domains and statistics do to what is already stored?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql.names import doubts, full, member, name_of, qualified, split, words
from mcp_migrate.rules.postgresql.parser import Tree
from mcp_migrate.rules.postgresql.reading import Reading

_DOMAIN = "https://www.postgresql.org/docs/current/sql-alterdomain.html"
_SEQUENCE = "https://www.postgresql.org/docs/current/sql-altersequence.html"
_TYPE = "https://www.postgresql.org/docs/current/sql-altertype.html"

RESTART = rule(
    "restart-sequence",
    "A sequence that counts from elsewhere",
    "data breaking",
    "Lets {object} count from another place: numbers may come twice and inserts fail.",
    "SHARE ROW EXCLUSIVE",
    of="sequence",
    undo="no",
    rationale="A number that is already used is given again.",
    source=_SEQUENCE,
    flags=("ALTER SEQUENCE counter RESTART WITH 1",),
    passes=("ALTER SEQUENCE counter CACHE 20",),
)
SHAPE_SEQUENCE = rule(
    "alter-sequence",
    "A sequence that counts another way",
    "breaking",
    "Changes how {object} counts, or with which column it goes when that is dropped.",
    "SHARE ROW EXCLUSIVE",
    of="sequence",
    rationale="Another step, limit or type can exhaust or collide; an owned sequence is dropped with its column.",
    source=_SEQUENCE,
    flags=("ALTER SEQUENCE counter INCREMENT BY 5", "ALTER SEQUENCE counter OWNED BY users.id"),
    passes=("ALTER SEQUENCE counter CACHE 20",),
)
CACHE_SEQUENCE = rule(
    "cache-sequence",
    "How many numbers a session takes at once",
    "additive",
    "Changes how many numbers of {object} a session takes at once.",
    "SHARE ROW EXCLUSIVE",
    of="sequence",
    rationale="Gaps may grow; no number comes twice.",
    source=_SEQUENCE,
    flags=("ALTER SEQUENCE counter CACHE 20",),
    passes=("ALTER SEQUENCE counter RESTART",),
)
CREATE_COMPOSITE = rule(
    "create-type",
    "A new type",
    "additive",
    "Makes the type {object}.",
    of="type",
    rationale="Nothing uses it yet.",
    source="https://www.postgresql.org/docs/current/sql-createtype.html",
    flags=("CREATE TYPE address AS (street text, town text)", "CREATE TYPE span AS RANGE (subtype = float8)"),
    passes=("CREATE TYPE colour AS ENUM ('red')",),
)
CHANGE_TYPE = rule(
    "change-type",
    "A type with other attributes",
    "destructive breaking",
    "Changes attributes of {object}: values that hold them lose or change them, and code that names them fails.",
    "ACCESS EXCLUSIVE",
    of="type",
    rationale="Dropping or retyping an attribute takes it out of every value.",
    source=_TYPE,
    flags=("ALTER TYPE address DROP ATTRIBUTE town", "ALTER TYPE address ALTER ATTRIBUTE town TYPE varchar(3)"),
    passes=("ALTER TYPE address ADD ATTRIBUTE zip text",),
)
GROW_TYPE = rule(
    "add-attribute",
    "A type with one more attribute",
    "breaking",
    "Adds {object}: code that reads or makes whole values meets another shape{cascade}.",
    "ACCESS EXCLUSIVE",
    of="type",
    rationale="Values get a null there; code that lists all attributes fails.",
    source=_TYPE,
    flags=("ALTER TYPE address ADD ATTRIBUTE zip text",),
    passes=("ALTER TYPE address DROP ATTRIBUTE zip",),
)
RENAME_VALUE = rule(
    "rename-enum-value",
    "Another name for an enum value",
    "breaking",
    "Renames a value of {object} in every row at once: code that names the old one fails.",
    of="type",
    rationale="No row is written, but every row reads differently from then on.",
    source=_TYPE,
    flags=("ALTER TYPE mood RENAME VALUE 'happy' TO 'glad'",),
    passes=("ALTER TYPE mood ADD VALUE 'bored'",),
)
DOMAIN_STRICTER = rule(
    "restrict-domain",
    "A domain that takes fewer values",
    "breaking blocking",
    "Restricts {object}: what old code writes may be rejected, and unless NOT VALID each table that uses it is scanned"
    " while nobody can write to it.",
    "SHARE",
    of="domain",
    scans=True,
    rationale="Every column of the domain is checked; one that does not fit fails the statement.",
    source=_DOMAIN,
    flags=("ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 100)", "ALTER DOMAIN positive SET NOT NULL"),
    passes=("ALTER DOMAIN positive DROP NOT NULL",),
)
DOMAIN_LOOSER = rule(
    "loosen-domain",
    "A domain that takes more values, or fills in others",
    "breaking",
    "Changes {object}: what it kept out, or filled in, is no longer so.",
    of="domain",
    rationale="Code that relied on the constraint or default meets other values.",
    source=_DOMAIN,
    flags=("ALTER DOMAIN positive DROP NOT NULL", "ALTER DOMAIN positive DROP CONSTRAINT small"),
    passes=("ALTER DOMAIN positive VALIDATE CONSTRAINT small",),
)
DOMAIN_VALIDATE = rule(
    "validate-domain",
    "A domain's constraint checked on old rows",
    "blocking",
    "Checks each table that uses {object} while nobody can write to it.",
    "SHARE",
    of="domain",
    scans=True,
    rationale="Unlike a table's constraint, a domain's is validated under a lock that stops writers.",
    source=_DOMAIN,
    flags=("ALTER DOMAIN positive VALIDATE CONSTRAINT small",),
    passes=("ALTER TABLE users VALIDATE CONSTRAINT small",),
)
STATISTICS = rule(
    "create-statistics",
    "Statistics over several columns",
    "additive",
    "Lets the planner know more about {object}.",
    "SHARE UPDATE EXCLUSIVE",
    rationale="They are only gathered by the next ANALYZE.",
    source="https://www.postgresql.org/docs/current/sql-createstatistics.html",
    flags=("CREATE STATISTICS s ON id, name FROM users",),
    passes=("ANALYZE users",),
)
COLLATION = rule(
    "create-collation",
    "A new collation",
    "additive",
    "Makes the collation {object}.",
    of="collation",
    rationale="Nothing uses it yet.",
    source="https://www.postgresql.org/docs/current/sql-createcollation.html",
    flags=("CREATE COLLATION german (provider = icu, locale = 'de-DE')",),
    passes=("CREATE AGGREGATE total (integer) (sfunc = int4pl, stype = integer)",),
)
_COLLATION = frozenset({"locale", "lc_collate", "lc_ctype", "provider", "deterministic", "rules", "version"})


def alter_sequence(node: Tree, context: Context) -> list[Finding]:
    options = {option.def_elem.defname for option in node.options}
    which = RESTART if "restart" in options else CACHE_SEQUENCE if options == {"cache"} else SHAPE_SEQUENCE
    if context.made.has("sequence", name_of(node.sequence)) and "owned_by" not in options:
        which = CACHE_SEQUENCE
    return [found(which, full(node.sequence)), *Reading.of(node, context).findings()]


def composite(node: Tree, context: Context) -> list[Finding]:
    return [found(CREATE_COMPOSITE, full(node.typevar)), *Reading.of(node, context).findings()]


def range_type(node: Tree, _context: Context) -> list[Finding]:
    name = qualified(split(words(node.type_name)))
    odd = {param.def_elem.defname for param in node.params} - {"subtype", "collation", "multirange_type_name"}
    return [found(CREATE_COMPOSITE, name), *sentences(f"the option {o} is not on the list" for o in sorted(odd))]


def define(node: Tree, _context: Context) -> list[Finding]:
    kind, name = member("ObjectType", node.kind), qualified(split(words(node.defnames)))
    if kind == "OBJECT_TYPE" and not node.definition:
        return [found(CREATE_COMPOSITE, name)]
    options = {option.def_elem.defname for option in node.definition}
    if kind == "OBJECT_COLLATION" and options <= _COLLATION | {"from"}:
        return [found(COLLATION, name)]
    return [unknown(f"making a {kind.removeprefix('OBJECT_').lower()} is not on the list", name)]


def change_attributes(node: Tree, context: Context) -> list[Finding]:
    """ALTER TYPE … ADD, DROP or ALTER ATTRIBUTE."""
    name, context_findings = full(node.relation), Reading.of(node, context).findings()
    kinds = {member("AlterTableType", c.alter_table_cmd.subtype) for c in node.cmds}
    cascade = any(member("DropBehavior", c.alter_table_cmd.behavior) == "DROP_CASCADE" for c in node.cmds)
    if not kinds <= {"AT_AddColumn", "AT_DropColumn", "AT_AlterColumnType"}:
        return [unknown("this change of a type is not on the list", name)]
    tail = ", and by CASCADE in each table of that type" * cascade
    which = GROW_TYPE if kinds == {"AT_AddColumn"} else CHANGE_TYPE
    context.made.clear()
    return [found(which, name, cascade=tail), *context_findings]


def alter_domain(node: Tree, context: Context) -> list[Finding]:
    name = split(words(node.type_name))
    which = {"O": DOMAIN_STRICTER, "C": DOMAIN_STRICTER, "V": DOMAIN_VALIDATE}.get(node.subtype, DOMAIN_LOOSER)
    context.made.clear()
    return [
        found(which, qualified(name)),
        *Reading.of(node, context).findings(),
        *sentences(doubts(name, context)),
    ]


def statistics(node: Tree, context: Context) -> list[Finding]:
    reading = Reading.of(node, context)
    return [found(STATISTICS, *reading.relations), *reading.findings()]


def rename_value(node: Tree, context: Context) -> list[Finding]:
    context.made.clear()
    return [found(RENAME_VALUE, qualified(split(words(node.type_name))))]
