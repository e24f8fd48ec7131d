"""Contract types for import-linter, which pyproject.toml names."""

import sys
from graphlib import CycleError, TopologicalSorter

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class StandardLibraryOnly(Contract):
    """A contract that modules import the standard library and each other, and nothing else.

    import-linter's own "forbidden" contract would need the name of every package that could be installed.
    """

    type_name = "standard_library_only"

    modules = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find the imports that break the contract. A module of `modules` stands for all modules below it."""
        sources = {source for name in self.modules for source in {name} | graph.find_descendants(name)}
        wrong = sorted(
            (source, imported)
            for source in sources
            for imported in graph.find_modules_directly_imported_by(source) - sources
            if imported.partition(".")[0] not in sys.stdlib_module_names
        )
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that breaks the contract."""
        wrong: list[tuple[str, str]] = check.metadata["wrong"]
        for source, imported in wrong:
            output.print_error(f"{source} imports {imported}, which is not in the standard library")


class NoImportCircle(Contract):
    """A contract that no module imports itself by way of others. Imports inside functions count as well.

    import-linter's own "acyclic_siblings" contract is about packages: two modules that import a third one of another
    package, in both directions, break it without a circle.
    """

    type_name = "no_import_circle"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find one circle, if there is any."""
        imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
        try:
            TopologicalSorter(imports).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1]
            return ContractCheck(kept=False, metadata={"circle": circle[::-1]})
        return ContractCheck(kept=True)

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the circle: each module imports the next one."""
        circle: list[str] = check.metadata["circle"]
        output.print_error(" imports ".join(circle))
