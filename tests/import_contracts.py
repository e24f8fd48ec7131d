"""Contract types for import-linter, which pyproject.toml names."""

import sys
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


def find_foreign_imports(graph: ImportGraph, modules: Iterable[str]) -> list[tuple[str, str]]:
    """Return (importer, imported) for each import of these modules from outside the standard library and themselves."""
    sources = {source for name in modules for source in {name} | graph.find_descendants(name)}
    return sorted(
        (source, imported)
        for source in sources
        for imported in graph.find_modules_directly_imported_by(source) - sources
        if imported.partition(".")[0] not in sys.stdlib_module_names
    )


def find_circle(graph: ImportGraph) -> list[str]:
    """Return modules of which each imports the next, and the last is the first; or nothing when there is no circle."""
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return []


class StandardLibraryOnly(Contract):
    """A contract that modules import the standard library and each other, and nothing else.

    import-linter's own "forbidden" contract would need the name of every package that could be installed.
    """

    type_name = "standard_library_only"

    modules = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find the imports that break the contract."""
        wrong = find_foreign_imports(graph, self.modules)
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that breaks the contract."""
        wrong: list[tuple[str, str]] = check.metadata["wrong"]
        for source, imported in wrong:
            output.print_error(f"{source} imports {imported}, which is not in the standard library")


class NoImportCircle(Contract):
    """A contract that no module imports itself by way of others. Imports inside functions count as well.

    import-linter's own "acyclic_siblings" contract is about packages: two modules that import modules of each other's
    package break it without a circle.
    """

    type_name = "no_import_circle"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find one circle, if there is any."""
        circle = find_circle(graph)
        return ContractCheck(kept=not circle, metadata={"circle": circle})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the circle: each module imports the next one."""
        circle: list[str] = check.metadata["circle"]
        output.print_error(" imports ".join(circle))
