"""papermill's engine without its waits: a notebook is saved about once a second, and its kernel ended at once.

papermill saves the whole notebook, pictures and all, before and after every cell, and gives a kernel seconds to end
by itself. Where cells take a tenth of a second, that is most of the time.
"""

import asyncio
import contextlib
import time
from typing import Any

from jupyter_core.utils import run_sync
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.log import logger

NAME = "sparing"
SECONDS_BETWEEN_SAVES = 1.0


class SparingManager(NotebookExecutionManager):
    """Saves at the first and the last call, in between only what has not been saved for a second."""

    saved_at = -float("inf")

    def save(self, **kwargs: Any) -> None:
        """Save if it is time to."""
        if time.monotonic() - self.saved_at >= SECONDS_BETWEEN_SAVES:
            self.save_now(**kwargs)

    def save_now(self, **kwargs: Any) -> None:
        """Save, whenever the last time was."""
        super().save(**kwargs)
        self.saved_at = time.monotonic()

    def notebook_complete(self, **kwargs: Any) -> None:
        """Save what there is at the end, come what may."""
        self.saved_at = -float("inf")
        super().notebook_complete(**kwargs)

    async def save_soon(self) -> None:
        """Save as soon as it is time to: what is on the disk lacks what came before this cell."""
        await asyncio.sleep(max(0.0, self.saved_at + SECONDS_BETWEEN_SAVES - time.monotonic()))
        with contextlib.suppress(OSError):  # the last save will say it
            self.save_now()


class SparingClient(PapermillNotebookClient):
    """Executes cells; one that takes longer finds all before it saved."""

    async def async_execute_cell(self, cell: NotebookNode, cell_index: int, **options: Any) -> NotebookNode:
        """Execute a cell, and save what came before it as soon as it is time to."""
        saving = asyncio.create_task(self.nb_man.save_soon())
        try:
            return await super().async_execute_cell(cell, cell_index, **options)
        finally:
            saving.cancel()

    execute_cell = run_sync(async_execute_cell)


class SparingEngine(NBClientEngine):
    """papermill's own engine with the two above."""

    @classmethod
    def execute_notebook(
        cls, nb: NotebookNode, kernel_name: str, output_path: str | None = None, **options: Any
    ) -> NotebookNode:
        """Execute a notebook; whatever happens, what was executed is saved."""
        manager = SparingManager(nb, output_path=output_path, progress_bar=False)
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, **options)
        finally:
            manager.notebook_complete()
        return manager.nb

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: SparingManager,
        kernel_name: str,
        *,
        start_timeout: int = 60,
        input_path: str = "",
        progress_bar: bool = False,
        **options: Any,
    ) -> NotebookNode:
        """Execute the cells in a kernel that is killed as soon as the last one is done."""
        client = SparingClient(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            shutdown_kernel="immediate",
            log=logger,
            **options,
        )
        return client.execute()


papermill_engines.register(NAME, SparingEngine)
