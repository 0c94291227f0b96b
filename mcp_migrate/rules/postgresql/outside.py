"""Which statements reach out of the tables here: extensions, other servers, files, databases, the server itself?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, Rule, found, rule
from mcp_migrate.rules.postgresql.builtins import HARMLESS_EXTENSIONS
from mcp_migrate.rules.postgresql.names import full
from mcp_migrate.rules.postgresql.parser import Tree

EXTENSION = rule(
    "create-extension",
    "A well-known extension",
    "privilege",
    "Installs or updates the extension {name}, well known and without reach beyond the database.",
    of="",
    rationale="An extension's script runs with the rights of a superuser where it is trusted, and brings code in C.",
    source="https://www.postgresql.org/docs/current/sql-createextension.html",
    flags=("CREATE EXTENSION IF NOT EXISTS citext", 'CREATE EXTENSION "uuid-ossp" WITH SCHEMA public'),
    passes=("CREATE EXTENSION dblink",),
)
ANY_EXTENSION = rule(
    "create-other-extension",
    "An extension with unknown reach",
    "privilege unknown",
    "Installs, updates or changes the extension {name}: it can bring code that reaches files or other servers.",
    of="",
    rationale="Functions of dblink, file_fdw, adminpack and languages such as plpython3u do what SQL alone cannot.",
    source="https://www.postgresql.org/docs/current/contrib.html",
    flags=("CREATE EXTENSION dblink", "CREATE EXTENSION plpython3u"),
    passes=("CREATE EXTENSION IF NOT EXISTS pg_trgm",),
)
OUTSIDE = rule(
    "outside",
    "Out of the database",
    "privilege unknown",
    "{what} reaches beyond the tables here.",
    of="",
    rationale="Other servers, the server's files and its configuration are outside of what a migration owns.",
    source="https://www.postgresql.org/docs/current/sql-commands.html",
    flags=("ALTER SYSTEM SET archive_command = 'x'", "LOAD 'x.so'", "CREATE SERVER s FOREIGN DATA WRAPPER w"),
    passes=("SET lock_timeout = '5s'",),
)
DROP_DATABASE = rule(
    "drop-database",
    "A whole database dropped",
    "destructive privilege unknown",
    "Drops the database {name}.",
    of="database",
    transactional=False,
    undo="no",
    rationale="Everything in it is gone, and no transaction takes it back.",
    source="https://www.postgresql.org/docs/current/sql-dropdatabase.html",
    flags=("DROP DATABASE shop",),
    passes=("DROP SCHEMA app",),
)
DATABASE = rule(
    "database",
    "A database made or changed",
    "privilege unknown",
    "{what} concerns a whole database, and each session that opens it.",
    of="",
    rationale="Settings of a database hold for every later session of everybody.",
    source="https://www.postgresql.org/docs/current/sql-alterdatabase.html",
    flags=("ALTER DATABASE shop SET search_path = evil",),
    passes=("SET lock_timeout = '5s'",),
)
PUBLICATION = rule(
    "publication",
    "Rows offered to other servers",
    "privilege",
    "Changes what the publication {name} offers to other servers: {object}.",
    rationale="Whoever may subscribe reads every row that is published.",
    source="https://www.postgresql.org/docs/current/sql-createpublication.html",
    flags=("CREATE PUBLICATION p FOR TABLE users", "CREATE PUBLICATION p FOR ALL TABLES"),
    passes=("GRANT SELECT ON users TO bob",),
)
_DATABASES = frozenset({"createdb_stmt", "alter_database_stmt", "alter_database_set_stmt"})
_OTHERS = (
    "alter_system_stmt load_stmt create_fdw_stmt alter_fdw_stmt create_foreign_server_stmt"
    " alter_foreign_server_stmt create_foreign_table_stmt import_foreign_schema_stmt create_user_mapping_stmt"
    " alter_user_mapping_stmt drop_user_mapping_stmt create_plang_stmt create_am_stmt create_table_space_stmt"
    " drop_table_space_stmt create_subscription_stmt alter_subscription_stmt drop_subscription_stmt"
    " create_cast_stmt create_transform_stmt create_conversion_stmt create_op_class_stmt create_op_family_stmt"
    " alter_op_family_stmt alter_operator_stmt alter_extension_contents_stmt alter_table_move_all_stmt"
).split()


def extension(node: Tree, context: Context) -> list[Finding]:
    """CREATE and ALTER EXTENSION."""
    name = node.extname
    context.made.rewrite(name)
    if name not in HARMLESS_EXTENSIONS or any(o.def_elem.defname == "cascade" for o in node.options):
        return [found(ANY_EXTENSION, name=name)]
    context.made.add("extension", ("", name))
    return [found(EXTENSION, name=name)]


def publication(node: Tree, context: Context) -> list[Finding]:
    """CREATE and ALTER PUBLICATION: which tables it names, or that it takes all."""
    from mcp_migrate.rules.postgresql.reading import Reading  # for the conditions on its rows

    objects, findings = [], []
    for item in (entry.publication_obj_spec for entry in node.pubobjects):
        if item.HasField("pubtable"):
            objects.append(full(item.pubtable.relation))
            findings += Reading.of(item.pubtable.where_clause, context).findings()
        else:
            objects.append(f"{item.name or 'public'}.?")
    every = node.for_all_tables or not objects
    return [found(PUBLICATION, *objects, *(["?"] * every), name=node.pubname), *findings]


def drop_database(node: Tree, _context: Context) -> list[Finding]:
    return [found(DROP_DATABASE, name=node.dbname)]


def _reaching(kind: str, which: Rule, _node: Tree, _context: Context) -> list[Finding]:
    return [found(which, what=kind.removesuffix("_stmt").replace("_", " ").upper())]


KINDS: dict[str, Callable[[Tree, Context], list[Finding]]] = {
    "alter_extension_stmt": extension,
    "alter_publication_stmt": publication,
    "create_extension_stmt": extension,
    "create_publication_stmt": publication,
    "dropdb_stmt": drop_database,
    **{kind: partial(_reaching, kind, DATABASE) for kind in sorted(_DATABASES)},
    **{kind: partial(_reaching, kind, OUTSIDE) for kind in _OTHERS},
}
