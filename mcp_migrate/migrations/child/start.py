"""How does an interpreter come to this package, and to nothing that is installed beside it?

Run by its path, for one child or for a nursery of them. With another interpreter as its argument the walls are put up
first and it goes on as that one: what such an interpreter loads by itself (`sitecustomize`, `.pth` files) is the
project's as well. Until it is known which Python this is, the text keeps to what an old one reads.
"""

import json
import os
import sys

LOWEST = (3, 11)


def main() -> None:
    """Be the child, or become it."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100,PTH120  as above
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]  # noqa: PTH100
    if sys.version_info < LOWEST:
        found, lowest = (".".join(map(str, version[:2])) for version in (sys.version_info, LOWEST))
        reason = f"the interpreter is Python {found}, and {lowest} or newer is needed"
        print(json.dumps({"failure": {"revision": None, "file": None, "reason": reason}}))  # noqa: T201  the answer
        return
    _know_package(os.path.dirname(os.path.dirname(here)))  # noqa: PTH120
    if sys.argv[1:2] == ["nursery"]:
        from mcp_migrate.migrations.child.nursery import serve

        serve(int(sys.argv[2]))
        return
    if len(sys.argv) > 1:
        from mcp_migrate.migrations.cage.enter import become

        become(sys.argv[1], os.path.abspath(__file__))  # noqa: PTH100
    from mcp_migrate.migrations.child.__main__ import main as answer

    answer()


def _know_package(folder: str) -> None:
    """Make `mcp_migrate` importable, and not what stands beside its folder."""
    from importlib.util import module_from_spec, spec_from_file_location

    source = os.path.join(folder, "__init__.py")  # noqa: PTH118
    spec = spec_from_file_location("mcp_migrate", source, submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        raise RuntimeError("mcp_migrate cannot be loaded from " + folder)
    module = sys.modules["mcp_migrate"] = module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == "__main__":
    main()
