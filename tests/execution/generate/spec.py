"""The executable specification's forks, and ways to leave a rule of theirs out.

A block that breaks one rule is made by the specification without that rule, so that nothing else is wrong with it.
"""

import importlib
import pkgutil
import sys
from contextlib import ExitStack, contextmanager
from functools import cache
from types import ModuleType

# Index of each fork in a schema id.
INDEX = {"prague": 0x11, "osaka": 0x12, "bpo1": 0x13, "bpo2": 0x14}
NAMES = tuple(INDEX)


class Fork:
    """A fork of the specification: its modules as attributes, `fork.blocks`, `fork.gas`."""

    def __init__(self, name: str):
        self.name = name
        self.index = INDEX[name]
        package = importlib.import_module(f"ethereum.forks.{name}")
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(found.name)
        self.fork = self.module("fork")
        self.blocks = self.module("blocks")
        self.state = self.module("state")
        self.types = self.module("fork_types")
        self.trie = self.module("trie")
        self.transactions = self.module("transactions")
        self.requests = self.module("requests")
        self.gas = self.module("vm.gas")
        self.vm = self.module("vm")
        self.precompiles = self.module("vm.precompiled_contracts.mapping").PRE_COMPILED_CONTRACTS
        self.instructions = self.module("vm.instructions")

    def module(self, name: str) -> ModuleType:
        return sys.modules[f"ethereum.forks.{self.name}.{name}"]

    @property
    def is_osaka(self) -> bool:
        return self.name != "prague"

    @property
    def max_blobs(self) -> int:
        return int(self.fork.MAX_BLOB_GAS_PER_BLOCK) // int(self.gas.GAS_PER_BLOB)

    @property
    def target_blobs(self) -> int:
        return int(self.gas.TARGET_BLOB_GAS_PER_BLOCK) // int(self.gas.GAS_PER_BLOB)

    @contextmanager
    def patched(self, **values):
        """With other values for names, wherever a module of the fork has them."""
        prefix = f"ethereum.forks.{self.name}"
        modules = [module for name, module in sys.modules.items() if name.startswith(prefix)]
        saved = [(m, n, getattr(m, n)) for m in modules for n in values if hasattr(m, n)]
        missing = set(values) - {name for _, name, _ in saved}
        assert not missing, f"{self.name} has no {missing}"
        try:
            for module, name, _ in saved:
                setattr(module, name, values[name])
            yield
        finally:
            for module, name, value in saved:
                setattr(module, name, value)

    @contextmanager
    def precompile(self, address: bytes, other=None):
        """With another precompile at an address, or none."""
        saved = self.precompiles.pop(address)
        try:
            if other is not None:
                self.precompiles[address] = other
            yield
        finally:
            self.precompiles[address] = saved

    @contextmanager
    def opcode(self, name: str, other):
        """With another instruction for an opcode."""
        code = getattr(self.instructions.Ops, name)
        operations = self.instructions.op_implementation
        saved = operations[code]
        try:
            operations[code] = other
            yield
        finally:
            operations[code] = saved


@cache
def fork(name: str) -> Fork:
    return Fork(name)


@contextmanager
def all_of(contexts):
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context())
        yield
